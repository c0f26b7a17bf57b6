"""Names as people write them, matched to the places that have been imported. Nobody outside is asked.

Only a name that is written as the place is written, and that one place alone has, is certain. Whatever else is alike is
offered to a person: a misspelt park must never be placed in silence.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from geo.errors import InvalidParameter
from geo.gazetteer_places import Floats, Texts, equal_pairs, join_pairs, number_places, place_extents
from geo.place_names import loosened, normalise

# What is less alike than this, of 100, is another name.
MIN_SCORE: Final = 55.0
_TEXTS_AT_ONCE: Final = 256


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
    """Names and the places that have them: arrays with one entry a name, of shape (n,), the largest features first.

    ``entity`` numbers what a name may mean: entries of one number have one name and are parts of one place, whose
    ``extent`` (n, 3) they share. ``place`` numbers what is offered once, whatever other names it has.
    """

    names: Texts
    kinds: Texts
    keys: Texts
    x_m: Floats
    y_m: Floats
    radius_m: Floats
    plain: Texts
    loose: Texts
    entity: NDArray[np.int64]
    place: NDArray[np.int64]
    extent: Floats

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

        Raises
        ------
        InvalidParameter
            When the arrays differ in length.
        """
        columns = (names, kinds, keys, x_m, y_m, radius_m)
        if len({len(column) for column in columns}) > 1:
            raise InvalidParameter(
                f"One entry a name, but the arrays have {[len(column) for column in columns]} entries."
            )
        rows = zip(-radius_m, x_m, y_m, names, keys, kinds, strict=True)
        order = [i for i, _ in sorted(enumerate(rows), key=lambda one: one[1])]
        names, kinds, keys = names[order], kinds[order], keys[order]
        x_m, y_m, radius_m = x_m[order], y_m[order], radius_m[order]
        plain = np.array([normalise(str(name)) for name in names], object)
        loose = np.array([loosened(text) for text in plain], object)
        features = np.column_stack([x_m, y_m, radius_m]).astype(float)
        entity = number_places(plain, kinds, keys, features)
        place = join_pairs([equal_pairs(entity), equal_pairs(keys)], len(names))
        extent = place_extents(entity, features)
        return cls(names, kinds, keys, x_m, y_m, radius_m, plain, loose, entity, place, extent)

    def among(self, kinds: Collection[str]) -> "Gazetteer":
        """Return the places that features of some kinds make up by themselves."""
        some = np.isin(self.kinds, list(kinds))
        return Gazetteer.of(
            names=self.names[some],
            kinds=self.kinds[some],
            keys=self.keys[some],
            x_m=self.x_m[some],
            y_m=self.y_m[some],
            radius_m=self.radius_m[some],
        )


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
        How many candidates are offered, at least 1.

    Returns
    -------
    list of Match
        One for each text, in order. The order of the gazetteer's entries changes nothing.

    Raises
    ------
    InvalidParameter
        When ``limit`` is below 1.

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
    if limit < 1:
        raise InvalidParameter(f"limit is {limit}; at least 1 candidate is offered.")
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
    largest = at[np.unique(known.entity[at], return_index=True)[1]]
    listed = sorted((_candidate(known, i, 100.0) for i in largest), key=lambda one: (-one.radius_m, one))
    if len(listed) == 1:
        return Match(text, listed[0], tuple(listed), "one imported place has this name")
    return Match(text, None, tuple(listed[:limit]), f"{len(listed)} imported places have this name")


def _alike(texts: list[str], known: Gazetteer, limit: int) -> list[Match]:
    """Match texts that are no place's name to the names that are most like them."""
    if not len(known.names):
        return [_nothing(text) for text in texts]
    scores = _scores([loosened(normalise(text)) for text in texts], known.loose.tolist())
    matches = []
    for text, row in zip(texts, scores, strict=True):
        best: dict[int, int] = {}
        enough = np.flatnonzero(row >= MIN_SCORE)
        for i in enough[np.argsort(-row[enough], kind="stable")].tolist():
            best.setdefault(int(known.place[i]), i)
            if len(best) == limit:
                break
        listed = tuple(_candidate(known, i, float(row[i])) for i in best.values())
        reason = "no imported place has exactly this name" if listed else "no imported place has a name like this"
        matches.append(Match(text, None, listed, reason))
    return matches


def _scores(texts: list[str], names: list[str]) -> NDArray[np.float32]:
    """Likeness of each text to each name, shape (t, n)."""
    whole, words, shared = (
        process.cdist(texts, names, scorer=scorer, dtype=np.float32, workers=-1)
        for scorer in (fuzz.ratio, fuzz.token_sort_ratio, fuzz.token_set_ratio)
    )
    alike: NDArray[np.float32] = np.maximum(whole, words) * np.float32(0.6) + shared * np.float32(0.4)
    return alike


def _candidate(known: Gazetteer, at: int, score: float) -> Candidate:
    x_m, y_m, radius_m = known.extent[at].tolist()
    return Candidate(
        bytes(known.keys[at]), str(known.names[at]), str(known.kinds[at]), round(score, 1), x_m, y_m, radius_m
    )


def _nothing(text: str) -> Match:
    return Match(text, None, (), "no imported place has a name like this" if text.strip() else "there is no name")
