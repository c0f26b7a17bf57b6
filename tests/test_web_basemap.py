"""The archive in ranges: exactly the bytes that were asked for, to those who may see maps, and nothing else."""

import os
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.services.basemap import build_basemap
from app.web import basemap as served
from app.wiring import Lapwing
from geo.model import Role, Scope
from tests.conftest import NOW_US
from tests.files import load, square, write_geojson
from tests.test_web_imports import signed_in

SCOPE = Scope(actor="test")
ADDRESS = "/basemap.pmtiles"


@pytest.fixture
def archive(embedded: Lapwing, tmp_path: Path) -> Path:
    parks = [({"name": f"Park {i}"}, square(-2.36 + i * 0.004, 51.38, 0.002)) for i in range(20)]
    load(embedded, write_geojson(tmp_path / "parks.geojson", parks), "parks")
    output = embedded.settings.built_basemap
    build_basemap(embedded.store, SCOPE, output, keys=embedded.keys, now_us=NOW_US, progress=lambda *_: None)
    return output


@pytest.fixture
def client(embedded: Lapwing, archive: Path) -> FlaskClient:
    return signed_in(embedded, SCOPE, Role.GIS)


def get(client: FlaskClient, wanted: str | None = None, **headers: str) -> Any:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get(ADDRESS, headers=told | ({"Range": wanted} if wanted else {}))


def test_without_a_range_the_whole_file_comes(client: FlaskClient, archive: Path) -> None:
    answer = get(client)
    assert (answer.status_code, answer.data) == (200, archive.read_bytes())
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Content-Type"] == "application/vnd.pmtiles"
    assert answer.headers["Content-Length"] == str(archive.stat().st_size)
    assert answer.headers["ETag"].startswith('"')
    assert "Content-Range" not in answer.headers


def test_a_range_is_answered_to_the_byte(client: FlaskClient, archive: Path) -> None:
    content = archive.read_bytes()
    size = len(content)
    for wanted, start, stop in (
        ("bytes=0-126", 0, 127),
        ("bytes=100-100", 100, 101),
        (f"bytes={size - 5}-", size - 5, size),
        ("bytes=-7", size - 7, size),
        (f"bytes=0-{size * 10}", 0, size),  # the library asks for more than a small file has
    ):
        answer = get(client, wanted)
        assert (answer.status_code, answer.data) == (206, content[start:stop]), wanted
        assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{size}"
        assert answer.headers["Content-Length"] == str(stop - start)


@pytest.mark.parametrize("wanted", ["bytes=99999999-", "bytes=99999999-99999999", "bytes=0-1,5-6"])
def test_a_range_that_cannot_be_had_is_refused_with_the_size(client: FlaskClient, archive: Path, wanted: str) -> None:
    answer = get(client, wanted)
    assert (answer.status_code, answer.data) == (416, b"")
    assert answer.headers["Content-Range"] == f"bytes */{archive.stat().st_size}"


@pytest.mark.parametrize("wanted", ["rows=0-5", "bytes=x-y", "bytes=5-1"])
def test_a_range_that_makes_no_sense_is_ignored(client: FlaskClient, archive: Path, wanted: str) -> None:
    assert get(client, wanted).status_code == 200


def test_etag_and_if_range(client: FlaskClient, archive: Path) -> None:
    tag = get(client).headers["ETag"]
    same = get(client, If_None_Match=tag)
    assert (same.status_code, same.data) == (304, b"")
    assert get(client, "bytes=0-9", If_Range=tag).status_code == 206
    assert get(client, "bytes=0-9", If_Range='"other"').status_code == 200
    assert get(client, "bytes=0-9", If_Range="Wed, 21 Oct 2015 07:28:00 GMT").status_code == 200
    os.utime(archive, ns=(1, 1))
    assert get(client).headers["ETag"] != tag
    assert get(client, "bytes=0-9", If_Range=tag).status_code == 200


def test_no_more_is_read_than_was_asked_for(
    client: FlaskClient, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    opened = served.open_basemap

    class Counting:
        def __init__(self, stream: Any) -> None:
            self.stream = stream
            self.fileno, self.seek, self.close = stream.fileno, stream.seek, stream.close

        def read(self, count: int) -> bytes:
            read.append(count)
            return bytes(self.stream.read(count))

    monkeypatch.setattr(served, "open_basemap", lambda *told, **more: Counting(opened(*told, **more)))
    assert get(client, "bytes=10-109").status_code == 206
    assert read == [100]


def test_head_has_the_size_and_no_body(client: FlaskClient, archive: Path) -> None:
    answer = client.head(ADDRESS)
    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["Content-Length"] == str(archive.stat().st_size)


def test_without_a_file_or_with_another_kind_of_file_there_is_nothing(client: FlaskClient, archive: Path) -> None:
    archive.write_bytes(b"root:x:0:0\n" * 100)
    assert (get(client, "bytes=0-9").status_code, get(client).data) == (204, b"")
    archive.unlink()
    assert get(client, "bytes=0-9").status_code == 204


def test_a_basemap_built_before_a_refuge_was_known_is_not_served(
    client: FlaskClient, embedded: Lapwing, tmp_path: Path
) -> None:
    point = {"type": "Point", "coordinates": [-2.36, 51.38]}
    load(embedded, write_geojson(tmp_path / "r.geojson", [({"name": "R"}, point)]), "protected")
    assert get(client, "bytes=0-9").status_code == 204


@pytest.mark.parametrize("role", [Role.ADMIN, Role.AUDITOR])
def test_roles_without_maps_have_no_basemap(embedded: Lapwing, archive: Path, role: Role) -> None:
    assert get(signed_in(embedded, SCOPE, role), "bytes=0-9").status_code == 403
