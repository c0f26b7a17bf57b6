"""DBSCAN beside its peers on one city, its growth with the points, and dense spots.

    python benchmarks/bench_dbscan.py [--write] [--rows 100000] [--most 1000000] [--postgis 100000]

``--most`` is the largest size of the growth: 10,000,000 needs several GiB and a few minutes. Peers get the same raw rows. Before anything
is timed the answer is compared with scikit-learn's: on the raw rows the core points, their partition and the noise, on the distinct
points in canonical order every label, the border's too. Where anything differs the tables are printed and nothing is written.
"""

import statistics
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from beside import PAGE, Figures, Way, arguments, growth_mib, machine, missing, race, report, table, timed
from city import DENSE, WIDE, City, points

from geo.cluster import Clustering, dbscan
from geo.model import ClusterAlgorithm

ROWS = 100_000
SETTINGS = ((50.0, 10), (150.0, 20))
EARTH_M = 6_371_008.8
FEW = 50
TURNS, MOST_BY_TURNS = 3, 1_000_000  # larger sizes have one turn
SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000)
CHART = PAGE.parent / "images" / "growth.svg"


def peers(x_m: np.ndarray, y_m: np.ndarray, eps_m: float, least: int) -> dict[str, Way]:
    """Ways to cluster the raw rows, ours first; those that are not installed are left out."""
    from sklearn.cluster import DBSCAN

    rows_m = np.column_stack([x_m, y_m])
    radians = np.column_stack([y_m, x_m]) / EARTH_M  # a plane patch of the sphere: distances differ little from metres
    ways: dict[str, Way] = {
        "Lapwing": lambda: dbscan(x_m, y_m, eps_m=eps_m, min_weight=least),
        "scikit-learn kd_tree": lambda: DBSCAN(eps=eps_m, min_samples=least, algorithm="kd_tree").fit(rows_m),
        "scikit-learn haversine ball_tree": lambda: DBSCAN(
            eps=eps_m / EARTH_M, min_samples=least, algorithm="ball_tree", metric="haversine"
        ).fit(radians),
    }
    if not missing("dbscan"):
        from dbscan import DBSCAN as WANG

        ways["dbscan (Wang)"] = lambda: WANG(rows_m, eps_m, least)
    return ways


def differing(x_m: np.ndarray, y_m: np.ndarray, eps_m: float, least: int) -> int:
    """How many rows scikit-learn labels otherwise, calls core or noise otherwise, or groups otherwise.

    In canonical order its labels must be ours, with those of border points. On the raw rows its border follows the order of
    the rows: there the core points, their partition and the noise must be ours.
    """
    from sklearn.cluster import DBSCAN

    ours = dbscan(x_m, y_m, eps_m=eps_m, min_weight=least)
    canonical = dbscan(x_m, y_m, eps_m=eps_m, min_weight=least, algorithm=ClusterAlgorithm.SKLEARN)
    wrong = int((ours.labels != canonical.labels).sum() + (ours.core != canonical.core)[ours.inverse].sum())
    theirs = DBSCAN(eps=eps_m, min_samples=least, algorithm="kd_tree").fit(np.column_stack([x_m, y_m]))
    core = np.zeros(len(x_m), bool)
    core[theirs.core_sample_indices_] = True
    wrong += int((core != ours.core[ours.inverse]).sum() + ((theirs.labels_ < 0) != (ours.labels < 0)).sum())
    pairs = np.unique(np.column_stack([theirs.labels_[core], ours.labels[core]]), axis=0)
    return wrong + 2 * len(pairs) - sum(len(np.unique(one)) for one in pairs.T)


def beside_peers(rows: int, city: City, wrong: list[str]) -> str:
    """The same rows, each way, at two settings; what differs from scikit-learn is told in ``wrong``."""
    x_m, y_m = points(rows, city)
    lines: list[list[str]] = []
    for eps_m, least in SETTINGS:
        if unlike := differing(x_m, y_m, eps_m, least):
            wrong.append(f"{unlike:,} rows of {rows:,} unlike scikit-learn at {eps_m:g} m, {least}")
        warm = peers(x_m[:FEW], y_m[:FEW], eps_m, least)
        found = race(peers(x_m, y_m, eps_m, least), warm=warm)
        ours = found["Lapwing"]
        lines += [
            [
                f"{eps_m:g} m, {least}", name, f"{one.cpu_s * 1e3:,.0f}", f"{one.cpu_s / ours.cpu_s:.1f}", f"{one.wall_s * 1e3:,.0f}",
                f"{one.growth_mib:,.0f}", f"{ours.growth_mib / max(one.growth_mib, 1e-9):.1%}", f"{unlike:,}" if name == "Lapwing" else "",
            ]
            for name, one in found.items()
        ]  # fmt: skip
    head = (
        "eps, min",
        f"{rows:,} rows by",
        "CPU ms",
        "times ours",
        "wall ms",
        "growth MiB",
        "ours of it",
        "rows unlike scikit-learn",
    )
    absent = "".join(f"\n\n`{name}` is not installed: not measured." for name in missing("dbscan"))
    return table(head, lines) + absent


