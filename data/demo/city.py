"""Invented records in the invented town, written as the files a partner would send, with the planted truth beside them."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import shapely

from data.demo.geography import BLOCK_M, SIZE_M, SOUTH_M, WEST_M, Feature, Town, make_town
from geo.crs import MetricCrs
from geo.model import SIGMAS_IN_95_PERCENT_RADIUS

SOURCE: Final = "lapwing demo"
NOTICE: Final = "SYNTHETIC DATA. No real place, person or event."
PRECISION_M: Final = 10.0
_DAYS: Final = 360
_AGENCIES: Final = ("Haven Police", "Haven Council", "Haven School Liaison")
_OUTREACH: Final = "Haven Youth Outreach"
_PLANTED: Final = (
    ("parks", None, 3, 34), ("premises", "takeaway", 1, 24), ("premises", "hotel", 1, 20), ("premises", "station", 1, 22), ("buildings", None, 2, 18),
)  # fmt: skip
_NOISE: Final = 110
_UNLOCATED: Final = 14
_MIN_APART_M: Final = 600.0


@dataclass(frozen=True)
class DemoFiles:
    """Where the city was written: import kind to file, and the truth."""

    files: dict[str, Path]
    truth: Path


@dataclass(frozen=True)
class _Planted:
    kind: str
    feature: Feature
    records: int
    weekdays: tuple[int, ...]
    hour: int


def write_city(folder: Path, *, seed: int, today: date) -> DemoFiles:
    """Write the city's files into ``folder``; the same seed and day give the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    town = make_town(rng)
    planted = _choose(rng, town)
    incidents, observations = _events(rng, planted, today)
    incidents += _noise(rng, today) + _unlocated(rng, today)
    routes, sightings = _routes(rng, planted, today)
    layers = {
        "boundary": [town.boundary], "areas": town.wards, "parks": town.parks, "roads": town.roads, "buildings": town.buildings,
        "premises": town.premises, "protected": [town.refuge],
    }  # fmt: skip
    files = {kind: _write_layer(folder / f"{kind}.geojson", features) for kind, features in layers.items()}
    order = [incidents[int(i)] for i in rng.permutation(len(incidents))]
    columns = ["id", "date", "from", "to", "longitude", "latitude", "kind", "agency", "precision_m"]
    files["incidents"] = _write_rows(folder / "incidents.csv", columns, order)
    files["observations"] = _write_rows(folder / "observations.csv", columns, observations)
    files["effort"] = _write_rows(folder / "effort.csv", columns, _sessions(rng, planted, today))
    files["sightings"] = _write_rows(
        folder / "sightings.csv",
        ["id", "timestamp", "longitude", "latitude", "registration", "agency", "precision_m"],
        sightings,
    )
    truth = [Feature(p.kind, "", p.feature.name, p.feature.geometry) for p in planted] + routes
    return DemoFiles(files, _write_layer(folder / "truth.geojson", truth))


def _choose(rng: np.random.Generator, town: Town) -> list[_Planted]:
    """Choose places for the planted harm, far from each other and from the refuge."""
    chosen: list[_Planted] = []
    for layer, subtype, count, records in _PLANTED:
        pool = [one for one in getattr(town, layer) if subtype in {None, one.subtype}]
        for k in rng.permutation(len(pool)):
            if sum(p.feature.kind == layer and (subtype in {None, p.feature.subtype}) for p in chosen) == count:
                break
            feature = pool[int(k)]
            others = [p.feature.geometry for p in chosen] + [town.refuge.geometry]
            if layer != "parks":  # not beside a green, which would make an honest answer ambiguous
                others += [park.geometry for park in town.parks]
            if layer == "buildings":
                others += [shop.geometry for shop in town.premises]
            if min(feature.geometry.distance(other) for other in others) < (
                _MIN_APART_M if layer == "parks" else BLOCK_M
            ):
                continue
            if chosen and min(feature.geometry.distance(p.feature.geometry) for p in chosen) < _MIN_APART_M:
                continue
            kind = {"parks": "park", "buildings": "house"}.get(layer, feature.subtype)
            days = ((4, 5), (2, 4), (5, 6), (0, 3))[len(chosen) % 4]
            chosen.append(_Planted(kind, feature, records - len(chosen), days, 15 + 2 * (len(chosen) % 4)))
    return chosen


