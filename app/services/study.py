"""The study area of an analysis as cells, and the exposure that lies over it."""

from dataclasses import dataclass

import numpy as np
import shapely

from app.services.selecting import Selection, period_us
from app.services.stacks import REPORTS, weigh_positions
from data.store import Store
from geo import cells as h3cells
from geo.errors import InvalidParameter
from geo.exposure import Exposure, ExposureKind
from geo.model import ComparedWith, FeatureKind, LocationBasis, RecordKind, Scope, TimeBasis
from geo.parameters import AnalysisParameters

OBSERVED_MARGIN = 2
MAX_SESSION_HOURS = 12.0
UNKNOWN_SESSION_HOURS = 2.0
_HOUR_US = 3_600_000_000
_DEGREE_KM = 111.3


def study_cells(study: shapely.Geometry | None, occupied: h3cells.Cells, resolution: int) -> h3cells.Cells:
    """Cells of the study area at a resolution; without an area, two rings round what was observed.

    Raises
    ------
    InvalidParameter
        When the area would have more cells than can be counted.
    """
    if study is None:
        return h3cells.disks(np.unique(occupied), OBSERVED_MARGIN)
    if (expected := estimated_cells(study, resolution)) > h3cells.MAX_STUDY_CELLS:
        raise InvalidParameter(
            f"The area would have about {expected:,.0f} cells; choose a coarser --resolution than {resolution}."
        )
    return h3cells.cells_within(study, resolution)


def estimated_cells(study: shapely.Geometry, resolution: int) -> float:
    """Rough number of cells in the box round an area."""
    west, south, east, north = study.bounds
    area_km2 = (east - west) * (north - south) * _DEGREE_KM**2 * np.cos(np.radians((south + north) / 2))
    return h3cells.estimated_cells(area_km2, resolution)


@dataclass(frozen=True)
class Effort:
    """Outreach sessions within the period: where they were and how many hours they took."""

    lon: np.ndarray
    lat: np.ndarray
    hours: np.ndarray

    def sessions_in(self, cells: h3cells.Cells) -> int:
        """How many sessions lie in the study area."""
        if not len(self.lon) or not len(cells):
            return 0
        resolution = int(h3cells.resolutions(cells[:1])[0])
        return int(np.isin(h3cells.index_points(self.lon, self.lat, resolution), cells).sum())

    def looked(self, cells: h3cells.Cells) -> np.ndarray:
        """Whether a session worked in each cell or in one next to it."""
        if not len(self.lon) or not len(cells):
            return np.zeros(len(cells), bool)
        resolution = int(h3cells.resolutions(cells[:1])[0])
        walked = np.unique(h3cells.index_points(self.lon, self.lat, resolution))
        return np.isin(cells, h3cells.disks(walked, 1))


def effort(store: Store, scope: Scope, parameters: AnalysisParameters) -> Effort:
    """Outreach sessions of the period; one whose length is not known counts as two hours, one at a protected place not."""
    sessions = store.evidence.records(scope, [RecordKind.EFFORT])
    start, end = period_us(parameters)
    known = ~sessions["location_basis"].isin([LocationBasis.NONE, LocationBasis.CELL])
    sessions = sessions[known & (sessions["to_us"] > start) & (sessions["from_us"] < end)]
    hours = (sessions["to_us"] - sessions["from_us"]).to_numpy(float) / _HOUR_US
    unknown = ~sessions["time_basis"].isin([TimeBasis.INTERVAL]).to_numpy(bool)
    hours = np.where(unknown, UNKNOWN_SESSION_HOURS, np.minimum(hours, MAX_SESSION_HOURS))
    return Effort(sessions["lon"].to_numpy(float), sessions["lat"].to_numpy(float), hours)


def exposure_of(
    store: Store, scope: Scope, parameters: AnalysisParameters, selection: Selection, outreach: Effort
) -> Exposure:
    """Return the exposure that the analysis was asked to compare with.

    Raises
    ------
    InvalidParameter
        When the layer it needs has not been imported.
    """
    wanted = ComparedWith(parameters.compared_with)
    if wanted is ComparedWith.UNIFORM or (wanted is ComparedWith.AREA and selection.study is None):
        return Exposure(ExposureKind.UNIFORM)
    if wanted is ComparedWith.AREA:
        return Exposure(ExposureKind.AREA, boundary=selection.study)
    if wanted is ComparedWith.EFFORT:
        if not len(outreach.lon):
            raise InvalidParameter(
                "There is no outreach session with a position in this period to compare with. Import one: lapwing import effort FILE"
            )
        return Exposure(ExposureKind.EFFORT, lon=outreach.lon, lat=outreach.lat, weight=outreach.hours)
    lon, lat = (
        _all_records(store, scope, parameters) if wanted is ComparedWith.RECORDS else _features(store, scope, wanted)
    )
    if not len(lon):
        raise InvalidParameter(
            f"No {wanted} with a position are imported to compare with: lapwing import {wanted} FILE"
        )
    return Exposure(ExposureKind.LAYER, lon=lon, lat=lat, weight=np.ones(len(lon)))


def _all_records(store: Store, scope: Scope, parameters: AnalysisParameters) -> tuple[np.ndarray, np.ndarray]:
    records = weigh_positions(store, scope, store.evidence.records(scope, sorted(REPORTS)))
    start, end = period_us(parameters)
    placed = ~records["location_basis"].isin([LocationBasis.NONE, LocationBasis.CELL]) & ~records["set_aside"].astype(
        bool
    )
    in_time = (records["to_us"] > start) & (records["from_us"] < end)
    records = records[placed & in_time & (records["kind"] == RecordKind.INCIDENTS)]
    return records["lon"].to_numpy(float), records["lat"].to_numpy(float)


def _features(store: Store, scope: Scope, kind: ComparedWith) -> tuple[np.ndarray, np.ndarray]:
    shapes = store.evidence.features(scope, [FeatureKind(str(kind))])["geometry"].to_numpy(object)
    points = shapely.point_on_surface(shapes)
    return shapely.get_x(points), shapely.get_y(points)
