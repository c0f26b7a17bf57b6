"""Which park, premises, building or street records speak of: the reference round them, and odds for clusters and records."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.services.protection import MARGIN_M, near_protected
from app.services.round_records import features_round
from data.store import Store
from geo.attribution import Attribution, Odds, Stated, attribute, odds
from geo.attribution_prior import Shares, learn_shares
from geo.model import FeatureKind, LocationBasis, Scope
from geo.reference import Reference
from geo.validate_features import project_geometries

ATTRIBUTABLE = (FeatureKind.PARKS, FeatureKind.PREMISES, FeatureKind.BUILDINGS, FeatureKind.ROADS)
# Degrees: beyond the reach of any position that may name something.
_MARGIN_DEGREES = 0.02


@dataclass(frozen=True)
class Surroundings:
    """Reference geography round some records, the key that each of its features is stored under, and the kinds' shares."""

    reference: Reference
    keys: NDArray[np.object_]
    shares: Shares

    def key_of(self, feature: int | None) -> str | None:
        """Key of a feature as hexadecimal text."""
        return None if feature is None else bytes(self.keys[feature]).hex()


def surroundings(store: Store, scope: Scope, records: pd.DataFrame) -> Surroundings:
    """Everything that the records may speak of, with shares of the kinds learnt from them.

    No address at or beside a protected place may be named; it keeps its odds, so that its neighbours are not named for it.
    """
    features = features_round(store, scope, ATTRIBUTABLE, records, margin_degrees=_MARGIN_DEGREES)
    shapes_m = project_geometries(features["geometry"].to_numpy(object), store.crs)
    address = features["kind"].isin([FeatureKind.PREMISES, FeatureKind.BUILDINGS]).to_numpy(bool)
    nameable = ~(address & near_protected(store, scope, shapes_m, MARGIN_M))
    kinds, subtypes, names = (features[name].to_numpy(object) for name in ("kind", "subtype", "name"))
    reference = Reference.of(shapes_m, kinds, subtypes, names, nameable=nameable)
    shares = learn_shares(stated_of(records.drop_duplicates(["x_m", "y_m"])), reference)
    keys = features["feature_key"].to_numpy(object)
    return Surroundings(reference.reweighted(shares.plain, shares.snapped), keys, shares)


def attribute_clusters(records: pd.DataFrame, group: NDArray[np.int64], around: Surroundings) -> dict[int, Attribution]:
    """Place that each cluster of records speaks of; a mostly snapped cluster speaks of a park or street at most."""
    distinct = records.groupby([group, "x_m", "y_m", "precision_m", "location_basis"], sort=True)
    facts = distinct.size().reset_index(name="weight")
    own = facts[facts.columns[0]].to_numpy(np.int64)
    return attribute(stated_of(facts), facts["weight"].to_numpy(float), own, around.reference)


def record_odds(records: pd.DataFrame, around: Surroundings) -> Odds:
    """Odds of each record, by its position in the frame; records on one position are worked out once."""
    columns = ["x_m", "y_m", "precision_m", "location_basis"]
    number = records.groupby(columns, sort=True).ngroup().to_numpy()
    distinct = records[columns].assign(number=number).drop_duplicates("number").sort_values("number")
    found = odds(stated_of(distinct), around.reference)
    starts = np.searchsorted(found.point, np.arange(len(distinct) + 1))
    count = np.diff(starts)[number]
    point = np.repeat(np.arange(len(records)), count)
    row = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + starts[number][point]
    return Odds(point, found.entity[row], found.probability[row], found.unattributed[number])


def first_named(seen: Odds | None, count: int) -> NDArray[np.int64]:
    """Entity that each of so many records names first, -1 where nothing may be named or ``unattributed`` is likelier."""
    first = np.full(count, -1)
    if seen is not None:
        rows = np.flatnonzero(np.diff(seen.point, prepend=-1) != 0)
        rows = rows[seen.probability[rows] > seen.unattributed[seen.point[rows]]]
        first[seen.point[rows]] = seen.entity[rows]
    return first


def stated_of(frame: pd.DataFrame) -> Stated:
    """Positions of a frame as the odds take them."""
    return Stated(
        frame[["x_m", "y_m"]].to_numpy(float),
        frame["precision_m"].to_numpy(float),
        (frame["location_basis"] == LocationBasis.SNAPPED).to_numpy(bool),
    )
