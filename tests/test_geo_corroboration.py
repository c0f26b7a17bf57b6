"""Reports of one event: each rule and its bounds by hand, the pairs against brute force, and what holds of any records."""

import math
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.corroboration import MATCH_COLUMNS, SameEventRules, same_events
from geo.errors import InvalidParameter
from geo.same_event_pairs import find_matches
from geo.same_event_rules import REASONS, order_reports

MINUTE_US = 60_000_000
HOUR_US, DAY_US = 60 * MINUTE_US, 1440 * MINUTE_US
X_M, Y_M = 375_000.0, 165_000.0  # the corner of a cell of 150 m
TWO_AGENCIES = [{"agency": "Police"}, {"agency": "Council"}]
ONE_AGENCY = [{"agency": "Police"}, {"agency": "Police"}]


def report(key=0, *, at_us=0, lasts_us=1, east_m=0.0, north_m=0.0, **columns):
    """One record, of another at the usual place and moment unless it says otherwise."""
    plain = {
        "record_key": key.to_bytes(4, "big"), "kind": "incidents", "source": "partner", "agency": "Police", "urn": "",
        "category": "ASB", "from_us": at_us, "to_us": at_us + lasts_us, "x_m": X_M + east_m, "y_m": Y_M + north_m,
        "time_basis": "instant" if lasts_us == 1 else "interval", "location_basis": "exact", "precision_m": 10.0,
        "vehicle_hash": "", "urn_is_key": True,
    }  # fmt: skip
    return plain | columns


def reports(*rows):
    """Records of these descriptions, with their position as key."""
    return pd.DataFrame([report(key, **row) for key, row in enumerate(rows)])


def told(records, **options):
    """Pairs of member and representative, as numbers."""
    found = same_events(records, **options)
    assert found.columns.tolist() == list(MATCH_COLUMNS)
    numbers = found[["record_key", "event_key"]].map(lambda key: int.from_bytes(key, "big"))
    return dict(numbers.itertuples(index=False))


def _keys(pairs):
    return [tuple(number.to_bytes(4, "big") for number in pair) for pair in pairs]


def count_events(*rows, **options):
    return len(rows) - len(told(reports(*rows), **options))


def matched(pair, *, each=(), second=()):
    """Reason for which the second of the pair is counted with the first, when both or one are changed."""
    one, two = (row | dict(each) for row in pair)
    found = same_events(reports(one, two | dict(second)))
    return found["reason"].item() if len(found) else None


def test_nothing_and_one_record():
    assert told(reports({})) == {}
    assert told(reports({}).iloc[:0]) == {}


@pytest.mark.parametrize(
    ("pair", "reason", "far_m", "late_us"),
    [
        (TWO_AGENCIES, "other_agency", 50, HOUR_US),
        (ONE_AGENCY, "repeated_by_source", 25, 15 * MINUTE_US),
        ([row | {"urn": "AV-1", "category": ""} for row in TWO_AGENCIES], "same_reference", 1000, 7 * DAY_US),
        ([row | {"urn": "AV-1", "category": ""} for row in ONE_AGENCY], "same_reference", 1000, 7 * DAY_US),
    ],
)
def test_each_rule_holds_to_its_bounds_and_no_further(pair, reason, far_m, late_us):
    assert matched(pair) == reason
    assert matched(pair, second={"east_m": far_m, "at_us": late_us}) == reason
    assert matched(pair, second={"north_m": -far_m, "at_us": -late_us}) == reason
    assert matched(pair, second={"east_m": 0.6 * far_m, "north_m": 0.8 * far_m}) == reason
    assert matched(pair, second={"east_m": far_m + 0.01}) is None
    assert matched(pair, second={"east_m": 0.6 * far_m + 0.01, "north_m": 0.8 * far_m}) is None
    assert matched(pair, second={"at_us": late_us + 1}) is None
    assert matched(pair, second={"at_us": -late_us - 1}) is None


def test_rules_can_be_changed_and_every_wrong_one_is_named():
    pair = reports(*TWO_AGENCIES).assign(x_m=[X_M, X_M + 200], precision_m=1.0)
    assert told(pair, rules=SameEventRules(max_distance_m=200)) == {1: 0}
    assert told(pair, rules=SameEventRules(max_distance_m=199)) == {}
    with pytest.raises(
        InvalidParameter, match=r"max_distance_m 0, repeat_gap_minutes nan, reference_gap_days inf must"
    ):
        SameEventRules(max_distance_m=0, repeat_gap_minutes=math.nan, reference_gap_days=math.inf)


