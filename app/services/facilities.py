"""Places of one kind against each other, and single reports that a person should look at."""

from typing import Any, Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from app.services.attributing import Surroundings
from data.store import Store
from geo import cells as h3cells
from geo.attribution import Odds
from geo.facilities import compare_facilities, concentration
from geo.model import SIGMAS_IN_95_PERCENT_RADIUS, FeatureKind, LocationBasis
from geo.outcome import Facility
from geo.place_kinds import PARK, is_residential
from geo.temporal import local_days, midpoint_us

# Homes are never ranked against each other, and streets are told by the routes.
COMPARED: Final = (
    "park", "hotel", "takeaway", "shop", "licensed", "car_park", "station", "school", "taxi_rank", "premises",
)  # fmt: skip
MIN_ODDS: Final = 0.5
# 3x5x2: a reliable source that knows directly, or indirectly with corroboration.
HIGH_SOURCE: Final = "1"
HIGH_INFORMATION: Final = ("A", "B")
MAX_SINGLE: Final = 100
_SINGLE_RESOLUTION: Final = 10


def compare_kinds(
    store: Store,
    located: pd.DataFrame,
    seen: Odds | None,
    around: Surroundings | None,
    study: h3cells.Cells,
    *,
    seed: int,
) -> tuple[list[Facility], dict[str, Any]]:
    """Facilities of the study area that records speak of, tested against their own kind, and how concentrated each kind is.

    A record counts at the facility that it names first with odds of a half or more. Moved positions are left out: they lie where
    their publisher's map points lie. Parks are compared by the ground from which positions as precise as those counted at parks reach them.
    """
    if seen is None or around is None:
        return [], {}
    reference = around.reference
    entities = _entities_within(store, around, study)
    if not len(entities):
        return [], {}
    first = np.flatnonzero(np.diff(seen.point, prepend=-1) != 0)
    moved = (located["location_basis"] == LocationBasis.SNAPPED).to_numpy(bool)
    sure = first[(seen.probability[first] >= MIN_ODDS) & ~moved[seen.point[first]]]
    records = np.bincount(seen.entity[sure], minlength=len(reference))[entities]
    own = ~moved[seen.point]
    weight = np.bincount(seen.entity[own], seen.probability[own], minlength=len(reference))[entities]
    kinds = reference.place_kinds[entities].astype(str)
    names, codes = np.unique(kinds, return_inverse=True)
    reach_m = _reach_m(located, seen.point[sure[reference.place_kinds[seen.entity[sure]] == PARK]])
    around_m2 = shapely.area(reference.geometry_m) + reach_m * shapely.length(reference.geometry_m) + np.pi * reach_m**2
    ground = np.bincount(reference.entity, around_m2, minlength=len(reference))[entities]
    exposure = np.where(kinds == PARK, np.maximum(ground, 100.0), 1.0)
    tested = compare_facilities(records, kind=codes, exposure=exposure)
    told = [
        Facility(
            feature_key=bytes(around.keys[entities[i]]),
            kind=str(kinds[i]),
            name=str(reference.names[entities[i]]),
            records=int(records[i]),
            weight=round(float(weight[i]), 3),
            evidence=_plain(tested.iloc[i]),
        )
        for i in np.flatnonzero(records > 0)
    ]
    return told, {kind: _concentration(records[codes == i], seed) for i, kind in enumerate(names.tolist())}


def _reach_m(located: pd.DataFrame, rows: NDArray[np.int64]) -> float:
    """How far off the records of parks are told, as a sigma; what names no park has no say in how parks compare."""
    return float(located["precision_m"].iloc[rows].median()) / SIGMAS_IN_95_PERCENT_RADIUS if len(rows) else 0.0


