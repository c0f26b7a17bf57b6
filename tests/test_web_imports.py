"""The import page without a browser: what each step shows, keeps and refuses."""

import io
import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from flask.testing import FlaskClient

from app.services import accounts
from app.web import make_app
from app.wiring import Lapwing
from geo.model import Role, Scope
from tests.conftest import NOW_US
from tests.files import BATH, row, square, write_csv, write_geojson

SCOPE = Scope()
HEADER = ("id", "date", "longitude", "latitude", "kind")
COLUMNS = {f"column-{i}": name for i, name in enumerate(HEADER)}


@pytest.fixture
def client(embedded: Lapwing, scope: Scope) -> FlaskClient:
    return signed_in(embedded, scope, Role.ANALYST)


def signed_in(app: Lapwing, scope: Scope, role: Role) -> FlaskClient:
    web = make_app(app)
    web.config["WTF_CSRF_ENABLED"] = False
    client = web.test_client()
    assert client.post(accounts.add_user(app.store, scope, f"{role}-1", role, now_us=NOW_US)).status_code == 302
    return client


def upload(client: FlaskClient, content: bytes, kind: str = "incidents", name: str = "a.csv", **told: str) -> Any:
    data = {"kind": kind, "source": "Council", "file": (io.BytesIO(content), name), **told}
    return client.post("/imports/upload", data=data)


def csv_bytes(folder: Path, rows: list[list[Any]]) -> bytes:
    return write_csv(folder / "a.csv", rows).read_bytes()


def follow(client: FlaskClient, response: Any) -> Any:
    """Go where a step leads, also through a page that waits for long work."""
    for _ in range(200):
        if response.status_code != 302:
            if "/imports/progress/" not in response.request.path:
                return response
            response = client.get(response.request.path)
        else:
            response = client.get(response.headers["Location"])
    raise AssertionError("the work never ended")


def step(client: FlaskClient, name: str, data: dict[str, Any] | None = None, *, page: Any = None) -> Any:
    """Press a button, on the page of the columns if on no other: its form names the file that it is about."""
    page = page or client.get("/imports/columns")
    hidden = dict(re.findall(r'<input type="hidden" name="(upload|checked)" value="([^"]+)">', page.text))
    return client.post(f"/imports/{name}", data=hidden | (data or {}))


def title(response: Any) -> str:
    return re.sub(r"<[^>]+>", "", re.search(r"<h1.*?</h1>", response.text, re.DOTALL)[0]).strip()  # type: ignore[index]


def test_from_upload_to_undo(client: FlaskClient, embedded: Lapwing, tmp_path: Path) -> None:
    rows = [row(1), row(2, date="soon"), row(3, kind="ask Mrs Khan"), row(4)]
    assert upload(client, csv_bytes(tmp_path, rows)).headers["Location"] == "/imports/columns"
    page = client.get("/imports/columns")
    assert page.text.count("<option selected") == len(HEADER) or page.text.count("selected") >= len(HEADER)
    checked = follow(client, step(client, "columns", COLUMNS | {"source": "Council"}))
    assert title(checked) == "2 rows of 4 can be used"
    assert "Khan" not in checked.text
    assert "It says: soon" in checked.text
    corrections = {"row-3-date": "2024-03-10", "row-4-kind": "shouting"}
    checked = follow(client, step(client, "correct", corrections, page=checked))
    assert title(checked) == "4 rows of 4 can be used"
    assert embedded.store.evidence.batches(SCOPE) == []  # nothing is stored before somebody confirms
    done = follow(client, step(client, "confirm", {"mapping_name": "council"}, page=checked))
    (batch,) = embedded.store.evidence.batches(SCOPE)
    assert (batch.accepted, batch.rejected, batch.file_name) == (4, 0, "a.csv")
    assert "Imported: 4 new rows." in done.text
    assert list((tmp_path / "var/uploads").iterdir()) == []
    assert embedded.store.supplies.mapping(SCOPE, "council").version == 1
    client.post(f"/imports/batch/{batch.batch_id}/undo")
    assert "was undone" in client.get(f"/imports/batch/{batch.batch_id}").text
    assert embedded.store.evidence.record_counts(SCOPE) == {}


