"""What attribution costs and how honest it is: 100,000 clusters, the join beside geopandas, and how often odds come true.

``python benchmarks/bench_attribution.py FILE.svg`` draws the curve of the model's own world too.
"""

import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from os import cpu_count, environ
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from data.demo.geography import make_town
from geo.attribution import Stated, attribute
from geo.attribution_check import AttributionCheck, check, plant
from geo.attribution_prior import learn_shares
from geo.model import UNATTRIBUTED
from geo.nearby import features_within
from geo.place_kinds import PRIOR
from geo.reference import Reference

CLUSTERS, POSITIONS = 100_000, 5
# Houses, parks, road links and premises: 50,000 with the gates of the parks.
HOUSES, PARKS, GATES, LINKS, PREMISES = 40_000, 2_000, 2_000, 6_000, 2_000
SIZE_M = 20_000.0
PRECISIONS_M = (10.0, 50.0, 150.0)
RECORDS = 40_000
LEARNT_FROM = 2_000
REPEATS = 5
FIRST_JOIN = """
import time
import numpy as np, shapely
from geo.nearby import features_within
began = time.process_time()
features_within(np.zeros((1, 2)), np.array([shapely.box(0, 0, 1, 1)]), 1.0)
print(time.process_time() - began)
"""


def objects(values: list[Any]) -> NDArray[np.object_]:
    """An array of objects from a list."""
    array = np.empty(len(values), object)
    array[:] = values
    return array


