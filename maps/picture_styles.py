"""How things look on a picture of a map: as on the screen (app/static/js/map.js), with lines for paper."""

from typing import Any, Final

from geo.classes import RAMP

Style = dict[str, Any]

INK: Final = "#0b0c0c"
GREY: Final = "#505a5f"
_PLACE: Final = "#4b286d"

# Drawn in this order.
GROUND: Final[dict[str, Style]] = {
    "parks": {"facecolor": "#cfe6d2", "edgecolor": "#7fb08a", "linewidth": 0.4},
    "buildings": {"facecolor": "#e9ebec", "edgecolor": "#d5d8da", "linewidth": 0.3},
    "roads": {"facecolor": "none", "edgecolor": "#d3d8db", "linewidth": 0.8},
    "premises": {"facecolor": "#e0d3b4", "edgecolor": "#8c7853", "linewidth": 0.4},
    "boundary": {"facecolor": "none", "edgecolor": GREY, "linewidth": 0.8, "linestyle": (0, (5, 3))},
}
CELLS: Final[tuple[Style, ...]] = tuple(
    {"facecolor": colour, "edgecolor": "#ffffff", "linewidth": 0.3, "alpha": 0.75} for colour in RAMP
)
HOT: Final[Style] = {"facecolor": "none", "edgecolor": INK, "linewidth": 1.2, "joinstyle": "round"}
LOOKED: Final[Style] = {"facecolor": "none", "edgecolor": GREY, "linewidth": 0.6, "linestyle": (0, (2.5, 2.5))}
HALO: Final[Style] = {"facecolor": "none", "edgecolor": "#ffffffd0", "linewidth": 3.2}  # purple on purple is unseen
PLACE: Final[Style] = {"facecolor": f"{_PLACE}1f", "edgecolor": _PLACE, "linewidth": 1.5, "joinstyle": "round"}
NOMINATED: Final[Style] = {**PLACE, "linestyle": (0, (1, 1.5))}
ROUTE: Final[Style] = {"facecolor": "none", "edgecolor": "#00703c", "linewidth": 2.0, "alpha": 0.8}
LINK: Final[Style] = {"facecolor": "none", "edgecolor": "#b58840", "linewidth": 1.3, "linestyle": (0, (5, 3))}
NUMBER: Final = {"facecolor": "#ffffff", "edgecolor": _PLACE, "linewidth": 0.8}
LEADER: Final = {"color": _PLACE, "linewidth": 0.8}
LINES: Final = frozenset({"roads", "boundary", "route", "link"})
