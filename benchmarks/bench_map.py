"""The analyst's map in headless Chromium, beside an empty page and a plain ``folium.GeoJson`` page; and what a tile costs.

    python benchmarks/bench_map.py [--quick]

A disk of so many cells of H3 resolution 9, each with one to three records and one in 400 with a place's worth, goes the
way of any file: a CSV that is imported and analysed. Every round starts a service over a copy of that store and a
browser with an empty cache. *Cold* is the first map that the service ever shows (before it come only sign-in, dashboard
and the empty page), *warm* the next one, in a new browser context; the empty page is a plain signed-in one. Medians of
five rounds on the wall, with the worst of all rounds beside them. *Painted* is two animation frames after the last tile;
a pan or zoom lasts from the call to the last tile, Leaflet's own animation of 250 ms included. No host but 127.0.0.1
can be resolved.

The plain page holds the same 50,000 cells, drawn as Folium draws them, with Leaflet from our own folder and nothing
else; it is painted two animation frames after its load event.

Tiles are asked for in a process of their own, through the whole service with sign-in and audit, and of the index alone:
up to 250 tiles of each zoom, the fullest among them. PostGIS gets a copy of the run on a throw-away server of this
machine. CPU is what matters: on a busy machine read the load average first.
"""

import json
import multiprocessing
import os
import platform
import re
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from typing import Any

import folium
import numpy as np
import pandas as pd
from playwright.sync_api import BrowserContext, Page, ViewportSize

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from app.services import accounts, map_tiles, view_lists
from app.services.analysis import analyse
from app.services.layers import released_layer
from app.services.map_layers import map_layer, resolution_at
from app.services.run_records import NAME
from app.settings import Settings, load_settings
from app.web import make_app
from app.wiring import Lapwing
from data.export.geojson import write_geojson
from geo import cells as h3cells
from geo.model import Layer, Profile, Role, Run
from geo.parameters import AnalysisParameters
from geo.view import View
from maps.mercator import world_from_degrees
from maps.tiles import TileIndex
from maps.vendor import REMOTE, VENDOR
from tests.browser import FLAGS, chromium, serving, sign_in
from tests.factories import LAT, LON
from tests.files import load
from tests.postgres import find_binaries, running_server

ROUNDS, SIZES, PLAIN = 5, (50_000, 200_000), 50_000
ZOOMS, LAST_ZOOM, MOST_TILES = range(8, 16), 15, 250
PAN_PX = 400
WINDOW: ViewportSize = {"width": 1280, "height": 900}
INSIDE = Profile.OPERATIONAL
WIDTHS = (8, 7, 7, 7, 10, 5)  # of the columns of a store's tiles
EMPTY = "/account/passphrase"
Tiles = dict[int, list[tuple[int, int]]]

# Runs before anything of the page: notes when it is loaded and painted, and every task of over 50 ms.
WATCH = """window.seen = { tasks: [] };
const frames = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now()))));
addEventListener('load', () => frames().then((at) => { seen.loaded = at; }));
new PerformanceObserver((list) => list.getEntries().forEach((one) => seen.tasks.push([one.startTime, one.duration])))
  .observe({ type: 'longtask', buffered: true });
new MutationObserver(() => {
  if (document.body?.dataset.cells !== 'painted' || seen.noticed) return;
  seen.noticed = true;
  frames().then((at) => { seen.painted = at; });
}).observe(document, { subtree: true, attributes: true, attributeFilter: ['data-cells'] });"""
# Moves the map and gives the zoom it came to and the milliseconds until the last tile of cells is drawn.
MOVE = """async (px) => {
  const map = window[Object.keys(window).find((name) => name.startsWith('map_') && window[name] instanceof L.Map)];
  let cells = null;
  map.eachLayer((one) => { if (one.options.pane === 'lapwing-cells') cells = one; });
  const began = performance.now(), still = new Promise((done) => map.once('moveend', done));
  if (px) map.panBy([px, 0]); else map.zoomIn(1);
  await still;
  if (cells.isLoading()) await new Promise((done) => cells.once('load', done));
  if (!Object.values(cells._tiles).every((one) => one.loaded || !one.current)) throw new Error('a tile is missing');
  return [map.getZoom(), performance.now() - began];
}"""
TASKS = "async () => { await new Promise((done) => setTimeout(done, 300)); return [performance.now(), seen]; }"


