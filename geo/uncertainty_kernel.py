"""The loops behind ``geo.uncertainty``, compiled: import it where it is used."""

import numpy as np
from numpy.typing import NDArray

from geo.compiled import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Cells = NDArray[np.int32]


@compiled
def room_m(lon: Floats, lat: Floats, cell: Ints, corners: Floats, metres_per_degree: float) -> Floats:
    """Metres from each point to the nearest side of the convex outline of its cell, on the plane that touches there.

    ``corners`` are (cells, corners, 2) as longitude and latitude, counter-clockwise.
    """
    found, sides = np.empty(len(lon)), corners.shape[1]
    for i in range(len(lon)):
        outline, east = corners[cell[i]], metres_per_degree * np.cos(np.radians(lat[i]))
        nearest = np.inf
        x_m = (outline[sides - 1, 0] - lon[i]) * east
        y_m = (outline[sides - 1, 1] - lat[i]) * metres_per_degree
        for k in range(sides):
            next_x_m = (outline[k, 0] - lon[i]) * east
            next_y_m = (outline[k, 1] - lat[i]) * metres_per_degree
            dx, dy = next_x_m - x_m, next_y_m - y_m
            nearest = min(nearest, (dy * x_m - dx * y_m) / np.sqrt(dx * dx + dy * dy))
            x_m, y_m = next_x_m, next_y_m
        found[i] = nearest
    return found


@compiled
def count_draws(
    positions: Cells, rows: Ints, which: Ints, picked: Ints, chance: Floats, inside: Floats, counts: Floats
) -> None:
    """Add to ``counts`` (cells, draws) every listed record that a draw has within the period and the area."""
    for draw in range(picked.shape[0]):
        for k in range(len(rows)):
            cell = positions[which[k], picked[draw, rows[k]]]
            if cell >= 0 and chance[draw, rows[k]] < inside[rows[k]]:
                counts[cell, draw] += 1.0


@compiled
def count_certain(positions: Cells, rows: Ints, which: Ints, picked: Ints, counts: Floats) -> None:
    """Do the same where every record is within the period."""
    for draw in range(picked.shape[0]):
        for k in range(len(rows)):
            cell = positions[which[k], picked[draw, rows[k]]]
            if cell >= 0:
                counts[cell, draw] += 1.0
