"""What analyses say of chance, history, stability and our own doing; proofs; figures by area."""

import json
import shutil
import warnings
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.services import proving
from app.services.analysis import analyse, run_dict
from app.services.by_area import Windows, by_area
from app.services.hot_areas import find_hot_areas, list_hot_areas
from app.services.layers import released_layer
from app.services.wording import place_words
from app.settings import Settings
from app.wiring import Lapwing
from data.export.csv_file import write_csv as csv_bytes
from data.export.geojson import write_geojson as geojson_bytes
from data.proofs import BACKTEST, CALIBRATION
from data.runs import DROPS
from geo import cells as h3cells
from geo.errors import Conflict, InvalidParameter
from geo.hotspots import find_hotspots
from geo.model import Layer, Profile, Run, Scope
from geo.neighbourhoods import Neighbourhoods
from geo.parameters import AnalysisParameters
from geo.sentences import ratio_words
from geo.stability import OFFSETS
from tests.conftest import NOW_US
from tests.factories import make_records
from tests.files import BATH, HEADER, load, row, square, write_csv, write_geojson

SCOPE = Scope(actor="test")
WEST, SOUTH, SIZE = -2.46, 51.32, 0.2


def background(count: int, *, seed: int = 0, days: int = 700, kind: str = "x") -> list[list[Any]]:
    """Records that fall anywhere in the square, at any time."""
    rng = np.random.default_rng(seed)
    start = date(2024, 1, 1)
    return [
        row(i, str(start + timedelta(days=int(rng.integers(days)))), *(round(v, 6) for v in at), kind)
        for i, at in enumerate(rng.uniform((WEST, SOUTH), (WEST + SIZE, SOUTH + SIZE), (count, 2)).tolist(), start=seed * 10_000)
    ]  # fmt: skip


def spot(
    count: int, *, lon: float = BATH[0], lat: float = BATH[1], first: int = 90_000, days: int = 700
) -> list[list[Any]]:
    """Records within a few metres of one place."""
    rng = np.random.default_rng(first)
    start = date(2024, 1, 1)
    return [
        row(first + i, str(start + timedelta(days=int(rng.integers(days)))), round(lon + rng.normal(0, 1e-4), 6), round(lat + rng.normal(0, 1e-4), 6))
        for i in range(count)
    ]  # fmt: skip


def run_of(app: Lapwing, *, seed: int = 0, **told: Any) -> Run:
    return analyse(app.store, SCOPE, AnalysisParameters(area="town", **told), seed=seed, now_us=NOW_US)


def fill(app: Lapwing, folder: Path) -> None:
    """A square with 200 records anywhere in it and 30 at one place."""
    boundary = write_geojson(folder / "town.geojson", [({"name": "Town"}, square(WEST, SOUTH, SIZE))])
    load(app, boundary, "boundary", source="town")
    load(app, write_csv(folder / "all.csv", background(200) + spot(30)))


@pytest.fixture
def town(embedded: Lapwing, tmp_path: Path) -> Lapwing:
    """The square, not yet analysed."""
    fill(embedded, tmp_path)
    return embedded


def opened(home: Path) -> Lapwing:
    return Lapwing(Settings(home=home, store=f"sqlite:///{home}/lapwing.db"), clock=lambda: NOW_US)


@pytest.fixture(scope="module")
def analysed_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Folder of the square's store and the run in it, for copying only."""
    home = tmp_path_factory.mktemp("analysed")
    app = opened(home)
    app.migrate(None)
    fill(app, home)
    run = run_of(app)
    app.database.close()
    return home, run.run_id


@pytest.fixture
def analysed(analysed_once: tuple[Path, str], tmp_path: Path) -> Iterator[tuple[Lapwing, Run]]:
    """The square in a store of the test's own, and its run as ``run_of`` makes it."""
    home, run_id = analysed_once
    shutil.copytree(home, tmp_path / "square")
    app = opened(tmp_path / "square")
    yield app, app.store.runs.get(SCOPE, run_id)
    app.database.close()


