"""What something is taken or shared for, as the ledger or the log keeps it."""

from typing import Final
from unicodedata import category

from geo.errors import InvalidParameter

MAX_PURPOSE: Final = 300


def checked_purpose(text: str, what: str, *, kept: str = "the disclosure ledger") -> str:
    """Return a purpose as it is kept, with plain spaces for all others.

    Raises
    ------
    InvalidParameter
        When it is empty, too long or holds characters that cannot be read.
    """
    plain = "".join(" " if category(one) == "Zs" else one for one in text).strip()  # Word makes them no-break
    if not plain:
        raise InvalidParameter(f"Say what {what} for: the purpose is kept in {kept}.")
    if not plain.isprintable():
        raise InvalidParameter(
            "The purpose has characters that cannot be read, such as line breaks or hidden ones; type it anew in one line."
        )
    if len(plain) > MAX_PURPOSE:
        raise InvalidParameter(f"A purpose is one line of at most {MAX_PURPOSE} characters; this one has {len(plain)}.")
    return plain
