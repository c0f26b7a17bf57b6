"""What the form for an analysis asks, and what it was told, question by question."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from app.services.offering import Offer
from geo.cells import spacing_m
from geo.model import MIN_VEHICLES, ComparedWith, RecordKind
from geo.narrative import day_words
from geo.parameters import AnalysisParameters
from geo.view import EARLIEST, LATEST

EVERYTHING: Final = "everything"
BETWEEN: Final = "between"
PERIOD_WORDS: Final = {
    "days": "Last 28 days",
    "months": "Last 3 months",
    "year": "This year so far",
    EVERYTHING: "Everything",
    BETWEEN: "Between two dates",
}
KIND_WORDS: Final = {
    RecordKind.INCIDENTS: "Incidents",
    RecordKind.OBSERVATIONS: "Observations of outreach workers",
    RecordKind.SIGHTINGS: "Vehicle sightings",
}
COMPARED_WORDS: Final = {
    ComparedWith.AREA: ("The ground inside the area", "More records than ground of its size. Without an area every cell counts alike."),
    ComparedWith.UNIFORM: ("Every cell alike", "More records than other cells."),
    ComparedWith.RECORDS: ("All recorded incidents", "More of the chosen records than where incidents of any kind are recorded."),
    ComparedWith.PREMISES: ("The premises in each cell", "More records than premises lead one to expect."),
    ComparedWith.BUILDINGS: ("The buildings in each cell", "More records than buildings lead one to expect."),
    ComparedWith.EFFORT: ("Hours of outreach in each cell", "Only what outreach and patrols found is tested."),
}  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """A question whose answer is a number; ``fault`` says what an answer must be."""

    name: str
    label: str
    hint: str
    fault: str
    read: Callable[[str], float] = float
    options: Sequence[tuple[str, str]] = field(default_factory=tuple)

    @property
    def usual(self) -> str:
        """Return the answer that stands there at first."""
        return f"{getattr(AnalysisParameters(), self.name):g}"


def _across(resolution: int) -> str:
    width_m = float(f"{spacing_m(resolution):.2g}")
    return f"{width_m / 1000:g} km across" if width_m >= 1000 else f"{width_m:g} m across"


FIGURES: Final = (
    Figure(
        "resolution",
        "Size of the cells",
        "Records are counted in hexagons. Small ones show where in a park, large ones find weak patterns.",
        "Choose a size from the list.",
        int,
        [(str(one), f"{one}: about {_across(one)}") for one in range(5, 13)],
    ),
    Figure(
        "eps_m",
        "How near records lie that belong together",
        "In metres.",
        "Give a number of metres above 0 and up to 5000.",
    ),
    Figure(
        "min_weight",
        "Records that make a place",
        "How many must lie that near each other.",
        "Give a number above 0 and below a million.",
    ),
    Figure(
        "min_vehicles",
        "Vehicles that make a route",
        f"Distinct vehicles, or groups of reports; with fewer no route and no link is shown. {MIN_VEHICLES} or more.",
        f"Give a whole number from {MIN_VEHICLES} to 100.",
        int,
    ),
)


@dataclass(frozen=True)
class Asked:
    """The form as it was filled in: its ``values``, what is wrong with which, and what they mean where nothing is."""

    values: Mapping[str, Any]
    problems: Mapping[str, str] = field(default_factory=dict)
    chosen: Mapping[str, Any] = field(default_factory=dict)

    @property
    def has_unusual_figures(self) -> bool:
        """Whether a figure is not what it is at first."""
        return any(self.values[one.name] != one.usual for one in FIGURES)


def unasked(offered: Offer, *, area: str = "") -> Asked:
    """Return the form as it is shown at first, with an area chosen where a link names one."""
    usual = [kind for kind in AnalysisParameters().record_kinds if kind in offered.records]
    plain = _values(
        AnalysisParameters(record_kinds=tuple(usual or offered.records or AnalysisParameters().record_kinds))
    )
    plain |= {"period": "months" if offered.periods else EVERYTHING}
    if area and not any(area in names for names in offered.areas.values()):
        return Asked(plain, {"area": f"There is no area called {area[:80]} now. Choose one from the list."})
    return Asked(plain | {"area": area})


def asked_before(parameters: AnalysisParameters) -> Asked:
    """Return the form of an analysis that was begun."""
    return Asked(_values(parameters))


def _values(parameters: AnalysisParameters) -> dict[str, Any]:
    dated = parameters.date_from or parameters.date_to
    return {
        "period": BETWEEN if dated else EVERYTHING,
        "date_from": parameters.date_from.isoformat() if parameters.date_from else "",
        "date_to": parameters.date_to.isoformat() if parameters.date_to else "",
        "record_kinds": list(parameters.record_kinds),
        "categories": list(parameters.categories),
        "area": parameters.area or "",
        "compared_with": str(parameters.compared_with),
    } | {one.name: f"{getattr(parameters, one.name):g}" for one in FIGURES}


def read_form(form: MultiDict[str, str], offered: Offer) -> Asked:
    """Read every answer; each that cannot be used is told under its own name."""
    values: dict[str, Any] = {name: form.get(name, "").strip() for name in _values(AnalysisParameters())}
    values |= {name: form.getlist(name) for name in ("record_kinds", "categories")}
    problems: dict[str, str] = {}
    chosen = _period(values, offered, problems)
    if not values["record_kinds"] or not set(values["record_kinds"]) <= set(offered.records):
        problems["record_kinds"] = "Choose at least one kind of record from the list."
    if not set(values["categories"]) <= set(offered.categories):
        problems["categories"] = "Choose categories from the list."
    if values["area"] and not any(values["area"] in names for names in offered.areas.values()):
        problems["area"] = "Choose an area from the list."
    if values["compared_with"] not in offered.compared_with:
        problems["compared_with"] = "Choose what to compare with."
    chosen |= {name: tuple(values[name]) for name in ("record_kinds", "categories")}
    chosen |= {"area": values["area"] or None, "compared_with": values["compared_with"]}
    for figure in FIGURES:
        chosen[figure.name] = _figure(figure, values[figure.name], problems)
    return Asked(values, problems, {} if problems else chosen)


def _figure(figure: Figure, text: str, problems: dict[str, str]) -> float | None:
    """Read one number; what is outside its meaning, the parameters themselves refuse."""
    try:
        number = figure.read(text)
        AnalysisParameters(**{figure.name: number})  # type: ignore[arg-type]
    except ValueError:
        problems[figure.name] = figure.fault
        return None
    return number


def _period(values: Mapping[str, Any], offered: Offer, problems: dict[str, str]) -> dict[str, Any]:
    if values["period"] == EVERYTHING:
        return {}
    if values["period"] in offered.periods:
        first, last = offered.periods[values["period"]]
        return {"date_from": first, "date_to": last}
    if values["period"] != BETWEEN:
        problems["period"] = "Choose the days."
        return {}
    days = {name: _day(values[name], name, problems) for name in ("date_from", "date_to")}
    if not problems and days["date_from"] and days["date_to"] and days["date_from"] > days["date_to"]:
        problems["date_to"] = "The last day must not be before the first."
    return days


def _day(text: str, name: str, problems: dict[str, str]) -> date | None:
    which = {"date_from": "first", "date_to": "last"}[name]
    if not text:
        problems[name] = f"Give the {which} day."
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        problems[name] = f"{text[:40]} is not a date. Write the {which} day as 2026-03-09."
        return None
    if not EARLIEST <= day <= LATEST:
        problems[name] = (
            f"Give a {which} day between {day_words(EARLIEST.isoformat())} and {day_words(LATEST.isoformat())}."
        )
    return day


def place_obstacles(asked: Asked, obstacles: Mapping[str, str]) -> Asked:
    """Put what stands in the way beside the question that it is about."""
    dated = asked.values["period"] == BETWEEN
    return Asked(
        asked.values,
        {"period" if name == "date_from" and not dated else name: words for name, words in obstacles.items()},
    )
