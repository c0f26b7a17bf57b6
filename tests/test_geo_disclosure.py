"""The one way out: what each audience may see, and what subtraction must not tell."""

import dataclasses
from datetime import date

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.disclosure import ReleasedLayer, release
from geo.errors import DisclosureError
from geo.fields import FIELDS, dictionary_markdown, fields_for
from geo.model import FeatureKind, Layer, Profile
from tests.factories import RUN_ID, for_audience, make_cells, make_layer, make_places, make_run, make_tasks

OUTSIDE = [Profile.PARTNER, Profile.PUBLIC]
LEAST = {Profile.PARTNER: 5, Profile.PUBLIC: 10}
COUNTS = st.lists(
    st.tuples(st.integers(0, 25), st.integers(0, 6), st.integers(0, 5), st.integers(0, 25)), min_size=1, max_size=12
)


def frame_of(counts, layer=Layer.CELLS):
    records, days, months, month_only = np.array(counts).T
    month_only = np.minimum(records, month_only)
    days, months = np.minimum(records - month_only, days), np.minimum(records, months)
    maker = make_cells if layer is Layer.CELLS else make_places
    return maker(records, days=days, months=months, month_only=month_only)


def allowed(row, profile):
    often = row.months >= 2 if row.month_only == row.records else row.days >= 3
    return row.records >= LEAST[profile] and often


@settings(max_examples=120, deadline=None)
@given(COUNTS, st.sampled_from(OUTSIDE), st.sampled_from([Layer.CELLS, Layer.PLACES]))
def test_outside_operations_every_feature_meets_the_threshold_and_no_other_is_held_back(counts, profile, layer):
    frame, shapes = frame_of(counts, layer)
    released = release(layer, for_audience(frame, layer, profile), shapes, run=make_run(), profile=profile)
    wanted = sorted(row.id for row in frame.itertuples() if allowed(row, profile))
    assert released.features["id"].tolist() == wanted
    assert released.metadata["suppressed_features"] == len(frame) - len(wanted)
    by_id = dict(zip(frame["id"], shapes, strict=True))
    assert all(shape.equals(by_id[one]) for one, shape in zip(wanted, released.geometry, strict=True))


@settings(max_examples=60, deadline=None)
@given(COUNTS, st.sampled_from(OUTSIDE), st.sampled_from([Layer.CELLS, Layer.PLACES]), st.integers(0, 4))
def test_what_is_suppressed_leaves_no_trace(counts, profile, layer, other):
    frame, shapes = frame_of(counts, layer)
    hidden = [not allowed(row, profile) for row in frame.itertuples()]
    changed = frame.assign(
        **{name: frame[name].where(~np.array(hidden), other) for name in ("records", "days", "months", "month_only")}
    )
    changed["days"] = changed["days"].where(~np.array(hidden), 0)
    one, two = (
        release(layer, for_audience(each, layer, profile), shapes, run=make_run(), profile=profile)
        for each in (frame, changed)
    )
    assert one.metadata == two.metadata
    pd.testing.assert_frame_equal(one.features, two.features)


@settings(max_examples=60, deadline=None)
@given(COUNTS)
def test_the_public_sees_a_part_of_what_partners_see(counts):
    frame, shapes = frame_of(counts)
    partner, public = (
        release(Layer.CELLS, for_audience(frame, Layer.CELLS, p), shapes, run=make_run(), profile=p) for p in OUTSIDE
    )
    seen = dict(zip(partner.features["id"], partner.features["records"], strict=True))
    assert all(seen[row.id] == row.records for row in public.features.itertuples())


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 30), st.lists(st.integers(1, 30), min_size=1, max_size=3))
def test_a_cell_minus_its_places_never_proves_a_small_number(elsewhere, in_places):
    """All that an attacker with the partner and the public layers can bound the rest of the cell by."""
    total = elsewhere + sum(in_places)
    places, shapes = make_places(in_places, days=9, months=9)
    for attacker in ([Profile.PARTNER], [Profile.PUBLIC], OUTSIDE):
        at_least, at_most = {}, {}
        for profile in attacker:
            released = release(
                Layer.PLACES, for_audience(places, Layer.PLACES, profile), shapes, run=make_run(), profile=profile
            )
            for row in released.features.itertuples():
                at_least[row.id] = max(at_least.get(row.id, 0), row.records)
                at_most[row.id] = min(at_most.get(row.id, 99), row.records + LEAST[profile] - 1)
        least, most = total - sum(at_most.values()), total - sum(at_least.values())
        smallest = min(LEAST[profile] for profile in attacker)
        assert least <= 0 or most >= smallest or not at_least


