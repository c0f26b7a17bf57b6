"""Which features of OpenStreetMap are parks, premises, buildings, roads and boundaries.

Source: https://wiki.openstreetmap.org/wiki/Map_features
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from geo.model import FeatureKind

_OPEN: Final = (
    "park",
    "playground",
    "recreation_ground",
    "garden",
    "nature_reserve",
    "common",
    "pitch",
    "dog_park",
    "skatepark",
)
_GROUND: Final = ("recreation_ground", "village_green", "allotments", "cemetery")
# Furniture of the street: not a place where anybody meets behind a door.
_NOT_PREMISES: Final = (
    "bench", "waste_basket", "bicycle_parking", "post_box", "telephone", "vending_machine", "recycling", "drinking_water", "clock", "fountain",
    "parking_space", "parking_entrance", "motorcycle_parking", "charging_station", "grit_bin", "atm", "shelter", "loading_dock", "letter_box",
    "waste_disposal", "bicycle_rental", "street_lamp", "table", "public_bookcase", "lounger", "weighbridge", "smoking_area",
)  # fmt: skip


def _among(values: tuple[str, ...]) -> str:
    return "(" + ", ".join(f"'{value}'" for value in values) + ")"


@dataclass(frozen=True)
class OsmLayer:
    """A layer of GDAL's OSM driver, which of its features are meant, and the tags that say what each is."""

    layer: str
    where: str
    tags: tuple[str, ...]


_PREMISES_TAGS: Final = ("amenity", "shop", "tourism", "public_transport", "railway", "office", "leisure")
_PREMISES: Final = (
    f"(amenity IS NOT NULL AND amenity NOT IN {_among(_NOT_PREMISES)}) OR shop IS NOT NULL OR office IS NOT NULL"
    " OR tourism IN ('hotel', 'hostel', 'guest_house', 'motel', 'apartment', 'museum', 'gallery', 'camp_site', 'caravan_site')"
    " OR public_transport = 'station' OR railway IN ('station', 'halt') OR leisure IN ('sports_centre', 'fitness_centre', 'amusement_arcade')"
)
LAYERS: Final[Mapping[str, tuple[OsmLayer, ...]]] = {
    FeatureKind.PARKS: (
        OsmLayer("multipolygons", f"leisure IN {_among(_OPEN)} OR landuse IN {_among(_GROUND)}", ("leisure", "landuse")),
    ),
    FeatureKind.PREMISES: (
        OsmLayer("points", _PREMISES, _PREMISES_TAGS),
        OsmLayer("multipolygons", _PREMISES, _PREMISES_TAGS),
    ),
    FeatureKind.BUILDINGS: (OsmLayer("multipolygons", "building IS NOT NULL", ("building",)),),
    FeatureKind.ROADS: (OsmLayer("lines", "highway IS NOT NULL", ("highway",)),),
    FeatureKind.BOUNDARY: (OsmLayer("multipolygons", "boundary = 'administrative'", ("boundary",)),),
    FeatureKind.AREAS: (OsmLayer("multipolygons", "boundary IS NOT NULL", ("boundary",)),),
}  # fmt: skip
