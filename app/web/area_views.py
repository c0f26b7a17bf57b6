"""What an address asks of the figures by area: a level, the last day counted and an order of the rows."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from operator import itemgetter
from typing import Any, Final

from flask import request

from app.services.area_export import VERDICT_WORDS
from app.services.by_area import EARLIEST, ByArea, by_area
from app.web.security import store
from geo.compare import Change
from geo.errors import Conflict, InvalidParameter
from geo.model import Scope
from geo.parameters import AnalysisParameters
from geo.view import LATEST

_RATIO: Final = "change_28_days"
_YEARLY: Final = "change_this_year"
ORDERS: Final = ("area", "recent", "before", _RATIO, "this_year", "last_year", _YEARLY)
# Stated changes stand before what is too little to say, and that before what is not known, whichever way they are sorted.
_GROUPS: Final = {Change.UP: 0, Change.DOWN: 0, Change.NO_CLEAR_CHANGE: 0, Change.TOO_FEW: 1, "no_history": 2}


@dataclass(frozen=True, kw_only=True)
class AreaQuestion:
    """What was asked, as written.

    ``problem`` names a field and says what was wrong with it, ``missing`` what must be there before anything is counted.
    """

    level: str | None
    day: str
    sort: str
    problem: tuple[str, str] | None = None
    missing: str = ""

    def turned(self, name: str) -> dict[str, str]:
        """Return the parameters of the address that a click on a heading asks for."""
        first = name if name == "area" else f"-{name}"  # of figures the largest is looked for
        other = f"-{name}" if first == name else name
        return self.parameters | {"sort": other if self.sort == first else first}

    def direction(self, name: str) -> str:
        """Return how a column is sorted, in the words of ``aria-sort``."""
        if self.sort.removeprefix("-") != name:
            return "none"
        return "descending" if self.sort.startswith("-") else "ascending"

    @property
    def parameters(self) -> dict[str, str]:
        """Return what else the address asks for, without the order."""
        return ({} if self.level is None else {"level": self.level}) | ({"as_of": self.day} if self.day else {})


def asked_areas() -> AreaQuestion:
    """Read the question from the address or the form."""
    sort = request.values.get("sort", "")
    return AreaQuestion(
        level=request.values.get("level"),
        day=request.values.get("as_of", "").strip(),
        sort=sort if sort.removeprefix("-") in ORDERS else "area",
    )


def answer(asked: AreaQuestion, scope: Scope) -> tuple[AreaQuestion, ByArea | None]:
    """Return the figures in the order asked for, without what was wrong in the question; None where there can be none."""
    try:
        day = _day(asked.day)
    except InvalidParameter as error:
        asked, day = replace(asked, day="", problem=("as_of", str(error))), None
    try:
        try:
            found = _figures(asked, scope, day)
        except InvalidParameter:
            problem = asked.problem or ("level", "There are no areas of that level. Choose one of the list.")
            asked = replace(asked, level=None, problem=problem)
            found = _figures(asked, scope, day)
    except Conflict as error:
        return replace(asked, missing=str(error).partition(" Import them")[0]), None
    return asked, in_order(found, asked.sort)


def _figures(asked: AreaQuestion, scope: Scope, day: date | None) -> ByArea:
    parameters = AnalysisParameters(crs_epsg=store().crs.epsg)
    return by_area(store(), scope, parameters, as_of=day, level=asked.level, finest=True)


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise InvalidParameter("The last day counted is a date, such as 2026-05-28.") from error
    if not EARLIEST <= day <= LATEST:
        raise InvalidParameter(f"The last day counted lies between {EARLIEST.year} and {LATEST.year}.")
    return day


def in_order(found: ByArea, sort: str) -> ByArea:
    """Sort rows and their shapes; what lies outside every area stands last, and equal rows by name."""
    name, down = sort.removeprefix("-"), sort.startswith("-")
    key = _KEYS[name]
    order = sorted(range(len(found.rows)), key=lambda i: str(found.rows[i]["area"]).casefold())
    order.sort(key=lambda i: key(found.rows[i]), reverse=down)
    if name in {_RATIO, _YEARLY}:
        order.sort(key=lambda i: _GROUPS[found.rows[i][name]["verdict"]])
    order.sort(key=lambda i: found.shapes[i] is None)
    return replace(found, rows=[found.rows[i] for i in order], shapes=[found.shapes[i] for i in order])


def _ratio(column: str) -> Callable[[dict[str, Any]], float]:
    def key(row: dict[str, Any]) -> float:
        change = row[column]
        if change["verdict"] in {Change.TOO_FEW, "no_history"}:
            return 0.0  # no ratio is shown, so none decides
        return float("inf") if change["ratio"] is None else float(change["ratio"])

    return key


_KEYS: Final[dict[str, Callable[[dict[str, Any]], Any]]] = {
    "area": lambda row: str(row["area"]).casefold(),
    **{name: itemgetter(name) for name in ("recent", "before", "this_year", "last_year")},
    **{name: _ratio(name) for name in (_RATIO, _YEARLY)},
}


def words_of(row: dict[str, Any]) -> str:
    """Say in a few words what is known of the last 28 days of an area."""
    change = row[_RATIO]
    counts = f", {row['recent']:,} after {row['before']:,}" if change["verdict"] != "no_history" else ""
    return f"{VERDICT_WORDS[change['verdict']]}{counts}"
