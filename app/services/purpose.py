"""What something is taken for, as the ledger keeps it."""

from typing import Final

from geo.errors import InvalidParameter

MAX_PURPOSE: Final = 300


def checked_purpose(text: str, what: str) -> str:
    """Return a purpose as it is kept.

    Raises
    ------
    InvalidParameter
        When it is empty, too long or holds characters that cannot be read.
    """
    plain = text.strip()
    if not plain:
        raise InvalidParameter(f"Say what {what} for: the purpose is kept in the disclosure ledger.")
    if len(plain) > MAX_PURPOSE or not plain.isprintable():
        raise InvalidParameter(f"A purpose is one line of at most {MAX_PURPOSE} characters.")
    return plain
