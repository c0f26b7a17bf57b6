"""H3 beside h3ronpy and the calls of h3: a million points at four settings, and what is asked of a study area's cells.

The answers are compared too: cells number by number, the rest within what two libraries may differ by. Where any differ the
tables are printed and nothing is written.
"""

import sys
from collections.abc import Callable

import beside
import city
import h3.api.numpy_int as calls
import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from geo import cells as h3cells
from geo import cells_kernel

Work = Callable[[], object]
Floats = NDArray[np.float64]

PEER = "h3ronpy"
MIDDLE = h3cells.cell_number("89195c2a5b7ffff")
WEST, SOUTH, EAST, NORTH = -5.7, 50.0, 1.7, 55.8
HEAD = ("lapwing", "call by call", PEER, f"lapwing / {PEER}")


def main() -> None:
    """Print both tables, or write them too."""
    asked = beside.arguments(__doc__, points=1_000_000, cells=100_000, repeats=5)
    cells_kernel.compile_all()
    text = [beside.machine("h3", PEER, "numba", "numpy", "shapely")]
    if beside.missing(PEER):
        text.append(f"{PEER} is not installed here (requirements-bench.txt): its columns are empty.")
    wrong: list[str] = []
    text += [points_table(asked.points, asked.repeats, wrong), cells_table(asked.cells, asked.repeats, wrong)]
    beside.report("h3", "\n\n".join(text), write=asked.write, wrong=wrong)


def call_by_call(work: Work) -> Work:
    """Do the same with one call of h3 for each point or cell, as it is done for few."""

    def turn() -> object:
        kept = h3cells.KERNEL_FROM, h3cells.LOADED_KERNEL_FROM
        h3cells.KERNEL_FROM = h3cells.LOADED_KERNEL_FROM = sys.maxsize
        try:
            return work()
        finally:
            h3cells.KERNEL_FROM, h3cells.LOADED_KERNEL_FROM = kept

    return turn


def raced(name: str, ours: Work, peer: Work | None, repeats: int) -> list[str]:
    """CPU of each way, and how many times the peer's ours is."""
    ways = {"lapwing": ours, "calls": call_by_call(ours)} | ({PEER: peer} if peer else {})
    found = beside.race(ways, repeats=repeats)
    times = [f"{found[way].cpu_s * 1e3:,.0f} ms" if way in found else "" for way in ("lapwing", "calls", PEER)]
    ratio = f"{found['lapwing'].cpu_s / found[PEER].cpu_s:.2f}" if peer else ""
    return [name, *times, ratio]


def points_table(count: int, repeats: int, wrong: list[str]) -> str:
    """Points spread over England at three resolutions, and the city of the other benchmarks, whose rows share places."""
    spread = np.random.default_rng(0).uniform((WEST, SOUTH), (EAST, NORTH), (count, 2)).T.copy()
    town = np.stack(pyproj.Transformer.from_crs(27700, 4326, always_xy=True).transform(*city.points(count)))
    settings = [(f"resolution {resolution}", *spread, resolution) for resolution in (7, 9, 11)]
    rows = [points_row(*one, repeats=repeats) for one in (*settings, ("resolution 9, the city", *town, 9))]
    for name, *_, by_calls, by_peer in rows:
        for peer, unlike in (("h3", by_calls), (PEER, by_peer)):
            if unlike not in ("0", ""):
                wrong.append(f"{unlike} cells of {name} are unlike those of {peer}")
    return beside.table((f"cells of {count:,} points, CPU", *HEAD, "unlike h3", f"unlike {PEER}"), rows)


def points_row(name: str, lon: Floats, lat: Floats, resolution: int, *, repeats: int) -> list[str]:
    peer = points_by_peer(lon, lat, resolution)
    times = raced(name, lambda: h3cells.index_points(lon, lat, resolution), peer, repeats)
    ours = h3cells.index_points(lon, lat, resolution)
    plain = [calls.latlng_to_cell(y, x, resolution) for x, y in zip(lon.tolist(), lat.tolist(), strict=True)]
    return [*times, unlike(ours, np.array(plain, np.uint64)), unlike(ours, np.asarray(peer())) if peer else ""]


def unlike(ours: NDArray[np.int64], theirs: NDArray[np.uint64]) -> str:
    """How many of the cells differ."""
    return f"{np.count_nonzero(ours != theirs.astype(np.int64)):,}"


def points_by_peer(lon: Floats, lat: Floats, resolution: int) -> Work | None:
    if beside.missing(PEER):
        return None
    from h3ronpy.vector import coordinates_to_cells

    return lambda: coordinates_to_cells(lat, lon, resolution)


def cells_table(count: int, repeats: int, wrong: list[str]) -> str:
    """What is asked of the cells of a study area."""
    cells = h3cells.disks([MIDDLE], int((count / 3) ** 0.5) + 1)[:count]
    ours: dict[str, Work] = {
        "outlines, as polygons": lambda: h3cells.boundaries(cells),
        "centres": lambda: np.stack(h3cells.centres(cells)),
        "areas": lambda: h3cells.areas_km2(cells),
        "lattice coordinates": lambda: h3cells.lattice(cells),
        "neighbours of each": lambda: h3cells.ring_members(cells, 1),
        "all cells within 2 steps": lambda: h3cells.disks(cells, 2),
    }
    peers = {} if beside.missing(PEER) else cells_by_peer(cells.astype(np.uint64))
    rows = [raced(name, work, peers.get(name), repeats) for name, work in ours.items()]
    wrong += [
        f"{PEER} does not agree on {name}"
        for name, peer in peers.items()
        if not agree(name, ours[name](), peer(), cells)
    ]
    return beside.table((f"{count:,} cells of resolution 9, CPU", *HEAD), rows)


def cells_by_peer(cells: NDArray[np.uint64]) -> dict[str, Work]:
    """The nearest that the peer has; its neighbours come with the cell itself."""
    import h3ronpy
    from h3ronpy import vector

    def columns(batch, *names: str) -> list[NDArray]:
        return [np.asarray(batch.column(name)) for name in names]

    middle = np.full(len(cells), cells[len(cells) // 2])
    return {
        "outlines, as polygons": lambda: shapely.from_wkb(vector.cells_to_wkb_polygons(cells).to_numpy()),
        "centres": lambda: np.stack(columns(vector.cells_to_coordinates(cells), "lng", "lat")),
        "areas": lambda: np.asarray(h3ronpy.cells_area_km2(cells)),
        "lattice coordinates": lambda: np.stack(columns(h3ronpy.cells_to_localij(cells, middle), "i", "j"), axis=1),
        "neighbours of each": lambda: np.asarray(h3ronpy.grid_disk(cells, 1, flatten=True)),
        "all cells within 2 steps": lambda: np.unique(np.asarray(h3ronpy.grid_disk(cells, 2, flatten=True))),
    }


def agree(name: str, ours: object, theirs: object, cells: np.ndarray) -> bool:
    """Whether the answers are the same; the peer counts a cell among its neighbours."""
    if name.startswith("outlines"):
        same = shapely.equals_exact(shapely.normalize(ours), shapely.normalize(theirs), 1e-9).all()
    elif name.startswith("neighbours"):
        same = np.array_equal(np.union1d(ours[1], cells), np.unique(theirs).astype(np.int64))
    elif name in ("centres", "areas"):
        same = np.allclose(ours, theirs, rtol=1e-9, atol=0)
    else:
        same = np.array_equal(ours, theirs.astype(np.int64))
    return bool(same)


if __name__ == "__main__":
    main()
