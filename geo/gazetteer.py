"""Names as people write them, matched to the places that have been imported. Nobody outside is asked.

Only a name that is written as the place is written, and that one place alone has, is certain. Whatever else is alike is
offered to a person: a misspelt park must never be placed in silence.
"""

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]
Texts = NDArray[np.object_]

# Features of one name that are no further apart than this, edge to edge, are parts of one place.
SAME_PLACE_M: Final = 100.0
# What is less alike than this, of 100, is another name.
MIN_SCORE: Final = 55.0
_TEXTS_AT_ONCE: Final = 256
_FEW: Final = 200
_NOT_WORDS: Final = re.compile(r"[\W_]+")
_POSSESSIVE: Final = re.compile(r"(?<=s)['\u2018\u2019\u02bc`\u00b4]s\b", re.IGNORECASE)
_APOSTROPHES: Final = re.compile(r"['\u2018\u2019\u02bc`\u00b4]")
_SHORT_FORMS: Final = {
    "rd": "road", "ave": "avenue", "av": "avenue", "pk": "park", "pks": "parks", "rec": "recreation ground", "gdn": "garden",
    "gdns": "gardens", "sq": "square", "ln": "lane", "cres": "crescent", "cl": "close", "ct": "court", "pl": "place", "terr": "terrace",
    "gr": "green", "grn": "green", "fld": "field", "flds": "fields", "pf": "playing field", "pfs": "playing fields", "ctr": "centre",
    "center": "centre", "sch": "school", "stn": "station", "gd": "ground", "grd": "ground", "mt": "mount", "hosp": "hospital", "utd": "united",
}  # fmt: skip
_FILLERS: Final = frozenset({"the", "of", "at", "in", "near", "by"})


@dataclass(frozen=True, order=True)
class Candidate:
    """A place that a text may mean; ``score`` (0 to 100) says how alike the names are, and is no probability.

    ``x_m, y_m`` lie in the place, and it reaches no further than ``radius_m`` from there.
    """

    key: bytes
    name: str
    kind: str
    score: float
    x_m: float
    y_m: float
    radius_m: float


@dataclass(frozen=True)
class Match:
    """What a text may mean: the one place that it names for certain, or candidates, the likeliest first."""

    text: str
    certain: Candidate | None
    candidates: tuple[Candidate, ...]
    reason: str


@dataclass(frozen=True)
class Gazetteer:
    """Names and the places that have them: arrays with one entry a name, of shape (n,).

    ``entity`` numbers the places: entries of one number are names or parts of one place, whose position they share.
    """

    names: Texts
    kinds: Texts
    keys: Texts
    plain: Texts
    loose: Texts
    entity: NDArray[np.int64]
    x_m: Floats
    y_m: Floats
    radius_m: Floats

    @classmethod
    def of(cls, *, names: Texts, kinds: Texts, keys: Texts, x_m: Floats, y_m: Floats, radius_m: Floats) -> "Gazetteer":
        """Put names together to places.

        Parameters
        ----------
        names, kinds : ndarray of str, shape (n,)
        keys : ndarray of bytes, shape (n,)
            A feature with several names has several entries of one key.
        x_m, y_m, radius_m : ndarray of float, shape (n,)
            A point in the feature and how far it reaches from there, in metres of one projected CRS.
        """
        order = sorted(range(len(names)), key=lambda i: (str(names[i]), bytes(keys[i])))
        names, kinds, keys = names[order], kinds[order], keys[order]
        places = np.column_stack([x_m, y_m, radius_m]).astype(float)[order]
        plain = np.array([normalise(str(name)) for name in names], object)
        loose = np.array([_loosened(text) for text in plain], object)
        entity = _entities(plain, keys, places)
        x_m, y_m, radius_m = _extents(entity, places).T
        return cls(names, kinds, keys, plain, loose, entity, x_m, y_m, radius_m)

    def among(self, kinds: Collection[str]) -> "Gazetteer":
        """Return the entries of some kinds only."""
        some = np.isin(self.kinds, list(kinds))
        return Gazetteer(**{name: values[some] for name, values in vars(self).items()})


