"""The whole way of a million rows by the commands themselves: import, analyse and export, on SQLite and on PostGIS.

    python benchmarks/bench_pipeline.py [--write] [--rows 1000000]

Each command is a process of its own, timed by the wall, with its CPU and its peak memory. The PostgreSQL server is a throw-away
one with fsync off; SQLite writes as it always does. A profile of each command says where its time goes. Every row of the file must
be accepted, rejected or a duplicate, and both stores must count the same; where not the tables are printed and nothing is written.
"""

import json
import os
import pstats
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from beside import arguments, machine, report, table
from city import write_csv

ROOT = Path(__file__).resolve().parent.parent
RUN = "import sys; from app.cli import cli; cli(sys.argv[1:], prog_name='lapwing', standalone_mode=False)"
PROFILED = (
    "import cProfile, sys; from app.cli import cli; file = sys.argv.pop(1); profile = cProfile.Profile(); profile.enable()\n"
    "cli(sys.argv[1:], prog_name='lapwing', standalone_mode=False); profile.disable(); profile.dump_stats(file)"
)
TOLD = 8
FATES = ("accepted", "rejected", "duplicates")
COUNTED = (*FATES, "records", "cells", "clusters")
Counts = dict[str, int]


def run(words: list[str], environment: dict[str, str], *, code: str = RUN) -> tuple[float, float, float, str]:
    """Wall seconds, CPU seconds, peak MiB and the output of a command in a process of its own."""
    with tempfile.TemporaryFile() as out:
        began = time.perf_counter()
        process = os.posix_spawn(
            sys.executable,
            [sys.executable, "-c", code, *words],
            environment,
            file_actions=[(os.POSIX_SPAWN_DUP2, out.fileno(), 1)],
        )
        _, status, used = os.wait4(process, 0)
        wall_s = time.perf_counter() - began
        out.seek(0)
        text = out.read().decode()
    if status:
        raise SystemExit(f"lapwing {words[0]} ended with {os.waitstatus_to_exitcode(status)}.")
    return wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, text


def commands(file: Path, folder: Path) -> dict[str, list[str]]:
    """What an analyst does with a file."""
    exported = [
        "export", "latest", "--layer", "cells", "--format", "geojson", "--profile", "operational", "--purpose", "measurement",
        "-o", str(folder / "cells.geojson"),
    ]  # fmt: skip
    return {
        "import": ["import", "incidents", str(file), "--json"],
        "analyse": ["analyse", "--json"],
        "export": exported,
    }


def measured(store: str, title: str, file: Path, folder: Path) -> tuple[list[list[str]], Counts]:
    """A line a command, and their sum; and what the commands counted."""
    environment = environment_of(store, folder)
    run(["migrate"], environment)
    counts: Counts = {}
    lines, total_s, total_cpu_s = [], 0.0, 0.0
    for name, words in commands(file, folder).items():
        wall_s, cpu_s, peak_mib, text = run(words, environment)
        total_s, total_cpu_s = total_s + wall_s, total_cpu_s + cpu_s
        told = json.loads(text) if "--json" in words else {}
        found = {one: told[one] for one in COUNTED if one in told}
        counts |= found
        words_told = ", ".join(f"{count:,} {one}" for one, count in found.items())
        lines.append([title, name, f"{wall_s:.1f}", f"{cpu_s:.1f}", f"{peak_mib:,.0f}", words_told])
    return [*lines, [title, "all", f"{total_s:.1f}", f"{total_cpu_s:.1f}", "", ""]], counts


def wrong_of(counted: dict[str, Counts], rows: int) -> list[str]:
    """What does not add up to the rows of the file, is not told, or differs between the stores."""
    wrong = []
    for store, counts in counted.items():
        wrong += [f"{store} tells no {name}" for name in COUNTED if name not in counts]
        if (known := sum(counts.get(name, 0) for name in FATES)) != rows:
            wrong.append(f"{store} knows of {known:,} rows of {rows:,}")
    first, *others = counted.values()
    if any(other != first for other in others):
        wrong.append(f"the stores count otherwise: {counted}")
    return wrong


def environment_of(store: str, folder: Path) -> dict[str, str]:
    """A home of its own, and the loops that `make setup` compiled."""
    kept = os.environ.get("NUMBA_CACHE_DIR") or str(ROOT / "numba")
    told = {"LAPWING_HOME": str(folder), "LAPWING_STORE": store, "NUMBA_CACHE_DIR": kept, "PYTHONPATH": str(ROOT)}
    return {name: value for name, value in os.environ.items() if not name.startswith("LAPWING_")} | told


def profile(file: Path, folder: Path) -> str:
    """Where the time goes on SQLite: the functions of ours with the longest own and inner time, by share of their command."""
    environment, lines = environment_of(f"sqlite:///{folder}/profiled.db", folder), []
    run(["migrate"], environment)
    for name, words in list(commands(file, folder).items())[:2]:
        kept = folder / f"{name}.prof"
        run([str(kept), *words], environment, code=PROFILED)
        stats = pstats.Stats(str(kept))
        whole_s = stats.total_tt  # type: ignore[attr-defined]
        own = sorted(
            ((own_s, calls, where) for where, (_, calls, own_s, _, _) in stats.stats.items()),  # type: ignore[attr-defined]
            reverse=True,
        )[:TOLD]
        lines += [[name, _named(where), f"{own_s / whole_s:.0%}", f"{calls:,}"] for own_s, calls, where in own]
    return table(("command", "own time of", "share", "calls"), lines)


def _named(where: tuple[str, int, str]) -> str:
    file, _, function = where
    inside = Path(file).as_posix().rpartition("/site-packages/")[2]
    inside = inside.rpartition(f"/python{sys.version_info.major}.{sys.version_info.minor}/")[
        2
    ]  # where Python lies is not told
    inside = inside.removeprefix(f"{ROOT.as_posix()}/")
    return f"`{function}`" if file.startswith("~") or file == "" else f"`{inside}` `{function}`"


def main() -> None:
    from tests.postgres import find_binaries, running_server

    asked = arguments(__doc__, rows=1_000_000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = write_csv(folder / "city.csv", asked.rows)
        lines, counts = measured(f"sqlite:///{folder}/whole.db", "SQLite", file, folder)
        counted, absent = {"SQLite": counts}, []
        if binaries := find_binaries():
            with running_server(binaries) as url:
                more, counted["PostGIS"] = measured(url, "PostGIS", file, folder)
                lines += more
        else:
            absent.append("PostgreSQL with PostGIS is not installed: not measured.")
        where = profile(file, folder)
    head = ("store", f"{asked.rows:,} rows", "wall s", "CPU s", "peak MiB", "")
    told = "Where the time goes on SQLite, by a profile of each command:"
    report(
        "pipeline",
        "\n\n".join([machine("numpy", "pandas", "numba"), table(head, lines), *absent, told, where]),
        write=asked.write,
        wrong=wrong_of(counted, asked.rows),
    )


if __name__ == "__main__":
    main()
