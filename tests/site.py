"""The whole service in this process, an address of every page that it has, and what a browser finds wrong with one."""

import math
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
from flask import Flask
from playwright.sync_api import BrowserContext, Page

from app.services import accounts, proving
from app.services.import_request import ImportRequest
from app.services.importing import import_file
from app.services.nominating import nominate
from app.services.places import decide
from app.services.saved_views import save_view
from app.settings import Settings
from app.web import make_app
from app.web.routes import ACCESS, permitted
from app.web.spooling import make_server
from app.wiring import Lapwing
from data.demo import SOURCE
from geo.cells import cell_text, centres
from geo.model import FeatureKind, RecordKind, Role, Scope, Verdict
from geo.parameters import AnalysisParameters
from geo.view import View
from tests.conftest import NOW_US
from tests.files import row, terms_of, write_csv

SCOPE = Scope(actor="test")
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass(frozen=True)
class Site:
    """A service that answers on a port, and the application behind it."""

    lapwing: Lapwing
    web: Flask
    address: str
    held: threading.Event = field(default_factory=threading.Event)  # work of the progress pages lasts until it is set

    def sign_in(self, context: BrowserContext, role: Role, name: str = "") -> None:
        """Give a browser the session of a new person."""
        link = accounts.add_user(self.lapwing.store, SCOPE, name or f"some-{role}", role, now_us=NOW_US)
        page = context.request.get(self.address + link)
        told = {"csrf_token": TOKEN.search(page.text())[1]}
        assert context.request.post(self.address + link, form=told).ok

    def begin_waiting(self, owner: str, subject: str) -> str:
        """Begin work that does not end before the site does."""
        job = self.lapwing.jobs.start(
            owner, lambda seen: (seen(0.3, "Counting cells"), self.held.wait()), now_us=NOW_US
        )
        job.subject = subject
        return job.job_id


