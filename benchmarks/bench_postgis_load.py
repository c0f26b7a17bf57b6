"""A million points into PostGIS: ``geopandas.GeoDataFrame.to_postgis`` and Lapwing's binary COPY, same rows, same run.

    python benchmarks/bench_postgis_load.py [--write] [--rows 1000000]

Both start from one GeoDataFrame of points in EPSG:4326 with eight attributes. They fill identical plain tables, made
beforehand without index or constraint; and they make a table with a spatial index, each in its own way: to_postgis as it
is called, which makes the index first, and Lapwing, which makes it last.
to_postgis writes hex EWKB and CSV text; Lapwing writes binary rows through ``PostgisDatabase.insert``. Turns alternate,
each into an empty table. Afterwards every row of both tables is compared with the frame. Apart from that, the same
points go into Lapwing's own ``record`` table the way an import stores them, with all columns, constraints and indexes.
The server is a throw-away one on this machine with fsync off, for both alike.
"""

import contextlib
import io
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import psycopg
import shapely

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from beside import arguments, report

from app.settings import Settings
from app.wiring import Lapwing
from data.postgis import PostgisDatabase
from geo.model import RECORD_COLUMNS, Batch, Scope
from tests.postgres import find_binaries, running_server

REPEATS = 3
ROWS_PER_CALL = 50_000
NOW_US = 1_780_000_000_000_000
PLAIN = """CREATE TABLE {} (record_key bytea, reference text, source text, category text, notes text, from_us bigint,
    cell7 bigint, precision_m double precision, geometry geometry(Point, 4326))"""


def points(rows: int) -> gpd.GeoDataFrame:
    """Points round Bath with eight attributes."""
    rng = np.random.default_rng(1)
    keys = rng.bytes(32 * rows)
    notes = np.array(
        ["by the swings", "left towards the café", "two cars circling", "seen after dark", "all quiet, £5"]
    )
    return gpd.GeoDataFrame(
        {
            "record_key": [keys[i : i + 32] for i in range(0, len(keys), 32)],
            "reference": [f"R{i:07d}" for i in range(rows)],
            "source": rng.choice(["police", "council", "outreach"], rows),
            "category": rng.choice(["anti-social behaviour", "violence", "drugs", "missing", "theft"], rows),
            "notes": notes[rng.integers(0, 5, rows)],
            "from_us": 1_700_000_000_000_000 + rng.integers(0, 10**13, rows),
            "cell7": rng.integers(2**59, 2**60, rows),
            "precision_m": rng.gamma(2.0, 10.0, rows),
        },
        geometry=gpd.points_from_xy(rng.normal(-2.36, 0.03, rows), rng.normal(51.38, 0.02, rows)),
        crs=4326,
    )


def load_ours(database: PostgisDatabase, frame: gpd.GeoDataFrame) -> None:
    database.insert("ours", {name: frame[name] for name in frame.columns})


def load_indexed(database: PostgisDatabase, url: str, frame: gpd.GeoDataFrame) -> None:
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(PLAIN.format("ours_indexed"))
        database.insert("ours_indexed", {name: frame[name] for name in frame.columns})
        admin.execute("CREATE INDEX ON ours_indexed USING GIST (geometry)")