@pytest.mark.parametrize(
    ("precision_m", "reach_m"),
    [(10, 50), (40, math.hypot(40, 40)), (100, math.hypot(100, 100)), (150, 150), (math.nan, 50)],
)
def test_vague_positions_reach_as_far_as_their_precision_explains(precision_m, reach_m):
    vague = {"precision_m": precision_m}
    assert matched(TWO_AGENCIES, each=vague, second={"east_m": reach_m - 0.01}) == "other_agency"
    assert matched(TWO_AGENCIES, each=vague, second={"east_m": reach_m + 0.01}) is None
    assert matched(ONE_AGENCY, each=vague, second={"east_m": 26}) is None


@pytest.mark.parametrize(
    "unknown",
    [
        {"precision_m": 150.1},
        {"location_basis": "snapped"},
        {"location_basis": "cell"},
        {"location_basis": "none", "x_m": math.nan, "y_m": math.nan, "precision_m": math.nan},
        {"time_basis": "date", "to_us": DAY_US},
        {"time_basis": "month", "to_us": 31 * DAY_US},
        {"time_basis": "interval", "to_us": 6 * HOUR_US + 1},
        {"category": ""},
        {"category": None},
        {"kind": "effort"},
    ],
)
def test_what_is_not_known_is_matched_by_reference_only(unknown):
    for pair in (ONE_AGENCY, TWO_AGENCIES):
        assert matched(pair, each=unknown) is None
        assert matched(pair, each=unknown | {"urn": "AV-1"}) == "same_reference"


def test_a_reference_contradicts_a_vague_position_only_beyond_its_precision():
    pair = [row | {"urn": "AV-1"} for row in TWO_AGENCIES]
    vague = {"precision_m": 3000.0, "location_basis": "snapped"}
    assert matched(pair, second=vague | {"east_m": 3000}) == "same_reference"
    assert matched(pair, second=vague | {"east_m": 3001}) is None


@pytest.mark.parametrize("urn", ["AV-123", " av- 123", "12/345678", "1234567", "Log 5", "№ 7/é"])
def test_references_are_the_same_whatever_their_case_and_spaces(urn):
    assert matched(TWO_AGENCIES, each={"urn": urn, "category": ""}, second={"urn": f" {urn.upper()} "})


@pytest.mark.parametrize(
    "urn", ["", " ", None, "unknown", "N/A", "n/k", "-", "0", "0000000", "REF-0", "1", "17", "10001", "123456", "12/34"]
)
def test_words_and_row_numbers_are_no_references(urn):
    assert matched(TWO_AGENCIES, each={"urn": urn, "category": ""}) is None


def test_references_of_a_source_without_keys_match_nothing():
    assert matched(TWO_AGENCIES, each={"urn": "AV-1", "category": "", "urn_is_key": False}) is None
    assert matched(TWO_AGENCIES, each={"urn": "AV-1", "category": ""}, second={"urn_is_key": False}) is None


def test_other_kinds_categories_and_vehicles_are_other_events():
    for pair in (ONE_AGENCY, TWO_AGENCIES):
        assert matched(pair, second={"category": " asb "})
        assert matched(pair, second={"category": "Drugs"}) is None
        assert matched(pair, second={"kind": "observations"}) is None
        assert matched(pair, each={"vehicle_hash": "v"})
        assert matched(pair, second={"vehicle_hash": "v"}) is None
        assert matched(pair, each={"urn": "AV-1"}, second={"kind": "observations"}) is None


def test_one_reference_of_several_vehicles_is_one_incident_but_several_sightings():
    assert matched(TWO_AGENCIES, each={"urn": "AV-1"}, second={"vehicle_hash": "v"}) == "same_reference"
    seen = {"urn": "AV-1", "kind": "sightings", "vehicle_hash": "v"}
    assert matched(TWO_AGENCIES, each=seen) == "same_reference"
    assert matched(TWO_AGENCIES, each=seen, second={"vehicle_hash": "w"}) is None
    pair = reports(*TWO_AGENCIES)
    assert told(pair.drop(columns="vehicle_hash")) == told(pair) == {1: 0}