def by_turns(x_m: np.ndarray, y_m: np.ndarray, **asked: float) -> tuple[Figures, Clustering]:
    """Median CPU and wall of three turns, of one for the largest sizes, and growth; the loops are compiled and loaded before."""

    def few() -> Clustering:
        return dbscan(x_m[:FEW], y_m[:FEW], **asked)

    growth = growth_mib(lambda: dbscan(x_m, y_m, **asked), few)
    few()
    found: list[Clustering] = []

    def turn() -> None:
        found[:] = [dbscan(x_m, y_m, **asked)]

    taken = [timed(turn) for _ in range(turns_of(len(x_m)))]
    return Figures(*map(statistics.median, zip(*taken, strict=True)), growth), found[0]


def turns_of(rows: int) -> int:
    return TURNS if rows <= MOST_BY_TURNS else 1


def growth(most: int, wrong: list[str]) -> tuple[str, dict[int, tuple[Figures, Figures]]]:
    """Cost a point from ten thousand to many, at equal density, by one thread and by two: a table, and the figures to draw."""
    measured: dict[int, tuple[Figures, Figures]] = {}
    lines = []
    for rows in (size for size in SIZES if size <= most):
        x_m, y_m = points(rows)
        one, found = by_turns(x_m, y_m, eps_m=50, min_weight=10)
        two, again = by_turns(x_m, y_m, eps_m=50, min_weight=10, workers=2)
        measured[rows] = one, two
        same = "equal" if np.array_equal(found.labels, again.labels) else "DIFFER"
        if same != "equal":
            wrong.append(f"the labels of {rows:,} rows differ between one thread and two")
        lines.append(
            [
                f"{rows:,}", f"{found.n_clusters:,}", f"{one.cpu_s:.3f}", f"{one.cpu_s / rows * 1e9:,.0f}", f"{one.wall_s:.3f}", f"{two.wall_s:.3f}",
                f"{one.growth_mib:,.0f}", same,
            ]
        )  # fmt: skip
    head = ("rows", "clusters", "CPU s", "CPU ns a row", "wall s", "wall s, 2 threads", "growth MiB", "labels of both")
    return table(head, lines), measured