def _points(rng: np.random.Generator, planted: _Planted, count: int) -> np.ndarray:
    """True positions, blurred by the stated precision."""
    centre = np.array(planted.feature.geometry.representative_point().coords[0])
    spread_m = 35.0 if planted.kind == "park" else 2.0
    sigma_m = PRECISION_M / SIGMAS_IN_95_PERCENT_RADIUS
    points = centre + rng.normal(0, spread_m, (count, 2)).clip(-80, 80) + rng.normal(0, sigma_m, (count, 2))
    return np.asarray(points)


def _events(
    rng: np.random.Generator, planted: Sequence[_Planted], today: date
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    incidents: list[dict[str, Any]] = []
    observations: list[dict[str, Any]] = []
    for place in planted:
        for i, point in enumerate(_points(rng, place, place.records)):
            moment = _moment(rng, today, place.weekdays, place.hour)
            if i % 3 == 2:
                observations.append(
                    _row(
                        f"O{len(observations):04d}",
                        point,
                        "adults approaching young people",
                        _OUTREACH,
                        date=moment.isoformat(),
                    )
                )
            else:
                agency = _AGENCIES[int(rng.integers(len(_AGENCIES)))]
                times = {"date": moment.isoformat()}
                if i % 4 == 1:  # known only to have been some time that evening
                    times = {"from": moment.isoformat(), "to": (moment + timedelta(hours=3)).isoformat()}
                incidents.append(_row(f"I{len(incidents):04d}", point, "exploitation concern", agency, **times))
    return incidents, observations


def _noise(rng: np.random.Generator, today: date) -> list[dict[str, Any]]:
    points = np.column_stack(
        [
            rng.uniform(WEST_M + 100, WEST_M + SIZE_M - 100, _NOISE),
            rng.uniform(SOUTH_M + 100, SOUTH_M + SIZE_M - 100, _NOISE),
        ]
    )
    return [
        _row(
            f"N{i:04d}",
            point,
            "missing episode",
            _AGENCIES[i % 3],
            date=_moment(rng, today, tuple(range(7)), int(rng.integers(8, 22))).isoformat(),
        )
        for i, point in enumerate(points)
    ]


def _unlocated(rng: np.random.Generator, today: date) -> list[dict[str, Any]]:
    return [
        {
            "id": f"U{i:04d}",
            "date": _moment(rng, today, tuple(range(7)), 12).date().isoformat(),
            "kind": "exploitation concern",
            "agency": _AGENCIES[0],
        }
        for i in range(_UNLOCATED)
    ]


def _sessions(rng: np.random.Generator, planted: Sequence[_Planted], today: date) -> list[dict[str, Any]]:
    """Make outreach sessions, most of them where nothing was seen."""
    rows = []
    for i in range(60):
        place = planted[i % len(planted)]
        point = np.array(place.feature.geometry.representative_point().coords[0]) + rng.normal(0, 60, 2)
        start = _moment(rng, today, (2, 4, 5), 18)
        times = {"from": start.isoformat(), "to": (start + timedelta(hours=2, minutes=30)).isoformat()}
        rows.append(_row(f"S{i:04d}", point, "nothing seen" if i % 3 else "seen", _OUTREACH, **times))
    return rows


def _routes(
    rng: np.random.Generator, planted: Sequence[_Planted], today: date
) -> tuple[list[Feature], list[dict[str, Any]]]:
    """Drive vehicles along the streets between two planted places, and decoys at random."""
    truth: list[Feature] = []
    rows: list[dict[str, Any]] = []
    for r in range(2):
        ends = [np.array(planted[k].feature.geometry.representative_point().coords[0]) for k in (r, r + 3)]
        route = _along_streets(*ends)
        truth.append(Feature("route", "", f"Route {r + 1}", route))
        for vehicle in range(6):
            start = _moment(rng, today, (4, 5), 19)
            for end, minutes in ((ends[0], -4), (ends[1], 16)):  # seen at both places, which then go together
                point = end + rng.normal(0, 5, 2)
                rows.append(_sighting(len(rows), point, start + timedelta(minutes=minutes), f"ZZ{r}{vehicle} SYN"))
            for step in range(5):
                at = route.interpolate((step + rng.uniform(0.1, 0.9)) / 5, normalized=True)
                point = np.array(at.coords[0]) + rng.normal(0, 5, 2)
                when = start + timedelta(minutes=3 * step)
                rows.append(_sighting(len(rows), point, when, f"ZZ{r}{vehicle} SYN"))
    for decoy in range(20):
        for sighting in range(5):
            point = np.array([rng.uniform(WEST_M, WEST_M + SIZE_M), rng.uniform(SOUTH_M, SOUTH_M + SIZE_M)])
            if sighting < 3:  # customers and visitors: cars are seen at places for every reason
                place = planted[int(rng.integers(len(planted)))].feature.geometry
                point = np.array(place.representative_point().coords[0]) + rng.normal(0, 5, 2)
            when = _moment(rng, today, tuple(range(7)), int(rng.integers(6, 22)))
            rows.append(_sighting(len(rows), point, when, f"ZD{decoy:02d} SYN"))
    return truth, rows


def _sighting(number: int, point: np.ndarray, when: datetime, registration: str) -> dict[str, Any]:
    return _row(f"V{number:04d}", point, "", _AGENCIES[1], timestamp=when.isoformat(), registration=registration)


def _along_streets(start: np.ndarray, end: np.ndarray) -> shapely.LineString:
    """Go by the nearest streets: east or west first, then north or south."""
    y_m = SOUTH_M + round((start[1] - SOUTH_M) / BLOCK_M) * BLOCK_M
    x_m = WEST_M + round((end[0] - WEST_M) / BLOCK_M) * BLOCK_M
    return shapely.LineString([(start[0], y_m), (x_m, y_m), (x_m, end[1])])


def _moment(rng: np.random.Generator, today: date, weekdays: tuple[int, ...], hour: int) -> datetime:
    """Pick a moment on one of the weekdays within the last year, in the given and following two hours."""
    day = today - timedelta(days=int(rng.integers(3, _DAYS)))
    weekday = weekdays[int(rng.integers(len(weekdays)))]
    day -= timedelta(days=(day.weekday() - weekday) % 7)
    return datetime.combine(day, time(hour, 0)) + timedelta(minutes=int(rng.integers(0, 180)))


def _row(identity: str, point: np.ndarray, kind: str, agency: str, **times: str) -> dict[str, Any]:
    lon, lat = MetricCrs().unproject(np.array([point[0]]), np.array([point[1]]))
    place = {"longitude": f"{lon[0]:.7f}", "latitude": f"{lat[0]:.7f}", "precision_m": f"{PRECISION_M:g}"}
    return {"id": identity, "kind": kind, "agency": agency, **place, **times}


def _write_rows(path: Path, columns: list[str], rows: list[dict[str, Any]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def _write_layer(path: Path, features: Sequence[Feature]) -> Path:
    crs = MetricCrs()
    shapes = shapely.transform(
        np.array([one.geometry for one in features], dtype=object),
        lambda xy: np.column_stack(crs.unproject(xy[:, 0], xy[:, 1])).round(7),
    )
    listed = [
        {"type": "Feature", "properties": {"kind": one.subtype or one.kind, "name": one.name, "level": "ward" if one.kind == "areas" else ""},
         "geometry": shapely.geometry.mapping(shapely.orient_polygons(shape))}
        for one, shape in zip(features, shapes, strict=True)
    ]  # fmt: skip
    path.write_bytes(orjson.dumps({"type": "FeatureCollection", "notice": NOTICE, "features": listed}))
    return path