def normalise(text: str) -> str:
    """Write a name without what never tells two places apart: case, accents, punctuation, a leading *The*, *Saint* for *St*.

    Examples
    --------
    >>> normalise("St. James's  Park") == normalise("saint james' park")
    True
    """
    unmarked = _APOSTROPHES.sub("", _POSSESSIVE.sub("", text))
    plain = unicodedata.normalize("NFKD", unmarked.replace("&", " and ").casefold())
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    words = _NOT_WORDS.sub(" ", plain).split()
    if len(words) > 1 and words[0] == "the":
        words = words[1:]
    return " ".join("st" if word == "saint" else word for word in words)


def match_names(
    texts: Sequence[str], gazetteer: Gazetteer, *, kinds: Collection[str] | None = None, limit: int = 3
) -> list[Match]:
    """Find what each text may mean.

    Parameters
    ----------
    texts : sequence of str
    gazetteer : Gazetteer
    kinds : collection of str, optional
        Only places of these kinds.
    limit : int
        How many candidates are offered.

    Returns
    -------
    list of Match
        One for each text, in order. The order of the gazetteer's entries changes nothing.

    Notes
    -----
    Likeness is the mean of the Indel similarity of the whole names and of their sorted words, each at most 100, raised
    where all words of the one are among the words of the other (``rapidfuzz``: ``ratio``, ``token_sort_ratio``,
    ``token_set_ratio``); common short forms are written out first.

    Examples
    --------
    >>> places = Gazetteer.of(
    ...     names=np.array(["Royal Victoria Park", "Hedgemead Park"], object),
    ...     kinds=np.array(["parks", "parks"], object),
    ...     keys=np.array([b"v", b"h"], object),
    ...     x_m=np.array([0.0, 900.0]),
    ...     y_m=np.zeros(2),
    ...     radius_m=np.full(2, 200.0),
    ... )
    >>> sure, guess = match_names(["hedgemead park", "Victoria Pk"], places)
    >>> sure.certain.name, guess.certain, guess.candidates[0].name
    ('Hedgemead Park', None, 'Royal Victoria Park')
    """
    known = gazetteer if kinds is None else gazetteer.among(kinds)
    distinct = list(dict.fromkeys(texts))
    found = {text: _exactly(text, known, limit) for text in distinct}
    unknown = [text for text in distinct if found[text] is None]
    for begin in range(0, len(unknown), _TEXTS_AT_ONCE):
        part = unknown[begin : begin + _TEXTS_AT_ONCE]
        found |= dict(zip(part, _alike(part, known, limit), strict=True))
    return [found[text] or _nothing(text) for text in texts]


def _exactly(text: str, known: Gazetteer, limit: int) -> Match | None:
    """Match of a text that is the name of a place; None where it is not."""
    plain = normalise(text)
    if not plain:
        return _nothing(text)
    at = np.flatnonzero(known.plain == plain)
    if not len(at):
        return None
    one_each = at[np.unique(known.entity[at], return_index=True)[1]]
    listed = sorted((_candidate(known, i, 100.0) for i in one_each), key=lambda one: (-one.radius_m, one))
    if len(listed) == 1:
        return Match(text, listed[0], tuple(listed), "one imported place has this name")
    return Match(text, None, tuple(listed[:limit]), f"{len(listed)} imported places have this name")


def _alike(texts: list[str], known: Gazetteer, limit: int) -> list[Match]:
    """Match texts that are no place's name to the names that are most like them."""
    if not len(known.names):
        return [_nothing(text) for text in texts]
    scores = _scores([_loosened(normalise(text)) for text in texts], known.loose.tolist())
    matches = []
    for text, row in zip(texts, scores, strict=True):
        best: dict[int, int] = {}
        for i in np.lexsort((np.arange(len(row)), -row)).tolist():
            if row[i] < MIN_SCORE or len(best) == limit:
                break
            best.setdefault(int(known.entity[i]), i)
        listed = tuple(_candidate(known, i, float(row[i])) for i in best.values())
        reason = "no imported place has exactly this name" if listed else "no imported place has a name like this"
        matches.append(Match(text, None, listed, reason))
    return matches


