"""Repeated coordinates of a store's reports: what each is, what a person says it is, and what that does to records."""

from typing import Any, Final

import numpy as np
import pandas as pd
import shapely

from data.audit import Verb
from data.ids import uuid7
from data.store import Store
from geo.drawn_area import DRAWN_LEVEL
from geo.errors import InvalidParameter, NotFound
from geo.model import FeatureKind, LocationBasis, Method, RecordKind, Scope, content_hash
from geo.stack_rules import SNAP_PRECISION_M
from geo.stacks import Landmarks, StackClass, StackMethod, classify_stacks, stack_of_each_record
from geo.temporal import midpoint_us
from geo.validate_features import POSTCODE_LEVEL, project_geometries

# Sessions and sightings repeat at places of their own making: a meeting point, a camera.
REPORTS: Final = (RecordKind.INCIDENTS, RecordKind.OBSERVATIONS)
# Positions that a gazetteer gave say themselves how far they may be used.
_GEOCODED: Final = frozenset({Method.UPRN, Method.POSTCODE, Method.NAME, Method.ROAD, Method.CHOSEN})
# What a person may say that a coordinate is, and how far it may then be used.
RULED: Final = {
    StackClass.ADDRESS: StackMethod.AS_GIVEN,
    StackClass.SNAP_POINT: StackMethod.SNAPPED,
    StackClass.CENTROID: StackMethod.CENTROID,
    StackClass.REPORTING: StackMethod.NOT_A_PLACE,
    StackClass.DEFAULT: StackMethod.NOT_A_PLACE,
}
_MOVED: Final = (StackMethod.SNAPPED, StackMethod.CENTROID)


def landmarks(store: Store, scope: Scope) -> Landmarks:
    """Reference geography that coordinates are compared with, as far as it has been imported."""
    kinds = (FeatureKind.ROADS, FeatureKind.PREMISES, FeatureKind.AREAS)
    features = store.evidence.features(scope, kinds)
    shapes = project_geometries(features["geometry"].to_numpy(object), store.crs)
    kind, level = features["kind"].to_numpy(object), features["level"].to_numpy(object)
    polygon = np.isin(shapely.get_type_id(shapes), [3, 6])
    # Nobody publishes points in the middle of what an analyst drew.
    area = (kind == FeatureKind.AREAS) & ~np.isin(level, [POSTCODE_LEVEL, DRAWN_LEVEL]) & polygon
    postcodes = shapely.centroid(shapes[(kind == FeatureKind.AREAS) & (level == POSTCODE_LEVEL)])
    premises = kind == FeatureKind.PREMISES
    return Landmarks(
        roads_m=shapes[(kind == FeatureKind.ROADS) & ~polygon],
        premises_m=shapes[premises],
        premises_kind=features["subtype"].to_numpy(object)[premises],
        areas_m=shapes[area],
        areas_level=level[area],
        postcodes_m=np.column_stack([shapely.get_x(postcodes), shapely.get_y(postcodes)]),
    )


def find_stacks(store: Store, scope: Scope, records: pd.DataFrame) -> pd.DataFrame:
    """Class every distinct coordinate of some records (rows of ``Evidence.records``), with what people ruled.

    Returns ``STACK_COLUMNS`` and ``stack_id``, ``lon``, ``lat`` and ``ruled``, one row a distinct coordinate.
    """
    found = _classes(store, scope, records)
    lon, lat = store.crs.unproject(found["x_m"].to_numpy(), found["y_m"].to_numpy())
    points = zip(found["x_m"].tolist(), found["y_m"].tolist(), strict=True)
    ids = np.asarray([content_hash(f"{x:.3f}", f"{y:.3f}")[:12] for x, y in points], object)
    return _ruled(found.assign(stack_id=ids, lon=lon, lat=lat), store.supplies.stack_rulings(scope))


def _classes(store: Store, scope: Scope, records: pd.DataFrame) -> pd.DataFrame:
    """``STACK_COLUMNS`` of every distinct coordinate of some records, whatever people ruled."""
    used = records[_classed(records)]
    at_us = midpoint_us(used["from_us"].to_numpy(), used["to_us"].to_numpy())
    agency = used["agency"].where(used["agency"] != "", used["source"])
    return classify_stacks(
        used["x_m"].to_numpy(float),
        used["y_m"].to_numpy(float),
        category=used["category"].to_numpy(object),
        agency=agency.to_numpy(object),
        at_us=at_us,
        snapped=(used["location_basis"] == LocationBasis.SNAPPED).to_numpy(bool),
        landmarks=landmarks(store, scope),
    )


def _classed(records: pd.DataFrame) -> pd.Series:
    """Which records have a position of their source's."""
    sourced = records["location_basis"].isin([LocationBasis.EXACT, LocationBasis.SNAPPED])
    return sourced & records["kind"].isin(REPORTS) & ~records["method"].isin(_GEOCODED)