def test_an_agency_is_its_name_or_else_its_source():
    late = {"at_us": 20 * MINUTE_US}  # too late for a repeat
    assert matched([{"agency": "Avon  Police"}, {"agency": " AVON police"} | late]) is None
    assert matched([{"agency": ""}, {"agency": ""} | late]) is None
    assert matched([{"agency": ""}, {"agency": None, "source": "council"} | late]) == "other_agency"
    assert matched([{"agency": "Partner"}, {"agency": ""} | late]) is None


def test_the_gap_is_from_the_last_moment_of_one_to_the_first_of_the_other():
    first, second = ({"agency": "Police", "lasts_us": 30 * MINUTE_US}, {"agency": "Council"})
    assert matched([first, second | {"at_us": 90 * MINUTE_US - 1}]) == "other_agency"
    assert matched([first, second | {"at_us": 90 * MINUTE_US}]) is None
    six_hours = {"at_us": 0, "lasts_us": 6 * HOUR_US}
    assert matched([first | six_hours, second | {"at_us": 3 * HOUR_US}]) == "other_agency"
    assert "0 m and 0 minutes apart" in same_events(reports(first | six_hours, second))["words"].item()


def test_five_thefts_of_one_night_from_one_agency_are_five():
    theft = {"category": "Theft", "lasts_us": 4 * HOUR_US}
    assert count_events(*[theft] * 5) == 5
    assert count_events(*[theft | {"urn": f"AV-{number}"} for number in range(1, 6)]) == 5
    assert count_events(theft, {"category": "Theft", "at_us": HOUR_US}) == 2
    assert count_events(theft, theft | {"agency": "Council"}) == 1
    assert count_events(*[theft | {"lasts_us": 15 * MINUTE_US}] * 2) == 1
    assert count_events(*[theft | {"lasts_us": 15 * MINUTE_US + 1}] * 2) == 2


def test_the_representative_is_the_most_precise_then_the_earliest_then_the_smallest_key():
    same = {"urn": "AV-1"}
    unlocated = {"x_m": math.nan, "y_m": math.nan, "precision_m": 1.0, "location_basis": "none"}
    assert told(reports(same, same | {"precision_m": 5.0, "at_us": 9})) == {0: 1}
    assert told(reports(same | {"at_us": 9}, same)) == {0: 1}
    assert told(reports(same, same)) == {1: 0}
    assert told(reports(same | unlocated, same | {"at_us": 9}, same | {"precision_m": math.nan})) == {0: 1, 2: 1}


def test_words():
    rows = [{}, {"at_us": MINUTE_US, "east_m": 12.4}]
    assert same_events(reports(*rows))["words"].tolist() == [
        "same kind of report again from one agency, 12 m and 1 minute apart"
    ]
    other = same_events(reports({}, {"agency": "Council", "at_us": 59 * MINUTE_US, "east_m": 49.6}))
    assert other["words"].tolist() == ["same kind of report from another agency, 50 m and 59 minutes apart"]
    twice = same_events(reports(*[{"urn": " AV-1 "}] * 2))
    assert twice["words"].tolist() == ["same reference AV-1 twice from one agency"]
    chain = same_events(reports(*({"at_us": 15 * step * MINUTE_US} for step in range(3))))
    near = "same kind of report again from one agency, 0 m and 15 minutes apart"
    assert chain["words"].tolist() == [near, f"{near}, matched through a further report of the event"]
    evening = {"urn": "AV-1", "lasts_us": 4 * HOUR_US}
    linked = same_events(reports(evening, {"urn": "AV-1"}, {"at_us": 10 * MINUTE_US}))["words"].tolist()
    assert linked[0] == "same reference AV-1 twice from one agency"
    assert linked[1].endswith("0 m and 10 minutes apart, matched through a further report of the event")


def test_a_chain_of_agencies_is_one_event_up_to_three_times_the_distance():
    row = [{"agency": f"agency {step}", "east_m": 50.0 * step} for step in range(5)]
    assert told(reports(*row[:4])) == {1: 0, 2: 0, 3: 0}
    assert told(reports(*row)) == {1: 0, 3: 2}


def test_a_chain_of_repeats_is_one_event_up_to_three_times_the_gap():
    row = [{"at_us": 15 * step * MINUTE_US} for step in range(5)]
    assert told(reports(*row[:4])) == {1: 0, 2: 0, 3: 0}
    assert told(reports(*row)) == {1: 0, 3: 2}


