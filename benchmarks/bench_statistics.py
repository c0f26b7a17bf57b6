"""What the statistics cost: Gi* beside a plain sparse product, the scan, and the whole step for 300,000 rows."""

import os
import platform
import time
from collections.abc import Callable

import numpy as np

from geo import cells as h3cells
from geo.local_g import gi_star
from geo.neighbourhoods import Neighbourhoods
from geo.scan import scan

MIDDLE = h3cells.cell_number("89195c2a5b7ffff")
REPEATS = 9


def interleaved(*work: Callable[[], object]) -> list[float]:
    """Median CPU seconds of each piece of work, measured in turns."""
    taken: list[list[float]] = [[] for _ in work]
    for _ in range(REPEATS):
        for i, one in enumerate(work):
            began = time.process_time()
            one()
            taken[i].append(time.process_time() - began)
    return [float(np.median(each)) for each in taken]


def main() -> None:
    """Print the ratios and times."""
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    disk = Neighbourhoods.of(h3cells.disks([MIDDLE], 182)[:100_000], 2).disk(2)
    values = np.random.default_rng(0).poisson(0.3, disk.shape[0]).astype(float)
    ours, product = interleaved(lambda: gi_star(values, disk, binary=True), lambda: disk @ values)
    print(f"Gi* of {disk.shape[0]:,} cells: {ours * 1e3:.2f} ms, {ours / product:.2f} x one sparse product")
    around = Neighbourhoods.of(h3cells.disks([MIDDLE], 33))
    share = np.full(len(around), 1 / len(around))
    for total in (60, 500, 20_000):
        counts = np.random.default_rng(1).multinomial(total, share)
        began = time.perf_counter()
        scan(counts, share, around, seed=0)
        print(f"Scan, 999 simulations, {len(around):,} cells, {total:,} records: {time.perf_counter() - began:.2f} s")
    whole_step()


def whole_step() -> None:
    """Everything ``app.services.statistics`` does for 300,000 rows of a synthetic region, without reading or saving."""
    import tempfile
    from pathlib import Path

    import pandas as pd

    from app.services import statistics
    from app.services.selecting import Selection
    from app.services.study import study_cells
    from app.settings import load_settings
    from app.wiring import Lapwing
    from geo.parameters import AnalysisParameters
    from geo.temporal import local_months

    rng = np.random.default_rng(2)
    towns = rng.uniform((-3.2, 51.0), (-1.2, 52.6), (400, 2))
    at = towns[rng.integers(0, 400, 300_000)] + rng.normal(0, 0.02, (300_000, 2))
    with tempfile.TemporaryDirectory() as home:
        lapwing = Lapwing(load_settings({"LAPWING_HOME": str(Path(home))}))
        x_m, y_m = lapwing.store.crs.project(at[:, 0], at[:, 1])
        day = 1_700_000_000_000_000 + rng.integers(0, 700, 300_000) * 86_400_000_000
        records = pd.DataFrame(
            {"lon": at[:, 0], "lat": at[:, 1], "x_m": x_m, "y_m": y_m, "from_us": day, "to_us": day + 3_600_000_000,
             "precision_m": 50.0, "source_type": "", "kind": "incidents", "time_basis": "interval",
             "found_by_us": False, "only_by_us": False, "agency": "police", "source": "police", "location_basis": "exact"}
        )  # fmt: skip
        selection = Selection(records, records[:0], pd.DataFrame(), 0, 0, 0, 0, local_months(day), None)
        occupied = h3cells.index_points(at[:, 0], at[:, 1], 9)
        cells = study_cells(None, occupied, 9)
        began, last = time.perf_counter(), [time.perf_counter()]

        def told(step: str) -> None:
            now = time.perf_counter()
            print(f"  {now - last[0]:6.1f} s before: {step}")
            last[0] = now

        statistics.find(
            lapwing.store, lapwing.scope("bench"), AnalysisParameters(), selection, cells, seed=0, progress=told
        )
        took = time.perf_counter() - began
    print(f"Statistics of 300,000 rows over {len(cells):,} cells: {took:.1f} s")


if __name__ == "__main__":
    main()
