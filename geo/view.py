"""What a person wants to see of an analysis: a filter that an address can carry and that always reads the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final
from urllib.parse import urlencode

from geo.errors import DisclosureError, InvalidParameter
from geo.model import Profile
from geo.temporal import WEEKDAYS

# Names in an address, in the order in which a canonical one has them.
FIELDS: Final = (
    "from", "to", "weekday", "hours", "kind", "source_type", "grade", "agency", "place_kind", "min_records", "new_since",
)  # fmt: skip
MAX_VALUES: Final = 40
EARLIEST: Final = date(1900, 1, 1)
LATEST: Final = date(2199, 12, 31)
_MAX_TEXT: Final = 120
_MAX_RECORDS: Final = 1_000_000


@dataclass(frozen=True, kw_only=True)
class View:
    """A filter over the records of an analysis; the empty one shows all of it.

    Parameters
    ----------
    date_from, date_to : date or None
        Inclusive Europe/London dates; a record matches when its midpoint lies inside.
    weekdays : tuple of int
        Monday = 0; empty for all. Records known by month only match none.
    hours : tuple of (int, int) or None
        Half-open band of hours, Europe/London; it may run over midnight. Records whose hour is not known match none.
    kinds, source_types, grades, agencies : tuple of str
        Kinds are record kinds or categories. Empty for all; ``""`` stands for records that do not say.
    place_kinds : tuple of str
        Kinds of places listed and drawn; no effect on cells.
    min_records : int
        Cells and places with fewer matching records are left out.
    new_since : date or None
        Only cells and places where nothing of the analysis lies before this date.

    Raises
    ------
    InvalidParameter
        Naming what is outside its meaning.

    Examples
    --------
    >>> View(weekdays=(4, 5), hours=(20, 2)).query()
    'weekday=fri&weekday=sat&hours=20-2'
    """

    date_from: date | None = None
    date_to: date | None = None
    weekdays: tuple[int, ...] = ()
    hours: tuple[int, int] | None = None
    kinds: tuple[str, ...] = ()
    source_types: tuple[str, ...] = ()
    grades: tuple[str, ...] = ()
    agencies: tuple[str, ...] = ()
    place_kinds: tuple[str, ...] = ()
    min_records: int = 1
    new_since: date | None = None

    def __post_init__(self) -> None:
        """Refuse what has no meaning, and bring equal filters to one form."""
        for name, day in (("from", self.date_from), ("to", self.date_to), ("new_since", self.new_since)):
            if day and not EARLIEST <= day <= LATEST:
                raise InvalidParameter(f"{name}: {day} is outside {EARLIEST} to {LATEST}.")
        if self.date_from and self.date_to and self.date_from > self.date_to:
            raise InvalidParameter(f"from {self.date_from} is after to {self.date_to}.")
        if not set(self.weekdays) <= set(range(7)):
            raise InvalidParameter("weekday is one of mon, tue, wed, thu, fri, sat, sun.")
        if self.hours and not (
            0 <= self.hours[0] <= 23 and 0 <= self.hours[1] <= 24 and self.hours[0] != self.hours[1]
        ):
            raise InvalidParameter("hours are two different hours of the day, such as 18-2.")
        if not 1 <= self.min_records <= _MAX_RECORDS:
            raise InvalidParameter(f"min_records is a whole number from 1 to {_MAX_RECORDS:,}.")
        days = tuple(sorted(set(self.weekdays)))
        object.__setattr__(self, "weekdays", () if len(days) == 7 else days)
        object.__setattr__(self, "hours", None if self.hours == (0, 24) else self.hours)
        for name in ("kinds", "source_types", "grades", "agencies", "place_kinds"):
            values = tuple(sorted(set(getattr(self, name))))
            if len(values) > MAX_VALUES or any(len(one) > _MAX_TEXT for one in values):
                raise InvalidParameter(f"{name}: at most {MAX_VALUES} values of {_MAX_TEXT} characters.")
            object.__setattr__(self, name, values)

    @classmethod
    def parse(cls, given: Mapping[str, Sequence[str]]) -> "View":
        """Read the parameters of an address; empty ones and names that are not ours are passed over.

        Raises
        ------
        InvalidParameter
            Naming the parameter that cannot be read.
        """
        texts = {name: [one.strip() for one in given.get(name, ())] for name in FIELDS}
        return cls(
            date_from=_date("from", texts), date_to=_date("to", texts), weekdays=_weekdays(texts["weekday"]), hours=_hours(texts),
            kinds=_values(texts["kind"]), source_types=_values(texts["source_type"]), grades=_values(texts["grade"]),
            agencies=_values(texts["agency"]), place_kinds=_values(texts["place_kind"]), min_records=_number(texts),
            new_since=_date("new_since", texts),
        )  # fmt: skip

    def pairs(self) -> list[tuple[str, str]]:
        """Return the parameters of the address that :meth:`parse` reads back as this view; equal views, equal pairs."""
        found: list[tuple[str, str]] = []
        for name, day in (("from", self.date_from), ("to", self.date_to)):
            found += [(name, day.isoformat())] if day else []
        found += [("weekday", _SHORT[day]) for day in self.weekdays]
        found += [("hours", f"{self.hours[0]}-{self.hours[1]}")] if self.hours else []
        for name, values in (
            ("kind", self.kinds), ("source_type", self.source_types), ("grade", self.grades), ("agency", self.agencies),
            ("place_kind", self.place_kinds),
        ):  # fmt: skip
            found += [(name, value or NOT_SAID) for value in values]
        found += [("min_records", str(self.min_records))] if self.min_records > 1 else []
        found += [("new_since", self.new_since.isoformat())] if self.new_since else []
        return found

    def query(self) -> str:
        """Return the canonical query string, empty for the whole analysis."""
        return urlencode(self.pairs())

    @property
    def chooses_records(self) -> bool:
        """Whether it leaves out records, rather than only cells and places."""
        return self != replace(
            View(), place_kinds=self.place_kinds, min_records=self.min_records, new_since=self.new_since
        )

    def permitted(self, profile: Profile) -> "View":
        """Return the view itself where an audience may have it.

        Outside operations only the whole analysis and single calendar months may be asked for, so that no two answers
        differ by a handful of records.

        Raises
        ------
        DisclosureError
        """
        if profile is Profile.OPERATIONAL or self in {View(), self.of_month()}:
            return self
        raise DisclosureError("This audience sees the whole analysis or one calendar month, without other filters.")

    def of_month(self) -> "View | None":
        """Return the view of the one calendar month that the dates span; None where they span no such month."""
        if self.date_from is None or self.date_to is None:
            return None
        whole = month_view(self.date_from.year, self.date_from.month)
        return whole if (whole.date_from, whole.date_to) == (self.date_from, self.date_to) else None


def month_view(year: int, month: int) -> View:
    """View of one calendar month."""
    if not EARLIEST.year <= year <= LATEST.year:
        raise InvalidParameter(f"{year} is outside {EARLIEST.year} to {LATEST.year}.")
    after = date(year + month // 12, month % 12 + 1, 1)
    return View(date_from=date(year, month, 1), date_to=after - timedelta(days=1))


_SHORT: Final = tuple(name[:3].lower() for name in WEEKDAYS)
# Stands in an address for records that do not say.
NOT_SAID: Final = "-"


def _values(texts: list[str]) -> tuple[str, ...]:
    return tuple("" if one == NOT_SAID else one for one in texts if one)


def _date(name: str, texts: Mapping[str, list[str]]) -> date | None:
    given = [one for one in texts[name] if one]
    if not given:
        return None
    try:
        return date.fromisoformat(given[-1])
    except ValueError as error:
        raise InvalidParameter(f"{name}: {given[-1][:20]!r} is not a date; write 2026-03-31.") from error


def _weekdays(texts: list[str]) -> tuple[int, ...]:
    days = [one[:3].lower() for one in texts if one]
    if unknown := sorted(set(days) - set(_SHORT)):
        raise InvalidParameter(f"weekday: {unknown[0]!r} is none of {', '.join(_SHORT)}.")
    return tuple(_SHORT.index(one) for one in days)


def _hours(texts: Mapping[str, list[str]]) -> tuple[int, int] | None:
    given = [one for one in texts["hours"] if one]
    if not given:
        return None
    first, _, last = given[-1].partition("-")
    if not (first.isdecimal() and last.isdecimal() and len(first + last) <= 4):
        raise InvalidParameter(f"hours: {given[-1][:20]!r} is no band of hours; write 18-2.")
    return int(first), int(last)


def _number(texts: Mapping[str, list[str]]) -> int:
    given = [one for one in texts["min_records"] if one]
    if not given:
        return 1
    if not (given[-1].isdecimal() and len(given[-1]) <= 9):
        raise InvalidParameter(f"min_records: {given[-1][:20]!r} is not a whole number.")
    return int(given[-1])
