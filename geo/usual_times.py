"""Times in the usual forms, read many at once: the same answer as reading each by itself, or none."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import product
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from geo.model import TimeBasis

_DATES: Final = ("YYYY-MM-DD", "DD/MM/YYYY")
_UTC: Final = ("Z", "+00:00")
_CLOCKS: Final = tuple("".join(parts) for parts in product("T ", ("hh:mm", "hh:mm:ss"), ("", *_UTC)))
# A form holds a letter for each digit of a field and stands for itself elsewhere.
_FORMS: Final = tuple(day + clock for day in _DATES for clock in ("", *_CLOCKS))
_FIELDS: Final = "YMDhms"
_DAY_US: Final = 86_400_000_000
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()


def read_usual(
    texts: NDArray[np.object_], zone: ZoneInfo
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.object_], NDArray[np.bool_]]:
    """Read dates and times in the usual forms of ISO 8601 and of day-first dates, and leave every other text.

    Left are texts of another form, what is no date, and local times of days on which the clocks change: those need
    a closer look.

    Parameters
    ----------
    texts : ndarray of str, shape (n,)
    zone : ZoneInfo
        Where times without an offset are local.

    Returns
    -------
    from_us, to_us : ndarray of int64, shape (n,)
        Half-open interval in microseconds UTC; zero where the text was left.
    basis : ndarray of TimeBasis, shape (n,)
        Empty text where it was left.
    known : ndarray of bool, shape (n,)
        Which texts were read.

    Examples
    --------
    >>> from_us, _, _, known = read_usual(np.array(["1970-01-02T00:00Z", "last week"], object), ZoneInfo("UTC"))
    >>> from_us.tolist(), known.tolist()
    ([86400000000, 0], [True, False])
    """
    from_us, to_us = np.zeros(len(texts), np.int64), np.zeros(len(texts), np.int64)
    basis, known = np.full(len(texts), "", dtype=object), np.zeros(len(texts), bool)
    for rows, letters, form in _matches(texts):
        days, clock_us, real = _moments(letters, form)
        if form.endswith(_UTC):
            offset_us, whole_day = np.zeros(len(rows), np.int64), np.zeros(int(real.sum()), bool)
        else:
            offset_us, steady = _offsets(days, real, zone)
            real &= steady
            whole_day = clock_us[real] == 0  # local midnight is how spreadsheets write a date
        at = rows[real]
        from_us[at] = (days * _DAY_US + clock_us - offset_us)[real]
        to_us[at] = from_us[at] + np.where(whole_day, _DAY_US, 1)
        basis[at[whole_day]] = TimeBasis.DATE
        basis[at[~whole_day]] = TimeBasis.INSTANT
        known[at] = True
    return from_us, to_us, basis, known


def _matches(texts: NDArray[np.object_]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.uint8], str]]:
    """Positions and letters of the texts of each form; letters have shape (n, length of the form)."""
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    for length in sorted({len(form) for form in _FORMS}):
        at = np.flatnonzero(lengths == length)
        # Whatever is not ASCII becomes one question mark a character, which no form has.
        row = np.frombuffer("".join(texts[at].tolist()).encode("ascii", "replace"), np.uint8)
        letters = row.reshape(len(at), length)
        for form in _FORMS:
            if len(form) != length or not len(at):
                continue
            fits = _fits(letters, form)
            if fits.any():
                yield at[fits], letters[fits], form
                at, letters = at[~fits], letters[~fits]


def _fits(letters: NDArray[np.uint8], form: str) -> NDArray[np.bool_]:
    digits = np.array([letter in _FIELDS for letter in form])
    others = np.frombuffer(form.encode(), np.uint8)[~digits]
    is_digit = letters[:, digits] - ord("0") <= 9  # what comes before zero wraps round
    return np.asarray(is_digit.all(axis=1) & (letters[:, ~digits] == others).all(axis=1))


def _moments(letters: NDArray[np.uint8], form: str) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Day since 1970-01-01 and microseconds into it as written, and whether there is such a moment."""
    year, month, day, hour, minute, second = (_number(letters, form, field) for field in _FIELDS)
    months = (year - 1970) * 12 + month - 1
    days = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) + day - 1
    same_month = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) == months
    # The first and the last year have no neighbours for a time zone to reach into.
    real = (year > 1) & (year < 9999) & (month >= 1) & (month <= 12) & same_month
    real &= (hour < 24) & (minute < 60) & (second < 60)
    return days, ((hour * 60 + minute) * 60 + second) * 1_000_000, real


def _number(letters: NDArray[np.uint8], form: str, field: str) -> NDArray[np.int64]:
    number = np.zeros(len(letters), np.int64)
    for place, letter in enumerate(form):
        if letter == field:
            number = number * 10 + (letters[:, place] - ord("0"))
    return number


def _offsets(
    days: NDArray[np.int64], real: NDArray[np.bool_], zone: ZoneInfo
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Offset from UTC on each local day that is real, and whether it holds all day."""
    distinct, codes = np.unique(np.where(real, days, 0), return_inverse=True)
    found = [_steady_offset_us(zone, day) for day in distinct.tolist()]
    steady = np.array([one is not None for one in found], bool)
    offset_us = np.array([one or 0 for one in found], np.int64)
    return offset_us[codes], steady[codes]


@lru_cache(maxsize=65_536)
def _steady_offset_us(zone: ZoneInfo, day: int) -> int | None:
    """Offset from UTC that holds from one local midnight to the next; None where the clocks change.

    No zone changes its clocks twice within a day, so the two midnights, in both their readings, tell.
    """
    midnights = [datetime.combine(date.fromordinal(_EPOCH_DAY + day + after), time(0), zone) for after in (0, 1)]
    offsets = {moment.replace(fold=fold).utcoffset() for moment in midnights for fold in (0, 1)}
    offset = offsets.pop()
    return None if offsets or offset is None else offset // timedelta(microseconds=1)
