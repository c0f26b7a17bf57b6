"""A synthetic city whose repeated coordinates are labelled: what each stands for, and which ones are meant to mislead.

Nothing here knows the detector's rules. Sizes, offsets and mixes vary, some landmarks are missing from the map, some
are of another vintage, and near-misses are planted that look like another class.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import shapely

from geo.stacks import Landmarks, classify_stacks

CORNER_M, SIZE_M, BLOCK_M = np.array([430_250.0, 330_250.0]), 5_000.0, 125.0
NULL_ISLAND_M = (622_575.7, -5_527_063.8)  # longitude and latitude 0, 0 carried into a metric CRS
DAY_US, START_US, DAYS = 86_400_000_000, 1_700_000_000_000_000, 720
CLASSES = ("address", "snap_point", "centroid", "reporting_address", "default")

KINDS = np.array(
    ["anti-social behaviour", "violence", "theft", "drugs", "missing episode", "burglary", "sexual offence", "concern", "noise"], object
)  # fmt: skip
MIX = {
    "Police": (0.18, 0.22, 0.17, 0.08, 0.10, 0.10, 0.06, 0.07, 0.02),
    "Council": (0.35, 0.04, 0.05, 0.08, 0.04, 0.04, 0.00, 0.10, 0.30),
    "Health": (0.05, 0.35, 0.00, 0.20, 0.10, 0.00, 0.12, 0.18, 0.00),
    "Ambulance": (0.10, 0.40, 0.00, 0.25, 0.05, 0.00, 0.05, 0.15, 0.00),
    "Outreach": (0.20, 0.05, 0.00, 0.20, 0.15, 0.00, 0.05, 0.35, 0.00),
    "Archive": (0.25, 0.30, 0.20, 0.05, 0.00, 0.12, 0.05, 0.00, 0.03),
    "Archive, marked": (0.25, 0.30, 0.20, 0.05, 0.00, 0.12, 0.05, 0.00, 0.03),
}
PARTNERS = tuple(MIX)[:5]
BACKGROUND = {"Police": 4200, "Council": 1100, "Health": 500, "Ambulance": 400, "Outreach": 350, "Archive": 250}
# Kind, half of its side in metres, who records there, how many records, and what nearly all of them are.
REPORTING = (
    *[("Police Station", 25, "Police", (40, 300), None)] * 4,
    ("Custody Suite", 30, "Police", (30, 80), None),
    *[("Hospital", 90, "Health", (60, 200), None)] * 2,
    ("Council Offices", 20, "Council", (40, 150), None),
    ("Town Hall", 25, "Council", (20, 90), None),
    *[("Children's Home", 8, "Police", (6, 45), "missing episode")] * 4,
    *[("Care Home", 12, "Police", (2, 20), "missing episode")] * 5,
)
CLUB = (0.25, 0.4, 0.2, 0.15, 0, 0, 0, 0, 0)


@dataclass(frozen=True)
class City:
    """Records, the label of each repeated point (``x_m, y_m, label, of, variant``) and what the map knows."""

    records: pd.DataFrame
    truth: pd.DataFrame
    landmarks: Landmarks


@dataclass
class _Town:
    """Geography, and what has been put in it so far."""

    rng: np.random.Generator
    roads: np.ndarray
    homes_m: np.ndarray
    postcodes_m: np.ndarray
    areas: dict[str, np.ndarray]
    premises: list[tuple[Any, str]] = field(default_factory=list)
    frames: list[pd.DataFrame] = field(default_factory=list)
    labels: list[tuple] = field(default_factory=list)

    def put(self, at_m, n, label, variant, *, agency, of="", mix=None, snapped=False, days=DAYS):
        """Put ``n`` records on one point, one in twenty of another agency, within so many days."""
        rng, (x_m, y_m) = self.rng, np.round(at_m, 3)
        start_us = START_US + int(rng.integers(DAYS - days + 1)) * DAY_US
        other = (rng.random(n) < 0.05) & (n > 5)
        columns = {
            "x_m": x_m, "y_m": y_m, "category": _draw(rng, n, MIX[agency] if mix is None else mix), "agency": np.where(other, rng.choice(PARTNERS, n), agency),
            "at_us": start_us + rng.integers(0, days * DAY_US, n), "snapped": snapped,
        }  # fmt: skip
        self.frames.append(pd.DataFrame(columns))
        self.labels.append((x_m, y_m, label, of, variant))

    def size(self, mean, *, low=2, high=40):
        """Sizes of stacks are geometric: most small, some large."""
        return int(min(low + self.rng.geometric(1 / (mean - low + 1)) - 1, high))

    def near(self, at_m, low_m, high_m):
        """Somewhere between two distances of a point."""
        angle, distance_m = self.rng.uniform(0, 2 * np.pi), self.rng.uniform(low_m, high_m)
        return np.asarray(at_m) + distance_m * np.array([np.cos(angle), np.sin(angle)])

    def off_road(self, place):
        """Place something until it does not stand on a carriageway."""
        roads = shapely.STRtree(self.roads)
        while True:
            at_m = np.asarray(place())
            if not len(roads.query(shapely.Point(at_m), predicate="dwithin", distance=2.0)):
                return at_m

    def some_homes(self, n):
        """Homes that nothing was put at yet."""
        chosen, self.homes_m = self.homes_m[:n], self.homes_m[n:]
        return chosen

    def show(self, at_m, half_m, kind, *, odds):
        """Put premises on the map, or forget to."""
        if listed := self.rng.random() < odds:
            self.premises.append((shapely.box(*(at_m - half_m), *(at_m + half_m)), kind))
        return listed


def make_city(seed: int) -> City:
    """Lay the city out and fill it; the same seed gives the same city."""
    rng = np.random.default_rng(seed)
    town = _lay_out(rng)
    for fill in (_reporting, _homes, _near_misses, _busy_places, _defaults, _centroids, _snap_points, _background):
        fill(town)
    records = pd.concat(town.frames, ignore_index=True).astype({"agency": object})
    shapes, kinds = zip(*town.premises, strict=True)
    landmarks = Landmarks(
        roads_m=town.roads,
        premises_m=np.array(shapes, object),
        premises_kind=np.array(kinds, object),
        areas_m=np.concatenate(list(town.areas.values())),
        areas_level=np.repeat(np.array(list(town.areas), object), [len(one) for one in town.areas.values()]),
        postcodes_m=town.postcodes_m,
        defaults_m=np.array([NULL_ISLAND_M]),
    )
    truth = pd.DataFrame(town.labels, columns=["x_m", "y_m", "label", "of", "variant"])
    return City(records.iloc[rng.permutation(len(records))].reset_index(drop=True), truth, landmarks)


def _draw(rng, n, mix):
    return rng.choice(KINDS, n, p=np.asarray(mix) / np.sum(mix))


def _grid(rng, count, step_m, sigma_m):
    """Nodes of a crooked grid."""
    steps = np.stack(np.meshgrid(np.arange(count), np.arange(count), indexing="ij"), axis=-1) * step_m
    return CORNER_M + steps + rng.normal(0, sigma_m, steps.shape)


def _lay_out(rng) -> _Town:
    """Crooked streets, houses along both sides, postcodes of fifteen doors, wards and smaller areas."""
    nodes = _grid(rng, int(SIZE_M / BLOCK_M) + 1, BLOCK_M, 12)
    starts = np.concatenate([nodes[:-1].reshape(-1, 2), nodes[:, :-1].reshape(-1, 2)])
    ends = np.concatenate([nodes[1:].reshape(-1, 2), nodes[:, 1:].reshape(-1, 2)])
    bends = (starts + ends) / 2 + rng.normal(0, 5, starts.shape)
    roads = shapely.linestrings(np.stack([starts, bends, ends], axis=1))
    homes = []
    for road in roads[rng.random(len(roads)) < 0.7]:
        along_m = np.arange(18, road.length - 18, 9.0)
        on, ahead = (shapely.get_coordinates(shapely.line_interpolate_point(road, along_m + d)) for d in (0, 1))
        out = (ahead - on)[:, ::-1] * [1, -1] * rng.choice([-1, 1], (len(on), 1))
        homes.append(on + out * rng.uniform(6, 14, (len(on), 1)))
    homes_m = np.concatenate(homes)
    # A postcode's centroid is the delivery point nearest the mean, to the metre.
    streets = np.array_split(homes_m, len(homes_m) // 15)
    postcodes_m = np.array([doors[((doors - doors.mean(axis=0)) ** 2).sum(axis=1).argmin()] for doors in streets])
    return _Town(
        rng, roads, rng.permutation(homes_m), postcodes_m.round(), {"ward": _areas(rng, 4), "lsoa": _areas(rng, 9)}
    )


def _areas(rng, count):
    nodes = _grid(rng, count + 1, SIZE_M / count, SIZE_M / count / 10)
    corners = [nodes[:-1, :-1], nodes[1:, :-1], nodes[1:, 1:], nodes[:-1, 1:]]
    return shapely.polygons(np.stack(corners, axis=2).reshape(-1, 4, 2))


def _reporting(town):
    """Places where reports are made: one point in five on the forecourt, one place in ten not on the map."""
    for (kind, half_m, agency, sizes, usual), centre in zip(REPORTING, town.some_homes(len(REPORTING)), strict=True):
        forecourt = town.rng.random() < 0.2 and usual is None
        reach_m = (half_m + 3, half_m + 25) if forecourt else (0, half_m)
        at_m = town.off_road(lambda centre=centre, reach_m=reach_m: town.near(centre, *reach_m))
        variant = f"{kind}{', not on the map' if not town.show(centre, half_m, kind, odds=0.9) else ''}"
        mix = np.array(MIX[agency]) + (usual == KINDS) * 5.0
        town.put(at_m, int(town.rng.integers(*sizes)), "reporting_address", variant, agency=agency, mix=mix)


def _address(town, at_m, n, variant, **told):
    """Put a true repeat address: one to three kinds of record unless told otherwise, and a little of everything."""
    rng = town.rng
    agency = told.pop("agency", None) or str(rng.choice(["Police", "Police", "Council", "Outreach"]))
    few = 0.05 * np.array(MIX[agency])
    few[rng.choice(len(KINDS), int(rng.integers(1, 4)), replace=False)] += rng.uniform(0.3, 1)
    town.put(at_m, n, "address", variant, agency=agency, **{"mix": few} | told)


def _homes(town):
    for at_m in town.some_homes(110):
        _address(town, at_m, town.size(6), "home", days=DAYS if town.rng.random() < 0.6 else 90)


def _near_misses(town):
    """True addresses that lie where they may be taken for something else."""
    rng = town.rng
    for road in rng.choice(town.roads, 12):
        kerb = shapely.offset_curve(road, rng.choice([-1, 1]) * rng.uniform(2.2, 4))
        at_m = shapely.get_coordinates(shapely.line_interpolate_point(kerb, 30))[0]
        _address(town, at_m, town.size(6), "home 2 to 4 m from a road line")
    sites = [shape for shape, _ in town.premises]
    for i in rng.choice(len(sites), 8):
        around = sites[i].buffer(rng.uniform(8, 30)).exterior
        at_m = town.off_road(lambda line=around: line.interpolate(rng.uniform(), normalized=True).coords[0])
        _address(town, at_m, int(rng.integers(10, 40)), "takeaway beside a reporting address", agency="Police")
        town.show(at_m, 4, "takeaway", odds=0.5)
    for at_m in rng.choice(town.postcodes_m[1:], 5, replace=False):
        _address(town, at_m, town.size(8), "home that is its postcode's centroid")
    for area in rng.choice(town.areas["lsoa"], 6, replace=False):
        _address(town, town.near(area.centroid.coords[0], 6, 25), town.size(6), "home near the middle of an area")


def _busy_places(town):
    """Real places with many records: few kinds, or all kinds but in one night, in company or at a station."""
    rng, everything = town.rng, {"agency": "Police", "mix": MIX["Police"]}
    *clubs, stadium, station, district = town.some_homes(5)
    for at_m in clubs:
        _address(town, at_m, int(rng.integers(60, 130)), "nightclub", agency="Police", mix=CLUB)
        town.show(at_m, 12, "nightclub", odds=0.8)
    _address(town, stadium, int(rng.integers(150, 220)), "one night of disorder", days=1, **everything)
    _address(town, station, int(rng.integers(150, 300)), "railway station", **everything)
    town.show(station, 30, "Railway Station", odds=0.7)
    for _ in range(4):
        at_m = town.off_road(lambda: town.near(district, 20, 100))
        _address(town, at_m, int(rng.integers(150, 350)), "busy district", **everything)


def _defaults(town):
    """Coordinates used when nothing is known, large and small."""
    rng, (headquarters, council, charity) = town.rng, town.some_homes(3)
    for at_m, n, variant, agency in (
        (headquarters, rng.integers(280, 500), "headquarters", "Police"),
        (town.postcodes_m[0], rng.integers(200, 300), "headquarters by its postcode", "Police"),
        (council, rng.integers(150, 260), "the council's default", "Council"),
        (charity, rng.integers(25, 70), "a charity's office", "Outreach"),
        (CORNER_M // 1000 * 1000 + 1000 * rng.integers(1, 5, 2), town.size(20, high=60), "grid corner", "Police"),
        ((0, 0), town.size(12), "grid origin", "Council"),
        (NULL_ISLAND_M, town.size(10), "longitude and latitude 0", "Outreach"),
    ):
        town.put(at_m, int(n), "default", variant, agency=agency)


def _centroids(town):
    """Geocoded to a postcode, an area or the middle of a street; one in twenty by another vintage of the geography."""
    rng = town.rng
    middles = shapely.get_coordinates(shapely.line_interpolate_point(town.roads, 0.5, normalized=True))
    centres = {level: shapely.get_coordinates(shapely.centroid(areas)) for level, areas in town.areas.items()}
    for of, points_m, count, blur_m, moved_m, mean, agencies in (
        ("postcode", town.postcodes_m, 120, 0.3, (5, 30), 5, ("Council", "Health")),
        ("ward", centres["ward"], 10, 0.4, (8, 40), 8, ("Council", "Outreach")),
        ("lsoa", centres["lsoa"], 30, 0.4, (8, 40), 8, ("Council", "Outreach")),
        ("street", middles, 60, 0.3, (2.5, 8), 5, (*["Ambulance"] * 9, "Police")),
    ):
        for at_m in rng.choice(points_m, count, replace=False):
            old = rng.random() < 0.05
            placed_m = town.near(at_m, *moved_m) if old else at_m + rng.normal(0, blur_m, 2)
            variant = f"{of}{', another vintage' if old else ''}"
            town.put(placed_m, town.size(mean, high=60), "centroid", variant, of=of, agency=str(rng.choice(agencies)))


def _snap_points(town):
    """Publishers' map points: three in five on the line, one a little off it and one at a car park or a shop."""
    rng = town.rng
    for agency, count, odds in (
        ("Archive", 220, (0.6, 0.2, 0.2)),
        ("Archive, marked", 80, (0.6, 0.2, 0.2)),
        ("Police", 20, (1, 0, 0)),
    ):
        for road in rng.choice(town.roads, count, replace=False):
            where = int(rng.choice(3, p=odds))
            off_m = (abs(rng.normal(0, 0.4)), rng.uniform(1, 3), rng.uniform(12, 55))[where]
            at_m = town.near(road.interpolate(rng.uniform(0.05, 0.95), normalized=True).coords[0], off_m, off_m)
            variant = f"{agency}: {('on the line', 'beside the line', 'off the line')[where]}"
            marked = agency == "Archive, marked"
            town.put(at_m, town.size(6, high=80), "snap_point", variant, agency=agency, snapped=marked)


