"""Measure ways to do one thing side by side: turns alternate, medians count, memory is growth above what was there before.

CPU seconds count every thread of the process. A peer that is not installed is named and left out; its figures are never kept
from another day. Tables are printed, and with ``--write`` they replace their own part of docs/performance.md.
"""

import argparse
import gc
import importlib.metadata
import importlib.util
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
MIB = 1024


class Figures(NamedTuple):
    """Medians of some turns."""

    cpu_s: float
    wall_s: float
    growth_mib: float


def missing(*packages: str) -> list[str]:
    """Peers that are not installed here."""
    return [name for name in packages if importlib.util.find_spec(name) is None]


def _status_kib(field: str) -> int:
    with Path("/proc/self/status").open(encoding="ascii") as stream:
        return next(int(line.split()[1]) for line in stream if line.startswith(field))


def growth_mib(work: Callable[[], object]) -> float:
    """Peak memory of one turn above what the process held before it, by the kernel's own high-water mark."""
    gc.collect()
    before = _status_kib("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    kept = work()
    peak = _status_kib("VmHWM")
    del kept
    return max(peak - before, 0) / MIB


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """CPU seconds of all threads, and wall seconds."""
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def race(ways: dict[str, Callable[[], object]], *, repeats: int = 5) -> dict[str, Figures]:
    """Medians of each way; one turn of each first, unmeasured but for memory, so that all is loaded and compiled."""
    for work in ways.values():
        work()
    growth = {name: growth_mib(work) for name, work in ways.items()}
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, work in ways.items():
            taken[name].append(timed(work))
    return {
        name: Figures(*(statistics.median(one) for one in zip(*times, strict=True)), growth[name])
        for name, times in taken.items()
    }


def machine(*packages: str) -> str:
    """One line: day, processor, cores, Python and versions."""
    with Path("/proc/cpuinfo").open(encoding="utf-8") as stream:
        model = next(
            (line.split(":")[1].strip() for line in stream if line.startswith("model name")), platform.machine()
        )
    versions = [
        f"{name} {importlib.metadata.version(name)}" for name in packages if not missing(name.replace("-", "_"))
    ]
    cores = len(os.sched_getaffinity(0))
    return f"{date.today()}, {model}, {cores} cores, Python {platform.python_version()}, {', '.join(versions)}."  # noqa: DTZ011


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; numbers are given by the caller as they shall read."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])


def arguments(about: str | None, **sizes: int) -> argparse.Namespace:
    """Read ``--write`` and one whole number a keyword."""
    parser = argparse.ArgumentParser(description=(about or "").split("\n", 1)[0])
    parser.add_argument("--write", action="store_true", help="also replace the part of docs/performance.md")
    for name, default in sizes.items():
        parser.add_argument(f"--{name}", type=int, default=default, help=f"default {default:,}")
    return parser.parse_args()


def report(part: str, text: str, *, write: bool) -> None:
    """Print a part, and put it between its two marks in the page if asked."""
    print(text, flush=True)
    if not write:
        return
    begin, end = f"<!-- {part} -->\n", f"<!-- end of {part} -->"
    page = PAGE.read_text(encoding="utf-8")
    head, mark, rest = page.partition(begin)
    if not mark or end not in rest:
        raise SystemExit(f"{PAGE.name} has no part {part!r}: add the lines {begin.strip()!r} and {end!r}.")
    PAGE.write_text(head + mark + "\n" + text.strip() + "\n\n" + end + rest.partition(end)[2], encoding="utf-8")
