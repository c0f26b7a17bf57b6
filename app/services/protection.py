"""Refuges and placements: what lies at or near one is never evidence, never a name and never drawn."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from app.services.pseudonyms import Keyring
from data.locations import POSITION_COLUMNS
from data.store import Store
from geo import cells as h3cells
from geo.crs import MetricCrs
from geo.model import H3_INDEX_RESOLUTION, FeatureKind, LocationBasis, Method, Scope
from geo.validate_features import project_geometries

# Positions nearer than this never become part of a hotspot, and premises and homes nearer than this never name one.
MARGIN_M: Final = 100.0
# The building that is the refuge is left off the map. Leaving out more would draw a ring round it.
SAME_BUILDING_M: Final = 10.0
# No point of a cell of resolution 7 is further from its centre than this, anywhere on Earth.
CELL_RADIUS_M: Final = 1_700.0


def near_protected(store: Store, scope: Scope, shapes_m: NDArray[np.object_], margin_m: float) -> NDArray[np.bool_]:
    """Whether each geometry, in the store's metres, lies within ``margin_m`` of a protected place; shape (n,)."""
    return _within(margin_m, _places_m(store, scope), shapes_m)


def points_near_protected(
    store: Store, scope: Scope, x_m: NDArray[np.float64], y_m: NDArray[np.float64], margin_m: float
) -> NDArray[np.bool_]:
    """Do the same for points, of which only those in the box round all protected places are looked at; shape (n,)."""
    return _points_within(margin_m, _places_m(store, scope), x_m, y_m)


def _places_m(store: Store, scope: Scope) -> NDArray[np.object_]:
    features = store.evidence.features(scope, [FeatureKind.PROTECTED])
    return project_geometries(features["geometry"].to_numpy(object), store.crs)


def _within(margin_m: float, places_m: NDArray[np.object_], shapes_m: NDArray[np.object_]) -> NDArray[np.bool_]:
    near = np.zeros(len(shapes_m), bool)
    if len(places_m) and len(shapes_m):
        near[shapely.STRtree(places_m).query(shapes_m, predicate="dwithin", distance=margin_m)[0]] = True
    return near


def _points_within(
    margin_m: float, places_m: NDArray[np.object_], x_m: NDArray[np.float64], y_m: NDArray[np.float64]
) -> NDArray[np.bool_]:
    near = np.zeros(len(x_m), bool)
    if len(places_m):
        west, south, east, north = shapely.total_bounds(places_m) + (margin_m + 1) * np.array([-1, -1, 1, 1])
        inside = np.flatnonzero((x_m >= west) & (x_m <= east) & (y_m >= south) & (y_m <= north))
        near[inside] = _within(margin_m, places_m, shapely.points(x_m[inside], y_m[inside]))
    return near


def coarsened(records: pd.DataFrame, crs: MetricCrs, keys: Keyring) -> pd.DataFrame:
    """Give records only their coarse cell as position, and names that the exact one cannot be worked out from."""
    lon, lat = h3cells.centres(records["cell7"].to_numpy(np.int64))
    x_m, y_m = crs.project(lon, lat)
    return records.assign(
        lon=lon.round(7),
        lat=lat.round(7),
        x_m=x_m,
        y_m=y_m,
        location_basis=LocationBasis.CELL.value,
        precision_m=CELL_RADIUS_M,
        method=Method.CELL.value,
        record_key=[keys.raw("protected", bytes(key)) for key in records["record_key"]],
    )


