"""Which records make which place: clusters found again by their footprints, then joined and parted as people decided."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.services.run_inputs import RunInputs
from app.services.selecting import Selection
from data.store import Store
from geo.cluster import NOISE, Clustering, width_m
from geo.distinct import distinct_points
from geo.identity import match_places, regroup
from geo.model import Scope
from geo.parameters import AnalysisParameters

Footprint = tuple[tuple[int, ...], int]


@dataclass(frozen=True)
class PlaceGroups:
    """Records of clusters by the place that they make.

    ``clustered`` marks them among the located records and ``group`` is the place of each; by place, ``rows`` are its positions in ``records`` and
    ``footprints`` its cells with the fullest of them. ``matched`` has the footprints of the clusters, by which they are known again.
    """

    clustered: NDArray[np.bool_]
    records: pd.DataFrame
    group: NDArray[np.int64]
    ids: list[str]
    rows: list[NDArray[np.int64]]
    footprints: list[Footprint]
    widths_m: list[float]
    matched: dict[str, tuple[int, ...]]

    @property
    def keys(self) -> "pd.Series[bytes]":
        """Record keys, in the order of the records."""
        return self.records["record_key"]


def group_records(
    store: Store,
    scope: Scope,
    parameters: AnalysisParameters,
    selection: Selection,
    clustering: Clustering,
    inputs: RunInputs,
) -> PlaceGroups:
    """Find the place of each clustered record.

    The footprints that clusters are matched by are their own: a place that was merged is known again by its own, not by the whole's.
    """
    clustered = clustering.labels != NOISE
    records = selection.located[clustered]
    core = clustering.core[clustering.inverse[clustered]]
    cover = selection.at.cells(parameters.footprint_resolution)[clustered]
    points_m = records[["x_m", "y_m"]].to_numpy(float)
    label = clustering.labels[clustered]
    own = [_footprint(cover[rows], core[rows])[0] for rows in _rows_of(label, int(label.max(initial=-1)) + 1)]
    known, nominated = _known(store, scope, inputs), inputs.remembered.nominated
    matched = match_places(own, known, org_id=scope.org_id, run_id=inputs.run_id, nominated=nominated)
    group, ids = regroup(points_m, label, matched, inputs.remembered.rulings)
    rows_of = _rows_of(group, len(ids))
    return PlaceGroups(
        clustered=clustered,
        records=records,
        group=group,
        ids=ids,
        rows=rows_of,
        footprints=[_footprint(cover[rows], core[rows]) for rows in rows_of],
        widths_m=_widths_m(points_m, rows_of),
        matched=dict(zip(matched, own, strict=True)),
    )


def _known(store: Store, scope: Scope, inputs: RunInputs) -> dict[str, Sequence[int]]:
    """Footprints to match; a run made again finds its own places again, wherever later runs have seen them since."""
    own = {place.place_id: place.footprint for place in store.runs.places(scope, inputs.run_id)}
    return dict(inputs.remembered.known) | own


def _rows_of(group: NDArray[np.int64], count: int) -> list[NDArray[np.int64]]:
    """Positions of the members of each group, in order of position."""
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(count + 1))
    return [order[starts[i] : starts[i + 1]] for i in range(count)]


def _widths_m(points_m: NDArray[np.float64], rows_of: list[NDArray[np.int64]]) -> list[float]:
    """Width of each place, over its distinct points."""
    x_m, y_m, point = distinct_points(*points_m.T)  # sorted as numpy.unique sorts them
    distinct_m = np.column_stack([x_m, y_m])
    return [width_m(distinct_m[np.unique(point[rows])]) for rows in rows_of]


def _footprint(cells: NDArray[np.int64], core: NDArray[np.bool_]) -> Footprint:
    """Cells that hold core points, sorted, and the one with the most records; a part split off may hold none."""
    distinct, counts = np.unique(cells[core] if core.any() else cells, return_counts=True)
    return tuple(distinct.tolist()), int(distinct[counts.argmax()])