def test_a_reference_used_for_months_is_not_one_event():
    row = [{"urn": "AV-1", "at_us": 6 * step * DAY_US} for step in range(5)]
    assert told(reports(*row[:4])) == {1: 0, 2: 0, 3: 0}
    assert told(reports(*row)) == {1: 0, 3: 2}
    assert count_events(*[{"urn": "AV-1", "at_us": step, "east_m": 900.0 * (step % 2)} for step in range(40)]) == 1


def test_a_likeness_within_a_reference_keeps_its_own_bounds():
    chain = [{"at_us": 15 * step * MINUTE_US, "urn": "AV-1" if step in {0, 4} else ""} for step in range(5)]
    assert told(reports(*chain)) == {4: 0, 1: 0, 3: 2}


def test_another_agency_does_not_tie_what_one_agency_keeps_apart():
    police, council = {"agency": "Police"}, {"agency": "Council", "at_us": 20 * MINUTE_US}
    late = {"at_us": 40 * MINUTE_US}
    assert told(reports(police, council, police | late)) == {1: 0}
    events = [police, council | {"at_us": 2 * MINUTE_US}, council | {"at_us": 48 * MINUTE_US}, police | late]
    assert told(reports(*events)) == {1: 0, 2: 3}


def test_a_repeat_ties_the_accounts_of_one_agency():
    police, council = {"agency": "Police"}, {"agency": "Council", "at_us": 20 * MINUTE_US}
    between = {"agency": "Police", "at_us": 12 * MINUTE_US}
    assert told(reports(police, council, police | {"at_us": 24 * MINUTE_US}, between)) == {1: 0, 2: 0, 3: 0}


def test_a_long_interval_ties_no_reports_that_are_hours_apart():
    whole_evening = {"agency": "Police", "lasts_us": 6 * HOUR_US}
    early, late = {"agency": "Council", "at_us": HOUR_US}, {"agency": "Housing", "at_us": 5 * HOUR_US}
    assert told(reports(whole_evening, early, late)) == {1: 0}
    assert told(reports(whole_evening, early, late | {"agency": "Council"})) == {1: 0}
    assert told(reports(whole_evening, early, late | {"at_us": 4 * HOUR_US})) == {1: 0, 2: 0}
    assert told(reports(whole_evening, early, late | {"at_us": 4 * HOUR_US + 1})) == {1: 0}


def test_split_pairs_are_never_one_event_and_other_splits_change_nothing():
    three = reports(*({"agency": agency} for agency in ("Police", "Council", "Housing")))
    assert told(three) == {1: 0, 2: 0}
    assert told(three, splits=_keys([(2, 0)])) == told(three, splits=set(_keys([(0, 2), (2, 0)]))) == {1: 0}
    assert told(three, splits=_keys([(1, 0)])) == {2: 0}
    assert told(three, splits=_keys([(1, 0), (2, 0)])) == {2: 1}
    assert told(three, splits=_keys([(0, 1), (0, 2), (1, 2)])) == {}
    assert told(three, splits=_keys([(1, 1), (9, 1), (8, 9)])) == told(three)


def test_a_split_within_a_crowd_is_honoured():
    crowd = reports(*[{}] * 15)
    assert told(crowd) == dict.fromkeys(range(1, 15), 0)
    assert told(crowd, splits=_keys([(0, 5)])) == {key: 0 for key in range(1, 15) if key != 5}
    assert told(crowd, splits=_keys([(5, 9)])) == {key: 0 for key in range(1, 15) if key != 9}


def test_a_key_twice_is_refused():
    pair = reports({}, {})
    with pytest.raises(InvalidParameter, match="record_key occurs twice"):
        same_events(pd.concat([pair, pair]))


