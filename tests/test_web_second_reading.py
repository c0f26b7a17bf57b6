"""What a second reading of the web side found: files that must not be mixed up, corrections that must say what they do."""

import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.services import entering
from app.services.jobs import Job
from app.wiring import Lapwing
from geo.errors import InvalidParameter
from geo.model import Role, Scope
from geo.temporal import BadDate, parse_time
from tests.files import load, row, square, terms_of, write_csv, write_geojson
from tests.test_web_imports import COLUMNS, csv_bytes, follow, signed_in, step, title, upload

SCOPE = Scope()
SESSION = {"area": "Alice Park", "day": "2026-03-20", "start": "19:00", "end": "21:30", "workers": "2"}
ALICE, HENRIETTA = (-2.35, 51.39), (-2.38, 51.37)


@pytest.fixture
def analyst(embedded: Lapwing, scope: Scope) -> FlaskClient:
    return signed_in(embedded, scope, Role.ANALYST)


def two_parks(app: Lapwing, folder: Path) -> None:
    shapes = [
        ({"name": name}, square(*at, 0.002)) for name, at in (("Alice Park", ALICE), ("Henrietta Gardens", HENRIETTA))
    ]
    load(app, write_geojson(folder / "parks.geojson", shapes), "parks")


def newest(app: Lapwing, kind: str = "effort") -> list[dict[str, Any]]:
    return app.store.evidence.newest_records(SCOPE, [kind], count=20)


def key_of(record: dict[str, Any]) -> str:
    return bytes(record["record_key"]).hex()


def geojson(geometry: str) -> bytes:
    feature = f'{{"type":"Feature","properties":{{"date":"2024-01-01","name":"a"}},"geometry":{geometry}}}'
    return f'{{"type":"FeatureCollection","features":[{feature}]}}'.encode()


# What GDAL says of a file quotes it. It speaks in another way in the thread of a page than in the main one.
TALK = """
import sys, threading
from data.readers import FileSource, read_file
from geo.crs import MetricCrs
content = sys.stdin.buffer.read()
def read():
    list(read_file(FileSource("a.geojson", content=content), "incidents", crs=MetricCrs(27700)).chunks())
read()
thread = threading.Thread(target=read)
thread.start()
thread.join()
"""


@pytest.mark.parametrize("debug", ["", "ON"])
def test_nothing_of_a_file_is_on_stderr(debug: str) -> None:
    content = geojson('{"type":"Point","coordinates":["Mrs Khan 07700 900123",51.3812]}')
    environment = {**os.environ, "CPL_DEBUG": debug}
    done = subprocess.run(
        [sys.executable, "-c", TALK], input=content, capture_output=True, env=environment, check=True, timeout=60
    )
    assert done.stderr == b""


def test_correcting_the_name_of_a_place_moves_the_record(
    analyst: FlaskClient, embedded: Lapwing, tmp_path: Path
) -> None:
    two_parks(embedded, tmp_path)
    analyst.post("/records/new/effort", data=SESSION)
    (first,) = newest(embedded)
    analyst.post(f"/records/{key_of(first)}/correct", data=SESSION | {"workers": "3"})
    (second,) = newest(embedded)
    assert (second["lon"], second["lat"], second["method"]) == (first["lon"], first["lat"], "name")
    moved = SESSION | {"workers": "3", "area": "Henrietta Gardens"}
    analyst.post(f"/records/{key_of(second)}/correct", data=moved)
    (third,) = newest(embedded)
    assert HENRIETTA[0] < third["lon"] < HENRIETTA[0] + 0.002
    assert third["method"] == "name"
    answer = analyst.post(f"/records/{key_of(third)}/correct", data=moved | {"area": "Nowhere Lane"})
    (fourth,) = newest(embedded)
    assert (fourth["location_basis"], fourth["lon"]) == ("none", None)
    assert "no imported place answers to these words" in analyst.get(answer.headers["Location"]).text


