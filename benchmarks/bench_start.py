"""Cold starts: from the start of the process to the help of the command line, and to the first answers of the web service.

    python benchmarks/bench_start.py [--write] [--repeats N]

Each turn is a process of its own, the ways by turns, byte-compiled and in the page cache. Wall seconds, since that is what
a person waits; the CPU seconds beside them say how much of it is the machine being busy. The service runs over the
synthetic city, which is made beforehand; the map is that of its analysis, for somebody who is signed in already.
Afterwards the packages whose import takes longest, from ``-X importtime``.
"""

import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from app.services import accounts
from app.services.demonstration import make_demo
from app.settings import Settings
from app.web import make_app
from app.web.security import COOKIE
from app.wiring import Lapwing, system_clock
from benchmarks.beside import arguments, machine, report, table
from geo.model import Role

ROOT = Path(__file__).resolve().parent.parent
HELP, SIGN_IN, MAP = "lapwing --help", "web: sign-in page", "web: map of an analysis"
PLAIN = "python alone"
TARGETS_S = {HELP: 0.5, SIGN_IN: 2.0}
COMMAND = "from app.cli import main; main()"
PATIENCE_S = 60
POLL_S = 0.005
SHOWN = 12


def ran(*arguments: str) -> tuple[float, float]:
    """Wall and CPU seconds of one whole process of this Python."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    taken = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed; nothing was measured.")
    return taken, used.ru_utime + used.ru_stime


def answered(home: Path, address: str, cookie: str) -> tuple[float, float]:
    """Wall and CPU seconds of a service from its start to its first answer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "LAPWING_HOME": str(home), "LAPWING_STORE": "sqlite:///lapwing.db"}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "serve", "--port", str(port)], cwd=ROOT, env=environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        ask(f"http://127.0.0.1:{port}{address}", cookie, lambda: process.poll() is None)
        taken = time.perf_counter() - began
    finally:
        process.kill()
        _, _, used = os.wait4(process.pid, 0)
        process.returncode = -9
    return taken, used.ru_utime + used.ru_stime


def ask(url: str, cookie: str, alive: Callable[[], bool]) -> None:
    """Ask until there is an answer."""
    request = urllib.request.Request(url, headers={"Cookie": f"{COOKIE}={cookie}"})
    began = time.perf_counter()
    while time.perf_counter() - began < PATIENCE_S and alive():
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                answer.read()
                return
        except urllib.error.HTTPError:
            raise
        except urllib.error.URLError:
            time.sleep(POLL_S)
    raise SystemExit("The service did not answer; nothing was measured.")


def city(home: Path) -> tuple[str, str]:
    """Make the synthetic city; returns its analysis and the session of an analyst."""
    app = Lapwing(Settings(home=home, store=f"sqlite:///{home}/lapwing.db"))
    scope = app.scope("bench")
    run = make_demo(app.store, scope, home / "demo", terms=app.terms, say=lambda _: None).run
    link = accounts.demo_link(app.store, scope, "bench", Role.ANALYST, now_us=system_clock())
    client = make_app(app).test_client()
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(link).text)
    client.post(link, data={"csrf_token": token[1] if token else ""})
    cookie = client.get_cookie(COOKIE)
    app.database.close()
    if cookie is None:
        raise SystemExit("Nobody could sign in; nothing was measured.")
    return run.run_id, cookie.value


def race(ways: dict[str, Callable[[], tuple[float, float]]], repeats: int) -> dict[str, list[tuple[float, float]]]:
    """Every way by turns, after one turn that does not count."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for turn in range(repeats + 1):
        for name, work in ways.items():
            one = work()
            if turn:
                taken[name].append(one)
    return taken


def heaviest(code: str) -> list[tuple[str, str]]:
    """Packages by the milliseconds that their own modules take to import, those they import not counted."""
    told = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    taken: Counter[str] = Counter()
    for own_us, name in re.findall(r"^import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)", told.stderr, re.MULTILINE):
        taken[name.split(".")[0]] += int(own_us)
    return [(name, f"{own_us / 1e3:.0f}") for name, own_us in taken.most_common(SHOWN)]


def main() -> None:
    """Measure and print."""
    asked = arguments(__doc__, repeats=5)
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        run_id, cookie = city(home)
        taken = race(
            {
                PLAIN: partial(ran, "-c", "pass"),
                HELP: partial(ran, "-c", COMMAND, "--help"),
                SIGN_IN: partial(answered, home, "/sign-in", ""),
                MAP: partial(answered, home, f"/runs/{run_id}/map", cookie),
            },
            asked.repeats,
        )
    rows = []
    for way, turns in taken.items():
        wall, cpu = zip(*turns, strict=True)
        target = f"{TARGETS_S[way]:g}" if way in TARGETS_S else ""
        spread = f"{min(wall):.2f} to {max(wall):.2f}"
        rows.append((way, f"{statistics.median(wall):.2f}", spread, f"{statistics.median(cpu):.2f}", target))
    load = f"Load of the machine: {os.getloadavg()[0]:.1f}."
    head = (f"from the start, median of {asked.repeats}", "wall s", "least to most", "CPU s", "target, wall s")
    imports = table(("import app.web: package", "own ms"), heaviest("import app.web, app.web.spooling"))
    report(
        "start", f"{machine('flask', 'pandas', 'scipy')} {load}\n\n{table(head, rows)}\n\n{imports}", write=asked.write
    )


if __name__ == "__main__":
    main()