def _background(town):
    """Records on points of their own, in and around the houses."""
    rng = town.rng
    for agency, n in BACKGROUND.items():
        points_m = (town.homes_m[rng.choice(len(town.homes_m), n)] + rng.normal(0, 4, (n, 2))).round(3)
        at_us = START_US + rng.integers(0, DAYS * DAY_US, n)
        columns = {"x_m": points_m[:, 0], "y_m": points_m[:, 1], "category": _draw(rng, n, MIX[agency])}
        town.frames.append(pd.DataFrame(columns | {"agency": agency, "at_us": at_us, "snapped": False}))


def classify(records: pd.DataFrame, landmarks: Landmarks) -> pd.DataFrame:
    """Classify the records of a city, or part of them."""
    columns = {name: records[name].to_numpy() for name in ("category", "agency", "at_us", "snapped")}
    return classify_stacks(records["x_m"].to_numpy(), records["y_m"].to_numpy(), **columns, landmarks=landmarks)


def compare(city: City, landmarks: Landmarks | None = None) -> pd.DataFrame:
    """Every labelled stack with what it was classed as, with the city's landmarks or others."""
    found = classify(city.records, city.landmarks if landmarks is None else landmarks)
    return city.truth.merge(found.rename(columns={"of": "found_of"}), on=["x_m", "y_m"], how="left", validate="1:1")


def table(compared: pd.DataFrame) -> pd.DataFrame:
    """Stacks, precision and recall of each class, and their mean over the classes in the last row."""
    label, found = compared["label"], compared["stack_class"]
    scores = pd.DataFrame(
        {
            "stacks": [int((label == name).sum()) for name in CLASSES],
            "found": [int((found == name).sum()) for name in CLASSES],
            "right": [int(((label == name) & (found == name)).sum()) for name in CLASSES],
        },
        index=list(CLASSES),
    )
    scores["precision"], scores["recall"] = scores["right"] / scores["found"], scores["right"] / scores["stacks"]
    mean = scores[["precision", "recall"]].mean()
    scores.loc["macro"] = pd.concat([scores[["stacks", "found", "right"]].sum(), mean])
    return scores.astype({"stacks": int, "found": int, "right": int})


def score(seed: int) -> pd.DataFrame:
    """Precision and recall on one city: what the documentation quotes."""
    return table(compare(make_city(seed)))