@pytest.mark.parametrize(
    ("told", "lon", "method"),
    [({"place": "Henrietta Gardens"}, -2.379, "name"), ({"grid_ref": "ST 750 646"}, -2.360, "grid_ref")],
)
def test_an_observation_moves_to_the_place_or_grid_reference_told(
    analyst: FlaskClient, embedded: Lapwing, tmp_path: Path, told: dict[str, str], lon: float, method: str
) -> None:
    two_parks(embedded, tmp_path)
    form = {"day": "2026-03-20", "start": "20:00", "count_band": "3-5"}
    analyst.post("/records/new/observations", data=form | {"place": "Alice Park"})
    analyst.post(f"/records/{key_of(newest(embedded, 'observations')[0])}/correct", data=form | told)
    (record,) = newest(embedded, "observations")
    assert record["lon"] == pytest.approx(lon, abs=0.001)
    assert record["method"] == method


def test_a_place_corrected_on_either_store(lapwing: Lapwing, tmp_path: Path) -> None:
    store, terms = lapwing.store, terms_of(lapwing)
    load(
        lapwing,
        write_csv(tmp_path / "a.csv", [[1, "2026-01-01", "x", "Nowhere Lane"]], ("id", "date", "kind", "place")),
    )
    key = bytes(newest(lapwing, "incidents")[0]["record_key"])
    moved = entering.correct(store, SCOPE, key, {"place": "Somewhere Else"}, terms)
    assert moved.problems == {}
    assert store.locations.hints_of(SCOPE, moved.record_key) == {"place": "Somewhere Else"}
    again = entering.correct(store, SCOPE, moved.record_key, {"kind": "y"}, terms)
    assert store.locations.hints_of(SCOPE, again.record_key) == {"place": "Somewhere Else"}
    assert [(one["category"], one["lon"]) for one in newest(lapwing, "incidents")] == [("y", None)]


def test_an_area_corrected_alone_is_where_the_session_was(embedded: Lapwing) -> None:
    store, terms = embedded.store, terms_of(embedded)
    told = {"from": "2026-01-01T20:00", "to": "2026-01-01T22:00", "area": "North Park", "session_id": "s1"}
    key = entering.enter(store, SCOPE, "effort", told, terms).record_key
    for name in ("area", "place"):
        key = entering.correct(store, SCOPE, key, {name: f"South Park by {name}"}, terms).record_key
        assert store.locations.hints_of(SCOPE, key) == {"place": f"South Park by {name}"}
        assert json.loads(store.evidence.record(SCOPE, key)["detail"])["area"] == f"South Park by {name}"


def test_a_correction_of_workers_leaves_the_words_of_the_place(
    analyst: FlaskClient, embedded: Lapwing, tmp_path: Path
) -> None:
    header = ("date", "area", "place", "workers")
    rows = [["2024-03-09", "North", "Alice Park", 2], ["2024-03-10", "", "Henrietta Gardens", 2]]
    load(embedded, write_csv(tmp_path / "e.csv", rows, header), "effort")
    for record, area in zip(newest(embedded), ("Henrietta Gardens", "North"), strict=True):
        page = analyst.get(f"/records/{key_of(record)}/correct").text
        form = {"area": area, "day": re.search(r'value="(2024-03-\d\d)"', page)[1], "start": "", "end": ""}  # type: ignore[index]
        assert f'value="{area}"' in page
        assert analyst.post(f"/records/{key_of(record)}/correct", data=form | {"workers": "2"}).status_code == 422
        assert analyst.post(f"/records/{key_of(record)}/correct", data=form | {"workers": "3"}).status_code == 302
    hints = [embedded.store.locations.hints_of(SCOPE, bytes(one["record_key"])) for one in newest(embedded)]
    assert hints == [{"place": "Henrietta Gardens"}, {"place": "Alice Park"}]


def test_what_is_confirmed_is_what_was_checked(analyst: FlaskClient, embedded: Lapwing, tmp_path: Path) -> None:
    upload(analyst, csv_bytes(tmp_path, [row(1), row(2)]), name="one.csv")
    checked = follow(analyst, step(analyst, "columns", COLUMNS | {"source": "Council"}))
    assert title(checked) == "2 rows of 2 can be used"
    upload(analyst, csv_bytes(tmp_path, [row(i) for i in range(10, 17)]), name="two.csv", kind="observations")
    assert len(list((tmp_path / "var/uploads").glob("*.content"))) == 1  # the first file is nobody's any more
    for name in ("confirm", "correct", "cancel"):
        page = step(analyst, name, page=checked)
        assert page.status_code == 409
        assert "another file" in page.text
    assert step(analyst, "confirm").status_code == 409  # whose columns nobody chose
    assert embedded.store.evidence.batches(SCOPE) == []
    assert analyst.get("/imports/columns").status_code == 200  # the second file is still there


