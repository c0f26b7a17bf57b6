"""Imported geography in the box round some records."""

from collections.abc import Sequence

import pandas as pd

from data.store import Store
from geo.model import FeatureKind, Scope


def features_round(
    store: Store, scope: Scope, kinds: Sequence[FeatureKind], records: pd.DataFrame, *, margin_degrees: float
) -> pd.DataFrame:
    """Features of the kinds within a margin of the box that holds the records, all of which have a position."""
    lon, lat = records["lon"].to_numpy(float), records["lat"].to_numpy(float)
    west, south = float(lon.min()) - margin_degrees, float(lat.min()) - margin_degrees
    east, north = float(lon.max()) + margin_degrees, float(lat.max()) + margin_degrees
    return store.evidence.features(scope, kinds, (west, south, east, north))
