"""From a CSV of points to counted cells and clusters in memory, beside the reading of the same file by pyarrow.

    python benchmarks/bench_points.py [--write] [--rows 1000000]

Every row goes through the reader and every check that an import makes (personal data, times, positions, projection), as the
same frames in pieces of 50,000 rows; then H3 cells, DBSCAN and counts by cell. What dominates stands in the table. The file has
short words only, as street-level police files do; a tenth of its rows are measured again with a note of four sentences each.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from beside import arguments, machine, report, table
from city import write_csv

from data.readers import read_file
from geo.cells import index_points
from geo.cluster import dbscan
from geo.crs import MetricCrs
from geo.model import RecordKind
from geo.tally import tally_cells
from geo.validate import RecordRules, validate_records

NOW_US = 1_790_000_000_000_000
REPEATS = 3


class Steps:
    """CPU seconds by step."""

    def __init__(self) -> None:
        self.cpu_s: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        began = time.process_time()
        yield
        self.cpu_s[name] = self.cpu_s.get(name, 0.0) + time.process_time() - began


def ours(file: Path) -> tuple[Steps, tuple[int, int, int]]:
    """Counts of rejected rows, cells and clusters, with what each step cost."""
    steps, crs, accepted, rejected = Steps(), MetricCrs(27700), [], 0
    rules = RecordRules(kind=RecordKind.INCIDENTS, source="bench", crs=crs, now_us=NOW_US)
    with steps.step("read"):
        chunks = read_file(file, RecordKind.INCIDENTS, crs=crs).chunks()
    while True:
        with steps.step("read"):
            chunk = next(chunks, None)
        if chunk is None:
            break
        with steps.step("validate"):
            checked = validate_records(chunk.rows.fillna("").astype(object), chunk.row_numbers, rules)
        accepted.append(checked.accepted)
        rejected += len(checked.rejected) + len(chunk.malformed)
    with steps.step("gather"):
        records = pd.concat(accepted, ignore_index=True)
        located = records[records["lon"].notna()]
        lon, lat, x_m, y_m = (located[name].to_numpy(float) for name in ("lon", "lat", "x_m", "y_m"))
    with steps.step("H3"):
        cells = index_points(lon, lat, 9)
    with steps.step("DBSCAN"):
        clusters = dbscan(x_m, y_m, eps_m=150, min_weight=20)
    with steps.step("count"):
        counts = tally_cells(located, cells, np.empty(0, np.int64))
    assert int(counts["records"].sum()) == len(located)
    return steps, (rejected, len(counts), clusters.n_clusters)


def pyarrow_read(file: Path) -> float:
    """CPU seconds of pyarrow's reader, all threads counted."""
    from pyarrow import csv

    began = time.process_time()
    csv.read_csv(file)
    return time.process_time() - began


def measured(rows: int, *, notes: bool = False) -> str:
    """What was found in a file of so many rows, and a table of the steps."""
    with tempfile.TemporaryDirectory() as folder:
        file = write_csv(Path(folder) / "city.csv", rows, notes=notes)
        small = write_csv(Path(folder) / "small.csv", 200, notes=notes)
        ours(small)
        pyarrow_read(file)
        turns = []
        for _ in range(REPEATS):  # by turns
            base_s = pyarrow_read(file)
            steps, found = ours(file)
            turns.append((sum(steps.cpu_s.values()), base_s, steps.cpu_s))
        size = file.stat().st_size / 1e6
    total_s, _, steps_s = sorted(turns, key=lambda one: one[0])[REPEATS // 2]
    base_s = sorted(one[1] for one in turns)[REPEATS // 2]
    lines = [
        [name, f"{cpu_s:.2f}", f"{cpu_s / base_s:.1f}", f"{cpu_s / total_s:.0%}"] for name, cpu_s in steps_s.items()
    ]
    lines += [
        ["all", f"{total_s:.2f}", f"{total_s / base_s:.1f}", ""],
        ["pyarrow.csv.read_csv", f"{base_s:.2f}", "1.0", ""],
    ]
    words = "a note of four sentences in each row" if notes else "short words only, no notes"
    told = f"{rows:,} rows, {size:.0f} MB, {words}: {found[0]:,} rejected, {found[1]:,} cells, {found[2]:,} clusters."
    head = ("step", "CPU s", "times pyarrow's reading", "share")
    return f"{told}\n\n{table(head, lines)}"


def main() -> None:
    asked = arguments(__doc__, rows=1_000_000)
    parts = [machine("pyarrow", "pandas", "numba"), measured(asked.rows), measured(asked.rows // 10, notes=True)]
    report("points", "\n\n".join(parts), write=asked.write)


if __name__ == "__main__":
    main()
