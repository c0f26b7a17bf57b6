"""How a name is written down to be compared: certainly the same, or only alike."""

import re
import unicodedata
from typing import Final

_ACCENTS: Final = re.compile("[\u0300-\u036f]+")
_POSSESSIVE: Final = re.compile(r"(?<=s)['\u2018\u2019\u02bc`\u00b4]s\b", re.IGNORECASE)
_APOSTROPHES: Final = re.compile(r"['\u2018\u2019\u02bc`\u00b4]")
_SHORT_FORMS: Final = {
    "rd": "road", "ave": "avenue", "av": "avenue", "pk": "park", "pks": "parks", "rec": "recreation ground", "gdn": "garden",
    "gdns": "gardens", "sq": "square", "ln": "lane", "cres": "crescent", "cl": "close", "ct": "court", "pl": "place", "terr": "terrace",
    "gr": "green", "grn": "green", "fld": "field", "flds": "fields", "pf": "playing field", "pfs": "playing fields", "ctr": "centre",
    "center": "centre", "sch": "school", "stn": "station", "gd": "ground", "grd": "ground", "mt": "mount", "hosp": "hospital", "utd": "united",
}  # fmt: skip
_FILLERS: Final = frozenset({"the", "of", "at", "in", "near", "by"})


def normalise(text: str) -> str:
    """Write a name without what never tells two places apart: case, accents, punctuation, a leading *The*, *Saint* for *St*.

    Examples
    --------
    >>> normalise("St. James's  Park") == normalise("saint james' park")
    True
    """
    unmarked = unicodedata.normalize("NFKC", _APOSTROPHES.sub("", _POSSESSIVE.sub("", text)))
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", unmarked.casefold().replace("&", " and ")))
    # The vowel signs of many scripts are marks and no letters; without them two names would be one.
    words = "".join(c if c.isalnum() or unicodedata.category(c)[0] == "M" else " " for c in plain).split()
    if len(words) > 1 and words[0] == "the":
        words = words[1:]
    return " ".join(["st" if word == "saint" else word for word in words[:-1]] + words[-1:])


def loosened(plain: str) -> str:
    """Write short forms out and leave fillers away: for likeness only, never for certainty."""
    words = plain.split()
    if len(words) > 1 and words[-1] == "st":
        words[-1] = "street"
    written = " ".join(_SHORT_FORMS.get(word, word) for word in words if word not in _FILLERS)
    return written or plain