@dataclass(frozen=True, kw_only=True)
class Protection:
    """What the store protects at one moment, to be applied to records that are not stored yet.

    ``places`` are the keys of the protected places, ``coarse`` those of the records of which only the cell is kept.
    """

    places: frozenset[bytes]
    coarse: frozenset[bytes]
    shapes_m: NDArray[np.object_] = field(compare=False, repr=False)
    crs: MetricCrs = field(compare=False, repr=False)
    keys: Keyring = field(compare=False, repr=False)

    @classmethod
    def of(cls, store: Store, scope: Scope, keys: Keyring) -> "Protection":
        """As the store stands now."""
        features = store.evidence.features(scope, [FeatureKind.PROTECTED])
        return cls(
            places=frozenset(bytes(key) for key in features["feature_key"]),
            coarse=store.locations.coarse_keys(scope),
            shapes_m=project_geometries(features["geometry"].to_numpy(object), store.crs),
            crs=store.crs,
            keys=keys,
        )

    def applied_to(self, records: pd.DataFrame) -> tuple[pd.DataFrame, int]:
        """Coarsen what lies at or near a protected place; returns all of the records, and how many became coarse.

        A record that is held as a coarse cell is known again by the key it has there, and stays coarse whatever has
        become of the protected place.
        """
        fine = (records["location_basis"] != LocationBasis.CELL).to_numpy(bool)
        located = np.isfinite(records["x_m"].to_numpy(float)) & fine
        known = fine & self._held(records["record_key"]) if self.coarse else np.zeros(len(records), bool)
        near = known & located
        if len(self.shapes_m):
            x_m, y_m = (records[name].to_numpy(float)[located] for name in ("x_m", "y_m"))
            near[located] |= _points_within(MARGIN_M, self.shapes_m, x_m, y_m)
        records = records.copy() if near.any() or known.any() else records
        if near.any():
            few = coarsened(records[near], self.crs, self.keys)
            for name in few.columns:
                records.loc[near, name] = few[name]
        if (unplaced := known & ~near).any():  # what is held of them was placed after its import
            renamed = [self.keys.raw("protected", bytes(key)) for key in records.loc[unplaced, "record_key"]]
            records.loc[unplaced, "record_key"] = pd.Series(renamed, index=records.index[unplaced], dtype=object)
        return records, int(near.sum())

    def _held(self, record_keys: pd.Series) -> NDArray[np.bool_]:
        return np.asarray([self.keys.raw("protected", bytes(key)) in self.coarse for key in record_keys], bool)


def coarsen_stored(store: Store, scope: Scope, keys: Keyring) -> list[bytes]:
    """Coarsen every version of what is stored at or near a protected place; returns their keys. For good."""
    exact = store.locations.exact(scope)
    x_m, y_m = (exact[name].to_numpy(float) for name in ("x_m", "y_m"))
    exact = exact[points_near_protected(store, scope, x_m, y_m, MARGIN_M)]
    if exact.empty:
        return []
    lon, lat = exact["lon"].to_numpy(float), exact["lat"].to_numpy(float)
    coarse = coarsened(exact.assign(cell7=h3cells.index_points(lon, lat, H3_INDEX_RESOLUTION)), store.crs, keys)
    new = [bytes(key) for key in coarse["record_key"]]
    renamed = coarse[list(POSITION_COLUMNS)].assign(record_key=exact["record_key"].tolist(), new_key=new)
    store.locations.coarsen(scope, renamed)
    return new


def runs_drawn_near(store: Store, scope: Scope) -> list[str]:
    """Analyses that counted a file which has been undone, and whose layers show something at or near a protected place.

    The records behind them are no longer there to be found; what was drawn of them is.
    """
    undone = {batch.batch_id for batch in store.evidence.batches(scope) if batch.undone_at_us is not None}
    found = []
    for run in store.runs.runs(scope):
        if run.purged_at_us is not None or not undone & set(run.summary.get("batches", ())):
            continue
        counted = store.runs.cells(scope, run.run_id, min_records=1)["cell"].to_numpy(np.int64)
        drawn = [place.footprint for place in store.runs.places(scope, run.run_id)]
        cells = np.unique(np.concatenate([counted, *(np.asarray(one, np.int64) for one in drawn)]))
        cells = cells[h3cells.resolutions(cells) > H3_INDEX_RESOLUTION]
        shapes_m = project_geometries(h3cells.boundaries(cells), store.crs)
        if near_protected(store, scope, shapes_m, MARGIN_M).any():
            found.append(run.run_id)
    return found
