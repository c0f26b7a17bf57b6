"""Fixtures: both stores, real data; nothing is skipped where skipping is forbidden, and some tests run alone."""

import fcntl
import os
import sqlite3
import uuid
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from app.settings import Settings
from app.wiring import Lapwing
from data.store import Store
from geo.model import Scope
from tests.postgres import find_binaries, running_server

PROJECT = Path(__file__).resolve().parent.parent
NOW_US = 1_780_000_000_000_000  # 2026-05-28T20:26:40Z

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Have the other workers wait between two tests while one runs that is marked ``alone``."""
    if not hasattr(item.config, "workerinput"):  # one process: every test runs alone
        return (yield)
    door, room = (os.open(folder, os.O_RDONLY) for folder in (PROJECT, PROJECT / "tests"))
    try:
        fcntl.flock(door, fcntl.LOCK_EX)  # who waits for an empty room keeps everybody else from entering it
        fcntl.flock(room, fcntl.LOCK_EX if item.get_closest_marker("alone") else fcntl.LOCK_SH)
        fcntl.flock(door, fcntl.LOCK_UN)
        return (yield)
    finally:
        fcntl.flock(room, fcntl.LOCK_UN)  # by name: a child may hold the file open
        os.close(door)
        os.close(room)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Turn a skip into a failure where LAPWING_FORBID_SKIPS is set."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.skipped and os.environ.get("LAPWING_FORBID_SKIPS") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipping is forbidden here: {report.longrepr}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL with PostGIS is not installed (Debian: postgresql-postgis)")
    with running_server(binaries) as address:
        yield address


@contextmanager
def own_database(server: str, *, template: str = "template1") -> Iterator[str]:
    """Address of a database of a new name, copied from another to which nobody is connected."""
    name = f"t{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
        yield server.replace("/postgres?", f"/{name}?")
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def postgis_url(postgres_server: str) -> Iterator[str]:
    """Address of an empty database of its own."""
    with own_database(postgres_server) as address:
        yield address


@pytest.fixture(scope="session")
def migrated_database(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Name of a database that is migrated and otherwise empty: to copy it takes a fifth of the time."""
    with own_database(postgres_server) as address:
        app = Lapwing(Settings(home=tmp_path_factory.mktemp("template"), store=address), clock=lambda: NOW_US)
        app.migrate(None)
        app.database.close()
        yield conninfo_to_dict(address)["dbname"]


@pytest.fixture(params=["sqlite", "postgis"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of an empty store; every test that uses it runs on both."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/lapwing.db"
    return str(request.getfixturevalue("postgis_url"))


@pytest.fixture(params=["sqlite", "postgis"])
def migrated_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of a store that needs no more migrations, or next to none; every test that uses it runs on both."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/lapwing.db"
        return
    server, template = (request.getfixturevalue(name) for name in ("postgres_server", "migrated_database"))
    with own_database(server, template=template) as address:
        yield address


@pytest.fixture
def lapwing(migrated_url: str, tmp_path: Path) -> Iterator[Lapwing]:
    """Return an application over an empty, migrated store, with a clock that stands still."""
    app = Lapwing(Settings(home=tmp_path, store=migrated_url), clock=lambda: NOW_US)
    app.migrate(None)
    yield app
    app.database.close()


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Lapwing]:
    """Return an application over an empty SQLite store, for what does not depend on the store."""
    app = Lapwing(Settings(home=tmp_path, store=f"sqlite:///{tmp_path}/lapwing.db"), clock=lambda: NOW_US)
    app.migrate(None)
    yield app
    app.database.close()


@pytest.fixture(scope="session")
def city_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SQLite file of the synthetic city, imported and analysed once for all who copy it."""
    from app.services.demonstration import make_demo
    from tests.files import TERMS  # which imports this module

    home = tmp_path_factory.mktemp("city")
    app = Lapwing(Settings(home=home, store=f"sqlite:///{home}/lapwing.db"), clock=lambda: NOW_US)
    app.migrate(None)
    make_demo(app.store, Scope(actor="test"), home / "demo", terms=TERMS, say=lambda _: None)
    app.database.close()
    return home / "lapwing.db"


@pytest.fixture
def city(embedded: Lapwing, city_file: Path, tmp_path: Path) -> Lapwing:
    """Return the embedded application with a copy of the synthetic city and its analysis in its store."""
    with closing(sqlite3.connect(city_file)) as made, closing(sqlite3.connect(tmp_path / "lapwing.db")) as own:
        made.backup(own)
    return embedded


@pytest.fixture
def worked(embedded: Lapwing, tmp_path: Path) -> Lapwing:
    """Return the embedded application with three clusters of records, for what people decide about places."""
    from tests.deciding import three_clusters  # which imports this module

    return three_clusters(embedded, tmp_path)


@pytest.fixture
def store(lapwing: Lapwing) -> Store:
    return lapwing.store


@pytest.fixture
def scope() -> Scope:
    return Scope(actor="test")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real data, which is not part of the repository."""
    folder = Path(os.environ.get("LAPWING_REAL_DATA") or PROJECT.parent / "shared/data").resolve()
    if not (folder / "police-street").is_dir():
        pytest.skip(f"no real data in {folder}; set LAPWING_REAL_DATA")
    return folder