def test_a_planted_place_is_hot_and_everything_that_stands_behind_it_is_kept(analysed: tuple[Lapwing, Run]) -> None:
    town, run = analysed
    found = town.store.runs.statistics(SCOPE, run.run_id).set_index("cell")
    cell = h3cells.index_points(np.array([BATH[0]]), np.array([BATH[1]]), 9)[0]
    here = found.loc[cell]
    assert here["hot"] == 1
    assert here["observed"] >= 30
    assert here["p_value"] <= here["q_value"] < 1e-6
    assert here["scan_p"] == pytest.approx(0.001)
    assert here["ratio_low"] < here["rate_ratio"] < here["ratio_high"]
    assert here["top_probability"] == 1.0
    assert found["share"].sum() == pytest.approx(1)
    assert 1 <= found["hot"].sum() == run.summary["hot_cells"] <= 19
    area = list_hot_areas(town.store, SCOPE, run)[0]
    assert h3cells.cell_text([cell])[0] in area["cells"]
    assert len(area["cells"]) == found["hot"].sum()
    assert area["records"] >= 30
    assert area["why"].startswith(f"{area['records']} reports on ")
    assert f"{ratio_words(area['rate_ratio'])} what this area would expect" in area["why"]
    place = town.store.runs.places(SCOPE, run.run_id)[0]
    assert area["place"] == place.place_id
    assert place.evidence["significant"] is True
    assert place.evidence["held_in"] == place.evidence["checks"] == 3 * len(OFFSETS)
    assert place.evidence["rank_interval"] == [1, 1]
    assert run_dict(run)["hot_cells"] == run.summary["hot_cells"]


def test_the_same_seed_gives_the_same_bytes_and_rows_in_another_order_too(town: Lapwing, tmp_path: Path) -> None:
    run = run_of(town, seed=5)
    layer = geojson_bytes(released_layer(town.store, SCOPE, run, Layer.CELLS, Profile.OPERATIONAL))
    for name in (*DROPS, "drop_run"):
        town.store.database.execute(name, org_id=SCOPE.org_id, run_id=run.run_id)
    again = run_of(town, seed=5)
    assert again.run_id == run.run_id
    assert geojson_bytes(released_layer(town.store, SCOPE, again, Layer.CELLS, Profile.OPERATIONAL)) == layer


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([], id="none"),
        pytest.param([row(1)], id="one"),
        pytest.param([row(i) for i in range(40)], id="all at one place on one day"),
        pytest.param([row(i, f"2024-03-{i + 1:02d}T21:00") for i in range(12)], id="all in one hour of the day"),
        pytest.param(spot(25, days=20), id="no history"),
        pytest.param([row(i, "2024-03", BATH[0] + i / 1e4) for i in range(9)], id="one month"),
    ],
)
@pytest.mark.parametrize("area", ["town", None])
def test_degenerate_input_ends_in_a_stated_result(
    embedded: Lapwing, tmp_path: Path, rows: list[list[Any]], area: str | None
) -> None:
    load(
        embedded, write_geojson(tmp_path / "town.geojson", [({}, square(WEST, SOUTH, SIZE))]), "boundary", source="town"
    )
    if rows:
        load(embedded, write_csv(tmp_path / "few.csv", rows))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = analyse(embedded.store, SCOPE, AnalysisParameters(area=area), seed=0, now_us=NOW_US)
    for layer in (Layer.CELLS, Layer.PLACES):
        released = released_layer(embedded.store, SCOPE, run, layer, Profile.OPERATIONAL)
        for text in (geojson_bytes(released).decode(), csv_bytes(released).decode()):
            assert "NaN" not in text
            assert "nan" not in text.lower().replace("finance", "")
            assert "Infinity" not in text
    json.dumps(run.summary, allow_nan=False)
    if not run.summary["hot_cells"]:
        assert any("does not mean there is no concern" in warning for warning in run.summary["warnings"])
    assert run.summary["trend"] == "insufficient_history"


