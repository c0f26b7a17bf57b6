"""Hot cells that touch are one hot area; each gets the sentence that a panel can quote."""

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from app.services.wording import area_words
from data.store import Store
from geo import cells as h3cells
from geo.evidence import summarise
from geo.model import AnalysisParameters, Place, Run, Scope
from geo.neighbourhoods import Neighbourhoods

MAX_AREAS: Final = 50
_TOLD: Final = ("records", "days", "months", "month_only", "snapped", "sources")
_SPAN: Final = ("first_day", "last_day", "first_month", "last_month")


def find_hot_areas(
    records: pd.DataFrame,
    position: NDArray[np.int64],
    hot: NDArray[np.bool_],
    share: NDArray[np.float64],
    around: Neighbourhoods,
) -> list[dict[str, Any]]:
    """Return hot areas as plain values, the fullest first: cells, counts, and how they compare with the expectation.

    ``position`` is the study cell of each tested record. An area of hot cells without any record of its own, round a
    full window's edge, is left out.
    """
    cells = np.flatnonzero(hot)
    if not len(cells):
        return []
    touching = around.rings[1][cells][:, cells]
    count, label = connected_components(touching, directed=False)
    area_of = np.full(len(hot), -1)
    area_of[cells] = label
    group = area_of[position]
    inside = group >= 0
    held, own = np.unique(group[inside], return_inverse=True)
    evidence = summarise(records[inside], own, len(held), as_of_us=int(records["to_us"].max()))
    of_area = np.bincount(label, share[cells], minlength=count)
    found = []
    for facts, number in zip(evidence, held.tolist(), strict=True):
        expected = float(of_area[number] * len(records))
        told = {name: facts[name] for name in (*_TOLD, *_SPAN)}
        told |= {
            "cells": h3cells.cell_text(around.cells[cells[label == number]]),
            "expected": float(f"{expected:.6g}"),
            "rate_ratio": float(f"{facts['records'] / expected:.6g}") if expected else 0.0,
            "significant": True,
        }
        found.append(told)
    return sorted(found, key=lambda one: (-one["records"], one["cells"]))[:MAX_AREAS]


def list_hot_areas(store: Store, scope: Scope, run: Run) -> list[dict[str, Any]]:
    """Return the hot areas of a run, each with its sentence and the place in it that stands first."""
    resolution = AnalysisParameters.from_json(run.parameters).resolution
    place_in: dict[str, Place] = {}
    for place in store.runs.places(scope, run.run_id):
        lon, lat = h3cells.centres(np.asarray([place.peak_cell], np.int64))
        place_in.setdefault(h3cells.cell_text(h3cells.index_points(lon, lat, resolution))[0], place)
    listed = []
    for area in run.summary["hot_areas"]:
        inside = sorted((place_in[cell] for cell in area["cells"] if cell in place_in), key=lambda place: place.rank)
        first = inside[0] if inside else None
        listed.append(area | {"why": area_words(area, first, run), "place": first.place_id if first else None})
    return listed
