"""Files that are not what they should be: one clear line or a reason on every row; nothing lost, nothing half-kept."""

import gzip
import json
import os
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import shapely

from tests.files import (
    BATH,
    HEADER,
    Outcome,
    command,
    gzipped,
    row,
    square,
    write_csv,
    write_geojson,
    write_gpkg,
)

GOOD = "\n".join([",".join(HEADER), *(f"{i},2024-03-09,{BATH[0]},{BATH[1]},x" for i in range(3))]) + "\n"
Maker = Callable[[Path], Path]


def text(name: str, content: str, encoding: str = "utf-8") -> Maker:
    return raw(name, content.encode(encoding))


def raw(name: str, content: bytes) -> Maker:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def workbook(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "book.csv", "w") as book:
        book.writestr("[Content_Types].xml", "<Types/>")
        book.writestr("xl/workbook.xml", "<workbook/>")
    return folder / "book.csv"


def points(content: str) -> Maker:
    feature = '{"type":"Feature","properties":{"date":"2024-03-09"},"geometry":{"type":"Point","coordinates":[%s]}}'
    return text("a.geojson", '{"type":"FeatureCollection","features":[%s]}' % (feature % content))


def torn_geopackage(folder: Path) -> Path:
    path = write_gpkg(folder / "torn.gpkg", [shapely.Point(BATH)] * 400, 4326, date=["2024-03-09"] * 400)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path


def scribbled_geometry(folder: Path) -> Path:
    path = write_gpkg(folder / "scribbled.gpkg", [shapely.Point(BATH)] * 3, 4326, date=["2024-03-09"] * 3)
    with closing(sqlite3.connect(path)) as connection:
        for trigger in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{trigger[0]}"')
        connection.execute("UPDATE points SET geom = x'4750000100ff' WHERE fid = 2")
        connection.commit()
    return path


def other_database(folder: Path) -> Path:
    with closing(sqlite3.connect(folder / "other.gpkg")) as connection:
        connection.execute("CREATE TABLE t (a)")
        connection.commit()
    return folder / "other.gpkg"


NOISE = np.random.default_rng(7).integers(0, 256, 5000, dtype=np.uint8).tobytes()