def draw(measured: dict[int, tuple[Figures, Figures]], chart: Path) -> None:
    """Seconds against points, both by powers of ten, beside a straight line of equal cost a point."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    rows = np.array(list(measured), float)
    one, two = (np.array([both[i].wall_s for both in measured.values()]) for i in range(2))
    with rc_context({"svg.hashsalt": "lapwing", "font.size": 10}):
        figure = Figure(figsize=(5.2, 3.6), layout="constrained")
        axes = figure.subplots()
        axes.loglog(rows, one[-1] * rows / rows[-1], color="#b1b4b6", linewidth=1, label="equal cost a point")
        axes.loglog(rows, one, color="#4b286d", marker="o", markersize=5, linewidth=1, label="one thread")
        axes.loglog(rows, two, color="#b58840", marker="s", markersize=5, linewidth=1, label="two threads")
        axes.set(xlabel="points", ylabel="seconds")
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(chart, format="svg", metadata={"Date": None})


def dense(rows: int) -> str:
    """Spots in which every point has every other near it, beside the same number spread."""
    rng = np.random.default_rng(5)
    angle, radius_m = rng.uniform(0, 2 * np.pi, rows), 50 * np.sqrt(rng.uniform(0, 1, rows))
    few = rows // 20 * 2
    arcs = np.repeat([100.0, 150.001], few // 2), np.tile(np.linspace(-0.2, 0.2, few // 2), 2)
    cases = (
        ("spread as the city", points(rows)),
        ("within 50 m", (radius_m * np.cos(angle), radius_m * np.sin(angle))),
        ("spread as the city", points(few)),
        ("on one spot", (np.zeros(few), np.zeros(few))),
        ("on two arcs a millimetre beyond eps", (arcs[0] * np.cos(arcs[1]), arcs[0] * np.sin(arcs[1]))),
    )
    lines: list[list[str]] = []
    spread_s: dict[int, float] = {}  # of the first case with as many points
    for name, (x_m, y_m) in cases:
        one, found = by_turns(x_m, y_m, eps_m=50, min_weight=10)
        times = one.cpu_s / spread_s.setdefault(len(x_m), one.cpu_s)
        lines.append(
            [f"{len(x_m):,} {name}", f"{found.n_clusters:,}", f"{one.cpu_s:.3f}", f"{times:.2f}", f"{one.growth_mib:,.0f}"]
        )  # fmt: skip
    return table(("points", "clusters", "CPU s", "times as many spread", "growth MiB"), lines)


def beside_postgis(rows: int, wrong: list[str]) -> str:
    """``ST_ClusterDBSCAN`` over the same rows, loaded and indexed beforehand: seconds of the server's answer, by the wall."""
    import psycopg

    from tests.postgres import find_binaries, running_server

    if (binaries := find_binaries()) is None:
        return "PostgreSQL with PostGIS is not installed: `ST_ClusterDBSCAN` was not measured."
    x_m, y_m = points(rows)
    asked = "SELECT count(DISTINCT c), count(c) FROM (SELECT ST_ClusterDBSCAN(geom, 50, 10) OVER () AS c FROM p) AS q"
    with running_server(binaries) as url, psycopg.connect(url, autocommit=True) as server:
        server.execute("CREATE EXTENSION postgis")
        version = server.execute("SELECT postgis_lib_version()").fetchone()
        server.execute("CREATE TABLE p (geom geometry(Point, 27700))")
        with server.cursor().copy("COPY p FROM STDIN") as copy:
            copy.write(
                "".join(f"SRID=27700;POINT({x!r} {y!r})\n" for x, y in zip(x_m.tolist(), y_m.tolist(), strict=True))
            )
        server.execute("CREATE INDEX ON p USING GIST (geom)")
        server.execute("ANALYZE p")
        told: list[tuple[int, int]] = []
        taken = [timed(lambda: told.append(server.execute(asked).fetchone())) for _ in range(turns_of(rows))]  # type: ignore[arg-type]
    wall_s = statistics.median(wall_s for _, wall_s in taken)
    one, found = by_turns(x_m, y_m, eps_m=50, min_weight=10)
    clustered = int((found.labels >= 0).sum())
    if told[0] != (found.n_clusters, clustered):
        wrong.append("PostGIS counts other clusters or other rows in them")
    return table(
        (f"{rows:,} rows by", "wall s", "times ours", "clusters", "rows in clusters"),
        [
            ["Lapwing, one thread", f"{one.wall_s:.3f}", "1.0", f"{found.n_clusters:,}", f"{clustered:,}"],
            [f"PostGIS {version[0] if version else ''} ST_ClusterDBSCAN", f"{wall_s:.3f}", f"{wall_s / one.wall_s:.0f}", f"{told[0][0]:,}", f"{told[0][1]:,}"],
        ],
    )  # fmt: skip


def first_call() -> str:
    """What the first clustering of a process costs, with the loops kept and with none kept: wall seconds, numba's import included."""
    import os
    import subprocess
    import tempfile

    code = (
        "import time, numpy as np; from geo.cluster import dbscan; began = time.perf_counter();"
        "dbscan(np.zeros(2), np.arange(2.0), eps_m=1, min_weight=2); print(time.perf_counter() - began)"
    )
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"NUMBA_CACHE_DIR": folder}
        run = [
            float(subprocess.run([sys.executable, "-c", code], env=environment, cwd=Path(__file__).parent.parent, capture_output=True, text=True, check=True).stdout)
            for _ in range(4)
        ]  # fmt: skip
    return f"First call of a process: {run[0]:.1f} s where nothing is compiled yet, {sorted(run[1:])[1]:.2f} s with the loops kept."


def main() -> None:
    asked = arguments(__doc__, rows=ROWS, most=1_000_000, postgis=100_000)
    wrong: list[str] = []
    parts = [
        machine("numpy", "numba", "scikit-learn", "dbscan"),
        "A dense city (100 km2, 200 snap points, 20 spots of 30 m for each 100,000 rows):",
        beside_peers(asked.rows, DENSE, wrong),
        "A wide one (400 km2, 1,000 snap points, 30 spots of 60 m):",
        beside_peers(asked.rows, WIDE, wrong),
        "Growth, in the wide city:",
    ]
    grown, measured = growth(asked.most, wrong)
    parts += [
        grown,
        dense(min(asked.most, 1_000_000)),
        beside_postgis(asked.postgis, wrong),
        first_call(),
    ]
    report("dbscan", "\n\n".join(parts), write=asked.write, wrong=wrong)
    if asked.write:
        draw(measured, CHART)


if __name__ == "__main__":
    main()