def _ruled(found: pd.DataFrame, rulings: dict[str, str]) -> pd.DataFrame:
    """Let what people said stand above what the detector says."""
    said = found["stack_id"].map(rulings)
    ruled = said.notna().to_numpy(bool)
    if not ruled.any():
        return found.assign(ruled=False)
    word = said[ruled].map(StackClass)
    found.loc[ruled, "stack_class"] = word.map(str)
    found.loc[ruled, "method"] = word.map(lambda one: str(RULED[one]))
    found.loc[ruled, "reason"] = "a person said so"
    found.loc[ruled, "of"] = ""
    coarse = found["precision_m"].fillna(SNAP_PRECISION_M)
    moved = found["method"].isin(_MOVED)
    found["precision_m"] = found["precision_m"].where(~ruled, coarse.where(moved))
    return found.assign(ruled=ruled)


def weigh_positions(store: Store, scope: Scope, records: pd.DataFrame) -> pd.DataFrame:
    """Give records the precision and basis that their coordinate deserves, and say which have no real place.

    Positions on map points and centroids become ``snapped`` and no more precise than those are. ``set_aside`` marks
    records on a default or on the address where reports are made: they count, but on no map.
    """
    if not _classed(records).any():
        return records.assign(set_aside=False)
    # Coordinates are named so that people can rule on them: where nobody has, no name is needed.
    stacks = find_stacks if store.supplies.stack_rulings(scope) else _classes
    return weigh_by(records, stacks(store, scope, records))


def weigh_by(records: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Do the same by stacks that were found in just these records."""
    records = records.assign(set_aside=False)
    used = _classed(records)
    rows = records.index[used]
    stack = found.iloc[
        stack_of_each_record(records.loc[rows, "x_m"].to_numpy(float), records.loc[rows, "y_m"].to_numpy(float))
    ]
    method = stack["method"].to_numpy(object)
    moved = np.isin(method, [str(one) for one in _MOVED])
    precision_m = np.fmax(records.loc[rows, "precision_m"].to_numpy(float), stack["precision_m"].to_numpy(float))
    records.loc[rows, "precision_m"] = np.where(moved, precision_m, records.loc[rows, "precision_m"])
    basis = records.loc[rows, "location_basis"].to_numpy(object)
    records.loc[rows, "location_basis"] = np.where(moved, str(LocationBasis.SNAPPED), basis)
    records.loc[rows, "set_aside"] = method == str(StackMethod.NOT_A_PLACE)
    return records


def list_stacks(store: Store, scope: Scope, *, least: int = 2) -> list[dict[str, Any]]:
    """Coordinates that at least so many reports share, and those set aside whatever their number, the busiest first."""
    records = store.evidence.records(scope, REPORTS)
    found = find_stacks(store, scope, records)
    found = found[(found["records"] >= least) | found["ruled"] | (found["method"] == StackMethod.NOT_A_PLACE)]
    total = int(_classed(records).sum())
    found = found.sort_values(["records", "stack_id"], ascending=[False, True])
    names = ("stack_id", "records", "stack_class", "of", "precision_m", "method", "reason", "ruled", "lon", "lat")
    listed = [dict(zip(names, row, strict=True)) for row in found[list(names)].itertuples(index=False, name=None)]
    for one in listed:
        one["precision_m"] = None if np.isnan(one["precision_m"]) else round(float(one["precision_m"]), 1)
        one |= {"records": int(one["records"]), "share": one["records"] / total, "ruled": bool(one["ruled"])}
        one |= {"lon": round(one["lon"], 6), "lat": round(one["lat"], 6)}
    return listed


def rule_stack(store: Store, scope: Scope, stack_id: str, stack_class: str, *, reason: str, now_us: int) -> None:
    """Say what a repeated coordinate is, whatever the detector says; later analyses follow it."""
    if stack_class not in set(RULED):
        raise InvalidParameter(f"Unknown class {stack_class!r}; choose from {', '.join(RULED)}.")
    if not reason.strip():
        raise InvalidParameter("Say why: a later reader needs the reason.")
    if stack_id not in {one["stack_id"] for one in list_stacks(store, scope, least=1)}:
        raise NotFound(f"No coordinate {stack_id}; list them with: lapwing stacks")
    with store.database.transaction():
        store.supplies.rule_stack(scope, stack_id, stack_class, reason.strip(), now_us)
        store.supplies.alter(scope, uuid7(now_us), f"stack:{stack_id}:{stack_class}", now_us)
        store.audit.append(scope, Verb.ALTERATION, f"stack:{stack_id}", now_us, stack_class=stack_class)
