"""Placing unlocated records without asking anybody outside: by UPRN, postcode, or the name of an imported place."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import shapely

from app.services.protection import Protection
from app.services.pseudonyms import Keyring
from data.audit import Verb
from data.ids import uuid7
from data.locations import POSITION_COLUMNS
from data.store import Store
from geo.cells import index_points
from geo.drawn_area import DRAWN_LEVEL
from geo.errors import InvalidParameter
from geo.gazetteer import Candidate, Gazetteer, Match, match_names
from geo.model import H3_INDEX_RESOLUTION, FeatureKind, LocationBasis, Method, Scope, content_hash
from geo.validate_features import POSTCODE_LEVEL, project_geometries
from geo.validate_positions import DEFAULT_PRECISION_M

if TYPE_CHECKING:
    from app.services.terms import Terms

# The most telling first.
ORDER: Final = ("uprn", "place", "postcode", "road")
_METHODS: Final = {"uprn": Method.UPRN, "postcode": Method.POSTCODE, "place": Method.NAME, "road": Method.ROAD}
_NAMED: Final = (FeatureKind.PARKS, FeatureKind.PREMISES, FeatureKind.BUILDINGS, FeatureKind.AREAS)
# Half the way to the next postcode, within reason.
POSTCODE_PRECISION_M: Final = (25.0, 500.0)
MAX_CANDIDATES: Final = 3


@dataclass(frozen=True)
class Spot:
    """A position with how it was found, in the store's metres."""

    x_m: float
    y_m: float
    precision_m: float
    method: Method


