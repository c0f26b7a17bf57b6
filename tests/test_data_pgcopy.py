"""Binary COPY: what goes in comes out, what does not fit is told in one line, and nothing is ever half stored."""

import math
import struct
from collections.abc import Iterator, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import psycopg
import pyarrow as pa
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data import pgcopy
from data.pgcopy import ROWS_PER_CHUNK, binary_rows
from data.postgis import PostgisDatabase
from geo.errors import StoreError

TABLE = """CREATE EXTENSION IF NOT EXISTS postgis;
CREATE TABLE trial (n BIGINT PRIMARY KEY, whole BIGINT, four INTEGER, two SMALLINT, real DOUBLE PRECISION, words TEXT,
    raw BYTEA, yes BOOLEAN, shape geometry(Geometry, 4326))"""
INT8 = st.integers(-(2**63), 2**63 - 1)
WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
ROW = st.tuples(
    st.none() | INT8,
    st.none() | st.integers(-(2**31), 2**31 - 1),
    st.none() | st.integers(-(2**15), 2**15 - 1),
    st.none() | st.floats(),
    st.none() | WORDS,
    st.none() | st.binary(max_size=12),
    st.none() | st.booleans(),
)
NAMES = ("whole", "four", "two", "real", "words", "raw", "yes")


@pytest.fixture
def database(postgis_url: str) -> Iterator[PostgisDatabase]:
    database = PostgisDatabase(postgis_url)
    database.script(TABLE)
    yield database
    database.close()


def stored(database: PostgisDatabase, names: Sequence[str] = NAMES) -> list[tuple[Any, ...]]:
    text = f"SELECT {', '.join(names)} FROM trial ORDER BY n"
    return database._connection().cursor(binary=True).execute(text).fetchall()