@contextmanager
def hosting(app: Lapwing) -> Iterator[Site]:
    """Serve an application from a thread of this process, with the server that `lapwing serve` has."""
    web = make_app(app)
    server = make_server(web, host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    site = Site(app, web, f"http://127.0.0.1:{server.effective_port}")
    try:
        yield site
    finally:
        site.held.set()
        server.close()
        thread.join(timeout=20)


def a_store(home: Path) -> Lapwing:
    """Return an application over an empty store."""
    app = Lapwing(Settings(home=home, store=f"sqlite:///{home}/lapwing.db"), clock=lambda: NOW_US)
    app.migrate(None)
    return app


def a_city(city_file: Path, home: Path) -> Lapwing:
    """Return an application over a copy of the synthetic city."""
    app = a_store(home)
    with closing(sqlite3.connect(city_file)) as made, closing(sqlite3.connect(home / "lapwing.db")) as own:
        made.backup(own)
    return app


def furnish(app: Lapwing, folder: Path) -> None:
    """Add what a store in use has: decisions, a nomination, a saved view, proofs, rows needing attention."""
    store = app.store
    run = store.runs.runs(SCOPE)[0]
    first, second = store.runs.places(SCOPE, run.run_id)[:2]
    decide(store, SCOPE, first.place_id, Verdict.ACCEPT, "Known to two agencies", now_us=NOW_US)
    decide(store, SCOPE, second.place_id, Verdict.REJECT, "A bus station where everybody reports", now_us=NOW_US)
    (lon, lat), told = middle(app), {"kind": "park", "reason": "Two workers named it.", "source": "Outreach team"}
    nominate(store, SCOPE, name="Quiet corner", geometry=f"{lon:.4f},{lat:.4f}", now_us=NOW_US, **told)
    day = date.fromisoformat(run.summary["last_day"])
    view = View(date_from=day - timedelta(days=90), date_to=day)
    save_view(store, SCOPE, "Last three months", view, now_us=NOW_US)
    proving.calibrate_run(store, SCOPE, run, simulations=2, seed=1, now_us=NOW_US)
    asked = proving.BacktestRequest(
        parameters=proving.for_backtest(AnalysisParameters.from_json(run.parameters), day),
        train_to=day - timedelta(days=40), test_to=day, area_fractions=(0.01, 0.02, 0.05),
    )  # fmt: skip
    proving.backtest(store, SCOPE, asked, seed=1, now_us=NOW_US, progress=lambda _: None)
    rows = [row(1, lon=lon, lat=lat), row(2, date="31/31/2024"), row(3, lon="far", lat="away")]
    file = write_csv(folder / "a-council-file-of-a-rather-long-name.csv", rows)
    import_file(
        store, SCOPE, file, ImportRequest(kind="incidents", source=SOURCE), replace(terms_of(app), synthetic=True)
    )


def middle(app: Lapwing) -> tuple[float, float]:
    """Return a point of the first place of the newest analysis."""
    place = app.store.runs.places(SCOPE, app.store.runs.runs(SCOPE)[0].run_id)[0]
    (lon,), (lat,) = centres(np.array([place.peak_cell], np.uint64))
    return float(lon), float(lat)


Addresses = Callable[[Site, Role], list[str]]


def _run(site: Site) -> str:
    return site.lapwing.store.runs.runs(SCOPE)[0].run_id


def _place(site: Site) -> str:
    return site.lapwing.store.runs.places(SCOPE, _run(site))[0].place_id


def _nominated(site: Site) -> str:
    return site.lapwing.store.places.nominations(SCOPE)[0].place_id


def _cell(site: Site) -> str:
    found = site.lapwing.store.runs.statistics(SCOPE, _run(site))
    return str(cell_text(found.sort_values("observed")["cell"].to_numpy()[-1:])[0])


def _area(site: Site) -> str:
    return str(site.lapwing.store.evidence.features(SCOPE, [FeatureKind.AREAS])["name"].iloc[0])


def _tile(site: Site) -> str:
    (lon, lat), n = middle(site.lapwing), 2**12
    return f"12/{int((lon + 180) / 360 * n)}/{int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * n)}"


def _batch(site: Site) -> str:
    return next(one.batch_id for one in site.lapwing.store.evidence.batches(SCOPE) if one.rejected)


def _record(site: Site) -> str:
    return bytes(site.lapwing.store.evidence.newest_records(SCOPE, [RecordKind.EFFORT], count=1)[0]["record_key"]).hex()


def _map(site: Site, role: Role) -> list[str]:
    plain, view = f"/runs/{_run(site)}/map", site.lapwing.store.views.saved(SCOPE)[0]
    if role in {Role.PARTNER, Role.BOARD}:
        return [plain]
    month = urlencode(
        {"from": "2026-02-01", "to": "2026-02-28", "compare_from": "2026-03-01", "compare_to": "2026-03-31"}
    )
    return [plain, f"{plain}?saved={view.view_id}", f"{plain}?list=cells", f"{plain}?open=filter&{month}"]


def _forms(site: Site, role: Role) -> list[str]:
    kinds = [RecordKind.EFFORT, RecordKind.OBSERVATIONS, *([RecordKind.INCIDENTS] if role is Role.ANALYST else [])]
    return [f"/records/new/{kind}" for kind in kinds]


def _waiting(subject: str, address: str) -> Addresses:
    return lambda site, role: [address.format(job=site.begin_waiting(f"some-{role}", subject), run=_run(site))]


_QUESTION = f"analysis:{AnalysisParameters().as_json()}"

# Of each endpoint that shows a page: the addresses to look at, for a role that may see them.
PAGES: dict[str, Addresses] = {
    "dashboard.home": lambda site, role: ["/"],
    "runs.map_page": _map,
    "cells.page": lambda site, role: [f"/runs/{_run(site)}/cells/{_cell(site)}"],
    "drawing.stored": lambda site, role: [f"/runs/{_run(site)}/area?{urlencode({'name': _area(site)})}"],
    "besides.page": lambda site, role: [f"/runs/{_run(site)}/connections"],
    "proving.accuracy": lambda site, role: [f"/runs/{_run(site)}/accuracy"],
    "proving.areas": lambda site, role: ["/areas"],
    "places.page": lambda site, role: [f"/places/{_place(site)}", f"/places/{_nominated(site)}"],
    "deciding.new": lambda site, role: ["/places/add?at=-2.36,51.38"],
    "tasking.page": lambda site, role: [f"/tasking/{_run(site)}"],
    "evidence.imports": lambda site, role: ["/imports"],
    "evidence.quality": lambda site, role: ["/quality"],
    "evidence.quality_of_batch": lambda site, role: [f"/quality/{_batch(site)}"],
    "evidence.stacks": lambda site, role: ["/stacks"],
    "evidence.quarantine": lambda site, role: ["/quarantine", f"/quarantine?batch={_batch(site)}"],
    "imports.new": lambda site, role: ["/imports/new", "/imports/new?kind=roads"],
    "imports.batch": lambda site, role: [f"/imports/batch/{_batch(site)}"],
    "records.index": lambda site, role: ["/records", "/records?kind=observations"],
    "records.new": _forms,
    "records.stored": lambda site, role: [f"/records/{_record(site)}/stored"],
    "records.correct": lambda site, role: [f"/records/{_record(site)}/correct"],
    "sign_in.passphrase": lambda site, role: ["/account/passphrase"],
    "administration.audit": lambda site, role: ["/audit"],
    "administration.users": lambda site, role: ["/admin/users"],
    "analysing.new": lambda site, role: ["/runs/new", f"/runs/new?{urlencode({'area': _area(site)})}"],
    "proving.progress": _waiting("proof:", "/runs/{run}/proofs/{job}"),
    "imports.progress": _waiting("check:none", "/imports/progress/{job}/check"),
    "analysing.progress": _waiting(_QUESTION, "/runs/new/{job}"),
}  # fmt: skip

# Seen on the way through an import, which `look_at_a_file` begins.
ON_THE_WAY = {"imports.columns", "imports.check"}

# What is no page of its own: files, parts that scripts ask for, and addresses that only lead to another.
FILES: dict[str, Addresses] = {
    "runs.index": lambda site, role: ["/runs"],
    "tasking.latest": lambda site, role: ["/tasking"],
    "tiles.tile": lambda site, role: [
        f"/tiles/{layer}/{_run(site)}/{_tile(site)}.mvt"
        for layer in (["cells"] if role in {Role.PARTNER, Role.BOARD} else ["cells", "coverage", "parks"])
    ],
    "cells.panel": lambda site, role: [f"/runs/{_run(site)}/cells/{_cell(site)}/panel"],
    "runs.places": lambda site, role: [f"/runs/{_run(site)}/layers/places.geojson"],
    "besides.routes": lambda site, role: [f"/runs/{_run(site)}/layers/routes.geojson"],
    "besides.network": lambda site, role: [f"/runs/{_run(site)}/layers/network.geojson"],
    "basemap.archive": lambda site, role: ["/basemap.pmtiles"],
    "proving.chart": lambda site, role: [
        f"/proofs/{one.proof_id}.svg" for one in site.lapwing.store.proofs.proofs(SCOPE)
    ],
    "imports.template": lambda site, role: ["/imports/template/incidents"],
    "imports.share": _waiting("check:none", "/imports/progress/{job}.json"),
    "imports.imported": _waiting("import:none", "/imports/imported/{job}"),
    "analysing.share": _waiting(_QUESTION, "/runs/new/{job}/share.json"),
}

# What a store without anything in it shows to an analyst: what to do next.
EMPTY = (
    "/", "/runs", "/tasking", "/areas", "/runs/new", "/imports", "/quality", "/stacks", "/quarantine", "/records",
)  # fmt: skip

# Open to everybody, and looked at without a session.
OUTSIDE = {"sign_in.form": "/sign-in", "sign_in.link": "/sign-in/link/used-up", "sign_in.health": "/healthz"}


def endpoints_to_get(web: Flask) -> set[str]:
    """Return the endpoints that a browser can open."""
    return {rule.endpoint for rule in web.url_map.iter_rules() if "GET" in rule.methods and rule.endpoint != "static"}


def allowed(role: Role, endpoints: dict[str, Addresses]) -> dict[str, Addresses]:
    """Leave the endpoints that a role may open."""
    return {name: addresses for name, addresses in endpoints.items() if permitted(name, role) and name in ACCESS}


_OWN = re.compile(r'nonce="[^"]*"|name="csrf_token" value="[^"]*"|some-\w+')
_MAIN = re.compile(r"<main.*</main>", re.DOTALL)


def substance(page: str) -> str:
    """Return what of a page does not depend on who looks and when."""
    found = _MAIN.search(page)
    return _OWN.sub("", found[0] if found else page)


def settled(page: Page, address: str) -> None:
    """Open a page and wait until it has drawn what it draws."""
    page.goto(address, wait_until="load")
    if page.locator(".folium-map").count():
        page.wait_for_selector("body[data-map=drawn]", timeout=60_000)


def look_at_a_file(page: Page, site: Site, name: str, content: bytes, *, source: str = "Council") -> None:
    """Upload a file of incidents and go on to what its columns are."""
    page.goto(f"{site.address}/imports/new")
    page.select_option("#kind", "incidents")
    page.set_input_files("#file", {"name": name, "mimeType": "text/csv", "buffer": content})
    page.fill("#source", source)
    page.click("text=Look at the file")
    page.wait_for_url("**/imports/columns")
