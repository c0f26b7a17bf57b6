"""What a repeated coordinate is: an address, a publisher's map point, a centroid, or no place at all.

A stack is a coordinate shared by two records or more, to the millimetre. Left alone, the coordinate that a force uses
when nothing is known makes the brightest hotspot of all; a postcode's centroid puts a street's harm at one door.
"""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.distinct import distinct_points
from geo.errors import InvalidParameter
from geo.stack_evidence import Crowd, Flags, Floats, Ints, Pairs, crowd, pair_agencies, stands_alone
from geo.stack_landmarks import LINE_M, NEAR_LINE_M, Landmarks, is_grid_corner, is_known_default, nearby
from geo.stack_rules import StackClass, StackMethod, outcome

__all__ = ["STACK_COLUMNS", "Landmarks", "StackClass", "StackMethod", "classify_stacks", "stack_of_each_record"]

STACK_COLUMNS: Final = ("x_m", "y_m", "records", "stack_class", "of", "precision_m", "method", "reason")
# A half of the usual mix is many kinds for premises where reports are made; a takeaway has fewer.
_BESIDE_DIVERSITY: Final = 0.5


def classify_stacks(
    x_m: Floats,
    y_m: Floats,
    *,
    category: NDArray[np.object_],
    agency: NDArray[np.object_],
    at_us: Ints,
    snapped: Flags,
    landmarks: Landmarks,
) -> pd.DataFrame:
    """Class every distinct point; the answer does not depend on the order of the rows.

    Parameters
    ----------
    x_m, y_m : ndarray of float, shape (n,)
        Projected metres, finite.
    category, agency : ndarray of str, shape (n,)
    at_us : ndarray of int64, shape (n,)
        Microseconds UTC.
    snapped : ndarray of bool, shape (n,)
        Whether the source says that it moved the record to a map point.
    landmarks : Landmarks
        In the CRS of the records.

    Returns
    -------
    DataFrame
        ``STACK_COLUMNS``, one row a distinct point, sorted by (x_m, y_m). ``of`` names what a centroid is of, or the
        kind of premises where reports are made, and is empty elsewhere; ``precision_m`` is NaN where what the source
        states holds (``as_given``) or nothing does (``not_a_place``). :func:`stack_of_each_record` leads from records
        to rows.

    Raises
    ------
    InvalidParameter
        When a coordinate is not finite, or the arrays differ in length.

    Notes
    -----
    No rule is learned; each rests on what its reason says. In order: coordinates known to mean nothing and corners of
    the 1 km grid; the source's own word; middles of streets and, where an agency has at least five such stacks, road
    centre lines, on which no home stands (half of 1,390 data.police.uk points in Bath lie within 0.7 m of one);
    premises where reports are made; a share of all records, or of one agency's, of many kinds, through the year and
    without crowded neighbours; centres of areas and postcodes; the rest of an agency most of whose stacks lie on road
    lines. What remains is an address.

    A postcode's centroid is the position of one of its addresses, so a true repeat at that address cannot be told from
    a geocoded postcode. It is called a centroid: a place drawn too wide does less harm than a street's records on one
    door. A busy place that the map does not show, alone and with records of all kinds, is taken for a default.

    A single record keeps the precision of its source, unless the source moves its points or the point is a default.

    Examples
    --------
    >>> found = classify_stacks(
    ...     np.array([7.5, 7.5, 90.5]),
    ...     np.full(3, 4.5),
    ...     category=np.array(["theft", "theft", "drugs"], object),
    ...     agency=np.full(3, "", object),
    ...     at_us=np.zeros(3, np.int64),
    ...     snapped=np.zeros(3, bool),
    ...     landmarks=Landmarks.none(),
    ... )
    >>> found["stack_class"].tolist(), found["records"].tolist()
    (['address', 'single'], [2, 1])
    """
    if len({len(one) for one in (x_m, y_m, category, agency, at_us, snapped)}) != 1:
        raise InvalidParameter("x_m, y_m, category, agency, at_us and snapped must have one value a record.")
    points_m, point = _distinct(x_m, y_m)
    kind, who = (
        pd.factorize(values, sort=True, use_na_sentinel=False)[0].astype(np.int64) for values in (category, agency)
    )
    pairs = pair_agencies(point, who)
    overall = crowd(point, np.zeros_like(point), category=kind, at_us=at_us)
    by_agency = crowd(pairs.of_record, who, category=kind, at_us=at_us)
    facts = _crowding(overall, by_agency, pairs).assign(
        x_m=points_m[:, 0],
        y_m=points_m[:, 1],
        flagged=np.bincount(point[snapped], minlength=len(points_m)),
        known=is_known_default(points_m, landmarks),
        corner=is_grid_corner(points_m),
    )
    facts["stands_out"] &= stands_alone(points_m, overall.records, facts["stands_out"].to_numpy(bool))
    facts = facts.join(_surroundings(facts, landmarks))
    facts = facts.join(_habits(facts), on="agency")
    return facts.join(outcome(facts))[list(STACK_COLUMNS)]