REFUSED: dict[str, tuple[Maker, str]] = {
    "empty": (raw("a.csv", b""), "empty"),
    "white space": (raw("a.csv", b" \r\n\t\n  \n"), "white space"),
    "binary": (raw("a.csv", b"\x7fELF\x02\x01\x01" + bytes(300)), "binary"),
    "random bytes": (raw("a.csv", NOISE), "a.csv"),
    "random bytes without zero": (raw("a.csv", NOISE.replace(b"\0", b"")), "a.csv"),
    "utf-16 without a mark": (text("a.csv", GOOD, "utf-16-le"), "binary"),
    "damaged xlsx": (workbook, "Excel"),
    "old xls": (raw("a.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)), "Excel"),
    "pdf": (raw("a.csv", b"%PDF-1.7\n1 0 obj\n"), "PDF"),
    "packed pdf": (lambda folder: gzipped(folder / "a.csv.gz", b"%PDF-1.7\n1 0 obj\n"), "PDF"),
    "cut gzip": (raw("a.csv.gz", gzip.compress(GOOD.encode() * 500)[:-40]), "gzip"),
    "damaged gzip": (raw("a.csv.gz", gzip.compress(GOOD.encode())[:20] + b"\xff" * 40), "gzip"),
    "packed nothing": (raw("a.csv.gz", gzip.compress(b"")), "a.csv.gz"),
    "open quote": (text("a.csv", GOOD + '9,"2024-03-09,1,2,x\n'), "quote"),
    "quote open for long": (text("a.csv", GOOD + '9,"2024-03-09,1,2,x\n' + GOOD * 200), "line 5"),
    "column twice": (text("a.csv", "id,date,date\n1,2024-03-09,2024-03-10\n"), "'date' stands twice"),
    "no header": (text("a.csv", "\n" + GOOD), "header"),
    "no date": (text("a.csv", "id,longitude\n1,2\n"), "--map date=COLUMN"),
    "cut geojson": (text("a.geojson", '{"type":"FeatureCollection","features":[{"type":"Feature","prop'), "geojson"),
    "not geojson": (text("a.geojson", '{"name": "a package"}'), "geojson"),
    "list": (text("a.geojson", "[1, 2, 3]"), "geojson"),
    "braces only": (text("a.geojson", "{" * 2000), "geojson"),
    "torn geopackage": (torn_geopackage, "torn.gpkg"),
    "other database": (other_database, "other.gpkg"),
    "database head only": (raw("a.gpkg", b"SQLite format 3\0" + bytes(84)), "a.gpkg"),
    "folder": (lambda folder: folder, ""),
    "missing": (lambda folder: folder / "nowhere.csv", "no such file"),
}  # fmt: skip

# name: maker, rows read, reasons of the rejected
COUNTED: dict[str, tuple[Maker, int, dict[str, int]]] = {
    "header only": (text("a.csv", ",".join(HEADER) + "\n"), 0, {}),
    "semicolons": (text("a.csv", GOOD.replace(",", ";")), 3, {}),
    "tabs": (text("a.csv", GOOD.replace(",", "\t")), 3, {}),
    "bars": (text("a.csv", GOOD.replace(",", "|")), 3, {}),
    "carriage returns": (text("a.csv", GOOD.replace("\n", "\r")), 3, {}),
    "utf-16": (text("a.csv", GOOD, "utf-16"), 3, {}),
    "utf-16 big-endian": (raw("a.csv", b"\xfe\xff" + GOOD.encode("utf-16-be")), 3, {}),
    "utf-8 with a mark": (text("a.csv", GOOD, "utf-8-sig"), 3, {}),
    "windows": (text("a.csv", GOOD.replace("x\n", "caf\xe9 \u2013 bar\n"), "cp1252"), 3, {}),
    "ragged": (text("a.csv", GOOD + "9,2024-03-09\n8,2024-03-09,1,2,x,y,z\n"), 5, {"wrong_column_count": 2}),
    "swapped": (lambda f: write_csv(f / "a.csv", [row(lon=BATH[1], lat=BATH[0])]), 1, {"out_of_range": 1}),
    "not a number": (lambda f: write_csv(f / "a.csv", [row(lon="NaN"), row(lat="inf"), row(lon="1e999")]), 3, {"bad_number": 3}),
    "null island": (lambda f: write_csv(f / "a.csv", [row(lon=0, lat=0), row(lon="0.0", lat="-0")]), 2, {"out_of_range": 2}),
    "future": (lambda f: write_csv(f / "a.csv", [row(date="2999-01-01"), row(date="2999-01")]), 2, {"future_date": 2}),
    "no dates": (
        lambda f: write_csv(f / "a.csv", [row(date=d) for d in ("", "31/02/2024", "0000-00-00", "9999-12-31", "2024-03-31T01:30")]),
        5,
        {"bad_date": 4, "missing_field": 1},
    ),
    "metres for degrees": (lambda f: write_csv(f / "a.csv", [row(lon=375000, lat=165000)]), 1, {"out_of_range": 1}),
    "half a position": (lambda f: write_csv(f / "a.csv", [row(lon=""), row(lat="")]), 2, {"missing_field": 2}),
    "abroad": (lambda f: write_csv(f / "a.csv", [row(lon=-74, lat=40.7)]), 1, {"out_of_range": 1}),
    "a novel": (lambda f: write_csv(f / "a.csv", [row(kind="word " * 60)]), 1, {"too_long": 1}),
    "empty collection": (text("a.geojson", '{"type":"FeatureCollection","features":[]}'), 0, {}),
    "geojson nan": (points("NaN,51.38"), 1, {"bad_number": 1}),
    "geojson metres": (points("375000,165000"), 1, {"out_of_range": 1}),
    "polygon record": (
        lambda f: write_geojson(f / "a.geojson", [({"date": "2024-03-09"}, square(-2.4, 51.3, 0.1))]), 1, {"bad_geometry": 1},
    ),
}  # fmt: skip


def checked(done: Outcome) -> Outcome:
    assert "Traceback" not in done.err + done.out
    assert "lapwing: unexpected" not in done.err
    assert json.loads(done.out)["read"] >= 0
    return done


def kept(home: Path) -> tuple[int, int]:
    with closing(sqlite3.connect(home / "var/lapwing.db")) as store:
        return tuple(store.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in ("batch", "record"))


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_ends_in_one_clear_line(tmp_path: Path, name: str) -> None:
    maker, words = REFUSED[name]
    folder = tmp_path / "in"
    folder.mkdir()
    done = checked(command(tmp_path, "import", "incidents", maker(folder), "--json"))
    assert done.code == 1
    assert len(done.err.splitlines()) == 1, done.err
    assert done.err.startswith("lapwing: ")
    assert words in done.err
    assert done.err.strip().isprintable()
    assert kept(tmp_path) == (0, 0)


@pytest.mark.parametrize("name", COUNTED)
def test_what_can_be_read_is_counted_to_the_last_row(tmp_path: Path, name: str) -> None:
    maker, rows, reasons = COUNTED[name]
    folder = tmp_path / "in"
    folder.mkdir()
    done = checked(command(tmp_path, "import", "incidents", maker(folder), "--json"))
    assert (done.code, done.err) == (0, "")
    counts = done.json
    assert counts["read"] == rows
    assert counts["reasons"] == reasons
    assert counts["read"] == counts["accepted"] + counts["rejected"] + counts["duplicates"]
    assert counts["rejected"] == sum(reasons.values())
    assert counts["unlocated"] == 0
    assert kept(tmp_path) == (1, counts["accepted"])


def test_polygons_are_repaired_or_rejected_and_say_so(tmp_path: Path) -> None:
    bow_tie = {
        "type": "Polygon",
        "coordinates": [[[-2.4, 51.3], [-2.3, 51.4], [-2.3, 51.3], [-2.4, 51.4], [-2.4, 51.3]]],
    }
    flat = {"type": "Polygon", "coordinates": [[[-2.4, 51.3], [-2.3, 51.3], [-2.4, 51.3], [-2.4, 51.3]]]}
    shapes = [
        bow_tie,
        flat,
        square(-2.4, 51.3, 0.1),
        None,
        square(100, 10, 1),
        {"type": "Point", "coordinates": list(BATH)},
    ]
    path = write_geojson(tmp_path / "b.geojson", [({"name": str(i)}, shape) for i, shape in enumerate(shapes)])
    done = checked(command(tmp_path, "import", "boundary", path, "--json"))
    assert (done.code, done.json["read"], done.json["accepted"]) == (0, 6, 2)
    assert done.json["batches"][0]["repaired"] == 1
    assert done.json["reasons"] == {"bad_geometry": 2, "no_coordinates": 1, "out_of_range": 1}


def test_an_end_in_the_future_is_rejected(tmp_path: Path) -> None:
    """An interval to 2999 has its midpoint centuries ahead."""
    path = write_csv(tmp_path / "a.csv", [["2024-03-09", "2999-01-01", *BATH]], ("from", "to", "longitude", "latitude"))
    assert command(tmp_path, "import", "incidents", path, "--json").json["reasons"] == {"future_date": 1}


def test_a_position_gdal_cannot_read_is_counted_as_none(tmp_path: Path) -> None:
    done = checked(command(tmp_path, "import", "incidents", scribbled_geometry(tmp_path), "--json"))
    assert (done.json["accepted"], done.json["unlocated"]) == (3, 1)


def test_a_gigabyte_on_one_line_takes_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.csv.gz"
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(",".join(HEADER).encode() + b"\n")
        for _ in range(1024):
            stream.write(b"x" * (1 << 20))
    # VmHWM and not ru_maxrss, which a child inherits from the process that made it.
    peak = "import atexit, pathlib; atexit.register(lambda: print(pathlib.Path('/proc/self/status').read_text())); "
    done = subprocess.run(
        [sys.executable, "-c", peak + "from app.cli import main; main()", "import", "incidents", str(path)],
        env=os.environ | {"LAPWING_HOME": str(tmp_path), "LAPWING_STORE": ""}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    (used_kb,) = [int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("VmHWM")]
    assert done.returncode == 1
    assert "line 2 is longer than 1 MiB" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert used_kb < 400_000


def test_one_bad_file_does_not_hold_back_the_others(tmp_path: Path) -> None:
    good = write_csv(tmp_path / "good.csv", [row()])
    bad = raw("bad.csv", b"")(tmp_path)
    done = checked(command(tmp_path, "import", "incidents", bad, good, "--json"))
    assert (done.code, done.json["accepted"]) == (1, 1)
    assert [one["file"] for one in done.json["failed"]] == ["bad.csv"]


def test_damage_anywhere_in_a_geopackage_is_never_a_surprise(tmp_path: Path) -> None:
    whole = write_gpkg(tmp_path / "whole.gpkg", [shapely.Point(BATH)] * 50, 4326, date=["2024-03-09"] * 50).read_bytes()
    random = np.random.default_rng(1)
    for number in range(40):
        content = np.frombuffer(whole, np.uint8).copy()
        at = random.integers(100, len(content), 400)
        content[at] = random.integers(0, 256, len(at), dtype=np.uint8)
        (tmp_path / f"damaged{number:02d}.gpkg").write_bytes(content.tobytes())
    done = checked(command(tmp_path, "import", "incidents", *sorted(tmp_path.glob("damaged*.gpkg")), "--json"))
    counts = done.json
    assert len(counts["batches"]) + len(counts["failed"]) == 40
    assert counts["read"] == counts["accepted"] + counts["rejected"] + counts["duplicates"]
    assert all(line.startswith("lapwing: damaged") for line in done.err.splitlines() if "Warning" not in line)
