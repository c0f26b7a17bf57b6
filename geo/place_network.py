"""Which places go together: linked by shared vehicles, by prisms and by reports close in time, beyond chance.

No person and no vehicle is in the answer, only counts; see docs/decisions/0014-linked-places-test.md.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.errors import InvalidParameter
from geo.link_test import LinkTest, shared_times, shared_vehicles
from geo.model import TimeBasis
from geo.temporal import midpoint_us

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LINK_COLUMNS: Final = (
    "place_a", "place_b", "distance_m", "kinds", "significant", "p_value", "q_value",
    "vehicles", "vehicles_expected", "vehicles_p", "vehicles_q", "prism_vehicles",
    "report_pairs", "reports_expected", "reports_p", "reports_q",
)  # fmt: skip
GROUP_COLUMNS: Final = ("group", "places", "links", "density", "weakest_q")
_HOUR_US: Final = 3_600_000_000


@dataclass(frozen=True)
class PlaceNetwork:
    """Links between places, the groups they make, and what was tested.

    Parameters
    ----------
    links : DataFrame
        ``LINK_COLUMNS``, one row a linked pair, ordered by ``place_a`` < ``place_b``. ``kinds`` is a tuple of
        ``vehicle``, ``prism`` and ``time``; ``vehicles`` and ``prism_vehicles`` are 0 or at least ``min_vehicles``.
        Without a link of a kind its expected count is 0 and its p and q are 1.
    groups : DataFrame
        ``GROUP_COLUMNS``: places (sorted) joined by significant links, the number of these links, their share of all
        pairs in the group and the largest q among them.
    pairs_possible : int
        Pairs of places that could have been linked; every q is corrected for all of them and for both tests.
    pairs_linked : int
        Pairs in ``links``.
    reports_left_out : int
        Reports known only by month or by an interval longer than the window: they cannot speak about it.
    smallest_q : float
        The least q that these data could have given; above ``alpha`` no link can be significant.
    """

    links: pd.DataFrame
    groups: pd.DataFrame
    pairs_possible: int
    pairs_linked: int
    reports_left_out: int
    smallest_q: float


@dataclass(frozen=True)
class LinkRules:
    """How near in time, how many, how sure.

    Parameters
    ----------
    window_hours : float
        Two visits of a vehicle, or two reports, at most this far apart link their places; under 84.
    min_vehicles : int
        Fewer distinct vehicles are neither shown nor tested.
    min_report_pairs : int
        Fewer pairs of reports are shown but never significant.
    alpha : float
        Family-wise level.
    draws : int
        From each null model.
    """

    window_hours: float = 72.0
    min_vehicles: int = 3
    min_report_pairs: int = 3
    alpha: float = 0.05
    draws: int = 999


def link_places(
    places: pd.DataFrame,
    *,
    visits: pd.DataFrame,
    reports: pd.DataFrame,
    prisms: pd.DataFrame,
    rules: LinkRules,
    seed: int,
) -> PlaceNetwork:
    """Link places by what they share and say which links are more than chance.

    Parameters
    ----------
    places : DataFrame
        ``x_m``, ``y_m`` (projected metres, finite), one row a place; the other frames name places by their row, from 0.
    visits : DataFrame
        ``place``, ``actor`` (whole number, a vehicle) and ``at_us`` (microseconds UTC).
    reports : DataFrame
        ``place``, ``from_us``, ``to_us`` (half-open, microseconds UTC) and ``time_basis``.
    prisms : DataFrame
        ``place``, ``reached`` (a place) and ``actor``: the vehicle was seen at one and could have reached the other.
    rules : LinkRules
    seed : int

    Returns
    -------
    PlaceNetwork

    Raises
    ------
    InvalidParameter
        When a row names a place that does not exist, a position is not finite or a rule is out of range.

    Notes
    -----
    Both tests correct for all pairs of places, not for those that turned out linked; with visits and reports q is doubled
    (Bonferroni). A prism says what was possible and not what happened: it is shown and never makes a link
    significant. Places are put in the order of their position and content before anything is drawn, so neither
    their order nor that of the rows matters.

    Examples
    --------
    >>> places = pd.DataFrame({"x_m": [0.0, 300, 900], "y_m": 0.0})
    >>> visits = pd.DataFrame({"place": [0, 1] * 4, "actor": np.repeat(np.arange(4), 2), "at_us": 0})
    >>> reports = pd.DataFrame({"place": [2], "from_us": 0, "to_us": 1, "time_basis": "instant"})
    >>> prisms = pd.DataFrame({"place": [0], "reached": [2], "actor": [1]})
    >>> found = link_places(places, visits=visits, reports=reports, prisms=prisms, rules=LinkRules(), seed=1)
    >>> found.links[["place_a", "place_b", "distance_m", "kinds", "vehicles"]].values.tolist()
    [[0, 1, 300.0, ('vehicle',), 4]]
    """
    window_us = _check(places, [visits["place"], reports["place"], prisms["place"], prisms["reached"]], rules)
    usable = _usable(reports, window_us)
    timed = reports[usable]
    timed = timed.assign(at_us=midpoint_us(timed["from_us"].to_numpy(np.int64), timed["to_us"].to_numpy(np.int64)))
    vehicle, times, original = _tests(places, visits, timed, rules, window_us=window_us, seed=seed)
    tests = max(int(len(visits) > 0) + int(len(timed) > 0), 1)
    by_vehicle = _columns(vehicle, original, tests, ("vehicles", "vehicles_expected", "vehicles_p", "vehicles_q"))
    by_time = _columns(times, original, tests, ("report_pairs", "reports_expected", "reports_p", "reports_q"))
    by_vehicle = by_vehicle[by_vehicle["vehicles"] >= rules.min_vehicles]
    links = _combine(places, [by_vehicle, _prism_counts(prisms, rules.min_vehicles), by_time], rules.alpha, tests)
    count = len(places)
    smallest = min(1.0, tests * min(vehicle.smallest_q, times.smallest_q))
    possible, left_out = count * (count - 1) // 2, int((~usable).sum())
    return PlaceNetwork(links, link_groups(links, count), possible, len(links), left_out, smallest)


def _tests(
    places: pd.DataFrame, visits: pd.DataFrame, reports: pd.DataFrame, rules: LinkRules, *, window_us: int, seed: int
) -> tuple[LinkTest, LinkTest, Ints]:
    """Both tests, on ranks in place of places, and the place of each rank."""
    visited, reported = (frame["place"].to_numpy(np.int64) for frame in (visits, reports))
    visited_us, reported_us = (frame["at_us"].to_numpy(np.int64) for frame in (visits, reports))
    rank = _canonical(places, np.append(visited, reported), np.append(visited_us, reported_us))
    vehicle = shared_vehicles(
        rank[visited], visits["actor"].to_numpy(np.int64), visited_us,
        window_us=window_us, min_count=rules.min_vehicles, draws=rules.draws, seed=seed,
    )  # fmt: skip
    times = shared_times(
        rank[reported], reported_us,
        window_us=window_us, min_count=rules.min_report_pairs, draws=rules.draws, seed=seed + 1,
    )  # fmt: skip
    return vehicle, times, np.argsort(rank)


def _check(places: pd.DataFrame, named: list[pd.Series], rules: LinkRules) -> int:
    """Refuse what cannot be meant; the window in microseconds."""
    if not np.isfinite(places[["x_m", "y_m"]].to_numpy(float)).all():
        raise InvalidParameter("x_m and y_m must be finite for every place.")
    if any(len(column) and not column.between(0, len(places) - 1).all() for column in named):
        raise InvalidParameter(f"A row names a place outside 0 to {len(places) - 1}.")
    if not 0 < rules.window_hours < 84 or not 0 < rules.alpha < 1:
        raise InvalidParameter(
            f"Window {rules.window_hours} h must be above 0 and under 84; alpha {rules.alpha}, 0 to 1."
        )
    return round(rules.window_hours * _HOUR_US)


def _usable(reports: pd.DataFrame, window_us: int) -> NDArray[np.bool_]:
    """Reports whose time is known to within the window."""
    length_us = (reports["to_us"] - reports["from_us"]).to_numpy(np.int64)
    return (reports["time_basis"] != TimeBasis.MONTH).to_numpy(bool) & (length_us <= window_us)


def _canonical(places: pd.DataFrame, place: Ints, at_us: Ints) -> Ints:
    """Rank of each place by position, then by what happened there."""
    count = len(places)
    start_us = at_us.min(initial=np.iinfo(np.int64).max)
    since_s = np.bincount(place, ((at_us - start_us) // 1_000_000).astype(float), minlength=count)
    order = np.lexsort((since_s, np.bincount(place, minlength=count), places["y_m"], places["x_m"]))
    rank = np.empty(count, np.int64)
    rank[order] = np.arange(count)
    return rank


def _columns(test: LinkTest, original: Ints, tests: int, names: tuple[str, str, str, str]) -> pd.DataFrame:
    """Results of a test on the caller's places, corrected for the number of tests."""
    pair = np.sort(np.column_stack([original[test.a], original[test.b]]), axis=1)
    values = (test.count, test.expected, test.p_value, np.minimum(test.q_value * tests, 1.0))
    frame = pd.DataFrame(dict(zip(names, values, strict=True)))
    return frame.set_index(pd.MultiIndex.from_arrays(pair.T, names=["place_a", "place_b"]))