def test_an_exposure_that_explains_the_records_leaves_nothing_hot(town: Lapwing, tmp_path: Path) -> None:
    shops = [
        ({"name": f"Shop {i}"}, {"type": "Point", "coordinates": [BATH[0] + i * 1e-5, BATH[1]]}) for i in range(30)
    ]
    rest = np.random.default_rng(3).uniform((WEST, SOUTH), (WEST + SIZE, SOUTH + SIZE), (200, 2)).tolist()
    shops += [({"name": f"Far {i}"}, {"type": "Point", "coordinates": at}) for i, at in enumerate(rest)]
    load(town, write_geojson(tmp_path / "shops.geojson", shops), "premises")
    cell = h3cells.index_points(np.array([BATH[0]]), np.array([BATH[1]]), 9)[0]
    by_ground, explained = run_of(town), run_of(town, compared_with="premises")
    hot = [town.store.runs.statistics(SCOPE, run.run_id).set_index("cell")["hot"] for run in (by_ground, explained)]
    assert (hot[0][cell], hot[1][cell]) == (1, 0)
    assert hot[1].sum() < hot[0].sum()
    assert explained.summary["compared_with"] == "premises"


def test_a_layer_that_was_not_imported_cannot_be_compared_with(town: Lapwing) -> None:
    with pytest.raises(InvalidParameter, match="lapwing import buildings"):
        run_of(town, compared_with="buildings")
    with pytest.raises(InvalidParameter, match="lapwing import effort"):
        run_of(town, compared_with="effort")
    with pytest.raises(InvalidParameter, match="cannot be compared with 'people'"):
        AnalysisParameters(compared_with="people")


def test_with_hours_of_outreach_only_what_looking_found_is_tested(town: Lapwing, tmp_path: Path) -> None:
    sessions = [
        [f"S{i}", f"2024-05-{i + 1:02d}T18:00", f"2024-05-{i + 1:02d}T21:00", BATH[0], BATH[1]] for i in range(20)
    ]
    header = ("id", "from", "to", "longitude", "latitude")
    load(town, write_csv(tmp_path / "effort.csv", sessions, header), "effort")
    load(
        town,
        write_csv(tmp_path / "seen.csv", [[f"O{i}", f"2024-05-{i + 1:02d}", *BATH, "x"] for i in range(9)]),
        "observations",
    )
    run = run_of(town, compared_with="effort")
    assert run.summary["tested_records"] == run.summary["found_by_us"] == 9
    assert run.summary["hot_cells"] == 0  # nine finds where all the hours were: no more than the hours explain
    states = town.store.runs.statistics(SCOPE, run.run_id)["state"]
    assert set(states) == {"looked_quiet", "not_looked"}
    assert (states == "looked_quiet").sum() == run.summary["looked_cells"] <= 7
    by_ground = run_of(town)
    far = [[f"F{i}", f"2024-05-{i + 1:02d}", BATH[0] + 0.06, BATH[1], "x"] for i in range(5)]
    load(town, write_csv(tmp_path / "far.csv", far), "observations")
    beyond = run_of(town, compared_with="effort")
    assert (beyond.summary["tested_records"], beyond.summary["found_by_us"]) == (9, 9)
    assert any("5 records with no exposure" in warning for warning in beyond.summary["warnings"])
    assert by_ground.summary["found_by_us"] == 9
    assert by_ground.summary["tested_records"] == 239


def test_without_sessions_no_quiet_cell_counts_as_looked_at(analysed: tuple[Lapwing, Run]) -> None:
    town, run = analysed
    assert set(town.store.runs.statistics(SCOPE, run.run_id)["state"]) == {"hot", "not_looked"}
    assert any("nobody looked" in warning for warning in run.summary["warnings"])


def test_a_place_that_only_we_found_says_so(embedded: Lapwing, tmp_path: Path) -> None:
    load(
        embedded, write_geojson(tmp_path / "town.geojson", [({}, square(WEST, SOUTH, SIZE))]), "boundary", source="town"
    )
    load(embedded, write_csv(tmp_path / "told.csv", spot(10) + background(60)))
    load(embedded, write_csv(tmp_path / "seen.csv", spot(14, lon=BATH[0] + 0.05, first=70_000)), "observations")
    places = embedded.store.runs.places(SCOPE, run_of(embedded).run_id)
    seen, told = places[0], places[1]
    assert (seen.evidence["found_by_us"], told.evidence["found_by_us"]) == (14, 0)
    assert (seen.evidence["rank_by_score"], seen.evidence["rank_without_ours"]) == (1, 2)
    assert told.evidence["rank_without_ours"] == 1


