"""What a third reader of the map found behind it: each fault once, so that it stays mended."""

import re
import threading
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from app.services import jobs as jobs_module
from app.services.analysis import analyse
from app.services.importing import undo_batch
from app.services.jobs import Jobs
from app.services.map_tiles import prepare_tiles
from app.services.purging import purge
from app.services.run_inputs import MAP_PARTS
from app.services.run_records import NAME, run_records
from app.services.shelf import Shelf
from app.settings import Settings
from app.wiring import Lapwing
from data.queries import statement
from data.runs import DROPS
from geo.errors import Conflict, NotFound
from geo.model import Run, Scope
from geo.parameters import AnalysisParameters
from geo.retention import DAY_US
from tests.conftest import NOW_US
from tests.files import TERMS, load, row, stack, write_csv, write_geojson

SCOPE = Scope(actor="test")
LATER = replace(TERMS, now_us=NOW_US + 800 * DAY_US)  # incidents are held for 24 months
SPOTS = [(-2.36, 51.38, 9), (-2.33, 51.385, 8)]
CHANGED = "^Records or protected places changed while the analysis was being made; nothing was stored. Make it again.$"


def filled(app: Lapwing, folder: Path) -> Lapwing:
    load(app, write_csv(folder / "a.csv", stack(SPOTS)))
    return app


def made_while(app: Lapwing, step: str, happens: Callable[[], object]) -> Run:
    """Analyse, and have something happen once at a step."""
    waiting = [happens]

    def progress(now: str) -> None:
        if now == step and waiting:
            waiting.pop()()

    return analyse(app.store, SCOPE, AnalysisParameters(simulations=19), seed=0, now_us=NOW_US, progress=progress)


def bring_refuge(app: Lapwing, folder: Path, lon: float = SPOTS[0][0]) -> str:
    point = {"type": "Point", "coordinates": [lon, SPOTS[0][1]]}
    return load(
        app, write_geojson(folder / "r.geojson", [({"name": "R"}, point)]), "protected", source="council"
    ).batch.batch_id


# --- an analysis of what is no longer held is not stored ----------------------------------------------------------------


@pytest.mark.parametrize("step", ["Reading records", "Saving"])
def test_an_analysis_does_not_survive_a_purge(lapwing: Lapwing, tmp_path: Path, step: str) -> None:
    app = filled(lapwing, tmp_path)
    with pytest.raises(Conflict, match=CHANGED):
        made_while(app, step, lambda: purge(app.store, SCOPE, LATER))
    assert app.store.runs.runs(SCOPE) == []
    assert len(app.store.evidence.records(SCOPE, ["incidents"])) == 0


@pytest.mark.parametrize("step", ["Clustering", "Saving"])
@pytest.mark.parametrize("lon", [SPOTS[0][0], -2.20])
def test_an_analysis_does_not_survive_a_protected_place(
    lapwing: Lapwing, tmp_path: Path, step: str, lon: float
) -> None:
    """Nor one at which nothing is recorded: premises there may have given a place its name."""
    app = filled(lapwing, tmp_path)
    with pytest.raises(Conflict, match=CHANGED):
        made_while(app, step, lambda: bring_refuge(app, tmp_path, lon))
    assert app.store.runs.runs(SCOPE) == []
    assert app.store.audit.events(SCOPE)[-1]["subject"].startswith("batch:")  # the log tells of no analysis
    again = made_while(app, "", lambda: None)
    rest = 8 if lon == SPOTS[0][0] else 17
    assert len(run_records(app.store, SCOPE, again)) == rest


def test_what_came_and_went_meanwhile_counts_as_a_change(embedded: Lapwing, tmp_path: Path) -> None:
    app = filled(embedded, tmp_path)
    more = write_csv(tmp_path / "b.csv", [row(n, lon=-2.30) for n in range(900, 909)])

    def come_and_go() -> None:
        undo_batch(app.store, SCOPE, load(app, more).batch.batch_id, now_us=NOW_US)

    with pytest.raises(Conflict, match=CHANGED):
        made_while(app, "Counting cells", come_and_go)


def test_a_change_leaves_an_earlier_analysis_as_it_was(lapwing: Lapwing, tmp_path: Path) -> None:
    app = filled(lapwing, tmp_path)
    earlier = made_while(app, "", lambda: None)
    load(app, write_csv(tmp_path / "b.csv", [row(900, lon=-2.30)]))
    with pytest.raises(Conflict, match=CHANGED):
        made_while(app, "Counting cells", lambda: load(app, write_csv(tmp_path / "c.csv", [row(901, lon=-2.31)])))
    assert [one.run_id for one in app.store.runs.runs(SCOPE)] == [earlier.run_id]
    assert len(run_records(app.store, SCOPE, earlier)) == 17


def test_nothing_takes_away_what_changes_are_counted_by() -> None:
    texts = [one.read_text() for one in files("data").joinpath("sql").iterdir()]
    emptied = set(re.findall(r"^DELETE FROM (\w+)", "\n".join(texts), re.MULTILINE))
    assert "record" in emptied
    assert not emptied & {"batch", "alteration", "tombstone"}


def test_another_organisations_files_are_no_change(embedded: Lapwing, tmp_path: Path) -> None:
    app = filled(embedded, tmp_path)
    other = Scope(actor="test", org_id="other")
    file = write_csv(tmp_path / "b.csv", [row(900, lon=-2.30)])
    run = made_while(app, "Saving", lambda: load(app, file, scope=other))
    assert app.store.runs.get(SCOPE, run.run_id).run_id == run.run_id


