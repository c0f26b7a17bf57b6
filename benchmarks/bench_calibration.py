"""Is a hotspot of ours one? False alarms on pure chance, beside true hotspots, and power, over 3,367 cells.

1,000 maps for each number of records and exposure (seed 20260101; the scan's thresholds are drawn from other seeds).
"""

import time

import numpy as np

from geo import cells as h3cells
from geo.calibration import rate_interval
from geo.hotspots import ALPHA, hot_cells, window_test
from geo.local_g import gi_star
from geo.neighbourhoods import Neighbourhoods
from geo.scan import null_maxima
from geo.significance import benjamini_hochberg

SEED = 20260101
THRESHOLD_SEED = 7
RUNS = 1000
POWER_RUNS = 400
AROUND = Neighbourhoods.of(h3cells.disks([h3cells.cell_number("89195c2a5b7ffff")], 33))
EVEN = np.full(len(AROUND), 1 / len(AROUND))
SKEWED = np.random.default_rng(THRESHOLD_SEED).lognormal(0, 2, len(AROUND))
SKEWED /= SKEWED.sum()


def rate(times: int, runs: int) -> str:
    """Times, rate and exact 95 % interval."""
    low, high = rate_interval(times, runs)
    return f"{times:5d} of {runs} {times / runs:7.1%}  ({low:.1%} to {high:.1%})"


def gi_star_alarm(counts: np.ndarray) -> bool:
    """Whether Gi* with its one-sided normal p and false discovery control raises any cell, as is usual."""
    from scipy.special import ndtr

    return bool((benjamini_hochberg(1 - ndtr(gi_star(counts.astype(float), AROUND.disk(2)))) <= ALPHA).any())


def complete_null() -> None:
    """Records by exposure alone: no cell should be hot."""
    print(f"{'chance alone':34}{'our rule: maps with a hot cell':44}{'exact + BH':>11}{'Gi* + BH':>10}")
    for name, share in (("uniform", EVEN), ("log-normal", SKEWED)):
        for total in (30, 60, 150, 500):
            maxima = null_maxima(total, share, AROUND, seed=THRESHOLD_SEED)
            rng = np.random.default_rng(SEED)
            alarms = exact = usual = 0
            for counts in rng.multinomial(total, share, size=RUNS):
                alarms += bool(hot_cells(counts, share, AROUND, maxima).any())
                exact += bool((window_test(counts, share, AROUND).q_value <= ALPHA).any())
                usual += name == "uniform" and gi_star_alarm(counts)
            gi = f"{usual / RUNS:.1%}" if name == "uniform" else ""
            print(f"{f'{total} records, {name}':34}{rate(alarms, RUNS):44}{exact / RUNS:11.1%}{gi:>10}")


def partial_null() -> None:
    """Fifteen true disks of seven cells hold 150 of 500 records: cells far from them should not be hot."""
    rng = np.random.default_rng(SEED)
    maxima = null_maxima(500, EVEN, AROUND, seed=THRESHOLD_SEED)
    full = np.flatnonzero(np.diff(AROUND.disk(1).indptr) == 7)
    wrong = exact = 0
    proportion = []
    for _ in range(RUNS):
        planted, counts = np.zeros(len(AROUND)), rng.multinomial(350, EVEN)
        for centre in rng.choice(full, 15, replace=False):
            disk = AROUND.disk(1)[[centre]].indices
            planted[disk] = 1
            counts = counts + np.bincount(rng.choice(disk, 10), minlength=len(AROUND))
        far = AROUND.disk(2) @ planted == 0
        hot = hot_cells(counts, EVEN, AROUND, maxima)
        wrong += bool((hot & far).any())
        exact += bool(((window_test(counts, EVEN, AROUND).q_value <= ALPHA) & far).any())
        proportion.append((hot & far).sum() / max(hot.sum(), 1))
    print(f"{'beside 15 true hotspots':34}{rate(wrong, RUNS):44}{exact / RUNS:11.1%}")
    print(f"{'':34}false discovery proportion {np.mean(proportion):.2%} of hot cells")


def power() -> None:
    """Six of sixty records lie in one disk of nineteen cells: one of its cells should be hot."""
    rng = np.random.default_rng(SEED)
    maxima = null_maxima(60, EVEN, AROUND, seed=THRESHOLD_SEED)
    full = np.flatnonzero(np.diff(AROUND.disk(2).indptr) == 19)
    found = 0
    for _ in range(POWER_RUNS):
        disk = AROUND.disk(2)[[rng.choice(full)]].indices
        counts = rng.multinomial(54, EVEN) + np.bincount(rng.choice(disk, 6), minlength=len(AROUND))
        found += bool(hot_cells(counts, EVEN, AROUND, maxima)[disk].any())
    print(f"{'6 of 60 records in 19 cells':34}{rate(found, POWER_RUNS):44}found")


def main() -> None:
    """Print the table."""
    began = time.perf_counter()
    print(f"{len(AROUND):,} cells, {RUNS:,} maps a row")
    complete_null()
    partial_null()
    power()
    print(f"{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