def test_vague_positions_make_the_top_uncertain(embedded: Lapwing, tmp_path: Path) -> None:
    load(
        embedded, write_geojson(tmp_path / "town.geojson", [({}, square(WEST, SOUTH, SIZE))]), "boundary", source="town"
    )
    certain = []
    for name, precision_m in (("exact", 10), ("vague", 3000)):
        rows = [[*one, "reported", precision_m] for one in spot(12, first=1_000) + background(60)]
        header = (*HEADER, "source_type", "precision_m")
        batch = load(embedded, write_csv(tmp_path / f"{name}.csv", rows, header), source=name).batch
        found = embedded.store.runs.statistics(SCOPE, run_of(embedded).run_id)
        certain.append(found["top_probability"].max())
        from app.services.importing import undo_batch

        undo_batch(embedded.store, SCOPE, batch.batch_id, now_us=NOW_US)
    assert certain[0] == 1.0
    assert certain[1] < 0.7


def test_graded_and_harmful_records_weigh_in_the_order_and_never_in_the_test(analysed: tuple[Lapwing, Run]) -> None:
    town, plain = analysed
    heavy = run_of(town, harm_weights=(("x", 3.0),))
    first, second = (town.store.runs.places(SCOPE, run.run_id)[0].evidence for run in (plain, heavy))
    assert second["weight"] == 3 * first["weight"]
    assert second["score"]["score"] == pytest.approx(3 * first["score"]["score"], rel=1e-5)
    assert second["p_value"] == first["p_value"]


def test_ten_months_have_a_trend_and_missing_ones_are_not_quiet(embedded: Lapwing, tmp_path: Path) -> None:
    load(
        embedded, write_geojson(tmp_path / "town.geojson", [({}, square(WEST, SOUTH, SIZE))]), "boundary", source="town"
    )
    for month in range(1, 15):
        if month == 6:
            continue  # no file came for June
        year, number = 2024 + (month - 1) // 12, (month - 1) % 12 + 1
        rows = [
            [f"{month}-{i}", f"{year}-{number:02d}-{1 + i % 28:02d}", *one[2:]]
            for i, one in enumerate(background(40, seed=month) + spot(12, first=month * 100))
        ]
        load(embedded, write_csv(tmp_path / f"{month}.csv", rows))
    run = run_of(embedded)
    assert run.summary["periods"] == {"months": 13, "missing": 1}
    assert embedded.store.runs.places(SCOPE, run.run_id)[0].evidence["trend"] == "persistent"
    assert run.summary["trend"]["persistent"] >= 1


def test_quiet_months_of_a_known_file_are_quiet(embedded: Lapwing, tmp_path: Path) -> None:
    rows = []
    for month in range(18):
        day = f"{2024 + month // 12}-{month % 12 + 1:02d}"
        rows += [
            [f"o{month}-{i}", f"{day}-{1 + i % 28:02d}", *one[2:4], "other"]
            for i, one in enumerate(background(40, seed=month))
        ]
        if month < 12 and month != 5:
            rows += [
                [f"r{month}-{i}", f"{day}-{1 + i:02d}", *one[2:4], "rare"]
                for i, one in enumerate(spot(12, first=month * 100 + 7))
            ]
    load(embedded, write_csv(tmp_path / "all.csv", rows))
    run = analyse(embedded.store, SCOPE, AnalysisParameters(categories=("rare",)), seed=0, now_us=NOW_US)
    assert run.summary["periods"] == {"months": 18, "missing": 0}
    assert run.summary["missing_months"] == []


def test_recency_is_counted_from_the_moment_of_the_analysis(town: Lapwing) -> None:
    day_us = 86_400_000_000
    told = AnalysisParameters(area="town")
    late = analyse(town.store, SCOPE, told, seed=0, now_us=NOW_US, as_of_us=NOW_US)
    first = town.store.runs.places(SCOPE, late.run_id)[0].evidence["recency_days"]
    later = analyse(town.store, SCOPE, told, seed=0, now_us=NOW_US, as_of_us=NOW_US + 400 * day_us)
    assert town.store.runs.places(SCOPE, later.run_id)[0].evidence["recency_days"] == first + 400


