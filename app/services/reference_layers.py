"""Imported reference geography as released layers: the ground of maps, the basemap, and outlines of areas."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from app.services.protection import SAME_BUILDING_M, near_protected
from app.services.synthetic import is_synthetic
from data.store import Store
from geo import __version__
from geo.disclosure import ReleasedLayer, release
from geo.drawn_area import DRAWN_LEVEL
from geo.model import FeatureKind, Layer, Profile, Run, Scope, content_hash
from geo.parameters import AnalysisParameters
from geo.validate_features import project_geometries

Box = tuple[float, float, float, float]
WHOLE_WORLD: Final = (-180.0, -90.0, 180.0, 90.0)
_ADDRESSES: Final = frozenset({FeatureKind.PREMISES, FeatureKind.BUILDINGS})


def shown_features(store: Store, scope: Scope, kinds: Sequence[FeatureKind], box: Box = WHOLE_WORLD) -> pd.DataFrame:
    """Imported features that a map may show: none at a protected place, and none that an analyst drew, which is no landmark."""
    features = store.evidence.features(scope, kinds, box)
    features = features[features["level"] != DRAWN_LEVEL].reset_index(drop=True)
    hidden = features["kind"].isin(_ADDRESSES).to_numpy(bool, copy=True)
    if hidden.any():
        shapes_m = project_geometries(features["geometry"].to_numpy(object)[hidden], store.crs)
        hidden[hidden] = near_protected(store, scope, shapes_m, SAME_BUILDING_M)
    return features[~hidden].reset_index(drop=True)


def release_reference(
    store: Store, scope: Scope, run: Run, kinds: Any, names: Sequence[str | None], shapes: np.ndarray
) -> ReleasedLayer:
    """Release shapes with their kinds (or the one kind of all) and names, for operations."""
    plain = pd.Series([name or None for name in names], dtype=object)
    frame = pd.DataFrame({"id": [str(i) for i in range(len(plain))], "kind": kinds, "name": plain})
    frame = frame.assign(kind=frame["kind"].astype(str))
    return release(
        Layer.REFERENCE, frame, shapes, run=run, profile=Profile.OPERATIONAL, synthetic=is_synthetic(store, scope)
    )


def no_analysis(store: Store, scope: Scope, what: str, now_us: int) -> Run:
    """Stand in for an analysis where reference geography is released without one."""
    return Run(
        run_id=content_hash(what, scope.org_id, str(now_us)),
        parameters=AnalysisParameters(crs_epsg=store.crs.epsg).as_json(),
        input_hashes=(),
        code_version=__version__,
        seed=0,
        generated_at_us=now_us,
        created_by=scope.actor,
    )
