"""DBSCAN beside its peers on one city, its growth with the points, and dense spots.

    python benchmarks/bench_dbscan.py [--write] [--rows 100000] [--most 1000000] [--postgis 100000]

``--most`` is the largest size of the growth: 10,000,000 needs several GiB and a few minutes. Peers get the same raw rows. Labels are
compared with scikit-learn's before anything is timed: equal partition of the core points, equal noise.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from beside import PAGE, Figures, Way, arguments, growth_mib, machine, missing, race, report, table, timed
from city import DENSE, WIDE, City, points

from geo.cluster import Clustering, dbscan

ROWS = 100_000
SETTINGS = ((50.0, 10), (150.0, 20))
EARTH_M = 6_371_008.8
FEW = 50
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
    """How many rows scikit-learn, on the raw rows, calls noise or core otherwise, or groups otherwise."""
    from sklearn.cluster import DBSCAN

    ours = dbscan(x_m, y_m, eps_m=eps_m, min_weight=least)
    theirs = DBSCAN(eps=eps_m, min_samples=least, algorithm="kd_tree").fit(np.column_stack([x_m, y_m]))
    core = np.zeros(len(x_m), bool)
    core[theirs.core_sample_indices_] = True
    wrong = int((core != ours.core[ours.inverse]).sum() + ((theirs.labels_ < 0) != (ours.labels < 0)).sum())
    pairs = np.unique(np.column_stack([theirs.labels_[core], ours.labels[core]]), axis=0)
    return wrong + 2 * len(pairs) - sum(len(np.unique(one)) for one in pairs.T)


def beside_peers(rows: int, city: City) -> str:
    """The same rows, each way, at two settings."""
    x_m, y_m = points(rows, city)
    lines: list[list[str]] = []
    for eps_m, least in SETTINGS:
        wrong = differing(x_m, y_m, eps_m, least)
        warm = peers(x_m[:FEW], y_m[:FEW], eps_m, least)
        found = race(peers(x_m, y_m, eps_m, least), warm=warm)
        ours = found["Lapwing"]
        lines += [
            [
                f"{eps_m:g} m, {least}", name, f"{one.cpu_s * 1e3:,.0f}", f"{one.cpu_s / ours.cpu_s:.1f}", f"{one.wall_s * 1e3:,.0f}",
                f"{one.growth_mib:,.0f}", f"{ours.growth_mib / max(one.growth_mib, 1e-9):.1%}", f"{wrong:,}" if name == "Lapwing" else "",
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


def timed_once(x_m: np.ndarray, y_m: np.ndarray, **asked: float) -> tuple[Figures, Clustering]:
    """CPU, wall and growth, each of one turn; the loops are compiled and loaded before."""

    def few() -> Clustering:
        return dbscan(x_m[:FEW], y_m[:FEW], **asked)

    growth = growth_mib(lambda: dbscan(x_m, y_m, **asked), few)
    few()
    found: list[Clustering] = []
    return Figures(*timed(lambda: found.append(dbscan(x_m, y_m, **asked))), growth), found[0]


def growth(most: int, chart: Path | None) -> str:
    """Cost a point from ten thousand to many, at equal density, by one thread and by two; drawn where a chart is asked for."""
    measured: dict[int, tuple[Figures, Figures]] = {}
    lines = []
    for rows in (size for size in SIZES if size <= most):
        x_m, y_m = points(rows)
        one, found = timed_once(x_m, y_m, eps_m=50, min_weight=10)
        two, again = timed_once(x_m, y_m, eps_m=50, min_weight=10, workers=2)
        measured[rows] = one, two
        same = "equal" if np.array_equal(found.labels, again.labels) else "DIFFER"
        lines.append(
            [
                f"{rows:,}", f"{found.n_clusters:,}", f"{one.cpu_s:.3f}", f"{one.cpu_s / rows * 1e9:,.0f}", f"{one.wall_s:.3f}", f"{two.wall_s:.3f}",
                f"{one.growth_mib:,.0f}", same,
            ]
        )  # fmt: skip
    if chart:
        draw(measured, chart)
    head = ("rows", "clusters", "CPU s", "CPU ns a row", "wall s", "wall s, 2 threads", "growth MiB", "labels of both")
    return table(head, lines)


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
    arcs = np.repeat([100.0, 150.001], rows // 20), np.tile(np.linspace(-0.2, 0.2, rows // 20), 2)
    cases = {
        f"{rows:,} spread as the city": points(rows),
        f"{rows:,} within 50 m": (radius_m * np.cos(angle), radius_m * np.sin(angle)),
        f"{rows // 10:,} on one spot": (np.zeros(rows // 10), np.zeros(rows // 10)),
        f"{rows // 10:,} on two arcs a millimetre beyond eps": (arcs[0] * np.cos(arcs[1]), arcs[0] * np.sin(arcs[1])),
    }
    lines, base = [], None
    for name, (x_m, y_m) in cases.items():
        one, found = timed_once(x_m, y_m, eps_m=50, min_weight=10)
        base = base or one.cpu_s
        lines.append(
            [name, f"{found.n_clusters:,}", f"{one.cpu_s:.3f}", f"{one.cpu_s / base:.2f}", f"{one.growth_mib:,.0f}"]
        )
    return table(("points", "clusters", "CPU s", "times the spread", "growth MiB"), lines)


def beside_postgis(rows: int) -> str:
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
        _, wall_s = timed(lambda: told.append(server.execute(asked).fetchone()))  # type: ignore[arg-type]
    one, found = timed_once(x_m, y_m, eps_m=50, min_weight=10)
    clustered = int((found.labels >= 0).sum())
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
    parts = [
        machine("numpy", "numba", "scikit-learn", "dbscan"),
        "A dense city (100 km2, 200 snap points, 20 spots of 30 m for each 100,000 rows):",
        beside_peers(asked.rows, DENSE),
        "A wide one (400 km2, 1,000 snap points, 30 spots of 60 m):",
        beside_peers(asked.rows, WIDE),
        "Growth, in the wide city:",
        growth(asked.most, CHART if asked.write else None),
        dense(min(asked.most, 1_000_000)),
        beside_postgis(asked.postgis),
        first_call(),
    ]
    report("dbscan", "\n\n".join(parts), write=asked.write)


if __name__ == "__main__":
    main()