def _prism_counts(prisms: pd.DataFrame, min_vehicles: int) -> pd.DataFrame:
    """Distinct vehicles that could have gone between two places, where there are enough of them."""
    pair = np.sort(prisms[["place", "reached"]].to_numpy(np.int64), axis=1)
    rows = pd.DataFrame({"place_a": pair[:, 0], "place_b": pair[:, 1], "actor": prisms["actor"].to_numpy(np.int64)})
    rows = rows[rows["place_a"] != rows["place_b"]].drop_duplicates()
    count = rows.groupby(["place_a", "place_b"]).size()
    return count[count >= min_vehicles].rename("prism_vehicles").to_frame()


def _combine(places: pd.DataFrame, kinds: list[pd.DataFrame], alpha: float, tests: int) -> pd.DataFrame:
    """One row a pair with all its kinds of link."""
    links = pd.concat(kinds, axis=1).sort_index()
    counts = ["vehicles", "prism_vehicles", "report_pairs"]
    ones = {name: 1.0 for name in links.columns if name.endswith(("_p", "_q"))}
    links = links.fillna(ones).fillna(0.0).astype(dict.fromkeys(counts, np.int64)).reset_index()
    links = links.astype({"place_a": np.int64, "place_b": np.int64})
    position_m = places[["x_m", "y_m"]].to_numpy(float)
    gap_m = position_m[links["place_a"].to_numpy()] - position_m[links["place_b"].to_numpy()]
    has = zip(*(links[name] > 0 for name in counts), strict=True)
    kind = [
        tuple(name for name, is_there in zip(("vehicle", "prism", "time"), row, strict=True) if is_there) for row in has
    ]
    q_value = links[["vehicles_q", "reports_q"]].min(axis=1)
    p_value = np.minimum(links[["vehicles_p", "reports_p"]].min(axis=1) * tests, 1.0)
    return links.assign(
        distance_m=np.hypot(gap_m[:, 0], gap_m[:, 1]),
        kinds=pd.Series(kind, index=links.index, dtype=object),
        p_value=p_value,
        q_value=q_value,
        significant=q_value <= alpha,
    )[list(LINK_COLUMNS)]


def link_groups(links: pd.DataFrame, count: int) -> pd.DataFrame:
    """Connected components of the significant links, largest first."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    sure = links[links["significant"]]
    a, b = sure["place_a"].to_numpy(), sure["place_b"].to_numpy()
    _, label = connected_components(coo_array((np.ones(len(a)), (a, b)), shape=(count, count)), directed=False)
    members = pd.Series(np.arange(count)).groupby(label).agg(tuple)
    inside = sure.groupby(label[a])["q_value"].agg(links="size", weakest_q="max")
    groups = inside.join(members.rename("places"), how="left")
    size = groups["places"].map(len).astype(np.int64)
    groups["density"] = groups["links"] / (size * (size - 1) / 2)
    order = np.lexsort((groups["places"].map(min).astype(np.int64), -size))
    groups = groups.iloc[order].reset_index(drop=True)
    return groups.assign(group=np.arange(len(groups)))[list(GROUP_COLUMNS)]
