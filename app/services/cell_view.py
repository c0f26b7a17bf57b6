"""One cell of a map: how many, how that compares, of what kinds, when, and which places lie in it; never a position."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.services.layers import require_layers
from app.services.map_cells import run_cells
from app.services.run_records import run_records
from app.services.view_lists import by_month
from data.store import Store
from geo import cells as h3cells
from geo.aoristic import aoristic_profile
from geo.errors import NotFound
from geo.model import LocationBasis, Place, Run, Scope
from geo.parameters import AnalysisParameters
from geo.view import View
from geo.view_filter import matching


@dataclass(frozen=True, kw_only=True)
class CellView:
    """What is known of a cell under a view.

    ``statistics`` are those of the analysis where it is one of its own cells, else None; ``parts`` counts the cells of the
    analysis in a coarser one and ``hot_parts`` the hot ones. ``weights`` has records by weekday and hour, ``cautious``
    says that they are too few to plan by. ``months`` has every month of the analysis.
    """

    cell: str
    lon: float
    lat: float
    records: int
    statistics: dict[str, Any] | None
    parts: int
    hot_parts: int
    kinds: dict[str, int]
    agencies: dict[str, int]
    snapped: int
    weights: list[list[float]]
    timed: int
    cautious: bool
    months: dict[str, int]
    places: list[Place]

    @property
    def sources(self) -> int:
        """How many agencies or sources speak of it."""
        return len(self.agencies)


def view_cell(store: Store, scope: Scope, run: Run, text: str, view: View) -> CellView:
    """Describe a cell of the analysis, or a coarser one that a map shows when it is zoomed out.

    Raises
    ------
    NotFound
        When the analysis has no such cell.
    """
    require_layers(run)
    own = AnalysisParameters.from_json(run.parameters).resolution
    cell, resolution = _read(text)
    if resolution > own:
        raise NotFound("The analysis has no such cell.")
    parts = run_cells(store, scope, run)
    parts = parts[h3cells.parents(parts["cell"].to_numpy(np.int64), resolution) == cell]
    if parts.empty:
        raise NotFound("The analysis has no such cell.")
    records = run_records(store, scope, run)
    inside = h3cells.parents(records["cell"].to_numpy(np.int64), resolution) == cell
    shown = matching(records, view)
    (lon,), (lat,) = h3cells.centres(np.asarray([cell], np.int64))
    return CellView(
        cell=text, lon=float(lon), lat=float(lat), parts=len(parts), hot_parts=int(parts["hot"].sum()),
        statistics=store.runs.statistic(scope, run.run_id, cell) if resolution == own else None,
        places=_places(store, scope, run, records.loc[inside, "place"].to_numpy(np.int64)),
        months=by_month(records, inside & shown), **_facts(records[inside & shown]),
    )  # fmt: skip


def _read(text: str) -> tuple[int, int]:
    """Cell and its resolution."""
    if not (text.isalnum() and text.isascii() and len(text) <= 16):
        raise NotFound("There is no such cell.")
    try:
        cell = h3cells.cell_number(text)
    except ValueError as error:
        raise NotFound("There is no such cell.") from error
    if not h3cells.is_cell(cell):
        raise NotFound("There is no such cell.")
    return cell, int(h3cells.resolutions(np.asarray([cell], np.int64))[0])


def _facts(records: pd.DataFrame) -> dict[str, Any]:
    profile = aoristic_profile(
        records["from_us"].to_numpy(np.int64), records["to_us"].to_numpy(np.int64), np.zeros(len(records), np.int64), 1
    )
    speaker = records["agency"].astype(str).where(records["agency"].astype(str) != "", records["source"].astype(str))
    return {
        "records": len(records),
        "kinds": _counted(records["kind"]),
        "agencies": _counted(speaker),
        "snapped": int((records["location_basis"].astype(str) == LocationBasis.SNAPPED).sum()),
        "weights": np.round(profile.weights[0], 3).tolist(),
        "timed": int(profile.timed[0]),
        "cautious": bool(profile.cautious[0]),
    }


def _counted(values: pd.Series) -> dict[str, int]:
    counts = values.astype(str).value_counts()
    return {str(name): int(n) for name, n in sorted(counts.items(), key=lambda one: (-one[1], one[0])) if n}


def _places(store: Store, scope: Scope, run: Run, clusters: NDArray[np.int64]) -> list[Place]:
    """Places that hold records of the cell, by rank."""
    held = set(clusters[clusters >= 0].tolist())
    return [place for place in store.runs.places(scope, run.run_id) if place.cluster in held]