def test_another_level_is_used_for_every_test_and_must_be_reachable(analysed: tuple[Lapwing, Run]) -> None:
    town, plain = analysed
    strict = run_of(town, alpha=0.001)
    place = town.store.runs.places(SCOPE, strict.run_id)[0].evidence
    usual = town.store.runs.places(SCOPE, plain.run_id)[0].evidence
    assert (place["ratio_low"], place["ratio_high"]) == (usual["ratio_low"], usual["ratio_high"])
    assert place["held_in"] > 0
    with pytest.raises(InvalidParameter, match="take 1,999 or more"):
        AnalysisParameters(alpha=0.0005)


def test_the_store_keeps_statistics_alike_on_both_databases(lapwing: Lapwing, tmp_path: Path) -> None:
    load(lapwing, write_csv(tmp_path / "all.csv", background(40) + spot(15)))
    run = analyse(lapwing.store, SCOPE, AnalysisParameters(), seed=0, now_us=NOW_US)
    found = lapwing.store.runs.statistics(SCOPE, run.run_id)
    assert len(found) == run.summary["cells"]
    assert found.notna().all().all()
    assert found["hot"].sum() == run.summary["hot_cells"] > 0


@pytest.mark.parametrize("snapped", [0, 40])
@pytest.mark.parametrize("name", ["Park", "The Memorial Recreation Ground of the Parish " * 4, "X" * 250, None])
def test_what_is_said_of_a_place_fits_every_gis(analysed: tuple[Lapwing, Run], name: str | None, snapped: int) -> None:
    town, run = analysed
    place = town.store.runs.places(SCOPE, run.run_id)[0]
    other = {"kind": "station", "name": name, "probability": 0.45}
    evidence = place.evidence | {"records": 40, "month_only": 39, "snapped": snapped, "significant": False}
    said = place_words(
        replace(place, kind="park", name=name, probability=0.5, alternatives=(other,), evidence=evidence), run
    )
    assert said.startswith("40 reports in ")
    assert len(said) <= 254


# --- proofs -----------------------------------------------------------------------------------------------------------


def test_calibration_reruns_the_rule_on_the_users_own_null(analysed: tuple[Lapwing, Run]) -> None:
    town, run = analysed
    proof = proving.calibrate_run(town.store, SCOPE, run, simulations=60, seed=1, now_us=NOW_US)
    assert (proof.kind, proof.run_id) == (CALIBRATION, run.run_id)
    assert proof.result["records"] == 230
    assert proof.result["cells"] == run.summary["cells"]
    assert proof.result["rate"] == proof.result["false_alarms"] / 60 <= 0.15
    low, high = proof.result["interval"]
    assert low <= proof.result["rate"] <= high
    again = proving.calibrate_run(town.store, SCOPE, run, simulations=60, seed=1, now_us=NOW_US + 1)
    assert again.result == proof.result
    assert [one.proof_id for one in town.store.proofs.proofs(SCOPE)] == [again.proof_id, proof.proof_id]
    assert town.store.proofs.proofs(Scope(org_id="other")) == []


def backtest(app: Lapwing, train_to: date, test_to: date, **told: Any) -> Any:
    request = proving.BacktestRequest(
        parameters=AnalysisParameters(area="town"), train_to=train_to, test_to=test_to, **told
    )
    return proving.backtest(app.store, SCOPE, request, seed=1, now_us=NOW_US, progress=lambda _: None)


def test_a_backtest_learns_before_and_tests_after(town: Lapwing) -> None:
    proof = backtest(town, date(2024, 12, 31), date(2025, 6, 30))
    assert proof.kind == BACKTEST
    assert [one["from"] for one in proof.result["periods"]] == [f"2025-{month:02d}-01" for month in range(1, 7)]
    named = {(one["method"], one["area_fraction"]): one for one in proof.result["results"]}
    assert set(named) == {(method, part) for method in proving.METHODS for part in (0.01, 0.02, 0.05)}
    ours = named["lapwing", 0.01]
    assert ours["pai"] > 5  # the place of the first year is that of the second
    assert ours["hit_rate"] == pytest.approx(ours["pai"] * ours["chosen"], rel=0.2)
    assert ours["pai_interval"][0] <= ours["pai"] <= ours["pai_interval"][1]
    assert 0 < ours["pei"] <= 1
    assert {one["best_peer"] for one in proof.result["comparisons"]} <= {"counts", "kde"}