def test_choices_changed_in_another_window_are_checked_anew(
    analyst: FlaskClient, embedded: Lapwing, tmp_path: Path
) -> None:
    upload(analyst, csv_bytes(tmp_path, [row(1)]))
    checked = follow(analyst, step(analyst, "columns", COLUMNS | {"source": "Council"}))
    follow(analyst, step(analyst, "columns", COLUMNS | {"source": "Police"}))
    assert step(analyst, "confirm", page=checked).status_code == 409
    assert embedded.store.evidence.batches(SCOPE) == []


def test_import_pressed_twice_is_one_import(analyst: FlaskClient, embedded: Lapwing, tmp_path: Path) -> None:
    upload(analyst, csv_bytes(tmp_path, [row(1), row(2)]))
    checked = follow(analyst, step(analyst, "columns", COLUMNS | {"source": "Council"}))
    first, second = (step(analyst, "confirm", page=checked) for _ in range(2))
    assert "Imported: 2 new rows." in follow(analyst, first).text
    assert "Imported: 2 new rows." in follow(analyst, second).text
    assert (
        "Imported: 2 new rows." in follow(analyst, step(analyst, "confirm", page=checked)).text
    )  # Back, and once more
    (batch,) = embedded.store.evidence.batches(SCOPE)
    assert (batch.accepted, batch.duplicates) == (2, 0)


def test_two_presses_at_one_moment_begin_one_work(embedded: Lapwing) -> None:
    jobs, begun, gate = embedded.jobs, [], threading.Barrier(4)

    def press() -> None:
        gate.wait(10)
        begun.append(jobs.once("ann", "import:x", lambda: jobs.start("ann", lambda seen: seen(1.0), now_us=0)))

    presses = [threading.Thread(target=press) for _ in range(4)]
    for one in presses:
        one.start()
    for one in presses:
        one.join()
    assert len({job.job_id for job in begun}) == 1
    assert jobs.about("bob", "import:x") is None


def test_work_that_failed_can_be_begun_again(embedded: Lapwing) -> None:
    def fail(_: Any) -> None:
        raise InvalidParameter("no")

    def begin() -> Job:
        return embedded.jobs.start("ann", fail, now_us=0)

    first = embedded.jobs.once("ann", "import:x", begin)
    assert first.wait(10)
    assert embedded.jobs.once("ann", "import:x", begin).job_id != first.job_id


def test_a_page_of_other_or_unfinished_work_says_so(analyst: FlaskClient, embedded: Lapwing, tmp_path: Path) -> None:
    upload(analyst, csv_bytes(tmp_path, [row(1)]))
    answer = step(analyst, "columns", COLUMNS | {"source": "Council"})
    check = answer.headers["Location"].rsplit("/", 1)[1]
    assert analyst.get(f"/imports/imported/{check}").status_code == 404
    done = step(analyst, "confirm", page=follow(analyst, answer)).headers["Location"].rsplit("/", 1)[1]
    assert analyst.get(f"/imports/check/{done}").status_code == 404
    gate = threading.Event()
    owner = embedded.jobs.get(done, "analyst-1").owner
    for subject, page in (("check:x:y", "check"), ("import:x", "imported")):
        job = embedded.jobs.start(owner, lambda _: gate.wait(10), now_us=embedded.clock())
        job.subject = subject
        answer = analyst.get(f"/imports/{page}/{job.job_id}")
        assert answer.headers["Location"] == f"/imports/progress/{job.job_id}/{page}"
    gate.set()