def stack_of_each_record(x_m: Floats, y_m: Floats) -> Ints:
    """Row of each record in the frame that :func:`classify_stacks` makes of the same coordinates.

    Examples
    --------
    >>> stack_of_each_record(np.array([9.0, 2.0, 9.0]), np.zeros(3)).tolist()
    [1, 0, 1]
    """
    return _distinct(x_m, y_m)[1]


def _distinct(x_m: Floats, y_m: Floats) -> tuple[Floats, Ints]:
    """Distinct points to the millimetre, sorted by (x_m, y_m), and the number of each record's."""
    x_m, y_m = (np.round(np.asarray(one, float), 3) + 0.0 for one in (x_m, y_m))  # + 0.0 makes -0.0 plain
    if not (np.isfinite(x_m).all() and np.isfinite(y_m).all()):
        raise InvalidParameter("x_m and y_m must be finite; leave records without a position out.")
    x_m, y_m, point = distinct_points(x_m, y_m)
    return np.column_stack([x_m, y_m]), point


def _crowding(overall: Crowd, by_agency: Crowd, pairs: Pairs) -> pd.DataFrame:
    """Figures of each point against all records, or against its agency's where only those make it stand out."""
    lead = pairs.leading
    by_one = ~overall.stands_out & by_agency.stands_out[lead] & (2 * by_agency.records[lead] >= overall.records)
    told = {
        name: np.where(by_one, getattr(by_agency, name)[lead], getattr(overall, name))
        for name in ("share", "times_usual", "kinds", "kinds_overall", "stands_out")
    }
    whose = np.where(by_one, "its agency's records", "all records").astype(object)
    diverse = by_agency.diverse(_BESIDE_DIVERSITY)[lead]  # an agency's own mix: a council hears of less than the police
    return pd.DataFrame(
        told | {"records": overall.records, "whose": whose, "diverse": diverse, "agency": pairs.agency[lead]}
    )


def _surroundings(facts: pd.DataFrame, landmarks: Landmarks) -> pd.DataFrame:
    """Distances of the stacks to landmarks; a single record is not looked for."""
    stacks = facts[facts["records"] > 1]
    return pd.DataFrame(vars(nearby(stacks[["x_m", "y_m"]].to_numpy(), landmarks)), index=stacks.index)


def _habits(facts: pd.DataFrame) -> pd.DataFrame:
    """How many stacks each agency leads, and how many of them lie on and near lines and on the middles of streets."""
    on_line = facts["line_m"] <= LINE_M
    counted = {
        "agency_stacks": facts["records"] > 1,
        "agency_on_line": on_line,
        "agency_near_line": facts["line_m"] <= NEAR_LINE_M,
        "agency_on_street": on_line & np.isfinite(facts["street_m"]),
    }
    return pd.DataFrame(counted).astype(np.int64).groupby(facts["agency"]).sum()