@dataclass(frozen=True)
class Home:
    """A service's folder with one analysis in its store."""

    folder: Path
    run: Run
    cells: int

    def application(self) -> Lapwing:
        return Lapwing(load_settings({"LAPWING_HOME": str(self.folder)}))


def write_records(path: Path, count: int) -> int:
    """Write records in so many cells; returns how many there are."""
    rng = np.random.default_rng(count)
    middle = h3cells.index_points(np.array([LON]), np.array([LAT]), 9)
    lon, lat = h3cells.centres(h3cells.disks(middle, int((count / 3) ** 0.5)))
    count = len(lon)
    many = np.where(rng.random(count) < 1 / 400, rng.integers(6, 15, count), rng.integers(1, 4, count))
    each = np.repeat(np.arange(count), many)
    spread = np.where(many[each] > 3, 0.0002, 0.0012) * rng.uniform(-1, 1, (2, len(each)))  # degrees: stays in the cell
    days = np.datetime64("2024-06-01T00:00", "m") + rng.integers(0, 700 * 24 * 60, len(each))
    frame = pd.DataFrame(
        {"id": np.arange(len(each)), "date": np.datetime_as_string(days), "longitude": lon[each] + spread[0],
         "latitude": lat[each] + spread[1] * 0.6, "kind": rng.choice(["violence", "drugs", "missing", "theft"], len(each))}
    )  # fmt: skip
    frame.round(6).to_csv(path, index=False)
    return len(frame)


def make_home(folder: Path, count: int) -> Home:
    """Import and analyse so many cells with records."""
    (folder / "var").mkdir(parents=True)
    app = Home(folder, None, count).application()  # type: ignore[arg-type]
    file = folder / "records.csv"
    written, began = write_records(file, count), time.perf_counter()
    load(app, file, source="bench")
    imported, scope = time.perf_counter(), app.scope("bench")
    run = analyse(app.store, scope, AnalysisParameters(simulations=19), seed=0, now_us=app.clock())
    done = time.perf_counter()
    held = len(full_cells(app, run))
    app.database.close()
    file.unlink()
    print(
        f"\n## {held:,} cells with records ({written:,} records, {run.summary['places']:,} places, {run.summary['cells']:,} cells"
        f" in the study area); imported in {imported - began:.0f} s, analysed in {done - imported:.0f} s"
        f" (load {os.getloadavg()[0]:.1f})",
        flush=True,
    )
    return Home(folder, run, count)


def full_cells(app: Lapwing, run: Run) -> h3cells.Cells:
    """Cells of the analysis that hold records."""
    cells = app.store.runs.cells(app.scope("bench"), run.run_id, min_records=1)["cell"].to_numpy()
    return cells[h3cells.resolutions(cells) == 9]


def opened(context: BrowserContext, url: str, ready: str) -> tuple[Page, dict[str, float]]:
    """Open a page in a new tab; with its seconds to ``ready``, its bytes and its requests."""
    page, requests = context.new_page(), []
    page.add_init_script(WATCH)
    page.on("request", lambda request: requests.append(request.url))
    page.goto(url, wait_until="commit", timeout=300_000)
    page.wait_for_function("(name) => window.seen?.[name]", arg=ready, timeout=300_000, polling=100)
    if ready == "painted":
        page.wait_for_selector("body[data-map=drawn]", timeout=300_000)
    went = page.evaluate("performance.getEntriesByType('navigation')[0].toJSON()")
    found = {
        "first byte, s": went["responseStart"] / 1e3,
        "scripts run, s": went["domContentLoadedEventEnd"] / 1e3,
        "painted, s": page.evaluate(f"seen.{ready}") / 1e3,
        "HTML, KB": went["decodedBodySize"] / 1e3,
    }
    return page, found | {"requests": len(requests)}