@pytest.mark.parametrize("kind", ["incidents", "parks"])
@pytest.mark.parametrize(
    "ring",
    ["[[-2.3,51.3],[-2.2,51.3]]", "[[-2.3,51.3],[-2.2,51.3],[-2.2,51.4]]"],
    ids=["two points", "unclosed"],
)
def test_a_broken_ring_is_one_rejected_row(
    analyst: FlaskClient, embedded: Lapwing, tmp_path: Path, kind: str, ring: str
) -> None:
    broken = geojson(f'{{"type":"Polygon","coordinates":[{ring}]}}')
    assert upload(analyst, broken, kind, "a.geojson").status_code == 302
    path = tmp_path / "a.geojson"
    path.write_bytes(broken)
    report = load(embedded, path, kind)
    assert (report.batch.accepted, report.reasons) == (0, {"bad_geometry": 1})


def test_deeply_nested_json_is_one_clear_line(analyst: FlaskClient) -> None:
    page = upload(analyst, b'{"a":' * 5000 + b"1" + b"}" * 5000, name="a.json")
    assert page.status_code == 422
    assert "nothing was imported" in page.text


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_half_a_character_is_replaced(analyst: FlaskClient, embedded: Lapwing, name: str) -> None:
    line = '{"date":"2024-01-01","kind":"x \\ud800","\\udc00":"1"}'
    upload(analyst, (f"[{line}]" if name == "a.json" else f"{line}\n{line}\n").encode(), name=name)
    checked = follow(analyst, step(analyst, "columns", {"column-0": "date", "column-1": "kind", "source": "Council"}))
    follow(analyst, step(analyst, "confirm", page=checked))
    assert {one["category"] for one in newest(embedded, "incidents")} == {"x \ufffd"}


def test_what_was_not_said_stays_unsaid(analyst: FlaskClient, embedded: Lapwing, tmp_path: Path) -> None:
    load(
        embedded,
        write_csv(tmp_path / "e.csv", [["2024-03-09", "Alice Park", 2]], ("date", "area", "workers")),
        "effort",
    )
    (first,) = newest(embedded)
    form = {"area": "Alice Park", "day": "2024-03-09", "start": "", "end": "", "workers": "3"}
    assert '<option value="" selected>Not said' in analyst.get(f"/records/{key_of(first)}/correct").text
    answer = analyst.post(f"/records/{key_of(first)}/correct", data=form | {"seen": ""})
    assert "not said" in analyst.get(answer.headers["Location"]).text
    (second,) = newest(embedded)
    assert json.loads(second["detail"]) == {"area": "Alice Park", "workers": 3}
    analyst.post(f"/records/{key_of(second)}/correct", data=form | {"seen": "no"})
    (third,) = newest(embedded)
    assert json.loads(third["detail"])["nothing_seen"] == "yes"
    assert '<option value="no" selected>Nothing was seen' in analyst.get(f"/records/{key_of(third)}/correct").text


def test_a_month_is_corrected_without_inventing_a_day(analyst: FlaskClient, embedded: Lapwing, tmp_path: Path) -> None:
    load(embedded, write_csv(tmp_path / "i.csv", [row(1, date="2024-03")]))
    (first,) = newest(embedded, "incidents")
    assert "2024-03" in analyst.get("/records?kind=incidents").text
    assert "Only the month is known: 2024-03" in analyst.get(f"/records/{key_of(first)}/correct").text
    form = {"kind": "other", "day": "", "start": ""}
    assert analyst.post(f"/records/{key_of(first)}/correct", data=form).status_code == 302
    (second,) = newest(embedded, "incidents")
    assert (second["category"], second["time_basis"]) == ("other", "month")
    assert (second["from_us"], second["to_us"]) == (first["from_us"], first["to_us"])


def test_how_it_came_to_light_can_be_corrected(analyst: FlaskClient, embedded: Lapwing, tmp_path: Path) -> None:
    load(embedded, write_csv(tmp_path / "i.csv", [row(1)]))
    form = {"kind": "x", "day": "2024-03-09", "start": "", "urn": "1", "source_type": "discovered"}
    assert analyst.post(f"/records/{key_of(newest(embedded, 'incidents')[0])}/correct", data=form).status_code == 302
    assert newest(embedded, "incidents")[0]["source_type"] == "discovered"