def bits(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Floats as their bytes, so that -0.0 differs from 0.0; NaN as one word, for any NaN is as good as another."""
    return tuple(
        ("nan" if math.isnan(one) else struct.pack(">d", one)) if isinstance(one, float) else one for one in row
    )


def insert(database: PostgisDatabase, **columns: Any) -> int:
    count = len(next(iter(columns.values())))
    return database.insert("trial", {"n": range(count)} | columns)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, max_size=30), rows_per_chunk=st.sampled_from([1, 7, ROWS_PER_CHUNK]))
def test_any_rows_come_back_as_they_went_in(
    database: PostgisDatabase, rows: list[tuple[Any, ...]], rows_per_chunk: int
) -> None:
    database.script("TRUNCATE trial")
    columns = dict(zip(NAMES, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(NAMES, ())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pgcopy, "ROWS_PER_CHUNK", rows_per_chunk)
        assert insert(database, **columns) == len(rows)
    assert [bits(row) for row in stored(database)] == [bits(row) for row in rows]


def test_the_bytes_are_those_of_the_manual() -> None:
    got = b"".join(binary_rows({"a": [1, None], "b": ["é", None]}, {"a": "int4", "b": "text"}))
    first = b"\0\2" + b"\0\0\0\4" + b"\0\0\0\1" + b"\0\0\0\2" + "é".encode()
    second = b"\0\2" + b"\xff" * 8
    assert got == b"PGCOPY\n\xff\r\n\0" + bytes(8) + first + second + b"\xff\xff"


@pytest.mark.parametrize(
    ("name", "values", "wanted"),
    [
        ("real", np.array([-0.0, np.nan, np.inf, -np.inf, 5e-324]), [-0.0, math.nan, math.inf, -math.inf, 5e-324]),
        ("real", pd.Series([1.0, np.nan], index=[9.5, 3.5]), [1.0, math.nan]),
        ("real", np.array([1, 2], dtype=np.int32), [1.0, 2.0]),
        ("real", pa.array([None, 2.5]), [None, 2.5]),
        ("real", [1.5, 2**53, None], [1.5, 2.0**53, None]),
        ("whole", [-(2**63), 2**63 - 1, None], [-(2**63), 2**63 - 1, None]),
        ("whole", np.array([2**63 - 1], dtype=np.uint64), [2**63 - 1]),
        ("whole", [3.0, None, np.int8(-4)], [3, None, -4]),
        ("whole", [2**63 - 1, None, 1.0], [2**63 - 1, None, 1]),
        ("whole", pd.Series([1, None], dtype="Int64"), [1, None]),
        ("whole", [None, None], [None, None]),
        ("words", ["", "naïve, 東京 🐦", None, "\\N\t\n"], ["", "naïve, 東京 🐦", None, "\\N\t\n"]),
        ("words", pd.Series(["a", None, "b"], index=[4, 4, 1]), ["a", None, "b"]),
        ("words", pd.Series(["a", "b", "a"]).astype("category"), ["a", "b", "a"]),
        ("words", np.array(["a", "bcd"]), ["a", "bcd"]),
        ("words", pa.chunked_array([["a"], ["b", None]]), ["a", "b", None]),
        ("raw", [b"", b"\0\xff", None, bytearray(b"x")], [b"", b"\0\xff", None, b"x"]),
        ("raw", pa.array([b"abc", b"def"], pa.binary(3)), [b"abc", b"def"]),
        ("yes", np.array([True, False]), [True, False]),
        ("yes", [None, True], [None, True]),
    ],
)
def test_each_container_of_values(database: PostgisDatabase, name: str, values: Any, wanted: list[Any]) -> None:
    assert insert(database, **{name: values}) == len(wanted)
    assert [bits(row) for row in stored(database, [name])] == [bits((one,)) for one in wanted]


@pytest.mark.parametrize(
    ("name", "bad", "must"),
    [
        ("words", "secret\0", "NUL"),
        ("words", "secret\ud800", "Unicode"),
        ("words", 7, "Unicode text"),
        ("words", b"secret", "Unicode text"),
        ("whole", 2**63, "2^63"),
        ("whole", -(2**90), "2^63"),
        ("whole", 1.5, "whole number"),
        ("whole", math.nan, "whole number"),
        ("whole", math.inf, "whole number"),
        ("whole", "secret", "whole number"),
        ("four", 2**31, "2^31"),
        ("two", -(2**15) - 1, "2^15"),
        ("real", 2**53 + 1, "double"),
        ("real", "secret", "double"),
        ("raw", "secret", "bytes"),
        ("yes", 1, "true or false"),
    ],
)
def test_a_value_that_does_not_fit_is_told_by_column_and_row_alone(
    database: PostgisDatabase, name: str, bad: Any, must: str
) -> None:
    good = {"words": "a", "raw": b"a", "yes": True}.get(name, 1)
    values = [good] * ROWS_PER_CHUNK + [good, bad, good]  # in the second piece: the first has been sent
    with pytest.raises(StoreError) as problem:
        insert(database, **{name: values})
    told = str(problem.value)
    assert f"Column {name}, row {ROWS_PER_CHUNK + 2}:" in told
    assert must in told
    assert "secret" not in told
    assert "\n" not in told
    assert stored(database) == []
    assert insert(database, **{name: [good]}) == 1  # and the connection is of use again


def test_columns_must_be_known_equally_long_and_of_a_type_that_is_written(database: PostgisDatabase) -> None:
    with pytest.raises(StoreError, match="no column nowhere"):
        insert(database, nowhere=[1])
    with pytest.raises(ValueError, match="equally long"):
        insert(database, whole=[1, 2], four=[1])
    database.script("ALTER TABLE trial ADD COLUMN later NUMERIC")
    with pytest.raises(StoreError, match="later has type numeric"):
        insert(database, later=[1])
    assert stored(database) == []


def test_a_column_that_a_migration_adds_is_found(database: PostgisDatabase) -> None:
    assert insert(database, whole=[1]) == 1
    database.script("TRUNCATE trial; ALTER TABLE trial ADD COLUMN later TEXT")
    assert insert(database, later=["x"]) == 1
    assert stored(database, ["later"]) == [("x",)]


def test_types_are_asked_once(database: PostgisDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    insert(database, whole=[1])
    monkeypatch.setattr(database, "rows", lambda *_, **__: pytest.fail("asked again"))
    assert database.insert("trial", {"n": [5], "whole": [2]}) == 1


def test_geometries_go_in_their_own_crs(database: PostgisDatabase) -> None:
    shapes = [shapely.Point(-2.36, 51.38), shapely.Point(0, -0.0), shapely.Point(1, 2), None]
    mixed = [shapely.box(0, 0, 1, 1), shapely.Point(1, 2, 3), shapely.Point(), None]
    database.script("ALTER TABLE trial ALTER COLUMN shape TYPE geometry")
    given_shapes = gpd.GeoSeries([*shapes[:3], *mixed], crs=4326)
    assert insert(database, shape=given_shapes) == 7
    ewkb = [row[0] for row in stored(database, ["ST_AsEWKB(shape)"])]
    assert [one and shapely.get_srid(shapely.from_wkb(one)) for one in ewkb] == [4326] * 6 + [None]
    assert [one and shapely.from_wkb(one).wkt for one in ewkb] == [
        None if one is None else one.wkt for one in given_shapes
    ]
    database.script("TRUNCATE trial")
    assert insert(database, shape=given_shapes.iloc[:3]) == 3  # points alone take the short way
    assert [row[0] for row in stored(database, ["ST_AsEWKB(shape)"])] == ewkb[:3]
    database.script("TRUNCATE trial")
    assert insert(database, shape=ewkb) == 7
    assert [row[0] for row in stored(database, ["ST_AsEWKB(shape)"])] == ewkb


def test_a_geometry_of_another_crs_is_refused(database: PostgisDatabase) -> None:
    with pytest.raises(StoreError, match="SRID"):
        insert(database, shape=gpd.GeoSeries([shapely.Point(1, 2)], crs=27700))
    assert stored(database) == []


def test_existing_rows_are_kept_and_new_ones_counted(database: PostgisDatabase) -> None:
    insert(database, words=["first", "first"])
    count = ROWS_PER_CHUNK + 5
    again = {"n": [*range(count), 0, count - 1], "words": ["again"] * (count + 2)}
    assert database.insert("trial", again, ignore_existing=True) == count - 2
    assert stored(database, ["words"])[:3] == [("first",), ("first",), ("again",)]
    with pytest.raises(psycopg.IntegrityError):
        database.insert("trial", again)


def test_a_problem_undoes_the_whole_transaction(database: PostgisDatabase) -> None:
    def both() -> None:
        with database.transaction():
            insert(database, words=["kept?"])
            database.insert("trial", {"n": [9], "words": ["\0"]})

    with pytest.raises(StoreError):
        both()
    assert stored(database) == []


@pytest.mark.parametrize("ignore_existing", [False, True])
def test_a_connection_killed_in_the_middle_leaves_nothing(
    database: PostgisDatabase, postgis_url: str, monkeypatch: pytest.MonkeyPatch, ignore_existing: bool
) -> None:
    backend = database._connection().info.backend_pid
    count = 20 * ROWS_PER_CHUNK
    seen = []

    def cut(columns: Any, types: Any) -> Iterator[Any]:
        for i, piece in enumerate(binary_rows(columns, types)):
            if i == 4:
                with psycopg.connect(postgis_url, autocommit=True) as admin:
                    assert admin.execute("SELECT pg_terminate_backend(%s, 5000)", (backend,)).fetchone() == (True,)
                seen.append(i)
            yield piece

    monkeypatch.setattr("data.postgis.binary_rows", cut)
    columns = {"n": range(count), "words": ["a text of some length"] * count}
    with pytest.raises(StoreError, match="refused the work"):
        database.insert("trial", columns, ignore_existing=ignore_existing)
    assert seen == [4]
    monkeypatch.undo()
    assert stored(database) == []
    assert database.insert("trial", columns, ignore_existing=ignore_existing) == count


def test_text_is_utf_8_whatever_the_environment_says(
    database: PostgisDatabase, postgis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    other = PostgisDatabase(postgis_url)
    insert(other, words=["café"])
    other.close()
    assert stored(database, ["words"]) == [("café",)]
