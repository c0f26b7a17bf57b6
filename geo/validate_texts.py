"""The texts of a row: cleaned, looked at by the guard, and not too long."""

from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geo.guard import RULE_WORDS, Rule, redact
from geo.guard_reading import composed
from geo.guard_screen import first_rules
from geo.model import RecordKind
from geo.problems import MAX_NOTES, MAX_TEXT, REMOVED, Problems, Reason

Texts = dict[str, NDArray[np.object_]]

_MAY_BE_LONG: Final = frozenset({"notes", "wkt"})
# What the guard looks at. Where organisations and places are named, names without a title are theirs.
_GUARDED: Final = (
    "id", "kind", "urn", "notes", "handling_conditions", "session_id", "make", "colour", "source", "agency", "area", "place", "road",
)  # fmt: skip
_NAMES_THINGS: Final = frozenset({"source", "agency", "area", "place", "road", "make"})
_FIRST_PLAIN, _LAST_PLAIN, _LAST_ASCII = ord("!"), ord("~"), 0x7F


def clean(column: pd.Series) -> NDArray[np.object_]:
    """Text in NFC without format characters or surrounding space, empty where missing or a corrected file's note of removal.

    Examples
    --------
    >>> clean(pd.Series([" drugs ", None, "[removed: phone]"], dtype=object)).tolist()
    ['drugs', '', '']
    """
    plain = column.to_numpy(object)
    at = np.flatnonzero(_edged(plain))
    if not len(at):
        return plain
    plain = plain.copy()
    stripped = ["" if pd.isna(text) else composed(text).strip() for text in plain[at]]
    plain[at] = ["" if text.startswith(REMOVED) else text for text in stripped]
    return plain


def _edged(texts: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Whether a text is missing, not ASCII, begins or ends with anything but a plain character, or like a note of removal."""
    try:
        column = pa.array(texts, pa.large_string(), from_pandas=True)
    except UnicodeEncodeError:  # halves of a surrogate pair: no text that Arrow could hold
        return np.ones(len(texts), bool)
    edged = pc.is_null(column).to_numpy(zero_copy_only=False).copy()
    ends = np.frombuffer(column.buffers()[1], np.int64)[: len(texts) + 1]
    filled = np.flatnonzero(ends[1:] > ends[:-1])
    if not len(filled):
        return edged
    octets = np.frombuffer(column.buffers()[2], np.uint8)
    first, last = octets[ends[filled]], octets[ends[filled + 1] - 1]
    low, high = np.minimum(first, last), np.maximum(first, last)
    edged[filled] = (low < _FIRST_PLAIN) | (high > _LAST_PLAIN) | (first == ord(REMOVED[0]))
    if octets[: ends[-1]].max() > _LAST_ASCII:
        edged |= ~pc.fill_null(pc.string_is_ascii(column), True).to_numpy(zero_copy_only=False)
    return edged


def guard(texts: Texts, problems: Problems, *, kind: str, this_year: int, redacts: bool) -> NDArray[np.bool_]:
    """Refuse or redact personal data; returns which rows were redacted. ``texts`` is given the redacted columns."""
    redacted = np.zeros(len(problems.good), bool)
    for name in (field for field in texts if field in _GUARDED):
        bare_names = name not in _NAMES_THINGS
        codes, distinct = pd.factorize(texts[name])
        found = first_rules(distinct, this_year=this_year, bare_names=bare_names)
        if name in {"id", "urn"}:
            found = _without_chance_numbers(found, distinct)
        if not found:
            continue
        at = np.flatnonzero(np.isin(codes, list(found)))
        if redacts:
            safe = {i: redact(str(distinct[i]), this_year=this_year, bare_names=bare_names)[0] for i in found}
            texts[name] = texts[name].copy()
            texts[name][at] = [safe[code] for code in codes[at].tolist()]
            redacted[at] = True
            continue
        details = {int(row): _refusal(name, found[int(codes[row])], kind) for row in at}
        problems.add_each(details, name, Reason.PERSONAL_DATA)
    return redacted


def _without_chance_numbers(found: dict[int, Rule], texts: NDArray[np.object_]) -> dict[int, Rule]:
    """Leave out references of ten digits that pass the NHS check by chance: one in eleven does, a column of them does not."""
    passing = {i for i, rule in found.items() if rule == Rule.NHS_NUMBER and texts[i].isdecimal()}
    if not passing:
        return found
    plain = sum(len(text) == 10 and text.isdecimal() for text in texts)
    by_chance = plain >= 3 and len(passing) * 2 < plain
    return {i: rule for i, rule in found.items() if i not in passing} if by_chance else found


def _refusal(field: str, rule: Rule, kind: str) -> str:
    way_out = " or import with --redact to have it taken out" if kind == RecordKind.INCIDENTS else ""
    return f"{field} seems to hold {RULE_WORDS[rule]}; take it out{way_out}"


def refuse_long(texts: Texts, problems: Problems) -> None:
    """Refuse rows with more text in a field than it is for."""
    for name, values in texts.items():
        limit = MAX_NOTES if name in _MAY_BE_LONG else MAX_TEXT
        if max(map(len, values), default=0) > limit:
            too_long = np.array([len(text) > limit for text in values], bool)
            detail = f"{name} is longer than {limit} characters; is this the right column?"
            problems.add(too_long, name, Reason.TOO_LONG, detail)