@pytest.mark.parametrize("profile", OUTSIDE)
@pytest.mark.parametrize("resolution", [7, 9, 10])
def test_cells_of_another_resolution_do_not_leave(profile, resolution):
    frame, shapes = make_cells([20, 30], resolution=resolution)
    with pytest.raises(DisclosureError):
        release(
            Layer.CELLS, for_audience(frame, Layer.CELLS, profile), shapes, run=make_run(resolution=9), profile=profile
        )


def test_operations_see_everything_ordered_by_id():
    frame, shapes = make_cells([0, 1, 20], snapped=0)
    released = release(Layer.CELLS, frame.iloc[::-1], shapes[::-1], run=make_run(), profile=Profile.OPERATIONAL)
    assert released.features["id"].tolist() == sorted(frame["id"])
    assert (len(released), released.metadata["suppressed_features"]) == (3, 0)
    assert [
        shape.equals(other) for shape, other in zip(released.geometry, shapes[np.argsort(frame["id"])], strict=True)
    ] == [True] * 3


def test_a_released_layer_is_made_by_release_only():
    layer = make_layer()
    arguments = (layer.layer, layer.profile, layer.fields, layer.features, layer.geometry, layer.metadata)
    for seal in (None, object(), True):
        with pytest.raises(TypeError):
            ReleasedLayer(*arguments, seal)
    with pytest.raises((TypeError, ValueError)):
        dataclasses.replace(layer, features=layer.features.assign(secret=1))
    with pytest.raises(dataclasses.FrozenInstanceError):
        layer.features = layer.features.assign(secret=1)


@pytest.mark.parametrize("profile", list(Profile))
@pytest.mark.parametrize("column", ["vehicle_hash", "lon", "urn", "source", "grade"])
def test_an_unknown_column_cannot_leave(profile, column):
    frame, shapes = make_places([20])
    frame = for_audience(frame, Layer.PLACES, profile).assign(**{column: "x"})
    with pytest.raises(DisclosureError, match=column):
        release(Layer.PLACES, frame, shapes, run=make_run(), profile=profile)


@pytest.mark.parametrize("layer", [Layer.CELLS, Layer.PLACES])
@pytest.mark.parametrize("profile", OUTSIDE)
def test_a_column_for_operations_only_is_not_in_other_layers(layer, profile):
    released = make_layer(layer, records=(20, 30), profile=profile)
    names = [field.name for field in fields_for(layer, profile)]
    assert released.features.columns.tolist() == ["id", *names]
    hidden = {field.name for field in FIELDS[layer]} - set(names)
    assert not hidden & set(released.features.columns)
    assert {"days", "score", "decision", "first_day"} & set(released.features.columns) == set()


def test_a_missing_column_is_told():
    frame, shapes = make_cells([20], snapped=0)
    for lost in ("records", "cell", "snapped"):
        with pytest.raises(DisclosureError, match=lost):
            release(Layer.CELLS, frame.drop(columns=lost), shapes, run=make_run(), profile=Profile.OPERATIONAL)


@pytest.mark.parametrize("lost", ["days", "months", "month_only"])
def test_a_missing_control_column_is_told(lost):
    frame, shapes = make_cells([20])
    with pytest.raises(DisclosureError, match=lost):
        release(Layer.CELLS, frame.drop(columns=lost), shapes, run=make_run(), profile=Profile.PARTNER)


