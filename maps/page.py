"""What the page of a map needs of it: a configuration for the script, and three pieces of HTML."""

from dataclasses import asdict, dataclass
from typing import Final

from markupsafe import Markup

from geo.errors import LapwingError

# In this order: each stands on those before it.
SCRIPTS: Final = (
    "vendor/leaflet/Leaflet.VectorGrid.js",
    "vendor/protomaps/protomaps-leaflet.js",
    "js/map.js",
    "js/map-cells.js",
    "js/map-panel.js",
    "js/map-filter.js",
    "js/map-draw.js",
    "js/basemap.js",
)


class ThirdPartyAsset(LapwingError, RuntimeError):
    """A map element asks for an address that is not vendored."""


@dataclass(frozen=True, kw_only=True)
class MapConfig:
    """What the map's script needs: addresses of released layers, never their content."""

    tiles_url: str
    compared_url: str
    coverage_url: str
    cell_url: str
    places_url: str
    routes_url: str
    network_url: str
    reference_urls: dict[str, str]
    basemap_url: str
    breaks: dict[str, list[int]]
    resolutions: list[int]
    ramp: tuple[str, ...]
    bounds: tuple[float, float, float, float]
    place_url: str
    add_url: str
    area_url: str


@dataclass(frozen=True)
class MapParts:
    """The three pieces of a map for a page's head, its body and the end of its body."""

    head: Markup
    html: Markup
    script: Markup


def map_parts(config: MapConfig, *, nonce: str, static_url: str = "/static/") -> MapParts:
    """Make a Folium map whose layers the page's own script fetches and draws."""
    from maps.offline_map import Attach, OfflineMap  # Folium takes a third of a second

    west, south, east, north = config.bounds
    made = OfflineMap(
        location=[(south + north) / 2, (west + east) / 2], zoom_start=13, nonce=nonce, static_url=static_url
    )
    Attach(asdict(config), script_urls=tuple(f"{static_url}{name}" for name in SCRIPTS)).add_to(made)
    return made.figure.parts()