def test_where_a_crowd_reports_agencies_are_not_compared():
    spots = [{"east_m": 30.0 * (spot % 5), "north_m": 30.0 * (spot // 5)} for spot in range(20)]
    assert told(reports(*spots[:19], {"agency": "Council"})) == {19: 0}
    assert told(reports(*spots, {"agency": "Council"})) == {}
    assert told(reports(*spots, {"agency": "Council", "at_us": HOUR_US - 1, "category": "Drugs"})) == {}


def test_a_stack_has_few_pairs():
    count = 4000
    stack = pd.concat([reports({})] * count, ignore_index=True).assign(
        record_key=[key.to_bytes(4, "big") for key in range(count)],
        agency=np.resize(["Police", "Council", "Housing"], count),
        from_us=np.arange(count) * MINUTE_US // 10,
    )
    for lasts_us in (1, 15 * MINUTE_US, 6 * HOUR_US):
        one = stack.assign(to_us=stack["from_us"] + lasts_us, time_basis="interval", urn="AV-1")
        matches, _ = find_matches(order_reports(one, rules=SameEventRules(), splits=()))
        assert len(matches) < 20 * count


# Few values, at and beside the bounds, so that chains, ties and contradictions are common.
ROWS = st.fixed_dictionaries(
    {
        "at_us": st.sampled_from([0, 7, 14, 15, 30, 60, 61, 120, 1500]).map(lambda minutes: minutes * MINUTE_US),
        "lasts_us": st.sampled_from([1, 1, 1, 2, 15 * MINUTE_US, 15 * MINUTE_US + 1, 6 * HOUR_US, 6 * HOUR_US + 1]),
        "east_m": st.sampled_from([0.0, 20.0, 25.0, 50.0, 100.0, 150.0, 1001.0]),
        "north_m": st.sampled_from([0.0, 0.0, 15.0]),
        "agency": st.sampled_from(["Police", "Council", "Housing", " police", ""]),
        "urn": st.sampled_from(["", "", "AV-1", "av - 1", "1234567", "12345", "n/a"]),
        "category": st.sampled_from(["ASB", "ASB", "asb ", "Drugs", ""]),
        "kind": st.sampled_from(["incidents", "incidents", "incidents", "sightings", "effort"]),
        "vehicle_hash": st.sampled_from(["", "", "v"]),
        "precision_m": st.sampled_from([5.0, 10.0, 100.0, 150.0, 151.0, math.nan]),
        "location_basis": st.sampled_from(["exact", "exact", "exact", "snapped"]),
        "urn_is_key": st.sampled_from([True, True, False]),
    }
)
ANY = st.lists(ROWS, max_size=8)
# Like reports at instants: everything may match, only accounts and splits keep apart.
LIKE = st.lists(
    st.builds(
        lambda at, east_m, agency: {"at_us": at * MINUTE_US, "east_m": east_m, "agency": agency},
        st.sampled_from([0, 7, 14, 21, 40, 60, 90]),
        st.sampled_from([0.0, 20.0, 40.0, 60.0]),
        st.sampled_from(["Police", "Council", "Housing"]),
    ),
    max_size=9,
)
SPLITS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=4)


def _who(row):
    return " ".join((row["agency"] or row["source"]).lower().split())


def _judged(one, two):
    """Reason that two records report one event, written once more from the documentation, one pair at a time."""
    if one["kind"] != two["kind"]:
        return None
    gap_us = max(one["from_us"], two["from_us"]) - (min(one["to_us"], two["to_us"]) - 1)
    away_m = math.dist((one["x_m"], one["y_m"]), (two["x_m"], two["y_m"]))
    blur_m = math.hypot(*(0 if math.isnan(row["precision_m"]) else row["precision_m"] for row in (one, two)))
    urns = {row["urn"].replace(" ", "").lower() for row in (one, two)}
    of_one_vehicle = one["vehicle_hash"] == two["vehicle_hash"]
    may = one["urn_is_key"] and two["urn_is_key"] and (of_one_vehicle or one["kind"] != "sightings")
    if may and len(urns) == 1 and urns <= {"av-1", "1234567"} and gap_us <= 7 * DAY_US and away_m <= max(1000, blur_m):
        return "same_reference"
    known = all(
        row["location_basis"] == "exact" and not row["precision_m"] > 150 and row["to_us"] - row["from_us"] <= 6 * HOUR_US
        and row["category"] and row["kind"] != "effort"
        for row in (one, two)
    )  # fmt: skip
    if not known or not of_one_vehicle or one["category"].strip().lower() != two["category"].strip().lower():
        return None
    if _who(one) != _who(two):
        return "other_agency" if gap_us <= HOUR_US and away_m <= max(50, min(blur_m, 150)) else None
    brief = all(row["to_us"] - row["from_us"] <= 15 * MINUTE_US for row in (one, two))
    return "repeated_by_source" if brief and gap_us <= 15 * MINUTE_US and away_m <= 25 else None


def _by_hand(records, separated=()):
    """Reason of each pair of records that match, by their numbers."""
    rows = list(enumerate(records.to_dict("records")))
    pairs = {(a, b): _judged(one, two) for (a, one), (b, two) in combinations(rows, 2)}
    split = {tuple(sorted(pair)) for pair in separated}
    return {pair: reason for pair, reason in pairs.items() if reason and pair not in split}


def _tied(pairs, among):
    """Sets of the numbers that these pairs join."""
    groups = {number: {number} for number in among}
    for a, b in pairs:
        if a in groups and b in groups and groups[a] is not groups[b]:
            groups[a] |= groups[b]
            groups.update(dict.fromkeys(groups[b], groups[a]))
    return {number: frozenset(group) for number, group in groups.items()}


def _events(found, count):
    events = {}
    for number in range(count):
        events.setdefault(found.get(number, number), set()).add(number)
    return events


@settings(max_examples=120, deadline=None)
@given(ANY.filter(len), SPLITS)
def test_pairs_are_those_of_the_written_rules(rows, splits):
    records = reports(*rows)
    ordered = order_reports(records, rules=SameEventRules(), splits=_keys(splits))
    matches, unit = find_matches(ordered)
    assert unit.tolist() == list(range(len(rows)))
    number = [int.from_bytes(key, "big") for key in ordered.table["record_key"]]
    found = {
        tuple(sorted((number[a], number[b]))): str(REASONS[reason])
        for a, b, reason in matches[["a", "b", "reason"]].itertuples(index=False)
    }
    assert len(found) == len(matches)
    assert found == _by_hand(records, splits)


@settings(max_examples=80, deadline=None)
@given(st.one_of(ANY, LIKE, st.lists(ROWS, min_size=12, max_size=30)), SPLITS)
def test_events_partition_the_records_and_contradict_nobody(rows, splits):
    records = reports(*rows) if rows else reports({}).iloc[:0]
    found = told(records, splits=_keys(splits))
    assert set(found).isdisjoint(found.values())
    pairs = _by_hand(records, splits)
    who = [_who(row) for row in records.to_dict("records")]
    own = _tied([(a, b) for a, b in pairs if who[a] == who[b]], range(len(rows)))
    precision_m = records["precision_m"].fillna(math.inf)
    for representative, members in _events(found, len(rows)).items():
        rank = [(precision_m[member], records["from_us"][member], member) for member in members]
        assert min(rank)[2] == representative
        assert len(set(_tied(pairs, members).values())) == 1
        assert not any({a, b} <= members for a, b in splits if a != b)
        for agency in {who[member] for member in members}:
            assert len({own[member] for member in members if who[member] == agency}) == 1


@settings(max_examples=40, deadline=None)
@given(
    st.one_of(ANY, LIKE, st.lists(ROWS, min_size=12, max_size=30)).filter(len),
    SPLITS,
    st.randoms(use_true_random=False),
)
def test_row_order_does_not_matter_and_arguments_are_not_changed(rows, splits, random):
    records = reports(*rows)
    kept = records.copy()
    found = same_events(records, splits=_keys(splits))
    pd.testing.assert_frame_equal(records, kept)
    random.shuffle(splits)
    shuffled = records.iloc[random.sample(range(len(rows)), len(rows))]
    other = same_events(shuffled, splits=[pair[::-1] for pair in _keys(splits)])
    pd.testing.assert_frame_equal(found, other)


@settings(max_examples=40, deadline=None)
@given(LIKE.filter(len))
def test_representatives_of_one_agency_match_no_more(rows):
    records = reports(*(row | {"agency": "Police"} for row in rows))
    again = records[~records["record_key"].isin(same_events(records)["record_key"])]
    assert told(again) == {}


@settings(max_examples=80, deadline=None)
@given(LIKE.filter(len), SPLITS)
def test_events_that_match_and_stay_two_are_kept_apart_by_an_agency_or_a_person(rows, splits):
    records = reports(*rows)
    events = _events(told(records, splits=_keys(splits)), len(rows))
    pairs = _by_hand(records, splits)
    own = _tied([(a, b) for a, b in pairs if rows[a]["agency"] == rows[b]["agency"]], range(len(rows)))
    for one, two in pairs:
        if one in events and two in events:
            both = events[one] | events[two]
            accounts = {(rows[member]["agency"], own[member]) for member in both}
            separated = any({a, b} <= both for a, b in splits if a != b)
            assert separated or len(accounts) > len({agency for agency, _ in accounts})