def test_the_saved_mapping_reads_the_next_file_the_same_way(
    client: FlaskClient, embedded: Lapwing, tmp_path: Path
) -> None:
    header = ("Ref", "When", "X", "Y", "What", "Remark")
    first = write_csv(tmp_path / "a.csv", [[1, "2024-03-09", *BATH, "ASB", "private words"]], header).read_bytes()
    upload(client, first)
    chosen = {f"column-{i}": field for i, field in enumerate(("id", "date", "longitude", "latitude", "kind", ""))}
    told = chosen | {"source": "Council", "agency": "Anytown Council"}
    checked = follow(client, step(client, "columns", told))
    follow(client, step(client, "confirm", {"mapping_name": "council"}, page=checked))
    second = write_csv(tmp_path / "b.csv", [[2, "2024-03-10", *BATH, "ASB", "private words"]], header).read_bytes()
    upload(client, second, name="b.csv", mapping="council", source="")
    checked = follow(client, step(client, "columns", chosen | {"source": ""}))
    follow(client, step(client, "confirm", page=checked))
    found = embedded.store.evidence.records(SCOPE, ["incidents"])
    assert found["agency"].tolist() == ["Anytown Council"] * 2
    assert found["source"].tolist() == ["Council"] * 2


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"kind": ""}, "Say what the file holds."),
        ({"content": b""}, "the file is empty"),
        ({"content": b"%PDF-1.7\n"}, "this is a PDF"),
        ({"mapping": "nobody"}, "No mapping is called"),
    ],
)
def test_what_cannot_be_read_is_said_on_the_page(
    client: FlaskClient, tmp_path: Path, told: dict[str, Any], words: str
) -> None:
    content = told.pop("content", csv_bytes(tmp_path, [row()]))
    page = upload(client, content, **told)
    assert page.status_code == 422
    assert words in page.text
    assert not (tmp_path / "var/uploads").exists() or not list((tmp_path / "var/uploads").iterdir())


def test_a_column_must_say_when(client: FlaskClient, tmp_path: Path) -> None:
    upload(client, csv_bytes(tmp_path, [row()]))
    page = step(client, "columns", COLUMNS | {"column-1": ""})
    assert page.status_code == 422
    assert "no date column among: id, date, longitude, latitude, kind." in page.text
    assert "--map" not in page.text


def test_two_columns_cannot_be_one_field(client: FlaskClient, tmp_path: Path) -> None:
    upload(client, csv_bytes(tmp_path, [row()]))
    page = step(client, "columns", COLUMNS | {"column-0": "kind"})
    assert page.status_code == 422
    assert "cannot both be the kind" in page.text


def test_without_an_upload_there_is_nothing_to_confirm(client: FlaskClient, tmp_path: Path) -> None:
    assert client.get("/imports/columns").status_code == 404
    assert client.post("/imports/confirm").status_code == 404
    upload(client, csv_bytes(tmp_path, [row()]))
    step(client, "cancel")
    assert client.post("/imports/confirm").status_code == 404


def test_an_upload_is_one_persons(embedded: Lapwing, scope: Scope, client: FlaskClient, tmp_path: Path) -> None:
    upload(client, csv_bytes(tmp_path, [row()]))
    key = client.get_cookie("lapwing_upload", path="/imports")
    assert key is not None
    web = make_app(embedded)
    web.config["WTF_CSRF_ENABLED"] = False
    other = web.test_client()
    other.post(accounts.add_user(embedded.store, scope, "somebody-else", Role.ANALYST, now_us=NOW_US))
    other.set_cookie("lapwing_upload", key.value, path="/imports")
    assert other.get("/imports/columns").status_code == 404


def test_reference_geography_is_imported_and_its_repairs_are_told(
    client: FlaskClient, embedded: Lapwing, tmp_path: Path
) -> None:
    path = write_geojson(tmp_path / "p.geojson", [({"name": "Alice Park"}, square(-2.36, 51.38, 0.01))])
    upload(client, path.read_bytes(), "parks", "p.geojson")
    done = follow(client, step(client, "columns", {"source": "Council"}))
    assert "Imported: 1 new row." in done.text
    assert embedded.store.evidence.feature_counts(SCOPE) == {"parks": 1}


def test_candidates_are_chosen_on_the_page_of_the_file(client: FlaskClient, embedded: Lapwing, tmp_path: Path) -> None:
    header = ("id", "date", "place")
    upload(client, write_csv(tmp_path / "a.csv", [[1, "2024-03-09", "Alise Park"]], header).read_bytes())
    checked = follow(client, step(client, "columns", {f"column-{i}": name for i, name in enumerate(header)}))
    follow(client, step(client, "confirm", page=checked))
    (batch,) = embedded.store.evidence.batches(SCOPE)
    path = write_geojson(tmp_path / "p.geojson", [({"name": "Alice Park"}, square(-2.36, 51.38, 0.01))])
    upload(client, path.read_bytes(), "parks", "p.geojson")
    follow(client, step(client, "columns", {"source": "Council"}))
    page = client.get(f"/imports/batch/{batch.batch_id}")
    candidate = re.search(r'<option value="([0-9a-f]{12})">Alice Park', page.text)
    assert candidate is not None
    data = {"text-0": "Alise Park", "choice-0": candidate[1]}
    assert "1 record placed." in client.post(f"/imports/batch/{batch.batch_id}/locate", data=data).text
    assert embedded.store.evidence.records(SCOPE, ["incidents"])["method"].tolist() == ["chosen"]


@pytest.mark.parametrize("kind", ["incidents", "observations", "sightings", "effort", "parks"])
def test_a_template_for_partners(client: FlaskClient, kind: str) -> None:
    answer = client.get(f"/imports/template/{kind}")
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    assert len(book.sheetnames) >= 3
    assert f'filename="lapwing-{kind}.xlsx"' in answer.headers["Content-Disposition"]
    assert client.get("/imports/template/people").status_code == 404