def streets(rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.object_]]:
    """Starts of road links, and the links: streets of ten links a hundred metres long each."""
    start = rng.uniform(0, SIZE_M, (LINKS // 10, 1, 2))
    way = np.where(rng.random((LINKS // 10, 1, 1)) < 0.5, [[[100.0, 0.0]]], [[[0.0, 100.0]]])
    begin = (start + way * np.arange(10)[None, :, None]).reshape(-1, 2)
    end = begin + np.repeat(way[:, 0], 10, axis=0)
    return begin, shapely.linestrings(np.stack([begin, end], axis=1))


def city(rng: np.random.Generator) -> Reference:
    """Houses along streets, parks with gates, premises in twos and threes, over a square of 20 km."""
    begin, links = streets(rng)
    home = begin[np.arange(HOUSES) % LINKS] + rng.uniform((0, 8), (100, 30), (HOUSES, 2))
    houses = shapely.box(home[:, 0], home[:, 1], home[:, 0] + 8, home[:, 1] + 7)
    corner = rng.uniform(0, SIZE_M, (PARKS, 2))
    side_m = np.exp(rng.normal(4.5, 0.7, (PARKS, 1)))
    turn = np.linspace(0, 2 * np.pi, 12, endpoint=False) + rng.uniform(0, 0.4, (PARKS, 12))
    rim = np.stack([np.cos(turn), np.sin(turn)], axis=2) * side_m[:, None] * rng.uniform(0.4, 0.7, (PARKS, 12, 1))
    parks = shapely.polygons(corner[:, None] + rim)
    gates = shapely.points(corner[:GATES] + rim[:GATES, 0])
    shop = begin[rng.integers(0, LINKS, PREMISES)] + rng.uniform((0, -20), (100, -8), (PREMISES, 2))
    shops = shapely.box(shop[:, 0], shop[:, 1], shop[:, 0] + 15, shop[:, 1] + 10)
    counts = {"buildings": HOUSES, "parks": PARKS + GATES, "roads": LINKS, "premises": PREMISES}
    kinds = [kind for kind, count in counts.items() for _ in range(count)]
    subtypes = [""] * len(kinds)
    subtypes[:HOUSES] = ["house"] * HOUSES
    subtypes[-PREMISES:] = [("takeaway", "hotel", "shop", "pub")[i % 4] for i in range(PREMISES)]
    names = [f"Park {i}" if kind == "parks" else "" for i, kind in enumerate(kinds)]
    names[HOUSES + PARKS : HOUSES + PARKS + GATES] = [""] * GATES
    names[-PREMISES - LINKS : -PREMISES] = [f"Street {i // 10}" for i in range(LINKS)]
    shapes = np.concatenate([houses, parks, gates, links, shops])
    return Reference.of(shapes, objects(kinds), objects(subtypes), objects(names))


def clusters(rng: np.random.Generator) -> tuple[Stated, NDArray[np.int64]]:
    """Five positions about each of so many spots, known to 10, 50 or 150 m."""
    spots = rng.uniform(0, SIZE_M, (CLUSTERS, 1, 2))
    precision_m = np.repeat(rng.choice(PRECISIONS_M, CLUSTERS), POSITIONS)
    points_m = spots + rng.normal(0, 1, (CLUSTERS, POSITIONS, 2)) * precision_m.reshape(CLUSTERS, POSITIONS, 1) / 2.448
    group = np.repeat(np.arange(CLUSTERS), POSITIONS)
    return Stated(points_m.reshape(-1, 2), precision_m, np.zeros(len(group), bool)), group


def peak_gib() -> float:
    """Most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


def whole() -> tuple[Stated, Reference]:
    """Attribute all clusters, and return what was attributed to what."""
    rng = np.random.default_rng(0)
    began = time.perf_counter()
    reference = city(rng)
    print(f"Reference of {len(reference):,} features: {time.perf_counter() - began:.1f} s")
    stated, group = clusters(rng)
    before, wall, processor = peak_gib(), time.perf_counter(), time.process_time()
    found = attribute(stated, np.ones(len(group)), group, reference)
    print(
        f"{len(found):,} clusters of {POSITIONS} positions: {time.perf_counter() - wall:.1f} s,"
        f" {time.process_time() - processor:.1f} s of CPU, {peak_gib() - before:.2f} GiB more than the {before:.2f} before;"
        f" {sum(one.feature is not None for one in found.values()):,} named"
    )
    return stated, reference


def joined(points_m: NDArray[np.float64], reference: Reference, name: str) -> None:
    """The join beside that of geopandas on the same pairs, in turns; geopandas is given its points ready made."""
    for distance_m in (10.0, 25.0, 50.0, 150.0):
        taken: dict[str, list[float]] = {"ours": [], "theirs": []}
        for _ in range(REPEATS):
            shapes = shapely.from_wkb(shapely.to_wkb(reference.geometry_m))  # neither finds them prepared
            began = time.process_time()
            ours = features_within(points_m, shapes, distance_m)
            taken["ours"].append(time.process_time() - began)
            shapes = shapely.from_wkb(shapely.to_wkb(reference.geometry_m))
            left = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*points_m.T), crs=27700)
            right = gpd.GeoDataFrame(geometry=shapes, crs=27700)
            began = time.process_time()
            theirs = left.sjoin(right, predicate="dwithin", distance=distance_m)
            taken["theirs"].append(time.process_time() - began)
        pairs = np.column_stack([theirs.index.to_numpy(), theirs["index_right"].to_numpy()])
        same = np.array_equal(np.column_stack(ours), pairs[np.lexsort(pairs.T[::-1])])
        one, other = (float(np.median(times)) for times in taken.values())
        print(
            f"Join of points {name} at {distance_m:.0f} m, {len(ours[0]):,} pairs, {'equal' if same else 'NOT EQUAL'}:"
            f" {one:.2f} s, geopandas {other:.2f} s, {other / one:.1f} times"
        )


def first_join() -> None:
    """What the first join of a process costs more: numba is imported, and the loops are compiled or loaded."""
    root = str(Path(__file__).resolve().parent.parent)
    with tempfile.TemporaryDirectory() as cache:
        told = dict(environ) | {"NUMBA_CACHE_DIR": cache, "PYTHONPATH": root}
        taken = [
            float(subprocess.run([sys.executable, "-c", FIRST_JOIN], env=told, capture_output=True, check=True).stdout)
            for _ in ("compiled", *range(REPEATS))
        ]
    print(f"First join of a process: {np.median(taken[1:]):.2f} s more; {taken[0]:.2f} s where nothing is compiled yet")


def worlds() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Worlds to plant records in, by name: the model's own, another blur, other shares of the kinds."""
    yield "as assumed", {}
    yield "uniform disc", {"blur": "disc"}
    for name, even in (("kinds doubled and halved", 2.0), ("kinds halved and doubled", 0.5)):
        shares = {kind: share * (1 / even if i % 2 else even) for i, (kind, share) in enumerate(PRIOR.items())}
        yield name, {"prior": shares}
    homes = {
        kind: share * (0.5 if kind == UNATTRIBUTED else 2.0 if kind == "house" else 1.0)
        for kind, share in PRIOR.items()
    }
    yield "more homes, less unknown", {"prior": homes}


def calibration(chart: str | None) -> None:
    """Print how often the odds come true, as a Markdown table; draw the model's own world where a file is named."""
    curves: dict[str, AttributionCheck] = {}
    town = make_town(np.random.default_rng(7))
    features = [*town.parks, *town.premises, *town.buildings, *town.roads]
    columns = [objects([getattr(one, name) for one in features]) for name in ("geometry", "kind", "subtype", "name")]
    reference = Reference.of(*columns)
    print(f"\n{RECORDS:,} records planted on {len(features):,} features; bins of 1,000 cases or more\n")
    print("| world | prior | precision m | top 1 | top 3 | worst bin, points |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for world, options in worlds():
        for precision_m in (1.0, *PRECISIONS_M):
            planted = plant(reference, RECORDS, precision_m=precision_m, seed=1, **options)
            learnt = learn_shares(planted.stated.take(np.arange(LEARNT_FROM)), reference)
            for prior, one in (("assumed", reference), ("learnt", reference.reweighted(learnt.plain, learnt.snapped))):
                found = check(planted, one)
                if world == "as assumed" and prior == "learnt":
                    curves[f"{precision_m:.0f} m"] = found
                print(
                    f"| {world} | {prior} | {precision_m:.0f} | {found.top_1:.1%} | {found.top_3:.1%} |"
                    f" {100 * found.worst(1_000):.1f} |"
                )

    if chart:
        draw(curves, chart)


def draw(curves: Mapping[str, AttributionCheck], path: str) -> None:
    """Draw stated against observed odds, bins of a hundred cases or more."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"svg.hashsalt": "lapwing", "font.size": 10}):
        figure = Figure(figsize=(4.6, 4.2), layout="constrained")
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color="#b1b4b6", linewidth=1)
        styles = (("#4b286d", "o"), ("#00703c", "s"), ("#b58840", "^"), ("#1d70b8", "v"))
        for (name, one), (colour, marker) in zip(curves.items(), styles, strict=True):
            full = one.cases >= 100
            axes.plot(
                one.stated[full], one.observed[full], color=colour, marker=marker, markersize=5, linewidth=1, label=name
            )
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="stated odds", ylabel="share that came true", aspect="equal")
        axes.legend(title="precision", frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(path, format="svg", metadata={"Date": None})


def main() -> None:
    """Print times, memory, ratios and the table."""
    print(f"{platform.machine()}, {cpu_count()} cores, Python {platform.python_version()}")
    stated, reference = whole()
    first_join()
    joined(stated.points_m[::POSITIONS], reference, "anywhere")
    rng = np.random.default_rng(3)
    centres_m = shapely.get_coordinates(shapely.centroid(reference.geometry_m))
    beside_m = centres_m[rng.integers(0, len(reference), CLUSTERS)] + rng.normal(0, 40, (CLUSTERS, 2))
    joined(beside_m, reference, "beside features")
    calibration(sys.argv[1] if len(sys.argv) > 1 else None)


if __name__ == "__main__":
    main()