def _entities_within(store: Store, around: Surroundings, study: h3cells.Cells) -> NDArray[np.int64]:
    """First features of the compared entities that lie in the study area."""
    reference = around.reference
    own = np.flatnonzero(
        (reference.entity == np.arange(len(reference)))
        & np.isin(reference.place_kinds.astype(str), COMPARED)
        & reference.nameable
    )
    if not len(own):
        return own
    inner = shapely.get_coordinates(shapely.point_on_surface(reference.geometry_m[own]))
    lon, lat = store.crs.unproject(inner[:, 0], inner[:, 1])
    cells = h3cells.index_points(lon, lat, int(h3cells.resolutions(study[:1])[0]))
    return own[np.isin(cells, study)]


def _plain(row: pd.Series) -> dict[str, Any]:
    ratio = {
        name: None if not np.isfinite(row[name]) else float(f"{row[name]:.6g}")
        for name in ("expected", "rate_ratio", "ratio_low", "ratio_high", "p_value", "q_value")
    }
    return ratio | {"tested": bool(row["tested"])}


def _concentration(records: NDArray[np.int64], seed: int) -> dict[str, Any]:
    found = concentration(records, seed=seed)
    return {
        "facilities": len(records),
        "records": int(records.sum()),
        "hold_80_percent": found.facilities_needed,
        "share": round(found.share_needed, 4),
        "share_by_chance": round(found.share_needed_equal, 4),
        "p_value": round(found.p_value, 4),
    }


def high_grade(located: pd.DataFrame) -> NDArray[np.bool_]:
    """Which reports come from a reliable source that knows."""
    high = (located["grade_source"] == HIGH_SOURCE) & located["grade_information"].isin(HIGH_INFORMATION)
    return high.to_numpy(bool)


def single_reports(
    located: pd.DataFrame, alone: NDArray[np.bool_], seen: Odds | None, around: Surroundings | None
) -> list[dict[str, Any]]:
    """Reports of high grade that no cluster holds: one is no hotspot, but somebody should decide what it means.

    A cell of 130 m stands for the position, and the likeliest place where one may be named.
    """
    rows = np.flatnonzero(alone & high_grade(located))
    chosen = located.iloc[rows]
    at_us = midpoint_us(chosen["from_us"].to_numpy("int64"), chosen["to_us"].to_numpy("int64"))
    order = np.lexsort((chosen["record_key"].map(bytes).to_numpy(object), -at_us))[:MAX_SINGLE]
    chosen, rows = chosen.iloc[order], rows[order]
    days = local_days(at_us[order]).astype("datetime64[D]").astype(str)
    cells = h3cells.index_points(chosen["lon"].to_numpy(float), chosen["lat"].to_numpy(float), _SINGLE_RESOLUTION)
    lon, lat = h3cells.centres(cells)
    likeliest = [_likeliest(int(row), seen, around) for row in rows]
    return [
        {
            "record": bytes(key).hex(), "day": str(day), "category": category, "agency": agency, "grade": f"{source}{information}",
            "cell": cell, "lon": round(float(x), 5), "lat": round(float(y), 5), **place,
        }
        for key, day, category, agency, source, information, cell, x, y, place in zip(
            chosen["record_key"], days, chosen["category"], chosen["agency"], chosen["grade_source"], chosen["grade_information"],
            h3cells.cell_text(cells), lon, lat, likeliest, strict=True,
        )
    ]  # fmt: skip


def _likeliest(row: int, seen: Odds | None, around: Surroundings | None) -> dict[str, Any]:
    nothing = {"kind": None, "name": None, "probability": None}
    if seen is None or around is None:
        return nothing
    start = int(np.searchsorted(seen.point, row))
    if start == len(seen.point) or seen.point[start] != row or seen.probability[start] < MIN_ODDS:
        return nothing
    entity = int(seen.entity[start])
    kind = str(around.reference.place_kinds[entity])
    if is_residential(kind) or around.reference.kinds[entity] == FeatureKind.BUILDINGS:
        return nothing  # one report is not enough to name a home
    return {
        "kind": kind,
        "name": str(around.reference.names[entity]) or None,
        "probability": round(float(seen.probability[start]), 3),
    }