def _scores(texts: list[str], names: list[str]) -> NDArray[np.float32]:
    """Likeness of each text to each name, shape (t, n)."""
    whole = process.cdist(texts, names, scorer=fuzz.ratio, dtype=np.float32)
    words = process.cdist(texts, names, scorer=fuzz.token_sort_ratio, dtype=np.float32)
    shared = process.cdist(texts, names, scorer=fuzz.token_set_ratio, dtype=np.float32)
    alike: NDArray[np.float32] = np.maximum(whole, words) * np.float32(0.6) + shared * np.float32(0.4)
    return alike


def _candidate(known: Gazetteer, at: int, score: float) -> Candidate:
    numbers = (float(values[at]) for values in (known.x_m, known.y_m, known.radius_m))
    return Candidate(bytes(known.keys[at]), str(known.names[at]), str(known.kinds[at]), round(score, 1), *numbers)


def _nothing(text: str) -> Match:
    return Match(text, None, (), "no imported place has a name like this" if text.strip() else "there is no name")


def _loosened(plain: str) -> str:
    """Write short forms out and leave fillers away: for likeness only, never for certainty."""
    words = plain.split()
    if len(words) > 1 and words[-1] == "st":
        words[-1] = "street"
    written = " ".join(_SHORT_FORMS.get(word, word) for word in words if word not in _FILLERS)
    return written or plain


def _entities(plain: Texts, keys: Texts, places: Floats) -> NDArray[np.int64]:
    """Number of the place that each entry belongs to."""
    pairs = [*_same(keys)]
    for rows in _groups(plain):
        if len(rows) <= _FEW:
            near = list(combinations(rows, 2))
        else:
            reach_m = 2 * places[rows, 2].max() + SAME_PLACE_M
            near = [(rows[a], rows[b]) for a, b in cKDTree(places[rows, :2]).query_pairs(reach_m)]
        if near:
            a, b = np.asarray(near).T
            apart_m = np.hypot(*(places[a, :2] - places[b, :2]).T) - places[a, 2] - places[b, 2]
            pairs += list(zip(a[apart_m <= SAME_PLACE_M], b[apart_m <= SAME_PLACE_M], strict=True))
    a, b = np.asarray(pairs, np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(a), bool), (a, b)), shape=(len(plain), len(plain)))
    return connected_components(graph, directed=False)[1].astype(np.int64) if len(plain) else np.empty(0, np.int64)


def _groups(values: Texts) -> list[list[int]]:
    """Positions of entries with equal values, where there are several."""
    found: dict[object, list[int]] = {}
    for i, value in enumerate(values):
        found.setdefault(value, []).append(i)
    return [rows for rows in found.values() if len(rows) > 1]


def _same(keys: Texts) -> list[tuple[int, int]]:
    return [(rows[0], other) for rows in _groups(keys) for other in rows[1:]]


def _extents(entity: NDArray[np.int64], places: Floats) -> Floats:
    """Point of the largest part of each entry's place, and the radius round it that holds all parts, shape (n, 3)."""
    if not len(entity):
        return np.empty((0, 3))
    order = np.lexsort((places[:, 1], places[:, 0], -places[:, 2], entity))
    largest = order[np.unique(entity[order], return_index=True)[1]]
    centre = places[largest[entity], :2]
    reach_m = np.hypot(*(places[:, :2] - centre).T) + places[:, 2]
    radius_m = np.zeros(len(largest))
    np.maximum.at(radius_m, entity, reach_m)
    return np.column_stack([centre, radius_m[entity]])
