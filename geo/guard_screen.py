"""Which texts of a column the guard need not look at: a few passes of a fast automaton instead of a scan of each text.

A text is left out only when no rule can find anything in it. The automaton (RE2, in Arrow) runs the rules' own patterns,
widened: without what they ask to stand beside a match. What it cannot judge for certain is for the guard to look at.
"""

import re
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geo import guard_patterns as looks
from geo.guard import ALL_RULES, Rule, scan
from geo.guard_reading import DASH, read
from geo.names_screen import BEGUN_WORD, BLANKS, may_name

# Fewer texts are looked at sooner than the automaton is built.
FEW: Final = 200
# A dash, in texts and in patterns. Where a text has this sign itself, the guard only looks once more than it need.
_DASH_SIGN: Final = "~"
# Marks of typesetting, each as a plain character that every pattern takes alike: one is the other's twin in names, no
# pattern names the rest.
_PLAIN: Final = str.maketrans(
    dict.fromkeys("\u2018\u201c\u201d\u2026\u2022\u00a3\u20ac", "|") | {"\u2019": "'", DASH: _DASH_SIGN}
)


def first_rules(
    texts: NDArray[np.object_], *, this_year: int, rules: frozenset[Rule] = ALL_RULES, bare_names: bool = True
) -> dict[int, Rule]:
    """Rule of the first finding in each text that has one.

    Parameters
    ----------
    texts : ndarray of str, shape (n,)
        Best distinct: each is looked at once.
    this_year, rules, bare_names
        As in `geo.guard.scan`.

    Returns
    -------
    dict
        Position in ``texts`` to rule, in order of position.

    Examples
    --------
    >>> first_rules(np.array(["R0000001", "Mrs Khan"], dtype=object), this_year=2026)
    {1: <Rule.PERSON_NAME: 'person_name'>}
    """
    at = np.flatnonzero(may_identify(texts, this_year=this_year, bare_names=bare_names))
    return {
        int(i): found[0].rule
        for i in at
        if (found := scan(texts[i], this_year=this_year, rules=rules, bare_names=bare_names))
    }


def may_identify(texts: NDArray[np.object_], *, this_year: int, bare_names: bool = True) -> NDArray[np.bool_]:
    """Whether `geo.guard.scan` could find anything in each text; False only where it certainly finds nothing.

    Parameters
    ----------
    texts : ndarray of str, shape (n,)
    this_year, bare_names
        As in `geo.guard.scan`.

    Returns
    -------
    ndarray of bool, shape (n,)

    Notes
    -----
    Texts are looked at as they read (`geo.guard_reading`). Those with letters or blanks beyond ASCII even so are never left
    out: what ``\\w``, ``\\d`` and ``\\s`` mean there differs between Python and RE2. Within ASCII both recognise the same language, and a pattern that asks for less
    of what stands beside a match matches wherever the stricter one does. RE2: R. Cox, *Regular expression matching in the wild*, 2010.

    Examples
    --------
    >>> may_identify(np.array(["R0000001", "born 1 May 2010"] * 200, dtype=object), this_year=2026)[:2].tolist()
    [False, True]
    """
    if len(texts) <= FEW:
        return np.ones(len(texts), bool)
    try:
        column = pa.array(texts, pa.large_string())
    except UnicodeEncodeError:  # halves of a surrogate pair: no text that Arrow could hold
        return np.ones(len(texts), bool)
    if not (plain := _ascii(column)).all():
        column = _plainer(texts, plain)
        plain = _ascii(column)
    suspect = ~plain
    worth = np.flatnonzero(plain & _matches(column, _ANYTHING) & ~_chance(column))  # of most columns nothing
    if len(worth):
        left = column.take(pa.array(worth))
        suspect[worth] = _matches(left, _RULES) | (_matches(left, _DATED) & _matches(left, _old_years(this_year)))
        suspect[worth] |= may_name(left) if bare_names else False
    return suspect


def _ascii(texts: pa.LargeStringArray) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = pc.string_is_ascii(texts).to_numpy(zero_copy_only=False)
    return found


def _plainer(texts: NDArray[np.object_], ascii_already: NDArray[np.bool_]) -> pa.LargeStringArray:
    plain = texts.copy()
    for i in np.flatnonzero(~ascii_already):
        plain[i] = read(texts[i])[0].translate(_PLAIN)
    return pa.array(plain, pa.large_string())


def _matches(texts: pa.LargeStringArray, pattern: str) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False)
    return found


def _chance(texts: pa.LargeStringArray) -> NDArray[np.bool_]:
    """Whether a text is ten digits, not led by nought, that fail the check of an NHS number: nothing else is only digits."""
    ten = _matches(texts, r"\A[1-9][0-9]{9}\z")
    if ten.any():
        digits = np.frombuffer("".join(texts.filter(pa.array(ten)).to_pylist()).encode(), np.uint8).reshape(-1, 10)
        ten[ten] = (digits - ord("0")) @ _NHS_WEIGHTS % 11 != 0
    return ten


def _widened(pattern: re.Pattern[str]) -> str:
    """The pattern for RE2, which looks neither ahead nor behind: it matches wherever the pattern matches ASCII text.

    Where a pattern begins or ends by asking that a class of characters does not stand there, another character or the end
    of the text must; any other look ahead or behind is left out.
    """
    text = re.sub(r"^\(\?<!\[([^\]]*)\]\)", r"(?:\\A|[^\1])", pattern.pattern)
    text = re.sub(r"\(\?!\[([^\]]*)\]\)$", r"(?:[^\1]|\\z)", text)
    text = re.sub(r"\(\?<?[=!][^()]*\)", "", text)
    text = text.replace(r"\u2013", _DASH_SIGN)
    text = re.sub(r"\\u([0-9a-f]{4})", r"\\x{\1}", text)
    text = re.sub(
        r"\[[^\]]*\]|\\s", lambda one: one[0].replace(r"\s", BLANKS) if one[0] != r"\s" else f"[{BLANKS}]", text
    )
    return f"(?i:{text})" if pattern.flags & re.IGNORECASE else f"(?:{text})"


def _old_years(this_year: int) -> str:
    """A year that makes a full date a date of birth."""
    last = min(this_year - looks.BIRTHDAY_AGE_YEARS, 2099)
    return "|".join(str(year) for year in range(1900, last + 1))


_NHS_WEIGHTS: Final = np.array([10, 9, 8, 7, 6, 5, 4, 3, 2, 1])
# A hash beside something else is blotted out before numbers are looked for, which moves what stands beside them.
_HASH_AND_MORE: Final = r"[^0-9A-Za-z][0-9A-Fa-f]{32}|[0-9A-Fa-f]{32}[^0-9A-Za-z]"
_RULES: Final = "|".join(
    (
        _HASH_AND_MORE,
        *map(
            _widened,
            (
                looks.EMAIL,
                looks.AT_HANDLE,
                looks.PHONE,
                looks.TEN_DIGITS,
                looks.PUPIL,
                looks.NI,
                looks.BIRTH_CUE,
                looks.POSTCODE,
            ),
        ),
        *map(_widened, (looks.MARK, looks.OLD_MARK, looks.TOLD_HANDLE, looks.SIGNED_HANDLE, looks.TITLED)),
    )
)
_DATED: Final = _widened(looks.FULL_DATE)
_ANYTHING: Final = f"{_RULES}|{_DATED}|{BEGUN_WORD}"