class Locator:
    """Places by code and by name, out of the reference geography of one organisation; read when first asked."""

    def __init__(self, store: Store, scope: Scope, keys: Keyring) -> None:
        self._store = store
        self._scope = scope
        self._keys = keys

    def place(self, hints: pd.DataFrame) -> pd.DataFrame:
        """Positions (``POSITION_COLUMNS``) of those rows whose hints, as written, say for certain where they are."""
        spots = {}
        for number, row in zip(hints.index, hints.to_dict("records"), strict=True):
            found = next(self._certain({str(name): str(text) for name, text in row.items()}, hashed=False), None)
            if found is not None:
                spots[number] = found
        return positions(self._store, pd.Series(spots, dtype=object))

    def certain(self, hints: Mapping[str, str]) -> Spot | None:
        """Where stored hints of one record say for certain that it is."""
        return next(self._certain(hints, hashed=True), None)

    def candidates(self, method: str, text: str) -> tuple[Candidate, ...]:
        """Return what a name may mean, the likeliest first; codes mean one thing or nothing."""
        return self._match(method, text).candidates if method in {"place", "road"} else ()

    def _certain(self, hints: Mapping[str, str], *, hashed: bool) -> Iterator[Spot]:
        for method in ORDER:
            text = hints.get(method, "")
            if not text:
                continue
            if method in {"uprn", "postcode"}:
                codes = self._uprns if method == "uprn" else self._postcodes
                word = text if hashed else self._keys.word(method, _plain(text))
                if word in codes:
                    yield codes[word]
            elif (found := self._match(method, text).certain) is not None:
                yield Spot(found.x_m, found.y_m, max(found.radius_m, DEFAULT_PRECISION_M), _METHODS[method])

    def _match(self, method: str, text: str) -> Match:
        if (method, text) not in self._matches:
            gazetteer = self._roads if method == "road" else self._places
            self._matches[method, text] = match_names([text], gazetteer, limit=MAX_CANDIDATES)[0]
        return self._matches[method, text]

    @cached_property
    def _matches(self) -> dict[tuple[str, str], Match]:
        return {}

    @cached_property
    def _places(self) -> Gazetteer:
        return self._gazetteer(_NAMED)

    @cached_property
    def _roads(self) -> Gazetteer:
        return self._gazetteer((FeatureKind.ROADS,))

    def _gazetteer(self, kinds: tuple[FeatureKind, ...]) -> Gazetteer:
        features = self._store.evidence.features(self._scope, kinds)
        features = features[(features["name"] != "") & ~features["level"].isin([POSTCODE_LEVEL, DRAWN_LEVEL])]
        x_m, y_m, radius_m = self._middle(features)
        names = [[name, *_aliases(others)] for name, others in zip(features["name"], features["aliases"], strict=True)]
        owner = np.repeat(np.arange(len(features)), [len(each) for each in names])
        keys = np.empty(len(features), dtype=object)
        keys[:] = [bytes(key) for key in features["feature_key"]]
        return Gazetteer.of(
            names=np.asarray([name for each in names for name in each], dtype=object),
            kinds=features["kind"].to_numpy(object)[owner],
            keys=keys[owner],
            x_m=x_m[owner],
            y_m=y_m[owner],
            radius_m=radius_m[owner],
        )

    @cached_property
    def _uprns(self) -> dict[str, Spot]:
        features = self._store.evidence.features(self._scope, (FeatureKind.BUILDINGS, FeatureKind.PREMISES))
        features = features[features["code"].str.fullmatch(r"\d{1,12}")]
        x_m, y_m, radius_m = self._middle(features)
        words = [self._keys.word("uprn", _plain(code)) for code in features["code"]]
        spots = [
            Spot(x, y, max(radius, DEFAULT_PRECISION_M), Method.UPRN)
            for x, y, radius in zip(x_m, y_m, radius_m, strict=True)
        ]
        return _unambiguous(words, spots)

    @cached_property
    def _postcodes(self) -> dict[str, Spot]:
        from scipy.spatial import cKDTree

        features = self._store.evidence.features(self._scope, (FeatureKind.AREAS,))
        features = features[features["level"] == POSTCODE_LEVEL]
        x_m, y_m, radius_m = self._middle(features)
        if len(features) > 1:
            next_m = cKDTree(np.column_stack([x_m, y_m])).query(np.column_stack([x_m, y_m]), k=2)[0][:, 1]
            radius_m = np.maximum(radius_m, np.clip(next_m / 2, *POSTCODE_PRECISION_M))
        words = [self._keys.word("postcode", _plain(code)) for code in features["code"]]
        spots = [
            Spot(x, y, max(r, POSTCODE_PRECISION_M[0]), Method.POSTCODE)
            for x, y, r in zip(x_m, y_m, radius_m, strict=True)
        ]
        return _unambiguous(words, spots)

    def _middle(self, features: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Point inside each feature and the radius round it that holds the feature, in metres."""
        shapes = project_geometries(features["geometry"].to_numpy(object), self._store.crs)
        inside = shapely.point_on_surface(shapes)
        radius_m = shapely.hausdorff_distance(shapes, inside) if len(shapes) else np.empty(0)
        return shapely.get_x(inside).round(3), shapely.get_y(inside).round(3), np.nan_to_num(radius_m).round(1)


def _aliases(text: str) -> list[str]:
    """Other names of a feature, as the file lists them."""
    return [one.strip() for one in re.split(r"[;|]", text) if one.strip()]


def _plain(text: str) -> str:
    return "".join(text.split()).upper()


def _unambiguous(words: list[str], spots: list[Spot]) -> dict[str, Spot]:
    """Codes that mean one spot; one that stands twice in different spots means none."""
    found: dict[str, Spot] = {}
    twice = set()
    for word, spot in zip(words, spots, strict=True):
        if found.setdefault(word, spot) != spot:
            twice.add(word)
    return {word: spot for word, spot in found.items() if word not in twice}


def positions(store: Store, spots: pd.Series) -> pd.DataFrame:
    """Turn spots into ``POSITION_COLUMNS``, on their own index."""
    if spots.empty:
        return pd.DataFrame(columns=list(POSITION_COLUMNS), index=spots.index)
    x_m = np.asarray([spot.x_m for spot in spots], float)
    y_m = np.asarray([spot.y_m for spot in spots], float)
    lon, lat = store.crs.unproject(x_m, y_m)
    return pd.DataFrame(
        {
            "lon": lon.round(7),
            "lat": lat.round(7),
            "x_m": x_m,
            "y_m": y_m,
            "cell7": index_points(lon, lat, H3_INDEX_RESOLUTION),
            "location_basis": LocationBasis.EXACT.value,
            "precision_m": [spot.precision_m for spot in spots],
            "method": [spot.method.value for spot in spots],
        },
        index=spots.index,
    )


@dataclass(frozen=True, kw_only=True)
class LocateReport:
    """What became of a batch's unlocated records."""

    batch_id: str
    located: int
    by_method: dict[str, int]
    ambiguous: list[dict[str, Any]]
    unmatched: int
    without_hint: int
    candidates: dict[str, Candidate] = field(repr=False)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for machine-readable output."""
        return {
            "batch": self.batch_id,
            "located": self.located,
            "by_method": self.by_method,
            "ambiguous": self.ambiguous,
            "unmatched": self.unmatched,
            "without_hint": self.without_hint,
        }


def preview(store: Store, scope: Scope, batch_id: str, terms: "Terms") -> LocateReport:
    """Say what :func:`locate` would place and what a person must choose; nothing is changed."""
    return _Plan.of(store, scope, batch_id, terms, {}).report()


def locate(
    store: Store, scope: Scope, batch_id: str, terms: "Terms", *, choices: Mapping[str, str] | None = None
) -> LocateReport:
    """Place a batch's unlocated records where that is certain, or where a person chose among the candidates.

    Parameters
    ----------
    choices : mapping of text to candidate id
        The text as the rows have it; the id as an earlier report gave it.

    Raises
    ------
    InvalidParameter
        When a choice names no candidate of its text.
    """
    plan = _Plan.of(store, scope, batch_id, terms, choices or {})
    if plan.spots:
        _place(store, scope, batch_id, plan.spots, terms)
    return plan.report()


@dataclass(frozen=True)
class _Plan:
    """What is known about where a batch's unlocated records are."""

    batch_id: str
    unlocated: int
    locator: Locator
    hints: dict[bytes, dict[str, str]]
    spots: dict[bytes, Spot]

    @classmethod
    def of(cls, store: Store, scope: Scope, batch_id: str, terms: "Terms", choices: Mapping[str, str]) -> "_Plan":
        store.evidence.batch(scope, batch_id)
        frame = store.locations.hints(scope, batch_id)
        locator = Locator(store, scope, terms.keys)
        by_record: dict[bytes, dict[str, str]] = {}
        for key, method, hint in zip(frame["record_key"], frame["method"], frame["hint"], strict=True):
            by_record.setdefault(bytes(key), {})[method] = hint
        chosen = _chosen(locator, by_record, choices)
        spots = {}
        for key, hints in by_record.items():
            spot = locator.certain(hints) or next((chosen[text] for text in hints.values() if text in chosen), None)
            if spot is not None:
                spots[key] = spot
        records = store.evidence.batch_records(scope, batch_id)
        unlocated = int((records["location_basis"] == LocationBasis.NONE).sum())
        return cls(batch_id, unlocated, locator, by_record, spots)

    def report(self) -> LocateReport:
        left = {key: hints for key, hints in self.hints.items() if key not in self.spots}
        ambiguous, candidates = _ambiguous(self.locator, left)
        methods = pd.Series([spot.method.value for spot in self.spots.values()], dtype=object)
        return LocateReport(
            batch_id=self.batch_id,
            located=len(self.spots),
            by_method={str(name): int(n) for name, n in methods.value_counts().sort_index().items()},
            ambiguous=ambiguous,
            unmatched=len(left) - sum(one["rows"] for one in ambiguous),
            without_hint=self.unlocated - len(self.hints),
            candidates=candidates,
        )


def _chosen(
    locator: Locator, by_record: Mapping[bytes, Mapping[str, str]], choices: Mapping[str, str]
) -> dict[str, Spot]:
    methods = {text: method for hints in by_record.values() for method, text in hints.items()}
    found = {}
    for text, wanted in choices.items():
        if text not in methods:
            raise InvalidParameter(f"No unlocated row of this batch says {text!r}.")
        offered = {candidate_id(one): one for one in locator.candidates(methods[text], text)}
        if wanted not in offered:
            raise InvalidParameter(
                f"{wanted} is not among the candidates for {text!r}: {', '.join(offered) or 'none'}."
            )
        one = offered[wanted]
        found[text] = Spot(one.x_m, one.y_m, max(one.radius_m, DEFAULT_PRECISION_M), Method.CHOSEN)
    return found


def candidate_id(candidate: Candidate) -> str:
    """Short name of a candidate, for choosing it."""
    return candidate.key.hex()[:12]


def _ambiguous(
    locator: Locator, left: Mapping[bytes, Mapping[str, str]]
) -> tuple[list[dict[str, Any]], dict[str, Candidate]]:
    """Names that may mean several places, once each with how many rows say them."""
    rows: dict[tuple[str, str], int] = {}
    offered: dict[str, Candidate] = {}
    for hints in left.values():
        method = next((m for m in ORDER if hints.get(m) and locator.candidates(m, hints[m])), None)
        if method is not None:
            rows[method, hints[method]] = rows.get((method, hints[method]), 0) + 1
    listed = []
    for (method, text), count in sorted(rows.items(), key=lambda item: (-item[1], item[0])):
        found = locator.candidates(method, text)
        offered |= {candidate_id(one): one for one in found}
        names = [
            {"candidate": candidate_id(one), "name": one.name, "kind": one.kind, "score": round(one.score, 1)}
            for one in found
        ]
        listed.append({"text": text, "method": method, "rows": count, "candidates": names})
    return listed, offered


def _place(store: Store, scope: Scope, batch_id: str, spots: Mapping[bytes, Spot], terms: "Terms") -> None:
    """Store positions, coarse where a protected place is near, and note that the evidence changed."""
    found = positions(store, pd.Series(spots, dtype=object))
    found = found.assign(record_key=found.index).reset_index(drop=True)
    with store.database.transaction():
        store.database.lock("import")
        safe, _ = Protection.of(store, scope, terms.keys).applied_to(found)
        renamed = (safe["record_key"] != found["record_key"]).to_numpy(bool)
        store.locations.place(scope, found[~renamed])
        if renamed.any():
            new_keys = safe.loc[renamed, "record_key"]
            keyed = safe[renamed].assign(record_key=found.loc[renamed, "record_key"], new_key=new_keys)
            store.locations.coarsen(scope, keyed)
            for key in new_keys:
                store.database.execute("forget_hints", org_id=scope.org_id, record_key=key)
        subject = content_hash(*sorted(f"{key.hex()}:{spot}" for key, spot in spots.items()))
        store.supplies.alter(scope, uuid7(terms.now_us), f"located:{subject}", terms.now_us)
        store.audit.append(scope, Verb.ALTERATION, f"batch:{batch_id}", terms.now_us, located=len(spots))
    if renamed.any():
        store.database.compact()