def test_of_two_corrections_at_once_one_is_refused(embedded: Lapwing, monkeypatch: pytest.MonkeyPatch) -> None:
    store, terms = embedded.store, terms_of(embedded)
    told = {"from": "2026-01-01T20:00", "to": "2026-01-01T22:00", "area": "North Park"}
    key = entering.enter(store, SCOPE, "effort", told, terms).record_key
    plain, others = entering._check, [{"workers": "3"}]

    def meanwhile(*told: Any) -> Any:
        checked = plain(*told)
        if others:
            entering.correct(store, SCOPE, key, others.pop(), terms)
        return checked

    monkeypatch.setattr(entering, "_check", meanwhile)
    with pytest.raises(InvalidParameter, match="Somebody has corrected this record meanwhile"):
        entering.correct(store, SCOPE, key, {"workers": "4"}, terms)
    (record,) = newest(embedded)
    assert json.loads(record["detail"])["workers"] == 3
    assert len(store.evidence.batches(SCOPE)) == 2  # nothing of the second is left


def test_two_equal_rows_corrected_alike_stay_two(embedded: Lapwing, tmp_path: Path) -> None:
    load(embedded, write_csv(tmp_path / "a.csv", [row(""), row("")]))
    for one in newest(embedded, "incidents"):
        done = entering.correct(embedded.store, SCOPE, bytes(one["record_key"]), {"kind": "y"}, terms_of(embedded))
        assert done.report is not None
        assert (done.report.batch.accepted, done.report.batch.duplicates) == (1, 0)
    assert [one["category"] for one in newest(embedded, "incidents")] == ["y", "y"]


def test_a_space_more_is_no_correction(embedded: Lapwing, tmp_path: Path) -> None:
    load(embedded, write_csv(tmp_path / "a.csv", [row(1)]))
    key = bytes(newest(embedded, "incidents")[0]["record_key"])
    for told in ({"kind": " x"}, {"grade": ""}):
        done = entering.correct(embedded.store, SCOPE, key, told, terms_of(embedded))
        assert done.problems == {"": "Nothing was changed."}
    assert len(embedded.store.evidence.batches(SCOPE)) == 1


def test_a_form_sent_twice_is_taken_back_at_once(analyst: FlaskClient, embedded: Lapwing) -> None:
    for _ in range(2):
        analyst.post("/records/new/effort", data=SESSION)
    assert len(embedded.store.evidence.batches(SCOPE)) == 1
    analyst.post(f"/records/{key_of(newest(embedded)[0])}/undo")
    assert newest(embedded) == []


def test_a_form_sent_again_leads_to_the_version_that_counts(analyst: FlaskClient, embedded: Lapwing) -> None:
    analyst.post("/records/new/effort", data=SESSION)
    analyst.post(f"/records/{key_of(newest(embedded)[0])}/correct", data=SESSION | {"workers": "3"})
    again = analyst.post("/records/new/effort", data=SESSION)
    assert key_of(newest(embedded)[0]) in again.headers["Location"]


def test_a_file_is_a_file_whatever_its_name(
    analyst: FlaskClient, embedded: Lapwing, scope: Scope, tmp_path: Path
) -> None:
    rows = [[f"2024-03-0{day}", "Alice Park", 2] for day in range(1, 9)]
    load(embedded, write_csv(tmp_path / entering.FILE_NAME, rows, ("date", "area", "workers")), "effort")
    record = newest(embedded)[0]
    coordinator = signed_in(embedded, scope, Role.COORDINATOR)
    assert coordinator.post(f"/records/{key_of(record)}/undo").status_code == 422
    assert "Take it back" not in coordinator.get(f"/records/{key_of(record)}/stored").text
    assert len(newest(embedded)) == 8
    assert entering.FILE_NAME in analyst.get("/imports").text
    coordinator.post(
        f"/records/{key_of(record)}/correct", data={"area": "Alice Park", "day": "2024-03-08", "workers": "3"}
    )
    assert analyst.get("/imports").text.count(entering.FILE_NAME) == 1  # what a form stored is no file


def test_whoever_sees_a_record_is_in_the_audit_log(analyst: FlaskClient, embedded: Lapwing) -> None:
    answer = analyst.post("/records/new/effort", data=SESSION)
    before = len(embedded.store.audit.events(SCOPE))
    analyst.get(answer.headers["Location"])
    (entry,) = embedded.store.audit.events(SCOPE)[before:]
    assert entry["subject"] == f"record:{key_of(newest(embedded)[0])[:16]}"


