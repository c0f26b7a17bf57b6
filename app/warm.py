"""Compile the loops of the join ahead of time: ``make setup`` runs this, so that no analysis waits for it."""

import numpy as np
import shapely

from app.settings import load_settings
from geo.nearby import features_within


def main() -> None:
    """Join one point to one square; what is compiled for it stays in the home folder."""
    load_settings()
    features_within(np.zeros((1, 2)), np.array([shapely.box(0, 0, 1, 1)]), 1.0)


if __name__ == "__main__":
    main()
