"""A view in plain words."""

from collections.abc import Sequence
from typing import Final

from geo.narrative import kind_words
from geo.temporal import WEEKDAYS
from geo.view import View

# Bands of hours that a form offers: what an outreach shift or a patrol plans by.
HOUR_BANDS: Final = (
    ("6-9", "Early, 06:00 to 09:00"), ("9-15", "School day, 09:00 to 15:00"), ("15-18", "After school, 15:00 to 18:00"),
    ("18-22", "Evening, 18:00 to 22:00"), ("22-2", "Late, 22:00 to 02:00"), ("2-6", "Small hours, 02:00 to 06:00"),
)  # fmt: skip


def view_words(view: View) -> str:
    """Return a filter as a phrase, empty for the whole analysis.

    Examples
    --------
    >>> view_words(View(weekdays=(4, 5), hours=(22, 2), min_records=3))
    'on Friday or Saturday; 22:00 to 02:00 (nights that begin on these days); at least 3 records'
    """
    parts = []
    if view.date_from or view.date_to:
        parts.append(f"{view.date_from or 'the first day'} to {view.date_to or 'the last day'}")
    if view.weekdays:
        parts.append(f"on {_or([WEEKDAYS[day] for day in view.weekdays])}")
    if view.hours:
        nights = " (nights that begin on these days)" if view.weekdays and view.hours[0] > view.hours[1] else ""
        parts.append(f"{view.hours[0]:02d}:00 to {view.hours[1]:02d}:00{nights}")
    for words, values in (
        ("", view.kinds), ("source type ", view.source_types), ("grade ", view.grades), ("agency ", view.agencies),
        ("places that are ", tuple(kind_words(kind) for kind in view.place_kinds)),
    ):  # fmt: skip
        parts += [words + _or([value or "not said" for value in values])] if values else []
    if view.min_records > 1:
        parts.append(f"at least {view.min_records} records")
    if view.new_since:
        parts.append(f"nothing before {view.new_since}")
    return "; ".join(parts)


def _or(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