def test_whoever_waits_for_the_analysis_is_told_so(embedded: Lapwing, tmp_path: Path) -> None:
    app = filled(embedded, tmp_path)
    job = Jobs().start(
        "ann", lambda _: made_while(app, "Clustering", lambda: bring_refuge(app, tmp_path)), now_us=NOW_US
    )
    assert job.wait(60)
    assert re.match(CHANGED, job.error)


# --- an analysis whose map is not whole is made again -------------------------------------------------------------------


def test_the_parts_of_a_map_are_those_that_are_prepared(embedded: Lapwing, tmp_path: Path) -> None:
    run = made_while(filled(embedded, tmp_path), "", lambda: None)
    kept = {name: embedded.store.views.load(SCOPE, run.run_id, name) for name in MAP_PARTS}
    assert None not in kept.values()
    prepared = prepare_tiles(embedded.store, SCOPE, run)
    assert {name for name in prepared if not name.startswith("tiles-")} == {*MAP_PARTS} - {NAME}


@pytest.mark.parametrize("missing", MAP_PARTS)
def test_an_analysis_without_a_part_of_its_map_is_made_again(embedded: Lapwing, tmp_path: Path, missing: str) -> None:
    app = filled(embedded, tmp_path)
    run = made_while(app, "", lambda: None)
    bodies = {name: app.store.views.load(SCOPE, run.run_id, name) or b"" for name in MAP_PARTS if name != missing}
    app.store.views.keep(SCOPE, run.run_id, bodies)
    assert made_while(app, "", lambda: None).run_id == run.run_id
    assert app.store.views.load(SCOPE, run.run_id, missing) is not None


# --- nothing of what was removed stays readable -------------------------------------------------------------------------


def removed_from() -> set[str]:
    """Tables that purges, refuges and later positions remove rows from or rewrite."""
    texts = [files("data").joinpath("sql", name).read_text() for name in ("retention.sql", "locations.sql")]
    texts += [statement(name, {"org_id": "", "run_id": ""}, style="named")[0] for name in (*DROPS, "drop_run")]
    named = {"org_id": "", "place_ids": ()}
    purges = ("purge_nominations", "purge_decisions", "purge_places")
    texts += [statement(name, named, style="named")[0] for name in purges]
    found = set(re.findall(r"^(?:DELETE FROM|UPDATE) (\w+)", "\n".join(texts), re.MULTILINE))
    return found - {"coarse_count"}  # what is left of the records, and added to only


def test_every_table_that_is_removed_from_is_rewritten(postgis_url: str, tmp_path: Path) -> None:
    app = Lapwing(Settings(home=tmp_path, store=postgis_url), clock=lambda: NOW_US)
    app.migrate(None)
    connection = app.database._connection()

    def stored_in(table: str) -> int:
        return int(connection.execute("SELECT pg_relation_filenode(%s::regclass)", (table,)).fetchone()[0])

    tables = removed_from()
    assert {"record", "run", "run_view", "run_link", "nomination", "decision"} <= tables
    before = {table: stored_in(table) for table in tables}
    app.database.compact()
    assert {table for table in tables if stored_in(table) == before[table]} == set()
    app.database.close()


# --- the shelf ----------------------------------------------------------------------------------------------------------


def held_by(shelf: Shelf) -> tuple[int, int]:
    return shelf._held, sum(size for _, size in shelf._things.values())


def test_what_replaces_a_thing_takes_its_room_only_once() -> None:
    shelf = Shelf(limit_bytes=100)
    for size in (60, 50):
        shelf._put("a", "thing", size)
        assert held_by(shelf) == (size, size)
    shelf._put("b", "thing", 40)
    assert held_by(shelf) == (90, 90)


def test_two_never_make_one_thing_at_once_though_a_making_fails() -> None:
    """The first fails while the second waits; the third comes while the second makes, and has to wait, too."""
    shelf = Shelf()
    gates = {name: threading.Event() for name in ("first", "second")}
    begun = {name: threading.Event() for name in ("first", "second", "third")}
    failed: list[str] = []
    got: list[str] = []

    def make(name: str) -> str:
        begun[name].set()
        assert gates[name].wait(10)
        if name == "first":
            raise NotFound("no such thing")
        return name

    def ask(name: str) -> None:
        try:
            got.append(shelf.get("key", lambda: make(name), len))
        except NotFound:
            failed.append(name)

    threads = {name: threading.Thread(target=ask, args=(name,)) for name in begun}
    threads["first"].start()
    assert begun["first"].wait(10)
    threads["second"].start()
    while shelf._making["key"].asking < 2:
        threads["second"].join(0.01)
    gates["first"].set()
    assert begun["second"].wait(10)
    threads["third"].start()
    while shelf._making["key"].asking < 2 and not begun["third"].is_set():
        threads["third"].join(0.01)
    gates["second"].set()
    for thread in threads.values():
        thread.join(10)
    assert (failed, got, begun["third"].is_set()) == (["first"], ["second", "second"], False)
    assert shelf._making == {}
    assert held_by(shelf) == (6, 6)


# --- work that took long ------------------------------------------------------------------------------------------------


def test_what_became_of_long_work_is_known_for_an_hour_after_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    hour_us = 3_600_000_000
    passed_ns = iter([0, 2 * hour_us * 1000])  # the work takes two hours; nothing else below asks
    jobs, idle = Jobs(), lambda _: "all"
    monkeypatch.setattr(jobs_module, "monotonic_ns", lambda: next(passed_ns, 0))
    long = jobs.start("ann", idle, now_us=0)
    assert long.wait(10)
    assert long.ended_us == 2 * hour_us
    assert jobs.start("bob", idle, now_us=2 * hour_us + 1).wait(10)
    assert jobs.get(long.job_id, "ann").result == "all"
    assert jobs.start("bob", idle, now_us=3 * hour_us).wait(10)
    with pytest.raises(NotFound):
        jobs.get(long.job_id, "ann")