def test_what_came_later_is_not_learned_from(town: Lapwing, tmp_path: Path) -> None:
    before = backtest(town, date(2024, 12, 31), date(2025, 1, 31)).result
    load(town, write_csv(tmp_path / "later.csv", [
        row(60_000 + i, "2025-03-09", BATH[0] + 0.03 + i * 1e-6, BATH[1]) for i in range(50)
    ]))  # fmt: skip
    assert backtest(town, date(2024, 12, 31), date(2025, 1, 31)).result["results"] == before["results"]


def test_exposure_of_later_months_is_not_learned_from(town: Lapwing, tmp_path: Path) -> None:
    def hits() -> list[int]:
        told = AnalysisParameters(area="town", compared_with="records")
        request = proving.BacktestRequest(parameters=told, train_to=date(2024, 12, 31), test_to=date(2025, 1, 31))
        found = proving.backtest(town.store, SCOPE, request, seed=1, now_us=NOW_US, progress=lambda _: None)
        assert found.question["compared_with"] == "records"
        records = found.result["periods"][0]["records"]
        return [round(one["hit_rate"] * records) for one in found.result["results"]]

    before = hits()
    later = [row(70_000 + i, "2025-01-09", BATH[0] + 0.05, BATH[1] + 0.02) for i in range(40)]
    load(town, write_csv(tmp_path / "later.csv", later))
    assert hits() == before  # forty records where none was before are foretold by nobody


def test_an_event_told_of_by_both_is_ours_and_others(embedded: Lapwing, tmp_path: Path) -> None:
    load(
        embedded, write_geojson(tmp_path / "town.geojson", [({}, square(WEST, SOUTH, SIZE))]), "boundary", source="town"
    )
    sessions = [[f"S{i}", f"2024-05-{i + 1:02d}T18:00", f"2024-05-{i + 1:02d}T23:00", *BATH] for i in range(10)]
    load(
        embedded, write_csv(tmp_path / "effort.csv", sessions, ("id", "from", "to", "longitude", "latitude")), "effort"
    )
    header = ("id", "date", "longitude", "latitude", "kind", "source_type", "agency", "urn")
    for agency, kind, minute in (("Police", "reported", 0), ("Outreach", "outreach", 5)):
        rows = [
            [f"{agency}{i}", f"2024-05-{i + 1:02d}T21:{minute:02d}", *BATH, "x", kind, agency, f"E{i}"]
            for i in range(8)
        ]
        load(embedded, write_csv(tmp_path / f"{agency}.csv", rows, header), source=agency)
    run = run_of(embedded)
    assert run.summary["counted_once"] == 8
    assert run.summary["found_by_us"] == 0  # every event has an independent report
    assert run_of(embedded, compared_with="effort").summary["tested_records"] == 8


def test_what_a_purge_takes_it_takes_from_the_summary_too(analysed: tuple[Lapwing, Run]) -> None:
    town, run = analysed
    assert run.summary["hot_areas"]
    town.store.retention.drop_layers(SCOPE, run.run_id, NOW_US)
    left = town.store.runs.get(SCOPE, run.run_id)
    assert left.purged_at_us == NOW_US
    assert not {"hot_areas", "near_repeats"} & set(left.summary)
    assert left.summary["records"] == run.summary["records"]


