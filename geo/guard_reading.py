"""How a text reads: one character for all that look alike, and none for what is not seen.

A telephone number is one whatever dashes, blanks or digits it is written with, and a name is one with its accents apart
(as macOS writes the names of files) or a soft hyphen inside. The guard looks at texts as they read.

Source: The Unicode Standard, Annex 15 (NFC) and Annex 44 (general categories).
"""

import re
import unicodedata
from typing import Final

# For the guard a hyphen is part of a word; a dash is none.
DASH: Final = "\u2013"
_HYPHENS_AND_DASHES: Final = str.maketrans(
    dict.fromkeys("\u2010\u2011", "-") | dict.fromkeys("\u2012\u2014\u2015\u2212", DASH)
)
# Category Cf: soft hyphens, joiners, blanks without width, marks of direction.
_FORMAT: Final = re.compile(
    "[\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
    "\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f]"
)


def composed(text: str) -> str:
    """Text in Unicode's normal form C, without format characters.

    Examples
    --------
    >>> composed("Chloe\\u0301 0770\\u200b0900123")
    'Chloé 07700900123'
    """
    return text if text.isascii() else unicodedata.normalize("NFC", _FORMAT.sub("", text))


def read(text: str) -> tuple[str, list[int] | None]:
    """Text as it reads, and where each of its characters stands in the text that was given.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        With ASCII's digits, blank and hyphen for all others, one dash for all others, letters with their accents, and
        nothing of category Cf, Mn or Me.
    list of int or None
        Where each character begins, and last the length of ``text``. None where nothing was taken out.

    Examples
    --------
    >>> read("07700\\u2011900\\u00a0123")
    ('07700-900 123', None)
    >>> read("Zoe\\u0308 x")
    ('Zoë x', [0, 1, 2, 4, 5, 6])
    """
    if text.isascii():
        return text, None
    plain = text.translate(_READ)
    if len(plain) == len(text):
        return plain, None
    characters: list[str] = []
    starts: list[int] = []
    for at, character in enumerate(text):
        if _READ[ord(character)]:
            characters.append(_READ[ord(character)])
            starts.append(at)
        elif characters and len(accented := unicodedata.normalize("NFC", characters[-1] + character)) == 1:
            characters[-1] = accented
    return "".join(characters), [*starts, len(text)]


class _Reading(dict[int, str]):
    """What each code point reads as, found when it is first met: tables of all would take long to make."""

    def __missing__(self, code: int) -> str:
        self[code] = _as_read(chr(code))
        return self[code]


def _as_read(character: str) -> str:
    match unicodedata.category(character):
        case "Cf" | "Mn" | "Me":
            return ""
        case "Nd":
            return str(unicodedata.decimal(character))
        case "Zs":
            return " "
    alone = unicodedata.normalize("NFC", character)  # some signs are another letter, such as that of kelvins
    return alone.translate(_HYPHENS_AND_DASHES) if len(alone) == 1 else character


_READ: Final = _Reading()
