"""What comes while an analysis is being made: what only adds is the next analysis's, what alters anything ends it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.services.analysis import analyse
from app.services.entering import correct
from app.services.importing import undo_batch
from app.services.layers import released_layer
from app.services.run_records import run_records
from app.services.sharing import SHAREABLE
from app.wiring import Lapwing
from data.export.geojson import write_geojson as geojson_bytes
from data.views import Views
from geo.errors import Conflict
from geo.model import Layer, Profile, Run
from geo.parameters import AnalysisParameters
from tests.conftest import NOW_US
from tests.council import HEADER as COUNCIL_HEADER
from tests.council import save_mapping, supply
from tests.files import load, row, square, stack, terms_of, write_csv, write_geojson
from tests.runs import SCOPE, run_of

SPOT = (-2.36, 51.38)
CHANGED = "^Records or protected places changed while the analysis was being made; nothing was stored. Make it again.$"


def made_while(app: Lapwing, step: str, happens: Callable[[], object], **asked: Any) -> Run:
    """Analyse, and have something happen once at a step."""
    waiting = [happens]

    def progress(now: str) -> None:
        if now == step and waiting:
            waiting.pop()()

    return analyse(
        app.store, SCOPE, AnalysisParameters(simulations=19, **asked), seed=0, now_us=NOW_US, progress=progress
    )


def added(app: Lapwing, folder: Path, kind: str = "incidents") -> str:
    rows = [row(900 + i, f"2024-04-{1 + i:02d}", *SPOT) for i in range(9)]
    return load(app, write_csv(folder / "more.csv", rows), kind).batch.batch_id


@pytest.mark.parametrize("step", ["Clustering", "Naming places", "Following routes and links", "Saving"])
@pytest.mark.parametrize("kind", ["incidents", "observations", "effort"])
def test_records_that_are_only_added_meanwhile_are_the_next_analysis(
    lapwing: Lapwing, tmp_path: Path, step: str, kind: str
) -> None:
    load(lapwing, write_csv(tmp_path / "a.csv", stack([(*SPOT, 12), (-2.33, 51.385, 12)])))
    batches: list[str] = []
    made = made_while(lapwing, step, lambda: batches.append(added(lapwing, tmp_path, kind)))
    assert made.summary["records"] == len(run_records(lapwing.store, SCOPE, made)) == 24
    assert not set(batches) & set(made.summary["batches"])
    again = run_of(lapwing)
    assert again.run_id != made.run_id
    assert set(batches) <= set(again.summary["batches"])
    undo_batch(lapwing.store, SCOPE, batches[0], now_us=NOW_US)
    same = run_of(lapwing)  # as if it had never come
    assert (same.run_id, same.generated_at_us) == (made.run_id, made.generated_at_us)


def test_an_analysis_is_the_same_whatever_is_added_meanwhile(embedded: Lapwing, tmp_path: Path) -> None:
    load(embedded, write_csv(tmp_path / "a.csv", stack([(*SPOT, 12), (-2.33, 51.385, 12)])))
    alone = made_while(embedded, "", lambda: None)
    layer = geojson_bytes(released_layer(embedded.store, SCOPE, alone, Layer.PLACES, Profile.OPERATIONAL))
    embedded.store.views.keep(SCOPE, alone.run_id, {})  # without its map it is made again
    beside = made_while(embedded, "Clustering", lambda: added(embedded, tmp_path))
    assert beside == alone
    assert geojson_bytes(released_layer(embedded.store, SCOPE, beside, Layer.PLACES, Profile.OPERATIONAL)) == layer


@pytest.mark.parametrize("step", ["Reading records", "Counting cells", "Following the months"])
def test_records_that_come_while_records_are_read_are_not_half_read(
    lapwing: Lapwing, tmp_path: Path, step: str
) -> None:
    """An analysis with records of a file that it does not name is found by no purge and no undo."""
    load(lapwing, write_csv(tmp_path / "a.csv", stack([(*SPOT, 12)])))
    steps: list[str] = []
    with pytest.raises(Conflict, match=CHANGED):
        made_while(lapwing, step, lambda: steps.append(added(lapwing, tmp_path)))
    assert len(steps) == 1
    assert lapwing.store.runs.runs(SCOPE) == []


def brought_park(app: Lapwing, folder: Path) -> None:
    load(app, write_geojson(folder / "p.geojson", [({"name": "P"}, square(*SPOT, 0.001))]), "parks")


def brought_sighting(app: Lapwing, folder: Path) -> None:
    header = ("date", "longitude", "latitude", "registration")
    rows = [["2024-03-01T10:00", *SPOT, "AB12CDE"]]
    load(app, write_csv(folder / "s.csv", rows, header), "sightings")


def corrected(app: Lapwing, folder: Path) -> None:
    key = bytes(app.store.evidence.newest_records(SCOPE, ["incidents"], count=1)[0]["record_key"])
    assert correct(app.store, SCOPE, key, {"kind": "shouting"}, terms_of(app)).report is not None


def supplied_anew(app: Lapwing, folder: Path) -> None:
    rows = [["R0", "2026-01-01", *SPOT, "other"], *([f"R{i}", "2026-01-02", *SPOT, "x"] for i in range(1, 9))]
    assert supply(app, write_csv(folder / "2.csv", rows, COUNCIL_HEADER)).batch.updated == 1


def supplied_without_one(app: Lapwing, folder: Path) -> None:
    rows = [[f"R{i}", "2026-01-02", *SPOT, "x"] for i in range(1, 9)]
    assert supply(app, write_csv(folder / "2.csv", rows, COUNCIL_HEADER)).batch.missing == 1


def undone(app: Lapwing, folder: Path) -> None:
    undo_batch(app.store, SCOPE, app.store.evidence.batches(SCOPE)[0].batch_id, now_us=NOW_US)


@pytest.mark.parametrize("step", ["Clustering", "Saving"])
@pytest.mark.parametrize(
    "happens", [brought_park, brought_sighting, corrected, supplied_anew, supplied_without_one, undone]
)
def test_an_analysis_does_not_survive_what_alters_its_records_or_the_ground(
    embedded: Lapwing, tmp_path: Path, step: str, happens: Callable[[Lapwing, Path], None]
) -> None:
    save_mapping(embedded)
    rows = [[f"R{i}", "2026-01-02" if i else "2026-01-01", *SPOT, "x"] for i in range(9)]
    supply(embedded, write_csv(tmp_path / "1.csv", rows, COUNCIL_HEADER))
    with pytest.raises(Conflict, match=CHANGED):
        made_while(embedded, step, lambda: happens(embedded, tmp_path))
    assert embedded.store.runs.runs(SCOPE) == []


def test_a_supply_that_only_adds_is_the_next_analysis(embedded: Lapwing, tmp_path: Path) -> None:
    save_mapping(embedded)
    rows = [[f"R{i}", "2026-01-02", *SPOT, "x"] for i in range(9)]
    supply(embedded, write_csv(tmp_path / "1.csv", rows, COUNCIL_HEADER))
    more = write_csv(tmp_path / "2.csv", [*rows, ["R9", "2026-01-03", *SPOT, "x"]], COUNCIL_HEADER)
    made = made_while(embedded, "Clustering", lambda: supply(embedded, more))
    assert (made.summary["records"], run_of(embedded).summary["records"]) == (9, 10)


# --- an analysis that does not say whether it may be shared -------------------------------------------------------------


def test_an_analysis_that_does_not_say_whether_it_may_be_shared_is_made_again(lapwing: Lapwing, tmp_path: Path) -> None:
    load(lapwing, write_csv(tmp_path / "a.csv", stack([(*SPOT, 12)])))
    run = run_of(lapwing)
    summary = {name: told for name, told in run.summary.items() if name != SHAREABLE}
    with lapwing.database.transaction():
        mark = "?" if lapwing.database.dialect == "sqlite" else "%s"
        lapwing.database._connection().execute(
            f"UPDATE run SET summary = {mark}", (json.dumps(summary, sort_keys=True),)
        )
    assert SHAREABLE not in lapwing.store.runs.get(SCOPE, run.run_id).summary
    again = run_of(lapwing)
    assert (again.run_id, again.summary[SHAREABLE]) == (run.run_id, True)
    assert lapwing.store.runs.get(SCOPE, run.run_id).summary[SHAREABLE]


def test_whether_an_analysis_is_whole_is_known_without_loading_its_map(
    embedded: Lapwing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(embedded, write_csv(tmp_path / "a.csv", stack([(*SPOT, 12)])))
    run = run_of(embedded)
    monkeypatch.setattr(Views, "load", lambda *_: pytest.fail("a map was loaded"))
    assert run_of(embedded).generated_at_us == run.generated_at_us
