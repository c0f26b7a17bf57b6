"""Fixtures: both stores, real data, and a rule that nothing is skipped where skipping is forbidden."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from app.settings import Settings
from app.wiring import Lapwing
from data.store import Store
from geo.model import Scope
from tests.postgres import find_binaries, running_server

PROJECT = Path(__file__).resolve().parent.parent
NOW_US = 1_780_000_000_000_000  # 2026-05-28T20:26:40Z


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


@pytest.fixture
def postgis_url(postgres_server: str) -> Iterator[str]:
    """Address of an empty database of its own."""
    name = f"t{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield postgres_server.replace("/postgres?", f"/{name}?")
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(params=["sqlite", "postgis"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of an empty store; every test that uses it runs on both."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/lapwing.db"
    return str(request.getfixturevalue("postgis_url"))


@pytest.fixture
def lapwing(store_url: str, tmp_path: Path) -> Iterator[Lapwing]:
    """Return an application over an empty, migrated store, with a clock that stands still."""
    app = Lapwing(Settings(home=tmp_path, store=store_url), clock=lambda: NOW_US)
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