def record_frame(frame: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return the same points as an import hands them to the store."""
    told = {
        name: frame[name] for name in ("record_key", "source", "category", "notes", "from_us", "cell7", "precision_m")
    }
    shape = frame.geometry
    metric = shape.to_crs(27700)
    told |= {"lon": shape.x, "lat": shape.y, "x_m": metric.x, "y_m": metric.y, "to_us": frame["from_us"] + 60_000_000}
    told |= {"kind": "incidents", "urn": frame["reference"], "location_basis": "point", "superseded": 0}
    told |= dict.fromkeys(("reported_us", "supply_key", "review_us", "delete_us"))
    return pd.DataFrame({name: told.get(name, "") for name in RECORD_COLUMNS if name != "event_id"}, index=frame.index)


def load_records(app: Lapwing, records: pd.DataFrame, batch: Batch) -> None:
    intake = app.store.intake
    with app.database.transaction():
        intake.begin(Scope(actor="bench"), batch)
        for begin in range(0, len(records), ROWS_PER_CALL):
            intake.records(Scope(actor="bench"), batch, records.iloc[begin : begin + ROWS_PER_CALL])


def timed(work: Callable[[], None]) -> tuple[float, float]:
    """Wall seconds and CPU seconds of this process, every thread counted."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def differing(connection: psycopg.Connection, table: str, frame: gpd.GeoDataFrame) -> int:
    """How many rows of a table are not those of the frame, value by value."""
    wanted = {name: frame[name].tolist() for name in frame.columns if name != "geometry"}
    wanted["geometry"] = shapely.to_wkb(shapely.set_srid(frame.geometry.to_numpy(), 4326), include_srid=True).tolist()
    place = {key: i for i, key in enumerate(wanted["record_key"])}
    rows = list(zip(*wanted.values(), strict=True))
    names = ", ".join(list(wanted)[:-1])
    found, wrong = 0, 0
    with connection.transaction(), connection.cursor("rows", binary=True) as cursor:
        cursor.itersize = 20_000
        cursor.execute(f"SELECT {names}, ST_AsEWKB(geometry) FROM {table}")
        for row in cursor:
            found += 1
            wrong += row[0] not in place or rows[place[row[0]]] != row
    return wrong + abs(found - len(rows))


def race(url: str, frame: gpd.GeoDataFrame) -> None:
    """Load both ways by turns, compare the tables and print medians."""
    import sqlalchemy

    database = PostgisDatabase(url)
    engine = sqlalchemy.create_engine(url.replace("postgresql:", "postgresql+psycopg2:"))
    as_text = frame.assign(record_key=["\\x" + key.hex() for key in frame["record_key"]])  # CSV knows no bytes
    ways: dict[str, Callable[[], None]] = {
        "peer": lambda: as_text.to_postgis("peer", engine, if_exists="append"),
        "ours": lambda: load_ours(database, frame),
        "peer_indexed": lambda: frame.assign(record_key=as_text["record_key"]).to_postgis(
            "peer_indexed", engine, if_exists="replace"
        ),
        "ours_indexed": lambda: load_indexed(database, url, frame),
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    with psycopg.connect(url, autocommit=True) as admin:
        for name in ("peer", "ours"):
            admin.execute(PLAIN.format(name))
        for _ in range(REPEATS):
            for name, work in ways.items():
                admin.execute(f"TRUNCATE {name}" if "_" not in name else f"DROP TABLE IF EXISTS {name}")
                admin.execute("CHECKPOINT")
                taken[name].append(timed(work))
        wrong = {name: differing(admin, name, frame) for name in ("peer", "ours", "ours_indexed")}
    database.close()
    engine.dispose()
    medians = {name: [statistics.median(one) for one in zip(*times, strict=True)] for name, times in taken.items()}
    for suffix, title in (("", "into a plain table"), ("_indexed", "a table with its spatial index")):
        print(f"{title:34}{'wall s':>8}{'CPU s':>8}   each wall s")
        for name, words in ((f"peer{suffix}", "geopandas.to_postgis"), (f"ours{suffix}", "Lapwing, binary COPY")):
            each = " ".join(f"{wall:.2f}" for wall, _ in taken[name])
            told = f"   {wrong[name]:,} rows differ" if name in wrong else ""
            print(f"{words:34}{medians[name][0]:8.2f}{medians[name][1]:8.2f}   {each}{told}")
        wall, cpu = (medians[f"peer{suffix}"][i] / medians[f"ours{suffix}"][i] for i in (0, 1))
        print(f"{'times faster':34}{wall:8.1f}{cpu:8.1f}")


def own_table(url: str, frame: gpd.GeoDataFrame) -> None:
    """Load the same points as records of an import, with every constraint and index."""
    with tempfile.TemporaryDirectory() as home:
        app = Lapwing(Settings(home=Path(home), store=url), clock=lambda: NOW_US)
        app.migrate(None)
        records = record_frame(frame)
        names = ("read", "accepted", "unlocated", "rejected", "duplicates")
        batch = Batch(
            batch_id="b", kind="incidents", source="bench", file_name="", stem="", file_sha256="", format="",
            imported_at_us=NOW_US, imported_by="bench", undone_at_us=None, **dict.fromkeys(names, 0),
        )  # fmt: skip
        wall, cpu = timed(lambda: load_records(app, records, batch))
        app.database.close()
    print(
        f"{'record and batch_record, by import':34}{wall:8.2f}{cpu:8.2f}   once, 8 indexes, {len(RECORD_COLUMNS) + 1} columns"
    )


def main(rows: int) -> None:
    """Measure and print."""
    binaries = find_binaries()
    if binaries is None:
        print("bench_postgis_load: PostgreSQL with PostGIS is not installed. Nothing was measured.")
        return
    frame = points(rows)
    with running_server(binaries) as url:
        print(f"{rows:,} points, {platform.machine()}, Python {platform.python_version()}, geopandas {gpd.__version__}")
        for name in ("race", "own"):
            with psycopg.connect(url, autocommit=True) as admin:
                admin.execute(f"CREATE DATABASE {name}")
        with psycopg.connect(url.replace("/postgres?", "/race?"), autocommit=True) as admin:
            admin.execute("CREATE EXTENSION postgis")
        try:
            race(url.replace("/postgres?", "/race?"), frame)
        except ImportError as error:
            print(f"The peer was not measured: {error.name or error} is not installed.")
        own_table(url.replace("/postgres?", "/own?"), frame)


if __name__ == "__main__":
    asked = arguments(__doc__, rows=1_000_000)
    with contextlib.redirect_stdout(io.StringIO()) as told:
        main(asked.rows)
    report("postgis", f"```text\n{told.getvalue().rstrip()}\n```", write=asked.write)