def explored(page: Page) -> dict[str, float]:
    """Zoom in and pan in turn down to the last zoom; seconds of each move and the longest blocks in milliseconds."""
    since, seen = page.evaluate(TASKS)
    found: dict[str, float] = {}
    zoom = 0
    across = PAN_PX
    while zoom < LAST_ZOOM:
        zoom, took = page.evaluate(MOVE, 0)
        found[f"zoom in to {zoom}, s"] = took / 1e3
        zoom, took = page.evaluate(MOVE, across)
        found[f"pan at {zoom}, s"] = took / 1e3
        across = -PAN_PX  # away from the middle once and then back, so that the cells never end
    _, seen = page.evaluate(TASKS)
    loaded = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    before = [took for at, took in seen["tasks"] if loaded <= at < since]
    during = [took for at, took in seen["tasks"] if at >= since]
    blocks = {
        "longest block, load to drawn, ms": max(before, default=0.0),
        "longest block, moving, ms": max(during, default=0.0),
    }
    return found | blocks


def one_round(home: Home, folder: Path) -> dict[str, dict[str, float]]:
    """Start a service and a browser; figures of the empty page, the first map and the next."""
    shutil.copytree(home.folder, folder)
    with serving(folder) as served, chromium() as watched:
        sign_in(watched.page, served)
        browser, state = watched.page.context.browser, watched.page.context.storage_state()
        assert browser is not None
        told = {}
        plan = (("empty", EMPTY, "loaded"), ("cold", f"/runs/{home.run.run_id}/map", "painted"),
                ("warm", f"/runs/{home.run.run_id}/map", "painted"))  # fmt: skip
        for name, path, ready in plan:
            context = browser.new_context(storage_state=state, viewport=WINDOW)
            page, told[name] = opened(context, served.address + path, ready)
            if ready == "painted":
                told[name] |= explored(page)
            context.close()
    shutil.rmtree(folder)
    return told


