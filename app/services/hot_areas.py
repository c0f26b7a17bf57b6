"""Hot cells whose windows touch are one hot area; each gets the sentence that a panel can quote."""

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from app.services.wording import area_words
from data.store import Store
from geo import cells as h3cells
from geo.evidence import summarise
from geo.hotspots import RADIUS, Hotspots
from geo.model import Place, Run, Scope
from geo.neighbourhoods import Neighbourhoods
from geo.parameters import AnalysisParameters

MAX_AREAS: Final = 50
_TOLD: Final = ("records", "days", "months", "month_only", "snapped", "sources")
_SPAN: Final = ("first_day", "last_day", "first_month", "last_month")


def find_hot_areas(
    records: pd.DataFrame,
    position: NDArray[np.int64],
    found: Hotspots,
    share: NDArray[np.float64],
    around: Neighbourhoods,
) -> list[dict[str, Any]]:
    """Return hot areas as plain values, the fullest first: cells, counts, and how they compare with the expectation.

    An area is made of the windows of hot cells at most two steps apart, which a gap in the study area does not part; ``position`` is the study cell of each tested record.
    """
    if not found.hot.any():
        return []
    cells = np.flatnonzero(around.disk(RADIUS) @ found.hot.astype(float) > 0)
    count, label = connected_components(around.disk(RADIUS)[cells][:, cells], directed=False)
    area_of = np.full(len(found.hot), -1)
    area_of[cells] = label
    group = area_of[position]
    held, own = np.unique(group[group >= 0], return_inverse=True)
    evidence = summarise(records[group >= 0], own, len(held), as_of_us=int(records["to_us"].max()))
    expected = np.bincount(label, share[cells], minlength=count) * int(found.test.tested[position].sum())
    areas = []
    for number, facts in zip(held.tolist(), evidence, strict=True):
        told = {name: facts[name] for name in (*_TOLD, *_SPAN)}
        told |= {
            "cells": h3cells.cell_text(around.cells[cells[(label == number) & found.hot[cells]]]),
            "expected": float(f"{expected[number]:.6g}"),
            "rate_ratio": float(f"{facts['records'] / expected[number]:.6g}"),
            "significant": True,
        }
        areas.append(told)
    return sorted(areas, key=lambda one: (-one["records"], one["cells"]))[:MAX_AREAS]


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