@pytest.mark.parametrize("profile", OUTSIDE)
def test_homes_lose_their_name_and_counts_their_detail(profile):
    released = make_layer(
        Layer.PLACES,
        records=(23, 24, 25),
        profile=profile,
        kind=["house", "building", "park"],
        name=["1 Mill Lane", "Rose", "Park"],
    ).features
    assert released["name"].tolist() == [None, None, "Park"]
    step = LEAST[profile]
    assert released["records"].tolist() == [23 // step * step, 24 // step * step, 25 // step * step]
    operational = make_layer(Layer.PLACES, records=(23, 24), kind="house").features
    assert operational["name"].notna().all()
    assert operational["records"].tolist() == [23, 24]


@pytest.mark.parametrize("profile", OUTSIDE)
def test_rejected_places_do_not_leave_operations(profile):
    released = make_layer(Layer.PLACES, records=(20, 20, 20), profile=profile, decision=["accept", "reject", "waiting"])
    assert len(released) == 2
    assert released.metadata["suppressed_features"] == 1
    assert len(make_layer(Layer.PLACES, records=(20, 20), decision="reject")) == 2


@pytest.mark.parametrize("profile", OUTSIDE)
@pytest.mark.parametrize("layer", [Layer.TASKING, Layer.REFERENCE])
def test_tasking_and_reference_are_operational(layer, profile):
    frame = make_tasks(1) if layer is Layer.TASKING else pd.DataFrame({"id": ["0"], "kind": ["parks"], "name": ["P"]})
    with pytest.raises(DisclosureError, match="operational"):
        release(layer, frame, np.array([shapely.box(0, 0, 1, 1)], object), run=make_run(), profile=profile)
    assert (
        len(
            release(
                layer, frame, np.array([shapely.box(0, 0, 1, 1)], object), run=make_run(), profile=Profile.OPERATIONAL
            )
        )
        == 1
    )


def test_protected_places_are_in_no_layer():
    frame = pd.DataFrame({"id": ["0"], "kind": [str(FeatureKind.PROTECTED)], "name": ["Refuge"]})
    with pytest.raises(DisclosureError):
        release(
            Layer.REFERENCE,
            frame,
            np.array([shapely.Point(-2, 51)], object),
            run=make_run(),
            profile=Profile.OPERATIONAL,
        )


def test_metadata_travels_and_holds_no_total():
    run = make_run(
        {"study_area": "Bath", "unlocated": 7, "records": 998877, "clusters": 556677, "crs_method": "OSTN15"}
    )
    for profile in Profile:
        metadata = make_layer(records=(20, 1), profile=profile, run=run).metadata
        assert (metadata["run"], metadata["profile"], metadata["marking"]) == (RUN_ID, profile, "OFFICIAL-SENSITIVE")
        assert metadata["generated_at"] == "2026-01-01T00:00:00Z"
        assert not any(number in str(metadata) for number in ("998877", "556677"))
        assert metadata["suppressed_features"] == (0 if profile is Profile.OPERATIONAL else 1)
    features = make_layer(records=(20,), profile=Profile.PUBLIC, run=run).features
    assert features[["marking", "profile", "run", "generated"]].iloc[0].tolist() == [
        "OFFICIAL-SENSITIVE",
        "public",
        RUN_ID,
        "2026-01-01",
    ]


@pytest.mark.parametrize(
    ("asked", "inside", "outside"),
    [
        ({}, "2019-11-05 to 2024-03-28", "all records"),
        ({"date_from": date(2024, 1, 1)}, "2024-01-01 to 2024-03-28", "from 2024-01-01"),
        ({"date_to": date(2024, 6, 30)}, "2019-11-05 to 2024-06-30", "until 2024-06-30"),
        ({"date_from": date(2024, 1, 1), "date_to": date(2024, 6, 30)}, *["2024-01-01 to 2024-06-30"] * 2),
    ],
)
def test_the_days_of_the_first_and_the_last_record_are_for_operations(asked, inside, outside):
    """One record alone, which nobody outside may have, would say when it was."""
    run = make_run({"first_day": "2019-11-05", "last_day": "2024-03-28"}, **asked)
    for profile in Profile:
        told = make_layer(records=(20,), profile=profile, run=run).metadata["period"]
        assert told == (inside if profile is Profile.OPERATIONAL else outside)


@pytest.mark.parametrize(
    ("unlocated", "profile", "said"),
    [
        (7, Profile.OPERATIONAL, 7), (0, Profile.PARTNER, 0), (3, Profile.PARTNER, "fewer than 5"), (7, Profile.PARTNER, 5),
        (7, Profile.PUBLIC, "fewer than 10"), (27, Profile.PUBLIC, 20),
    ],
)  # fmt: skip
def test_unlocated_records_are_banded_outside_operations(unlocated, profile, said):
    assert (
        make_layer(records=(20,), profile=profile, run=make_run({"unlocated": unlocated})).metadata["unlocated_records"]
        == said
    )


def test_synthetic_data_is_watermarked():
    frame, shapes = make_cells([20], snapped=0)
    released = release(Layer.CELLS, frame, shapes, run=make_run(), profile=Profile.OPERATIONAL, synthetic=True)
    assert "SYNTHETIC" in released.metadata["marking"]
    assert "SYNTHETIC" in released.metadata["notice"]
    assert "SYNTHETIC" in released.features["marking"].iat[0]


def test_text_longer_than_gis_can_hold_does_not_leave():
    with pytest.raises(DisclosureError, match="254"):
        make_layer(Layer.PLACES, records=(20,), name="x" * 255)
    assert len(make_layer(Layer.PLACES, records=(20,), name="x" * 254)) == 1


def test_nothing_to_release():
    for layer in (Layer.CELLS, Layer.PLACES, Layer.TASKING):
        assert len(make_layer(layer, records=())) == 0


def test_the_arguments_are_not_changed():
    frame, shapes = make_places([20, 30], kind="house")
    frame = for_audience(frame, Layer.PLACES, Profile.PUBLIC)
    before = frame.copy(deep=True)
    released = release(Layer.PLACES, frame, shapes, run=make_run(), profile=Profile.PUBLIC)
    pd.testing.assert_frame_equal(frame, before)
    frame["name"] = "changed afterwards"
    assert released.features["name"].isna().all()


def test_the_dictionary_names_every_field():
    text = dictionary_markdown()
    assert all(f"`{field.name}`" in text for fields in FIELDS.values() for field in fields)