def browse(home: Home, rounds: int) -> tuple[float, float]:
    """Print what a browser sees; returns the medians of seconds until the map is painted, cold and warm."""
    with tempfile.TemporaryDirectory() as folder:
        every = [one_round(home, Path(folder) / str(i)) for i in range(rounds)]
    tables = {name: pd.DataFrame([one[name] for one in every]) for name in ("empty", "cold", "warm")}
    targets = {"painted, s": 4, "HTML, KB": 100, "longest": 200, "pan": 2, "zoom": 2}
    print(f"\n{'in the browser':34}{'empty page':>11}{'cold':>9}{'warm':>9}{'worst':>9}{'target':>9}")
    for name in tables["cold"].columns:
        empty, cold, warm = (tables[one][name].median() if name in tables[one] else np.nan for one in tables)
        worst = max(tables[one][name].max() for one in ("cold", "warm"))
        target = next((limit for start, limit in targets.items() if name.startswith(start)), None)
        said = "".join(f"{value:9.2f}" if value == value else f"{'-':>9}" for value in (empty, cold, warm, worst))
        print(f"{name:36}{said}{f'<= {target}' if target else '-':>9}", flush=True)
    return tables["cold"]["painted, s"].median(), tables["warm"]["painted, s"].median()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def handed_out(folder: Path) -> Iterator[str]:
    """Serve a folder of files from this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def write_plain_page(home: Home, folder: Path) -> None:
    """Write the page that Folium makes of the same cells, with Leaflet from beside it."""
    app = home.application()
    layer = map_layer(app.store, app.scope("bench"), home.run, View(), INSIDE, resolution=9)
    app.database.close()
    made = folium.Map(tiles=None)
    folium.GeoJson(json.loads(write_geojson(layer))).add_to(made)
    made.fit_bounds(made.get_bounds())
    page = made.get_root().render()
    for url, local in REMOTE.items():
        page = page.replace(url, local) if local else re.sub(rf"<(script|link)[^>]*{re.escape(url)}[^>]*>", "", page)
    (folder / "plain.html").write_text(page, encoding="utf-8")
    shutil.copytree(VENDOR / "leaflet", folder / "leaflet")


def beside_folium(home: Home, cold_s: float, warm_s: float, *, rounds: int) -> None:
    """Print how long the plain page takes, and how many times ours."""
    with tempfile.TemporaryDirectory() as folder, handed_out(Path(folder)) as address:
        write_plain_page(home, Path(folder))
        found = []
        for _ in range(rounds):
            with chromium() as watched:
                browser = watched.page.context.browser
                assert browser is not None
                context = browser.new_context(viewport=WINDOW)
                page, told = opened(context, f"{address}/plain.html", "loaded")
                assert page.locator("path.leaflet-interactive").count() >= home.cells * 0.9
                found.append(told)
    plain_s, size = (pd.DataFrame(found)[name].median() for name in ("painted, s", "HTML, KB"))
    print(
        f"\nfolium.GeoJson page of {home.cells:,} cells, {size / 1e3:.1f} MB: painted in {plain_s:.2f} s; ours cold in"
        f" {cold_s:.2f} s ({plain_s / cold_s:.1f} times), warm in {warm_s:.2f} s ({plain_s / warm_s:.1f} times); target >= 20",
        flush=True,
    )


def tiles_of(app: Lapwing, run: Run) -> Tiles:
    """Tiles of each zoom that hold the middle of a cell with records: so many at most, the fullest first."""
    lon, lat = h3cells.centres(full_cells(app, run))
    world, rng, chosen = world_from_degrees(np.column_stack([lon, lat])), np.random.default_rng(0), {}
    for z in ZOOMS:
        found, counts = np.unique((world * 2**z).astype(int), axis=0, return_counts=True)
        full = int(np.argmax(counts))
        others = rng.permutation(np.delete(np.arange(len(found)), full))[: MOST_TILES - 1]
        chosen[z] = [(int(x), int(y)) for x, y in found[[full, *others]]]
    return chosen


def serve_tiles(settings: Settings, run: Run, tiles: Tiles) -> pd.DataFrame:
    """Ask a fresh process for tiles: milliseconds of each through the service, and of the index alone."""
    app = Lapwing(settings)
    web, scope, rows = make_app(app), app.scope("bench"), []
    web.config["WTF_CSRF_ENABLED"] = False
    client = web.test_client()
    client.post(accounts.add_user(app.store, scope, "some-reader", Role.ANALYST, now_us=app.clock()))
    for z, own in tiles.items():
        for x, y in own:
            began = time.perf_counter()
            answer = client.get(f"/tiles/cells/{run.run_id}/{z}/{x}/{y}.mvt")
            rows.append((z, 1e3 * (time.perf_counter() - began)))
            assert answer.status_code == 200, answer.status
            assert answer.data
    alone = []
    for z, own in tiles.items():
        body = app.store.views.load(scope, run.run_id, f"tiles-{resolution_at(run, INSIDE, z)}")
        assert body is not None
        index = TileIndex.from_bytes(body)
        for x, y in own:
            began = time.perf_counter()
            index.tile(z, x, y)
            alone.append(1e3 * (time.perf_counter() - began))
    app.database.close()
    return pd.DataFrame(rows, columns=["z", "service"]).assign(index=alone)


def copy_run(app: Lapwing, other: Lapwing, run: Run) -> None:
    """Store a run of one store in another, with its tiles prepared there."""
    scope = app.scope("bench")
    cells = app.store.runs.cells(scope, run.run_id).merge(
        app.store.runs.statistics(scope, run.run_id), how="left", on="cell"
    )
    places, matches = app.store.runs.places(scope, run.run_id), app.store.runs.matches(scope, run.run_id)
    other.store.runs.save(scope, run, cells, places, {}, matches)
    records = app.store.views.load(scope, run.run_id, NAME)
    assert records is not None
    prepared = map_tiles.prepare_tiles(other.store, scope, run)
    other.store.views.keep(scope, run.run_id, {NAME: records} | prepared)


def fresh(settings: Settings, run: Run, tiles: Tiles) -> pd.DataFrame:
    """Have a new process serve the tiles."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as one:
        return one.submit(serve_tiles, settings, run, tiles).result()


def serve(home: Home) -> None:
    """Print what tiles cost on both stores."""
    app = home.application()
    tiles = tiles_of(app, home.run)
    measured = {"SQLite": fresh(app.settings, home.run, tiles)}
    binaries = find_binaries()
    if binaries is None:
        print("PostgreSQL with PostGIS is not installed: nothing was measured on it.")
    else:
        with running_server(binaries) as address, tempfile.TemporaryDirectory() as folder:
            other = Lapwing(Settings(home=Path(folder), store=address))
            other.migrate(None)
            copy_run(app, other, home.run)
            other.database.close()
            measured["PostGIS"] = fresh(other.settings, home.run, tiles)
    app.database.close()
    print(f"\n{'tiles, ms; target p95 <= 50':28}" + "".join(f"{name:>44}" for name in measured))
    heads = "".join(
        f"{head:>{width}}"
        for head, width in zip(("first", "p50", "p95", "max", "alone p50", "p95"), WIDTHS, strict=True)
    )
    print(f"{'zoom  resolution  tiles':28}" + heads * len(measured))
    for z, own in tiles.items():
        said = "".join(_spread(frame[frame["z"] == z]) for frame in measured.values())
        print(f"{z:4}{resolution_at(home.run, INSIDE, z):12}{len(own):7}     {said}", flush=True)
    print(f"{'all':28}" + "".join(_spread(frame) for frame in measured.values()), flush=True)