def test_a_backtest_of_nothing_is_refused(town: Lapwing) -> None:
    with pytest.raises(InvalidParameter, match="nothing can be tested"):
        backtest(town, date(2010, 1, 1), date(2010, 6, 1))
    with pytest.raises(InvalidParameter, match="is not after"):
        backtest(town, date(2024, 6, 1), date(2024, 6, 1))
    with pytest.raises(InvalidParameter, match="given twice"):
        backtest(town, date(2024, 6, 1), date(2024, 9, 1), area_fractions=(0.01, 0.01))
    with pytest.raises(InvalidParameter, match="Days lie between"):
        backtest(town, date(2024, 6, 1), date(9999, 12, 31))
    with pytest.raises(InvalidParameter, match="fraction"):
        backtest(town, date(2024, 6, 1), date(2024, 9, 1), area_fractions=(1.5,))


def test_one_period_has_no_interval(town: Lapwing) -> None:
    found = backtest(town, date(2024, 12, 31), date(2025, 1, 20)).result
    assert {one["pai_interval"] for one in found["results"]} == {None}
    assert {one["not_worse"] for one in found["comparisons"]} == {None}


def test_test_months_are_counted_from_the_end_of_training() -> None:
    request = proving.BacktestRequest(
        parameters=AnalysisParameters(), train_to=date(2024, 1, 30), test_to=date(2024, 4, 10)
    )
    ends = [(first.isoformat(), last.isoformat()) for first, last in request.periods()]
    assert ends == [("2024-01-31", "2024-02-28"), ("2024-02-29", "2024-03-28"), ("2024-03-29", "2024-04-10")]


# --- by area ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def wards(embedded: Lapwing, tmp_path: Path) -> Lapwing:
    halves = [({"name": "West"}, square(WEST, SOUTH, 0.1)), ({"name": "East"}, square(WEST + 0.1, SOUTH, 0.1))]
    load(embedded, write_geojson(tmp_path / "wards.geojson", halves), "areas")
    return embedded


def _days(ward: str, first: str, count: int, start: int) -> list[list[Any]]:
    lon = WEST + (0.05 if ward == "West" else 0.15)
    begin = date.fromisoformat(first)
    return [
        row(start + i, str(begin + timedelta(days=i % 28)), round(lon + i * 1e-4, 6), SOUTH + 0.05)
        for i in range(count)
    ]


def test_figures_by_area_have_exact_changes(wards: Lapwing, tmp_path: Path) -> None:
    rows = (
        _days("West", "2025-06-03", 40, 0) + _days("West", "2025-05-06", 12, 100) + _days("East", "2025-06-03", 3, 200)
    )
    rows += [*_days("West", "2024-03-01", 5, 300), row(400, "2025-06-30", WEST - 1, SOUTH)]
    load(wards, write_csv(tmp_path / "all.csv", rows))
    found = by_area(wards.store, SCOPE, AnalysisParameters(), as_of=date(2025, 6, 30))
    by_name = {one["area"]: one for one in found.rows}
    west, east = by_name["West"], by_name["East"]
    assert (west["recent"], west["before"], west["this_year"], west["last_year"]) == (40, 12, 52, 5)
    assert west["change_28_days"]["verdict"] == "up"
    assert west["change_28_days"]["ratio"] == pytest.approx(40 / 12, abs=1e-4)
    assert east["change_28_days"]["verdict"] == "too_few"
    assert by_name["outside every area"]["recent"] == 1
    assert west["change_this_year"]["ratio"] == pytest.approx(52 / 5 * 182 / 181, rel=1e-3)


def test_a_missing_year_is_not_a_quiet_one(wards: Lapwing, tmp_path: Path) -> None:
    load(wards, write_csv(tmp_path / "all.csv", _days("West", "2025-06-03", 28, 0)))
    found = by_area(wards.store, SCOPE, AnalysisParameters(), as_of=None)
    assert found.as_of == date(2025, 6, 30)
    assert {one["change_this_year"]["verdict"] for one in found.rows} == {"no_history"}
    assert {one["change_28_days"]["verdict"] for one in found.rows} == {"no_history"}
    assert any("missing is not zero" in note for note in found.notes)


def test_months_without_days_count_in_years_only(wards: Lapwing, tmp_path: Path) -> None:
    load(
        wards,
        write_csv(tmp_path / "all.csv", [row(i, "2025-06", WEST + 0.05 + i * 1e-4, SOUTH + 0.05) for i in range(6)]),
    )
    found = by_area(wards.store, SCOPE, AnalysisParameters(), as_of=None)
    assert found.as_of == date(2025, 6, 30)
    assert [(one["recent"], one["this_year"]) for one in found.rows if one["area"] == "West"] == [(0, 6)]
    assert any("dated by month only" in note for note in found.notes)