def test_a_coarse_cell_is_on_no_map(analyst: FlaskClient, embedded: Lapwing, tmp_path: Path) -> None:
    two_parks(embedded, tmp_path)
    refuge = {"type": "Point", "coordinates": [ALICE[0] + 0.001, ALICE[1] + 0.001]}
    load(embedded, write_geojson(tmp_path / "p.geojson", [({"name": "refuge"}, refuge)]), "protected")
    answer = analyst.post("/records/new/effort", data=SESSION)
    assert newest(embedded)[0]["location_basis"] == "cell"
    assert "only a coarse cell is kept" in analyst.get(answer.headers["Location"]).text


def test_what_was_placed_is_not_what_can_be_placed(analyst: FlaskClient, embedded: Lapwing, tmp_path: Path) -> None:
    rows = [["2024-03-09", "Alice Park", "3-5"], ["2024-03-10", "Henrietta Gardens", "3-5"]]
    path = write_csv(tmp_path / "o.csv", rows, ("date", "place", "count_band"))
    batch = load(embedded, path, "observations").batch
    shapes = [({"name": "Alice Park"}, square(west, 51.39, 0.002)) for west in (-2.35, -2.30)]
    shapes.append(({"name": "Henrietta Gardens"}, square(*HENRIETTA, 0.002)))
    load(embedded, write_geojson(tmp_path / "parks.geojson", shapes), "parks")
    address = f"/imports/batch/{batch.batch_id}"
    assert "1 record can be placed for certain." in analyst.get(address).text
    page = analyst.post(f"{address}/locate", data={}).text
    assert "1 record was placed." in page
    assert "can be placed for certain" not in page


@pytest.mark.parametrize("text", ["bad \x1f kind", "bad \ud800 kind"])
def test_what_cannot_be_printed_is_a_space(embedded: Lapwing, text: str) -> None:
    told = {"date": "2026-01-01", "kind": text}
    assert entering.enter(embedded.store, SCOPE, "incidents", told, terms_of(embedded)).problems == {}
    assert newest(embedded, "incidents")[0]["category"].split() == ["bad", "kind"]


def test_a_text_beyond_measure_is_said_at_its_field(embedded: Lapwing) -> None:
    told = {"date": "2026-01-01", "notes": "x" * 2_000_000}
    done = entering.enter(embedded.store, SCOPE, "incidents", told, terms_of(embedded))
    assert done.problems == {"notes": "this is longer than 20,000 characters"}


def test_the_list_says_where_and_what(analyst: FlaskClient, embedded: Lapwing, tmp_path: Path) -> None:
    header = ("date", "longitude", "latitude", "area", "workers", "nothing_seen")
    rows = [
        ["2024-03-09", -2.36, 51.38, "", "", ""],
        ["2024-03-10", "", "", "Alice Park", 2, "yes"],
        ["2024-03-11", "", "", "", 1, "no"],
    ]
    load(embedded, write_csv(tmp_path / "e.csv", rows, header), "effort")
    cells = re.findall(r'<td class="govuk-table__cell">\s*([^<]*?)\s*</td>', analyst.get("/records").text)
    assert [cells[i : i + 3] for i in range(0, len(cells), 3)] == [
        ["2024-03-11", "not known", "1 worker, something seen"],
        ["2024-03-10", "Alice Park", "2 workers, nothing seen"],
        ["2024-03-09", "-2.360, 51.380", "an outreach session"],
    ]


@pytest.mark.parametrize("text", ["31/02/2026", "31/02/2026 16:05", "29/03/2026 01:30"])
def test_a_bad_date_is_quoted_as_the_file_has_it(text: str) -> None:
    with pytest.raises(BadDate, match=re.escape(repr(text))):
        parse_time(text)


def test_a_bad_date_with_its_time_in_another_column(embedded: Lapwing, tmp_path: Path) -> None:
    header = ("date", "time", "longitude", "latitude", "kind")
    batch = load(embedded, write_csv(tmp_path / "a.csv", [["31/02/2026", "16:05", -2.36, 51.38, "x"]], header)).batch
    (detail,) = embedded.store.evidence.quarantine(SCOPE, batch.batch_id)["detail"]
    assert detail.startswith("'31/02/2026 16:05' is not a date")
