"""kill -9 in mid-import leaves all or none of a file, in both stores."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.settings import Settings
from app.wiring import Lapwing
from geo.model import Scope
from tests.conftest import NOW_US
from tests.files import load, write_csv

ROWS = 60_000
# Waits at a named moment inside the one transaction, says so, and is then killed from outside: no luck involved.
CHILD = """
import sys, time
from pathlib import Path
from app.settings import Settings
from app.wiring import Lapwing
from tests.files import load
home, url, file, moment = sys.argv[1:]
app = Lapwing(Settings(home=Path(home), store=url), clock=lambda: {now})
database, insert = app.database, app.database.insert
def halt():
    print("here", flush=True)
    time.sleep(600)
def slow(table, columns, **options):
    done = insert(table, columns, **options)
    if table == moment:
        halt()
    return done
app.store
database.insert = slow
load(app, Path(file))
"""


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [[i, f"2024-03-{1 + i % 28:02d}", -2.36 + i * 1e-6, 51.38, "x"] for i in range(ROWS - 1)]
    return write_csv(tmp_path_factory.mktemp("big") / "big.csv", [*rows, [0, "soon", 0, 0, "x"]])


@pytest.fixture
def crash_site(store_url: str, tmp_path: Path) -> Iterator[tuple[Lapwing, str]]:
    app = Lapwing(Settings(home=tmp_path, store=store_url), clock=lambda: NOW_US)
    app.migrate(None)
    yield app, store_url
    app.database.close()


def held(app: Lapwing) -> tuple[int, int, int, int]:
    evidence, scope = app.store.evidence, Scope(actor="test")
    (batches, waiting) = evidence.batches(scope), evidence.quarantine(scope)
    memberships = sum(len(evidence.batch_records(scope, one.batch_id)) for one in batches)
    return len(batches), len(evidence.records(scope, ["incidents"])), memberships, len(waiting)


def child(code: str, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", code, *words],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
    )


@pytest.mark.parametrize("moment", ["record", "batch", "batch_record", "quarantine"])
def test_a_killed_import_leaves_nothing_and_can_be_repeated(
    crash_site: tuple[Lapwing, str], big: Path, tmp_path: Path, moment: str
) -> None:
    app, url = crash_site
    process = child(CHILD.format(now=NOW_US), str(tmp_path), url, str(big), moment)
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert held(app) == (0, 0, 0, 0)
    if moment == "quarantine":  # the fullest transaction: repeat it
        assert load(app, big).batch.accepted == ROWS - 1
        assert held(app) == (1, ROWS - 1, ROWS - 1, 1)


def test_killed_at_any_time_it_is_all_or_none(crash_site: tuple[Lapwing, str], big: Path, tmp_path: Path) -> None:
    app, url = crash_site
    code = CHILD.format(now=NOW_US).replace("app.store\n", "app.store\nprint('go', flush=True)\n")
    for seconds in (0.6, 1.2, 1.9):
        process = child(code, str(tmp_path), url, str(big), "never")
        assert process.stdout is not None
        assert process.stdout.readline() == "go\n"
        time.sleep(seconds)
        process.kill()
        process.wait()
        process.stdout.close()
        batches, records, memberships, waiting = held(app)
        assert records in {0, ROWS - 1}
        assert (memberships, waiting) == (batches * records, batches)
    load(app, big)
    assert held(app)[1] == ROWS - 1
