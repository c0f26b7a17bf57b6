"""Streets, homes, parks and premises of the invented town of Lapwing Haven, in metres.

The town stands on the tidal flats of the Wash, where nobody lives: no real home can be taken for one of its places.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

WEST_M, SOUTH_M, SIZE_M = 550_000.0, 336_000.0, 5_000.0
BLOCK_M: Final = 250.0
HOUSE_SPACING_M: Final = 25.0

_TREES: Final = (
    "Alder", "Ash", "Aspen", "Beech", "Birch", "Cedar", "Cherry", "Elder", "Elm", "Fir", "Hawthorn", "Hazel", "Holly", "Hornbeam",
    "Juniper", "Larch", "Laurel", "Lime", "Maple", "Medlar", "Myrtle", "Oak", "Osier", "Pine", "Plum", "Poplar", "Quince", "Rowan",
    "Sallow", "Sorrel", "Spindle", "Spruce", "Sycamore", "Tamarisk", "Teasel", "Viburnum", "Walnut", "Willow", "Wych", "Yarrow", "Yew",
    "Zelkova",
)  # fmt: skip
_BIRDS: Final = ("Avocet", "Curlew", "Dunlin", "Godwit", "Knot", "Plover", "Redshank", "Sanderling")
_PREMISES: Final = {
    "takeaway": (
        "Golden Fryer",
        "Marsh Kebab",
        "Samphire Chicken",
        "Saltmarsh Pizza",
        "Tideway Noodles",
        "Harbour Grill",
    ),
    "hotel": ("Sea Lavender Guest House", "Tern Lodge", "Estuary Hotel"),
    "station": ("Lapwing Haven Station",),
    "shop": (
        "Cockle Stores",
        "Quayside News",
        "Sandbank Supermarket",
        "Creek Convenience",
        "Fen Pharmacy",
        "Spartina Books",
    ),
    "licensed": ("The Winkle", "The Oystercatcher", "The Shoveler"),
    "car park": ("Creek Car Park", "Strand Car Park"),
    "school": ("Haven School",),
    "taxi rank": ("Station Rank",),
}


@dataclass(frozen=True)
class Feature:
    """One piece of invented geography."""

    kind: str
    subtype: str
    name: str
    geometry: shapely.Geometry


@dataclass(frozen=True)
class Town:
    """The town's reference layers, in metres of the British National Grid."""

    boundary: Feature
    wards: list[Feature]
    roads: list[Feature]
    parks: list[Feature]
    buildings: list[Feature]
    premises: list[Feature]
    refuge: Feature


def make_town(rng: np.random.Generator) -> Town:
    """Lay out the town."""
    boundary = shapely.box(WEST_M, SOUTH_M, WEST_M + SIZE_M, SOUTH_M + SIZE_M)
    roads = _roads()
    parks = _parks(rng)
    green = shapely.union_all([park.geometry for park in parks])
    buildings = _buildings(rng, roads, green)
    premises = _premises(rng, buildings)
    taken = {shop.geometry.wkb for shop in premises}
    homes = [home for home in buildings if home.geometry.wkb not in taken]
    refuge = homes[int(rng.integers(len(homes)))]
    return Town(
        boundary=Feature("boundary", "town", "Lapwing Haven", boundary),
        wards=_wards(),
        roads=roads,
        parks=parks,
        buildings=homes,
        premises=premises,
        refuge=Feature("protected", "refuge", "", refuge.geometry),
    )


def _wards() -> list[Feature]:
    half = SIZE_M / 2
    return [
        Feature(
            "areas",
            "ward",
            f"{name} Ward",
            shapely.box(WEST_M + dx, SOUTH_M + dy, WEST_M + dx + half, SOUTH_M + dy + half),
        )
        for name, dx, dy in (("Creek", 0, 0), ("Strand", half, 0), ("Fen", 0, half), ("Staithe", half, half))
    ]


def _roads() -> list[Feature]:
    lines = int(SIZE_M / BLOCK_M) + 1
    roads = []
    for i in range(lines):
        at_m = i * BLOCK_M
        east_west = shapely.LineString([(WEST_M, SOUTH_M + at_m), (WEST_M + SIZE_M, SOUTH_M + at_m)])
        north_south = shapely.LineString([(WEST_M + at_m, SOUTH_M), (WEST_M + at_m, SOUTH_M + SIZE_M)])
        roads.append(Feature("roads", "Local Road", f"{_TREES[i]} Road", east_west))
        roads.append(Feature("roads", "Local Road", f"{_TREES[i + lines]} Lane", north_south))
    return roads


def _parks(rng: np.random.Generator) -> list[Feature]:
    """Fill eight whole blocks, far enough apart that no two are one place."""
    blocks = _spread(rng, [(i, j) for i in range(1, 18) for j in range(1, 18)], len(_BIRDS), apart=3)
    inset = 22.0
    parks = []
    for name, (i, j) in zip(_BIRDS, blocks, strict=True):
        west, south = WEST_M + i * BLOCK_M + inset, SOUTH_M + j * BLOCK_M + inset
        side = BLOCK_M - 2 * inset
        corner = side / 5
        shape = shapely.Polygon(
            [(west + corner, south), (west + side, south), (west + side, south + side - corner), (west + side - corner, south + side),
             (west, south + side), (west, south + corner)]
        )  # fmt: skip
        parks.append(Feature("parks", "Public Park Or Garden", f"{name} Park", shape))
    return parks


def _spread(
    rng: np.random.Generator, blocks: list[tuple[int, int]], count: int, *, apart: int
) -> list[tuple[int, int]]:
    chosen: list[tuple[int, int]] = []
    for k in rng.permutation(len(blocks)):
        i, j = blocks[int(k)]
        if all(max(abs(i - a), abs(j - b)) >= apart for a, b in chosen):
            chosen.append((i, j))
        if len(chosen) == count:
            break
    return chosen


def _buildings(rng: np.random.Generator, roads: list[Feature], green: shapely.Geometry) -> list[Feature]:
    """Set detached houses on both sides of the east-west roads, with gaps."""
    shapely.prepare(green)
    houses = []
    for road in roads:
        if not road.name.endswith("Road"):
            continue
        y_m = road.geometry.coords[0][1]
        for number in range(1, int(SIZE_M / HOUSE_SPACING_M)):
            x_m = WEST_M + number * HOUSE_SPACING_M
            if (x_m - WEST_M) % BLOCK_M < HOUSE_SPACING_M / 2:  # a side road opens here
                continue
            for side, parity in ((14.0, 1), (-14.0, 0)):
                if rng.random() < 0.45:
                    continue
                plot = shapely.box(x_m - 5, y_m + side - 4, x_m + 5, y_m + side + 4)
                if not green.intersects(plot) and SOUTH_M < y_m + side < SOUTH_M + SIZE_M:
                    houses.append(Feature("buildings", "house", f"{2 * number - parity} {road.name}", plot))
    return houses


def _premises(rng: np.random.Generator, buildings: list[Feature]) -> list[Feature]:
    """Turn some buildings into premises, at least a block apart from each other."""
    order = rng.permutation(len(buildings))
    chosen: list[Feature] = []
    wanted = [(kind, name) for kind, names in _PREMISES.items() for name in names]
    for k in order:
        if len(chosen) == len(wanted):
            break
        plot = buildings[int(k)].geometry
        if all(plot.distance(other.geometry) > 2 * BLOCK_M for other in chosen):
            kind, name = wanted[len(chosen)]
            chosen.append(Feature("premises", kind, name, plot))
    return chosen
