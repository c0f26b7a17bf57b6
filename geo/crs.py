"""Between WGS 84 degrees and the store's metric coordinates.

Great Britain goes through OSTN15 (Ordnance Survey's definitive transformation, built into ``convertbng``): pyproj
without its grid lands 1.8 m away, at the neighbouring house. Every other metric CRS goes through pyproj.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Proj, Transformer

from geo.errors import CrsError

Floats = NDArray[np.float64]

BRITISH_NATIONAL_GRID: Final = 27700
WGS84: Final = 4326
# A CRS whose metres are further from metres on the ground than this is for pictures, not for distances.
MAX_STRETCH: Final = 0.05


@dataclass(frozen=True)
class MetricCrs:
    """A projected CRS in metres, named by its EPSG code.

    Raises
    ------
    CrsError
        When the code is unknown, geographic, or not measured in metres.

    Examples
    --------
    >>> MetricCrs(27700).name
    'OSGB36 / British National Grid'
    """

    epsg: int = BRITISH_NATIONAL_GRID

    def __post_init__(self) -> None:
        """Refuse a CRS in which distances are not metres."""
        crs = _crs(self.epsg)
        if not crs.is_projected or any(axis.unit_name != "metre" for axis in crs.axis_info):
            raise CrsError(
                f"EPSG:{self.epsg} ({crs.name}) is not a projected CRS in metres; try EPSG:27700 or your UTM zone."
            )
        if _stretch(crs) > MAX_STRETCH:
            raise CrsError(
                f"EPSG:{self.epsg} ({crs.name}) stretches distances by {_stretch(crs):.0%} within its area, so its metres are"
                " not metres on the ground; use EPSG:27700 or your UTM zone."
            )

    @classmethod
    def parse(cls, text: str) -> "MetricCrs":
        """Read a code as people write it.

        Raises
        ------
        CrsError
            When it is no code, or one of no use here.

        Examples
        --------
        >>> MetricCrs.parse("EPSG:27700") == MetricCrs.parse(" 27700 ")
        True
        """
        code = text.strip().upper().removeprefix("EPSG:")
        if not (code.isdecimal() and 4 <= len(code) <= 6):
            raise CrsError(f"{text!r} is not a CRS; write it as EPSG:27700.")
        return cls(int(code))

    @property
    def name(self) -> str:
        """The CRS's registered name."""
        return str(_crs(self.epsg).name)

    @property
    def method(self) -> str:
        """How degrees become metres, for an export's statement of accuracy."""
        return "OSTN15 (0.1 m)" if self.epsg == BRITISH_NATIONAL_GRID else f"PROJ, EPSG:4326 to EPSG:{self.epsg}"

    def project(self, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
        """Degrees to metres; NaN where the transformation is not defined.

        Parameters
        ----------
        lon, lat : ndarray of float, shape (n,)
            WGS 84 degrees.

        Returns
        -------
        x_m, y_m : ndarray of float, shape (n,)
            Easting and northing, rounded to the millimetre so that every machine agrees.
        """
        lon, lat = np.asarray(lon, float), np.asarray(lat, float)
        if self.epsg == BRITISH_NATIONAL_GRID:
            x_m, y_m = _ostn15(lon, lat)
            edge = ~np.isfinite(x_m) & self.covers(lon, lat)  # Scilly and St Kilda: only the inverse knows them
            if edge.any():
                x_m[edge], y_m[edge] = _ostn15_by_inversion(lon[edge], lat[edge])
        else:
            x_m, y_m = _transformer(WGS84, self.epsg).transform(lon, lat)
        return _finite(x_m), _finite(y_m)

    def unproject(self, x_m: Floats, y_m: Floats) -> tuple[Floats, Floats]:
        """Metres to WGS 84 degrees; NaN where the transformation is not defined."""
        x_m, y_m = np.asarray(x_m, float), np.asarray(y_m, float)
        if self.epsg == BRITISH_NATIONAL_GRID:
            lon, lat = _ostn15_inverse(x_m, y_m)
        else:
            lon, lat = _transformer(self.epsg, WGS84).transform(x_m, y_m)
        return _finite(lon, 9), _finite(lat, 9)

    def covers(self, lon: Floats, lat: Floats) -> NDArray[np.bool_]:
        """Whether each position lies in the CRS's registered area of use (a margin of 0.5 degrees is allowed)."""
        area = _crs(self.epsg).area_of_use
        if area is None:
            return np.isfinite(lon) & np.isfinite(lat)
        margin = 0.5
        return (
            (lon >= area.west - margin)
            & (lon <= area.east + margin)
            & (lat >= area.south - margin)
            & (lat <= area.north + margin)
        )


def _finite(values: Floats, decimals: int = 3) -> Floats:
    values = np.asarray(values, np.float64)
    return np.asarray(np.round(np.where(np.isfinite(values), values, np.nan), decimals), np.float64)


def _ostn15(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    from convertbng.cutil import convert_bng

    if not lon.size:
        return lon, lat
    return convert_bng(np.ascontiguousarray(lon), np.ascontiguousarray(lat))


def _ostn15_by_inversion(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Solve the inverse transformation by fixed-point iteration from PROJ's guess; contracts to well under 1 mm."""
    forward = _transformer(WGS84, BRITISH_NATIONAL_GRID)
    wanted_x, wanted_y = forward.transform(lon, lat)
    x_m, y_m = wanted_x.copy(), wanted_y.copy()
    for _ in range(4):
        there_x, there_y = forward.transform(*_ostn15_inverse(x_m, y_m))
        x_m, y_m = x_m + wanted_x - there_x, y_m + wanted_y - there_y
    return np.where(np.isfinite(x_m), x_m, np.nan), np.where(np.isfinite(y_m), y_m, np.nan)


def _stretch(crs: CRS) -> float:
    """Largest departure of the scale from 1 along the middle of the CRS's area of use."""
    area = crs.area_of_use
    if area is None:
        return 0.0
    lat = np.linspace(area.south, area.north, 7)[1:-1]
    lon = np.full(len(lat), (area.west + area.east) / 2)
    return float(np.nanmax(np.abs(np.asarray(Proj(crs).get_factors(lon, lat).meridional_scale) - 1)))


def _ostn15_inverse(x_m: Floats, y_m: Floats) -> tuple[Floats, Floats]:
    from convertbng.cutil import convert_lonlat

    if not x_m.size:
        return x_m, y_m
    return convert_lonlat(np.ascontiguousarray(x_m), np.ascontiguousarray(y_m))


@lru_cache(maxsize=16)
def _crs(epsg: int) -> CRS:
    try:
        return CRS.from_epsg(epsg)
    except Exception as error:
        raise CrsError(f"EPSG:{epsg} is not a known coordinate reference system.") from error


@lru_cache(maxsize=16)
def _transformer(source: int, target: int) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)
