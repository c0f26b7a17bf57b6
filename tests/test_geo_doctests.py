"""Every example in the docstrings of geo and of the exports runs."""

import doctest
import importlib
import pkgutil

import numpy as np
import pytest

import data.export
import geo

MODULES = [
    importlib.import_module(f"{package.__name__}.{module.name}")
    for package in (geo, data.export)
    for module in pkgutil.iter_modules(package.__path__)
]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_examples(module):
    failed, _ = doctest.testmod(module, extraglobs={"np": np})
    assert failed == 0


def test_there_are_examples():
    finder = doctest.DocTestFinder()
    assert sum(bool(test.examples) for module in MODULES for test in finder.find(module)) >= 12
