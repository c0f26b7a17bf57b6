"""Measure ways to do one thing side by side: turns alternate, medians count, memory is growth above what was there before.

CPU seconds count every thread of the process. A peer that is not installed is named and left out; its figures are never kept
from another day. Tables are printed, and with ``--write`` they replace their own part of docs/performance.md.
"""

import argparse
import ctypes
import gc
import importlib.metadata
import importlib.util
import math
import multiprocessing
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
KIB_A_MIB = 1024
Way = Callable[[], object]


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


def _measure(work: Way, warm: Way, send: Connection) -> None:
    warm()
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what earlier turns left free would hide what this one takes
    before = _status_kib("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the high-water mark begins anew
    kept = work()
    send.send(max(_status_kib("VmHWM") - before, 0) / KIB_A_MIB)
    del kept


def growth_mib(work: Way, warm: Way) -> float:
    """Peak memory of one turn above what a process of its own held once ``warm`` had loaded and compiled what it needs."""
    fork = multiprocessing.get_context("fork")
    receive, send = fork.Pipe(duplex=False)
    child = fork.Process(target=_measure, args=(work, warm, send))
    child.start()
    send.close()
    try:
        return float(receive.recv())
    except EOFError:
        return math.nan  # it did not come to its end: the table says nan
    finally:
        child.join()


def timed(work: Way) -> tuple[float, float]:
    """CPU seconds of all threads, and wall seconds."""
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def race(
    ways: dict[str, Way], *, warm: dict[str, Way] | None = None, repeats: int = 5, memory: bool = True
) -> dict[str, Figures]:
    """Medians of each way by turns. Memory comes first, before anything is loaded here; ``warm`` does the same with next to nothing.

    ``memory=False`` is for ways that hold threads or connections, which no fork survives: their growth is nan.
    """
    growth = {name: growth_mib(work, (warm or ways)[name]) if memory else math.nan for name, work in ways.items()}
    for work in ways.values():
        work()
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


def report(part: str, text: str, *, write: bool, wrong: Sequence[str] = ()) -> None:
    """Print a part, and put it between its two marks in the page if asked; where anything is wrong, end there and write nothing."""
    print(text, flush=True)
    if wrong:
        raise SystemExit(f"Nothing is written: {'; '.join(wrong)}.")
    if not write:
        return
    begin, end = f"<!-- {part} -->\n", f"<!-- end of {part} -->"
    page = PAGE.read_text(encoding="utf-8")
    head, mark, rest = page.partition(begin)
    if not mark or end not in rest:
        raise SystemExit(f"{PAGE.name} has no part {part!r}: add the lines {begin.strip()!r} and {end!r}.")
    PAGE.write_text(head + mark + "\n" + text.strip() + "\n\n" + end + rest.partition(end)[2], encoding="utf-8")
