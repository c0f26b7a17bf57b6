"""The rules that class a coordinate, in the order in which they are tried, and what follows from each."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from string import Formatter
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.stack_landmarks import LINE_M

Floats = NDArray[np.float64]
Texts = NDArray[np.object_]

SNAP_PRECISION_M: Final = 100.0
POSTCODE_BOUNDS_M: Final = (25.0, 500.0)
STREET_BOUNDS_M: Final = (50.0, 500.0)
# A publisher's list shows itself in numbers: one address may lie on a mapped drive, five do not.
MIN_ON_LINES: Final = 5
# Half of the data.police.uk points in Bath lie within 0.7 m of a road line and three in four within 2 m; homes do not.
MIN_NEAR_LINES: Final = 20
MOVED_SHARE: Final = 0.6
INSIDE_M: Final = 2.0
AT_OTHER_M: Final = 10.0
BESIDE_RECORDS: Final = 10
BESIDE_TIMES_USUAL: Final = 5


class StackClass(StrEnum):
    """What a coordinate stands for. A reporting address is where reports are made, not where things happen."""

    ADDRESS = "address"
    SNAP_POINT = "snap_point"
    CENTROID = "centroid"
    REPORTING = "reporting_address"
    DEFAULT = "default"
    SINGLE = "single"


class StackMethod(StrEnum):
    """How far a coordinate may be used; what is not a place has no part in clustering."""

    AS_GIVEN = "as_given"
    SNAPPED = "snapped"
    CENTROID = "centroid"
    NOT_A_PLACE = "not_a_place"


@dataclass(frozen=True)
class Rule:
    """What a rule makes of a coordinate, and why in words; ``reason`` takes the names of facts."""

    stack_class: StackClass
    method: StackMethod
    reason: str


RULES: Final[Mapping[str, Rule]] = {
    "known": Rule(StackClass.DEFAULT, StackMethod.NOT_A_PLACE, "a coordinate known to mean nothing; records here: {records:,}"),
    "corner": Rule(StackClass.DEFAULT, StackMethod.NOT_A_PLACE, "a corner of the 1 km grid; records here: {records:,}"),
    "single_flagged": Rule(StackClass.SINGLE, StackMethod.SNAPPED, "one record, which the source says it moved to a map point"),
    "single_moved": Rule(
        StackClass.SINGLE, StackMethod.SNAPPED,
        "one record, of an agency with {agency_near_line:,} of {agency_stacks:,} stacks within 2 m of a road line",
    ),
    "single": Rule(StackClass.SINGLE, StackMethod.AS_GIVEN, "one record"),
    "flagged": Rule(
        StackClass.SNAP_POINT, StackMethod.SNAPPED, "{flagged:,} of {records:,} records were moved to a map point, says the source",
    ),
    "street": Rule(StackClass.CENTROID, StackMethod.CENTROID, "{records:,} records {street_m:.1f} m from the middle of a street"),
    "line": Rule(
        StackClass.SNAP_POINT, StackMethod.SNAPPED,
        "{records:,} records {line_m:.1f} m from a road line; {agency_on_line:,} of the agency's {agency_stacks:,} stacks are within 1 m of one",
    ),
    "inside": Rule(
        StackClass.REPORTING, StackMethod.NOT_A_PLACE, "{records:,} records at premises where reports are made ({reporting_kind})",
    ),
    "beside": Rule(
        StackClass.REPORTING, StackMethod.NOT_A_PLACE,
        "{records:,} records, {times_usual:.0f} times a usual stack and of {kinds:.1f} effective kinds, {reporting_m:.0f} m from"
        " premises where reports are made ({reporting_kind})",
    ),
    "crowd": Rule(
        StackClass.DEFAULT, StackMethod.NOT_A_PLACE,
        "{records:,} records, {share:.1%} of {whose}, {times_usual:.0f} times a usual stack and of {kinds:.1f} effective kinds against"
        " {kinds_overall:.1f} overall",
    ),
    "area": Rule(StackClass.CENTROID, StackMethod.CENTROID, "{records:,} records {area_m:.1f} m from the centre of an area ({area_level})"),
    "postcode": Rule(StackClass.CENTROID, StackMethod.CENTROID, "{records:,} records {postcode_m:.1f} m from the centroid of a postcode"),
    "moved": Rule(
        StackClass.SNAP_POINT, StackMethod.SNAPPED,
        "{records:,} records of an agency with {agency_near_line:,} of {agency_stacks:,} stacks within 2 m of a road line",
    ),
    "address": Rule(
        StackClass.ADDRESS, StackMethod.AS_GIVEN,
        "{records:,} records, {times_usual:.1f} times a usual stack and of {kinds:.1f} effective kinds, on no known line, centroid or"
        " reporting address",
    ),
}  # fmt: skip


def decide(facts: pd.DataFrame) -> Texts:
    """Name of the first rule that fits each point.

    Parameters
    ----------
    facts : DataFrame
        One row a point, as gathered by :mod:`geo.stacks`. Distances are NaN for single records.

    Returns
    -------
    ndarray of str, shape (n,)
    """
    single = facts["records"] == 1
    on_line, on_street = facts["line_m"] <= LINE_M, np.isfinite(facts["street_m"])
    uses_streets = 2 * facts["agency_on_street"] >= facts["agency_on_line"]
    line = on_line & (facts["agency_on_line"] >= MIN_ON_LINES)
    moved = (
        facts["agency_near_line"] >= np.maximum(MIN_NEAR_LINES, MOVED_SHARE * facts["agency_stacks"])
    ) & ~uses_streets
    at_other = (facts["other_m"] <= AT_OTHER_M) & (facts["other_m"] < facts["reporting_m"])
    crowded = (facts["records"] >= BESIDE_RECORDS) & (facts["times_usual"] >= BESIDE_TIMES_USUAL) & facts["diverse"]
    fits = {
        "known": facts["known"],
        "corner": facts["corner"],
        "single_flagged": single & (facts["flagged"] > 0),
        "single_moved": single & moved,
        "single": single,
        "flagged": 2 * facts["flagged"] >= facts["records"],
        "street": on_street & uses_streets,
        "line": line,
        "inside": (facts["reporting_m"] <= INSIDE_M) & ~at_other,
        "beside": np.isfinite(facts["reporting_m"]) & crowded & ~at_other,
        "crowd": facts["stands_out"] & ~at_other,
        "area": np.isfinite(facts["area_m"]),
        "postcode": np.isfinite(facts["postcode_m"]),
        "moved": moved,
    }
    return np.select([fit.to_numpy(bool) for fit in fits.values()], list(fits), "address").astype(object)


def outcome(facts: pd.DataFrame) -> pd.DataFrame:
    """Class, meaning, precision, method and reason of each point.

    Parameters
    ----------
    facts : DataFrame
        As for :func:`decide`.

    Returns
    -------
    DataFrame
        ``stack_class, of, precision_m, method, reason`` on the index of ``facts``.
    """
    rule = decide(facts)
    names, number = np.unique(rule.astype(str), return_inverse=True)
    rules = [RULES[name] for name in names]
    reason = np.empty(len(facts), object)
    for i, one in enumerate(rules):
        mine = np.flatnonzero(number == i)
        reason[mine] = _reasons(one.reason, facts.iloc[mine])
    return pd.DataFrame(
        {
            "stack_class": np.array([str(one.stack_class) for one in rules], object)[number],
            "of": _of(rule, facts),
            "precision_m": _precision_m(rule, facts),
            "method": np.array([str(one.method) for one in rules], object)[number],
            "reason": reason,
        },
        index=facts.index,
    )


def _of(rule: Texts, facts: pd.DataFrame) -> Texts:
    told = {"street": "street", "postcode": "postcode", "area": facts["area_level"]}
    told |= dict.fromkeys(("inside", "beside"), facts["reporting_kind"])
    return np.select([rule == name for name in told], list(told.values()), "").astype(object)


def _precision_m(rule: Texts, facts: pd.DataFrame) -> Floats:
    known = {
        "street": np.clip(facts["street_radius_m"], *STREET_BOUNDS_M),
        "postcode": np.clip(facts["postcode_radius_m"], *POSTCODE_BOUNDS_M),
        "area": facts["area_radius_m"],
    }
    known |= dict.fromkeys(("flagged", "line", "moved", "single_flagged", "single_moved"), SNAP_PRECISION_M)
    return np.select([rule == name for name in known], list(known.values()), np.nan).astype(float)


def _reasons(template: str, facts: pd.DataFrame) -> list[str]:
    """Fill in the template for each point."""
    names = [name for _, name, _, _ in Formatter().parse(template) if name]
    if not names:
        return [template] * len(facts)
    rows = zip(*(facts[name].tolist() for name in names), strict=True)
    return [template.format_map(dict(zip(names, row, strict=True))) for row in rows]
