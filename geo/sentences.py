"""One sentence about a place or hot area that somebody with a minute understands, and a panel can quote."""

from collections.abc import Mapping, Sequence
from textwrap import shorten
from typing import Any, Final

from geo.attribution import MIN_PROBABILITY
from geo.model import AREA, UNATTRIBUTED
from geo.narrative import kind_words, plural
from geo.place_kinds import is_residential, may_be_named
from geo.yardstick import Yardstick

_SMALL: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
NO_HOT_CELLS: Final = (
    "No cell is significantly above what the area leads one to expect. That does not mean there is no concern: few records,"
    " single serious reports and places where nobody looked stay below any test."
)
_NO_KIND: Final = (AREA, UNATTRIBUTED)
# A candidate less probable than this is not worth a panel's breath.
_LEAST_PROBABILITY: Final = 0.1
HALF: Final = 0.5
_NAME_LENGTH: Final = 60


def count_words(count: int, noun: str) -> str:
    """Return a count in words up to ten, in figures above.

    Examples
    --------
    >>> count_words(7, "report"), count_words(12, "agency")
    ('seven reports', '12 agencies')
    """
    figures = plural(count, noun)
    return figures if count >= len(_SMALL) else f"{_SMALL[count]} {figures.split(' ', 1)[1]}"


def ratio_words(ratio: float) -> str:
    """Return how a rate compares, in words.

    Examples
    --------
    >>> ratio_words(2.1), ratio_words(1.02), ratio_words(14.6)
    ('about twice', 'about', 'about 15 times')
    """
    if ratio < 0.8:
        return "less than"
    if ratio < 1.25:
        return "about"
    if ratio < 1.75:
        return "about one and a half times"
    times = round(ratio)
    if times == 2:
        return "about twice"
    return f"about {_SMALL[times] if times < len(_SMALL) else f'{times:,}'} times"


def place_sentence(
    evidence: Mapping[str, Any],
    *,
    kind: str,
    name: str | None,
    probability: float | None,
    alternatives: Sequence[Mapping[str, Any]],
    yardstick: Yardstick,
    named: int = 2,
) -> str:
    """Say what a place rests on, how that compares, and which place it may be.

    Parameters
    ----------
    evidence : mapping
        As stored with the place: counts, and ``rate_ratio`` and ``significant`` where the statistics were made.
    kind, name, probability, alternatives
        What the cluster is taken to be, and the runners-up.
    yardstick : Yardstick
        Words for the probabilities.
    named : int
        How many candidates to name at most.

    Notes
    -----
    A home is named only where it is the place, and likelier than not; among the candidates it is *a home*.
    """
    sentence = _who_and_when(evidence) + _compared(evidence)
    candidates = [(kind, name, probability), *((o["kind"], o["name"], o["probability"]) for o in alternatives)]
    likely = _likely(candidates[:named], yardstick)
    if likely:
        sentence += f"; {', '.join(likely)}"
    elif kind == UNATTRIBUTED and probability is not None and probability < HALF:
        sentence += "; several places near it may explain it"
    elif kind == UNATTRIBUTED:
        sentence += "; no imported place explains it"
    return sentence[0].upper() + sentence[1:] + "."


def _who_and_when(evidence: Mapping[str, Any]) -> str:
    sources = "one source" if evidence["sources"] == 1 else count_words(evidence["sources"], "agency")
    reports = count_words(evidence["records"], "report")
    if evidence["month_only"] * 2 < evidence["records"]:
        return f"{reports} on {count_words(evidence['days'], 'date')} from {sources}"
    return f"{reports} in {count_words(evidence['months'], 'month')} from {sources}"


def _compared(evidence: Mapping[str, Any]) -> str:
    ratio = evidence.get("rate_ratio")
    if not ratio:
        return ""
    words = f", {ratio_words(ratio)} what this area would expect"
    return words if evidence.get("significant") else words + ", which chance alone may give"


def _likely(candidates: Sequence[tuple[str, str | None, float | None]], yardstick: Yardstick) -> list[str]:
    """Words of each candidate worth telling; the first is the place itself."""
    kinds: set[str] = set()
    said = []
    for number, (kind, name, odds) in enumerate(candidates):
        if odds is None or odds < _LEAST_PROBABILITY or kind in _NO_KIND:
            continue
        hidden = is_residential(kind) and (number > 0 or odds < MIN_PROBABILITY or not may_be_named(kind))
        called = _called(kind, None if hidden else name)
        if hidden and kind in kinds:
            called = f"another {called.removeprefix('an ').removeprefix('a ')}"
        kinds.add(kind)
        said.append(f"{yardstick.term(odds).phrase} {called}")
    return said


def _called(kind: str, name: str | None) -> str:
    return f"{shorten(name, _NAME_LENGTH, placeholder='...')} ({kind_words(kind)})" if name else kind_words(kind)
