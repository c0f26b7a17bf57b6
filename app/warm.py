"""Compile the loops ahead of time: ``make setup`` runs this, so that no analysis waits for it."""

import numpy as np
import shapely

from app.settings import load_settings
from geo.cells import compile_loops
from geo.cluster import dbscan
from geo.cluster_spacetime import dbscan_spacetime
from geo.multinomial import multinomial
from geo.nearby import features_within
from geo.scan import RADII


def main() -> None:
    """Run each loop on next to nothing; what is compiled for them stays in the home folder."""
    load_settings()
    compile_loops()
    x_m, y_m = np.zeros(2), np.arange(2.0)
    dbscan(x_m, y_m, eps_m=1, min_weight=2)
    dbscan_spacetime(x_m, y_m, np.zeros(2, np.int64), eps_m=1, eps_days=1, min_weight=2)
    features_within(np.zeros((1, 2)), np.array([shapely.box(0, 0, 1, 1)]), 1.0)
    _count_and_shift()


def _count_and_shift() -> None:
    """Run the loops of the scan, the links and the uncertain positions, as their modules call them."""
    from geo.link_kernel import add_lags, best_of_shifts, count_shifted
    from geo.scan_kernel import largest_ratios
    from geo.uncertainty_kernel import count_certain, count_draws, room_m

    none, one, plane = np.zeros(0, np.int64), np.zeros(1), np.zeros((1, 1))
    ring = (np.zeros(2, np.int32),) * len(RADII)
    largest_ratios(np.zeros((1, 1), np.int32), ring, ring, one, (np.zeros((len(RADII), 1)),) * 3, one)
    multinomial(np.random.default_rng(0), 4, np.ones(2), 1)
    count_shifted(none, none, 1, 1, 7, plane.astype(np.int64))
    add_lags(plane.astype(np.int64), 0, plane.astype(np.int64))
    best_of_shifts(np.zeros((1, 1)), none, none, none, np.zeros((1, 1), np.int64))
    room_m(one[:0], one[:0], none, np.zeros((1, 6, 2)), 1.0)
    positions, picked = np.zeros((1, 1), np.int32), np.zeros((1, 1), np.int64)
    count_draws(positions, none, none, picked, plane, one, plane)
    count_certain(positions, none, none, picked, plane)


if __name__ == "__main__":
    main()
