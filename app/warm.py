"""Compile the loops ahead of time: ``make setup`` runs this, so that no analysis waits for it."""

import numpy as np
import shapely

from app.settings import load_settings
from geo.cells import compile_loops
from geo.cluster import dbscan
from geo.nearby import features_within


def main() -> None:
    """Index cells, cluster two points and join a point to a square; what is compiled for them stays in the home folder."""
    load_settings()
    compile_loops()
    dbscan(np.zeros(2), np.arange(2.0), eps_m=1, min_weight=2)
    features_within(np.zeros((1, 2)), np.array([shapely.box(0, 0, 1, 1)]), 1.0)


if __name__ == "__main__":
    main()
