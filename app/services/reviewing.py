"""When a place that a person named is to be looked at again, and what taking such a place off the lists needs."""

from datetime import date, timedelta
from typing import Final

from data.places import Nomination
from data.store import Store
from geo.decisions import Standing
from geo.errors import Conflict, InvalidParameter
from geo.model import Scope
from geo.temporal import LONDON, BadDate, from_micros, parse_time

# What people say of a place grows old like the label of a hotspot.
REVIEW_AFTER_DAYS: Final = 90


def local_day(at_us: int) -> date:
    """Day of a moment, Europe/London."""
    return from_micros(at_us).astimezone(LONDON).date()


def usual_review_by(now_us: int) -> date:
    """Day by which a place named now is reviewed, where nobody says another."""
    return local_day(now_us) + timedelta(days=REVIEW_AFTER_DAYS)


def read_review_by(text: str, now_us: int) -> date:
    """Read the day by which somebody looks again.

    Raises
    ------
    InvalidParameter
        When it is no day, or not within the year that begins tomorrow.
    """
    today = local_day(now_us)
    try:
        begin_us, end_us, _ = parse_time(text)
    except BadDate as error:
        raise InvalidParameter(f"--review-by: {error}.") from error
    day = local_day(begin_us)
    if local_day(end_us - 1) != day:
        raise InvalidParameter("--review-by: say the day, such as 2026-08-26.")
    if not today < day <= _in_a_year(today):
        raise InvalidParameter(f"--review-by: a day after {today} and not after {_in_a_year(today)}.")
    return day


def _in_a_year(day: date) -> date:
    leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year + 1, day=28 if leap_day else day.day)


def review_by(nomination: Nomination, standing: Standing) -> date:
    """Day by which a nominated place is reviewed: the one said last, of what was not taken back."""
    return date.fromisoformat(standing.review_by) if standing.review_by else nomination.review_by


def require_nominated(store: Store, scope: Scope, place_id: str) -> None:
    """Refuse a place that no person named.

    Raises
    ------
    Conflict
    """
    if all(one.place_id != place_id for one in store.places.nominations(scope)):
        raise Conflict(f"Nobody named place {place_id}: an analysis found it. Accept or reject it instead.")


def require_withdrawable(store: Store, scope: Scope, place_id: str) -> None:
    """Refuse to withdraw a place that records, or other places, stand behind.

    Raises
    ------
    Conflict
    """
    require_nominated(store, scope, place_id)
    if store.runs.seen_in(scope, place_id):
        raise Conflict(f"An analysis has found place {place_id}: records stand behind it. Reject it instead.")
    rulings = store.places.standing(scope)
    if place_id in rulings and rulings[place_id].merged_into:
        raise Conflict(f"Place {place_id} was merged. Take that back first: lapwing decide {place_id} undo")
    if held := sorted(other for other, one in rulings.items() if one.merged_into == place_id):
        raise Conflict(f"Place {held[0]} was merged into it. Take that back first: lapwing decide {held[0]} undo")