def _spread(frame: pd.DataFrame) -> str:
    """First tile, median, 95th percentile and most through the service; median and 95th percentile of the index."""
    service, index = frame["service"].to_numpy(), frame["index"].to_numpy()
    told = (service[0], *np.percentile(service, (50, 95)), service.max(), *np.percentile(index, (50, 95)))
    return "".join(f"{one:{width}.1f}" for one, width in zip(told, WIDTHS, strict=True))


def serve_page(home: Home) -> None:
    """Print where the time of the map's page goes on the server."""
    app = home.application()
    store, scope, run, view = app.store, app.scope("bench"), home.run, View()
    web = make_app(app)
    web.config["WTF_CSRF_ENABLED"] = False
    client = web.test_client()
    client.post(accounts.add_user(store, scope, "some-planner", Role.ANALYST, now_us=app.clock()))
    first = f"/runs/{run.run_id}/map"
    panel = f"/runs/{run.run_id}/cells/{h3cells.cell_text(full_cells(app, run)[:1])[0]}/panel"
    calls: dict[str, Callable[[], Any]] = {
        "display": lambda: map_tiles.display(store, scope, run, INSIDE),
        "count_view": lambda: view_lists.count_view(store, scope, run, view),
        "listed_places": lambda: view_lists.listed_places(store, scope, run, view),
        "listed_cells (list=cells only)": lambda: view_lists.listed_cells(
            store, scope, run, view, INSIDE, order=("-records", "cell"), number=1
        ),
        "released places (places.geojson)": lambda: released_layer(store, scope, run, Layer.PLACES, INSIDE),
        "the whole page": lambda: client.get(first),
        "the whole page, list=cells": lambda: client.get(f"{first}?list=cells"),
        "places.geojson": lambda: client.get(f"/runs/{run.run_id}/layers/places.geojson"),
        "panel of a cell": lambda: client.get(panel),
        "first tile of coverage, zoom 12": lambda: map_tiles.coverage_tile(
            store, scope, run, (12, 0, 0), map_tiles.Shelf()
        ),
        "first tile under a filter, zoom 12": lambda: map_tiles.cell_tile(
            store, scope, run, View(weekdays=(4, 5)), INSIDE, (12, 0, 0), map_tiles.Shelf()
        ),
    }
    print(f"\n{'on the server, ms (SQLite)':36}{'first':>9}{'median of 3':>13}{'of CPU':>9}")
    for name, call in calls.items():
        wall, processor = [], []
        for _ in range(3):
            began, used = time.perf_counter(), time.process_time()
            call()
            wall.append(1e3 * (time.perf_counter() - began))
            processor.append(1e3 * (time.process_time() - used))
        print(f"{name:36}{wall[0]:9.0f}{np.median(wall):13.0f}{np.median(processor):9.0f}", flush=True)
    app.database.close()


def main() -> None:
    """Print the tables of each size."""
    quick = "--quick" in sys.argv[1:]
    if shutil.which("chromium") is None:
        sys.exit("Chromium is not installed (Debian: chromium). Nothing was measured.")
    with chromium() as watched:
        browser = watched.page.context.browser
        assert browser is not None
        known = browser.version
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()},"
        f" Chromium {known}, Folium {version('folium')}; {FLAGS[-1]}"
    )
    sizes, plain, rounds = ((5_000,), 5_000, 2) if quick else (SIZES, PLAIN, ROUNDS)
    for count in sizes:
        with tempfile.TemporaryDirectory() as folder:
            home = make_home(Path(folder) / "home", count)
            cold_s, warm_s = browse(home, rounds)
            if count == plain:
                beside_folium(home, cold_s, warm_s, rounds=rounds)
            serve(home)
            serve_page(home)


if __name__ == "__main__":
    main()
