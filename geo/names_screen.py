"""Which texts may hold a person's name without a title: the given names of `geo.names`, looked for in a whole column.

Every given name that stands in a text is counted, then those that are certainly part of a place's name or an ordinary
word. Where the two counts agree `geo.names.find_names` finds nothing.
"""

import re
from collections.abc import Iterable
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geo.names import NO_SURE_VERBS
from geo.wordlists import (
    ALSO_WORDS,
    FIRST_NAMES,
    MEETING_WORDS,
    PERSON_VERBS,
    PERSON_WORDS,
    PLACE_LEADS,
    PLACE_WORDS,
)

# What Python takes for a blank within ASCII; RE2's own \s is narrower.
BLANKS: Final = r"\t-\r\x1c-\x20"
# No text without this holds a given name: the shortest has two letters.
BEGUN_WORD: Final = r"(?:\A|[^A-Za-z])[A-Za-z]{2}"


def _any(words: Iterable[str]) -> str:
    return f"(?:{'|'.join(re.escape(word) for word in sorted(words))})"


def _capitalised(words: Iterable[str]) -> str:
    return f"(?:{'|'.join(f'{word[0].upper()}(?i:{re.escape(word[1:])})' for word in sorted(words))})"


_GAP: Final = f"[{BLANKS}]+"
_GAP_OR_STOP: Final = f"[{BLANKS}.]+"
_REST: Final = r"[\w'-]*"  # of a token
_END: Final = r"[^\w'-]"
_SURE: Final = _any(FIRST_NAMES - ALSO_WORDS)  # a name in any case
_ALSO: Final = _any(ALSO_WORDS)
_ALSO_CAPITAL: Final = _capitalised(ALSO_WORDS)
_NAME: Final = f"(?:(?i:{_SURE})|{_ALSO_CAPITAL})"

_LEADS: Final = {word for word in PLACE_LEADS if word.isalpha()}  # "st." is never one token
_NAMES: Final = rf"[^A-Za-z]{_NAME}\b"
_HARMLESS: Final = (
    rf"[^A-Za-z](?:{_NAME}(?:{_GAP}(?i:{_any(PLACE_WORDS)}){_END}"  # Victoria Park
    rf"|'s?{_GAP}[A-Z]"  # Maria's Cafe
    r"|'S)"  # in capitals a name with 'S is another word
    rf"|{_ALSO_CAPITAL}(?:{_GAP}[a-z0-9_]|[^\w{BLANKS}'-]))"  # May half-term
    rf"|{_END}{_capitalised(_LEADS)}{_GAP}{_NAME}\b"  # St James
)
# What stands beside a word that makes it a name: `geo.names` asks for one of these.
_BESIDE: Final = "|".join(
    (
        rf"(?i:{_any(PERSON_WORDS)}(?:'s?)?{_GAP}{_ALSO}\b)",
        rf"(?i:[^a-z]{_ALSO}{_REST}'s?{_GAP}{_any(PERSON_WORDS)}\b)",
        rf"(?i:{_any(MEETING_WORDS)}){_REST}{_GAP_OR_STOP}(?:[\w'-]+{_GAP_OR_STOP})?{_ALSO_CAPITAL}\b",
        rf"[^A-Za-z]{_ALSO_CAPITAL}{_REST}{_GAP}(?i:{_any(PERSON_VERBS - NO_SURE_VERBS)})\b",
    )
)


def may_name(texts: pa.LargeStringArray) -> NDArray[np.bool_]:
    """Whether `geo.names.find_names` could find anything; False only where it certainly finds nothing.

    Parameters
    ----------
    texts : LargeStringArray, shape (n,)
        ASCII only.

    Returns
    -------
    ndarray of bool, shape (n,)

    Notes
    -----
    A given name counts where it could begin a token. Each harmless pattern holds exactly one of those, which
    `geo.names` refuses whatever else the text says, and matches do not overlap: so equal counts mean that every one is
    refused. Texts are put between bars, for a pattern to have a character on either side: Arrow counts on in what is left
    of a text, where an anchor would hold anew.

    Examples
    --------
    >>> may_name(pa.array(["Victoria Park", "Chloe in Victoria Park", "Rose garden"], pa.large_string())).tolist()
    [False, True, False]
    """
    bar = pa.scalar("|", pa.large_string())
    barred = pc.binary_join_element_wise(bar, texts, bar, pa.scalar("", pa.large_string()))
    names = pc.count_substring_regex(barred, _NAMES)
    harmless = pc.count_substring_regex(barred, _HARMLESS)
    beside = pc.match_substring_regex(barred, _BESIDE)
    found: NDArray[np.bool_] = pc.or_(pc.not_equal(names, harmless), beside).to_numpy(zero_copy_only=False)
    return found