def test_each_level_counts_every_record_and_nothing_is_dropped_in_silence(wards: Lapwing, tmp_path: Path) -> None:
    beats = [({"name": "Beat 1", "level": "beat"}, square(WEST, SOUTH, 0.2))]
    load(wards, write_geojson(tmp_path / "beats.geojson", beats), "areas")
    rows = _days("West", "2025-06-03", 20, 0) + [row(900 + i, "2025-06-05", "", "") for i in range(3)]
    load(wards, write_csv(tmp_path / "all.csv", rows))
    found = by_area(wards.store, SCOPE, AnalysisParameters(), as_of=date(2025, 6, 30))
    assert {(one["area"], one["recent"]) for one in found.rows} == {("West", 20), ("East", 0), ("Beat 1", 20)}
    assert "3 records without a position: in no area." in found.notes


def test_days_after_the_newest_record_are_not_quiet_days(wards: Lapwing, tmp_path: Path) -> None:
    load(wards, write_csv(tmp_path / "all.csv", _days("West", "2025-06-03", 28, 0)))
    found = by_area(wards.store, SCOPE, AnalysisParameters(), as_of=date(2025, 7, 28))
    assert {one["change_28_days"]["verdict"] for one in found.rows} == {"no_history"}
    assert found.unknown == {"recent": True, "before": False, "this_year": False, "last_year": True}


def test_a_newer_month_is_newer_than_an_older_day(wards: Lapwing, tmp_path: Path) -> None:
    rows = [row(1, "2024-03-01", WEST + 0.05, SOUTH + 0.05)]
    rows += [row(10 + i, "2025-06", WEST + 0.05 + i * 1e-4, SOUTH + 0.05) for i in range(6)]
    load(wards, write_csv(tmp_path / "all.csv", rows))
    found = by_area(wards.store, SCOPE, AnalysisParameters(), as_of=None)
    assert found.as_of == date(2025, 6, 30)
    assert [one["this_year"] for one in found.rows if one["area"] == "West"] == [6]


def test_without_areas_or_records_it_says_what_to_do(embedded: Lapwing, wards: Lapwing, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="no records"):
        by_area(wards.store, SCOPE, AnalysisParameters(), as_of=None)
    with pytest.raises(InvalidParameter, match="level"):
        by_area(wards.store, SCOPE, AnalysisParameters(), as_of=None, level="beat")


def test_no_areas_at_all(embedded: Lapwing) -> None:
    with pytest.raises(Conflict, match="lapwing import areas"):
        by_area(embedded.store, SCOPE, AnalysisParameters(), as_of=None)


def test_a_leap_day_is_compared_with_the_end_of_february() -> None:
    windows = Windows.up_to(date(2024, 2, 29))
    assert windows.last_year == (date(2023, 1, 1), date(2023, 3, 1))
    assert windows.this_year == (date(2024, 1, 1), date(2024, 3, 1))
    assert windows.recent == (date(2024, 2, 2), date(2024, 3, 1))


def test_a_gap_in_the_study_area_does_not_part_a_hot_area_from_its_records() -> None:
    middle = h3cells.index_points(np.array([BATH[0]]), np.array([BATH[1]]), 9)
    ring = np.setdiff1d(h3cells.disks(middle, 2), h3cells.disks(middle, 1))
    study = np.sort(np.concatenate([middle, ring]))
    around = Neighbourhoods.of(study)
    position = np.full(9, np.searchsorted(study, ring[0]))
    share = np.full(len(study), 1 / len(study))
    found = find_hotspots(np.bincount(position, minlength=len(study)), share, around, seed=0, simulations=99)
    rows = make_records([f"2024-03-{day:02d}" for day in range(1, 10)])
    areas = find_hot_areas(rows, position, replace(found, hot=study == middle[0]), share, around)
    assert [(area["records"], area["cells"]) for area in areas] == [(9, h3cells.cell_text(middle))]
