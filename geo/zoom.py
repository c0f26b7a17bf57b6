"""Which H3 resolution a map shows at which zoom."""

from typing import Final

# Average edge of a hexagon, metres, by resolution (https://h3geo.org/docs/core-library/restable).
_EDGE_M: Final = (
    1_281_256.0, 483_056.8, 182_512.9, 68_979.2, 26_071.8, 9_854.1, 3_724.5, 1_406.5, 531.4, 200.8, 75.9, 28.7, 10.8,
)  # fmt: skip
# Metres of a pixel at zoom 0 in the middle of England (54 degrees), in tiles of 256 pixels.
_PIXEL_M: Final = 156_543.03 * 0.588
# A hexagon smaller than this is a speck, and many of them are a slow map.
MIN_EDGE_PX: Final = 5.0
COARSEST: Final = 4
MAX_ZOOM: Final = 19


def display_resolution(zoom: int, finest: int) -> int:
    """Finest H3 resolution, at most that of the analysis, whose cells can be told apart at a zoom of web maps.

    Examples
    --------
    >>> [display_resolution(zoom, 9) for zoom in (7, 9, 11, 12, 18)]
    [6, 7, 8, 9, 9]
    """
    pixel_m = _PIXEL_M / 2 ** min(max(zoom, 0), 22)
    wide = [resolution for resolution, edge_m in enumerate(_EDGE_M) if edge_m >= MIN_EDGE_PX * pixel_m]
    return min(finest, max(wide[-1] if wide else 0, min(COARSEST, finest)))


def display_resolutions(finest: int) -> tuple[int, ...]:
    """Resolutions that maps of an analysis show at any zoom, coarsest first."""
    return tuple(sorted({display_resolution(zoom, finest) for zoom in range(MAX_ZOOM + 1)}))
