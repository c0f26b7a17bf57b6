"""Links and groups of places: what is planted is found, little is shown, and no order matters."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import InvalidParameter
from geo.place_network import GROUP_COLUMNS, LINK_COLUMNS, LinkRules, link_places

DAY_US = 86_400_000_000
FEW = LinkRules(draws=39)
VISITS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 7), st.integers(0, 6)), max_size=40)


def _places(count):
    return pd.DataFrame({"x_m": np.arange(count) * 300.0, "y_m": np.arange(count) * 400.0})


def _visits(rows=()):
    frame = pd.DataFrame(list(rows), columns=["place", "actor", "at_us"]).astype(np.int64)
    return frame.assign(at_us=frame["at_us"] * DAY_US)


def _reports(rows=(), basis="instant"):
    frame = pd.DataFrame(list(rows), columns=["place", "from_us"]).astype(np.int64)
    from_us = frame["from_us"] * DAY_US
    return frame.assign(from_us=from_us, to_us=from_us + 1, time_basis=basis)


def _prisms(rows=()):
    return pd.DataFrame(list(rows), columns=["place", "reached", "actor"]).astype(np.int64)


def _link(places, visits=None, reports=None, prisms=None, rules=FEW, seed=7):
    return link_places(
        places,
        visits=_visits() if visits is None else visits,
        reports=_reports() if reports is None else reports,
        prisms=_prisms() if prisms is None else prisms,
        rules=rules,
        seed=seed,
    )


def _planted(seed=2):
    """Places 0 and 1 share ten vehicles, 1 and 2 twenty evenings; the other 17 and all else are independent."""
    rng = np.random.default_rng(seed)
    actor = np.repeat(np.arange(80), 2)
    noise = zip(rng.integers(0, 20, 160), actor, rng.integers(0, 730, 80)[actor] + rng.integers(0, 4, 160), strict=True)
    days = rng.integers(0, 720, 10)
    visits = [*noise] + [(k, 100 + v, day + k) for v, day in enumerate(days) for k in (0, 1)]
    evenings = rng.integers(0, 728, 20)
    reports = [(k, day + k - 1) for day in evenings for k in (1, 2)] + [
        *zip(rng.integers(0, 20, 120), rng.integers(0, 730, 120), strict=True)
    ]
    return _visits(visits), _reports(reports)


def test_this_takeaway_this_park_and_this_road_go_together():
    visits, reports = _planted()
    found = _link(_places(20), visits, reports, rules=LinkRules(draws=199))
    sure = found.links[found.links["significant"]]
    assert sure[["place_a", "place_b"]].values.tolist() == [[0, 1], [1, 2]]
    assert sure["distance_m"].tolist() == [500.0, 500.0]
    assert found.groups["places"].tolist() == [(0, 1, 2)]
    assert found.groups[["group", "links", "density"]].values.tolist() == [[0, 2, pytest.approx(2 / 3)]]
    assert found.groups["weakest_q"].tolist() == [sure["q_value"].max()]
    assert (found.pairs_possible, found.pairs_linked) == (190, len(found.links))
    assert found.smallest_q == pytest.approx(2 / 200)


def test_planted_pairs_are_found_nearly_always():
    hits = np.zeros(2)
    for seed in range(12):
        visits, reports = _planted(seed)
        links = _link(_places(20), visits, reports, rules=LinkRules(draws=199), seed=seed).links
        links = links.set_index(["place_a", "place_b"])
        hits += [links.loc[(0, 1), "vehicles_q"] <= 0.05, links.loc[(1, 2), "reports_q"] <= 0.05]
    assert hits.min() >= 10


@settings(max_examples=40, deadline=None)
@given(VISITS, VISITS, st.integers(1, 5))
def test_no_link_of_fewer_vehicles_is_ever_shown(visits, prisms, k):
    prisms = _prisms((a, b % 6, c) for a, b, c in prisms)
    links = _link(_places(6), _visits(visits), prisms=prisms, rules=LinkRules(min_vehicles=k, draws=9)).links
    assert not links["vehicles"].between(1, k - 1).any()
    assert not links["prism_vehicles"].between(1, k - 1).any()
    hidden = links["vehicles"] == 0
    assert (links.loc[hidden, ["vehicles_p", "vehicles_q"]] == 1).all(axis=None)
    assert (links.loc[hidden, "vehicles_expected"] == 0).all()
    assert (links[["vehicles", "prism_vehicles", "report_pairs"]].sum(axis=1) > 0).all()
    assert not {"actor", "vehicle"} & set(links.columns)
    assert not links.isna().any(axis=None)


@settings(max_examples=8, deadline=None)
@given(st.randoms(use_true_random=False))
def test_order_of_places_and_rows_does_not_matter(random):
    visits, reports = _planted()
    prisms = _prisms((a, a + 3, v) for a in range(4) for v in range(3))
    new = np.array(random.sample(range(20), 20))
    moved = {
        "visits": visits.assign(place=new[visits["place"]]),
        "reports": reports.assign(place=new[reports["place"]]),
        "prisms": prisms.assign(place=new[prisms["place"]], reached=new[prisms["reached"]]),
    }
    moved = {name: frame.sample(frac=1, random_state=random.randrange(99)) for name, frame in moved.items()}
    one = _link(_places(20), visits, reports, prisms)
    two = _link(_places(20).iloc[np.argsort(new)].reset_index(drop=True), **moved)
    pair = np.sort(new[one.links[["place_a", "place_b"]].to_numpy()], axis=1)
    renamed = one.links.assign(place_a=pair[:, 0], place_b=pair[:, 1]).sort_values(
        ["place_a", "place_b"], ignore_index=True
    )
    pd.testing.assert_frame_equal(renamed, two.links)
    assert [{int(new[k]) for k in group} for group in one.groups["places"]] == [set(g) for g in two.groups["places"]]


def test_reports_that_cannot_speak_about_the_window_are_left_out_and_counted():
    rows = [(k, day) for day in range(0, 100, 20) for k in (0, 1)]
    monthly = _reports(rows, basis="month")
    vague = _reports(rows).assign(to_us=lambda r: r["from_us"] + 4 * DAY_US)
    found = _link(_places(2), reports=pd.concat([_reports(rows), monthly, vague], ignore_index=True))
    assert found.reports_left_out == 20
    assert found.links["report_pairs"].tolist() == [5]
    assert found.links["kinds"].tolist() == [("time",)]
    pd.testing.assert_frame_equal(found.links, _link(_places(2), reports=_reports(rows)).links)


def test_a_prism_is_shown_and_never_significant():
    prisms = _prisms([(2, 0, v) for v in range(50)] + [(0, 2, 0), (1, 1, 3), (1, 2, 3), (1, 2, 4)])
    found = _link(_places(3), prisms=prisms)
    assert found.links[["place_a", "place_b", "prism_vehicles", "kinds"]].values.tolist() == [[0, 2, 50, ("prism",)]]
    assert (found.links["q_value"].tolist(), found.links["significant"].tolist()) == ([1.0], [False])
    assert found.groups.empty


def test_a_short_period_says_that_nothing_can_be_found():
    rows = [(k, day) for day in range(0, 60, 6) for k in (0, 1)]
    found = _link(_places(2), reports=_reports(rows), rules=LinkRules(draws=999))
    assert found.smallest_q == pytest.approx(1 / 9)  # nine weeks: nine ways to shift one against the other
    assert not found.links["significant"].any()


@pytest.mark.parametrize("count", [0, 1, 3])
def test_nothing_known_gives_empty_tables(count):
    found = _link(_places(count))
    assert (found.links.columns.tolist(), len(found.links)) == (list(LINK_COLUMNS), 0)
    assert (found.groups.columns.tolist(), len(found.groups)) == (list(GROUP_COLUMNS), 0)
    assert (found.smallest_q, found.pairs_possible) == (1.0, count * (count - 1) // 2)


def test_what_cannot_be_meant_is_refused():
    with pytest.raises(InvalidParameter, match="outside 0 to 1"):
        _link(_places(2), _visits([(2, 0, 0)]))
    with pytest.raises(InvalidParameter, match="finite"):
        _link(_places(2).assign(x_m=np.nan))
    with pytest.raises(InvalidParameter, match="Window 84"):
        _link(_places(2), rules=LinkRules(window_hours=84))
