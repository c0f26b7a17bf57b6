"""Makers of test files, and the command line as a person would run it."""

import csv
import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.services.import_request import ImportReport, ImportRequest
from app.services.importing import import_file
from app.services.pseudonyms import Keyring
from app.services.terms import Terms
from app.wiring import Lapwing
from geo.model import Scope
from tests.conftest import NOW_US

KEYS = Keyring((b"k" * 32,))
TERMS = Terms(now_us=NOW_US, keys=KEYS)
BATH = (-2.36, 51.38)
HEADER = ("id", "date", "longitude", "latitude", "kind")
POLICE_HEADER = (
    "Crime ID", "Month", "Reported by", "Falls within", "Longitude", "Latitude", "Location", "LSOA code", "LSOA name",
    "Crime type", "Last outcome category", "Context",
)  # fmt: skip


def write_csv(path: Path, rows: Iterable[Sequence[Any]], header: Sequence[str] = HEADER) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([header, *rows])
    return path


def row(
    number: int = 1,
    date: str = "2024-03-09",
    lon: float | str = BATH[0],
    lat: float | str = BATH[1],
    kind: str = "x",
) -> list[Any]:
    return [number, date, lon, lat, kind]


def police_row(
    month: str = "2018-11", lon: Any = BATH[0], lat: Any = BATH[1], kind: str = "Drugs", crime: str = ""
) -> list[Any]:
    place = "On or near High Street"
    return [crime, month, "Avon Police", "Avon Police", lon, lat, place, "E01", "Bath 1", kind, "", ""]


def stack(spots: Iterable[tuple[float, float, int]], *, date: str = "2024-03-{:02d}") -> list[list[Any]]:
    """Rows heaped on (lon, lat, how many) spots, on different days."""
    numbered = [(lon, lat, i) for lon, lat, count in spots for i in range(count)]
    return [row(n, date.format(1 + i % 28), lon, lat) for n, (lon, lat, i) in enumerate(numbered)]


def square(west: float, south: float, size: float) -> dict[str, Any]:
    east, north = west + size, south + size
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def write_geojson(path: Path, features: Iterable[tuple[Mapping[str, Any], Mapping[str, Any] | None]]) -> Path:
    listed = [{"type": "Feature", "properties": dict(p), "geometry": g} for p, g in features]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": listed}), encoding="utf-8")
    return path


def write_gpkg(path: Path, geometry: Sequence[Any], epsg: int, layer: str = "points", **columns: Sequence[Any]) -> Path:
    import geopandas as gpd

    mode = "a" if path.exists() else "w"
    gpd.GeoDataFrame(columns, geometry=list(geometry), crs=epsg).to_file(path, layer=layer, driver="GPKG", mode=mode)
    return path


def gzipped(path: Path, content: bytes) -> Path:
    path.write_bytes(gzip.compress(content, mtime=0))
    return path


def load(app: Lapwing, path: Path, kind: str = "incidents", *, scope: Scope | None = None, **told: Any) -> ImportReport:
    """Import through the use case, as both the command line and the web do."""
    request = ImportRequest(kind=kind, **told)
    return import_file(app.store, scope or Scope(actor="test"), path, request, terms_of(app))


def terms_of(app: Lapwing) -> Terms:
    """Terms with the tests' own key."""
    return Terms(now_us=app.clock(), keys=KEYS)


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def command(home: Path, *words: Any, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Outcome:
    """Run ``lapwing`` in a process of its own, with nothing of this process's LAPWING_* settings."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LAPWING_")}
    done = subprocess.run(
        [sys.executable, "-c", "from app.cli import main; main()", *map(str, words)],
        env=clean | {"LAPWING_HOME": str(home)} | dict(env or {}), cwd=cwd or home, capture_output=True, text=True, timeout=240,
        check=False,
    )  # fmt: skip
    return Outcome(done.returncode, done.stdout, done.stderr)
