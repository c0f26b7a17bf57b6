"""Texts that would be code if anything read them as code, and a store in which every field that takes text has them."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import shapely

from app.services import accounts, corroborating, entering, stacks, staging
from app.services.deciding import Change, change_place
from app.services.drawing import save_area
from app.services.nominating import nominate
from app.services.places import decide
from app.services.saved_views import save_view
from app.wiring import Lapwing
from geo.errors import InvalidParameter, LapwingError
from geo.model import FeatureKind, RecordKind, Role, Verdict
from geo.view import View
from tests.conftest import NOW_US
from tests.files import load, square, terms_of, write_csv, write_geojson
from tests.site import SCOPE

CORPUS = (
    '<img src=x data-xss onerror="window.hit=1">',
    "</script><script>window.hit=1</script>",
    '<svg data-xss onload="window.hit=1">',
    '"onmouseover="window.hit=1" data-xss="',
    "' onfocus='window.hit=1' autofocus data-xss='",
    "javascript:window.hit=1",
    "${window.hit=1}",
    "{{7*7919}}{% set hit=1 %}",
    "`;window.hit=1;`",
    '<iframe data-xss srcdoc="&lt;script&gt;top.hit=1&lt;/script&gt;">',
    '</title></textarea></style><a data-xss href="javascript:window.hit=1">go</a>',
    "--><script>window.hit=1</script>",
)
WEST, SOUTH, STEP = -2.40, 51.37, 0.012
TEXTS = (
    "id", "kind", "agency", "urn", "notes", "handling_conditions", "session_id", "make", "colour", "area", "place", "road",
)  # fmt: skip
WORDS = (
    "source_type", "grade", "regime", "indicators", "strengths", "share", "count_band", "age_band", "location_basis", "uprn",
)  # fmt: skip


@dataclass
class Offered:
    """What was offered to the rules, and what they said."""

    taken: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    def offer(self, what: str, act: Callable[[str], Any]) -> None:
        """Offer every text of the corpus."""
        for text in CORPUS:
            try:
                act(text)
                self.taken[what] += 1
            except LapwingError:
                self.refused[what] += 1


def spot(number: int) -> tuple[float, float]:
    return WEST + STEP * (number % 4), SOUTH + STEP * (number // 4)


def rotated(number: int, names: tuple[str, ...]) -> dict[str, str]:
    """Give each field a text of its own, another for each row."""
    return {name: CORPUS[(number + i) % len(CORPUS)] for i, name in enumerate(names)}


def rows_of(kind: RecordKind) -> list[dict[str, Any]]:
    """Located rows round each spot, rows without a position, and rows in which everything is wrong."""
    found = []
    for number in range(len(CORPUS)):
        lon, lat = spot(number)
        vehicle = {"registration": f"AB{10 + number} CDE"} if kind is RecordKind.SIGHTINGS else {}
        for day in range(7):
            at = {"longitude": f"{lon + day * 1e-5:.6f}", "latitude": f"{lat:.6f}"}
            told = rotated(number, TEXTS) | vehicle | {"date": f"2026-0{1 + day % 4}-{1 + number:02d}"}
            found.append(told | at | {"id": f"{day} {CORPUS[number]}"})
        found.append(rotated(number, TEXTS) | vehicle | {"date": "2026-04-01", "id": f"none {CORPUS[number]}"})
        found.append(rotated(number, (*TEXTS, *WORDS, "date", "longitude", "latitude", "registration")))
    return found


def write_records(folder: Path, kind: RecordKind, number: int) -> Path:
    rows = rows_of(kind)
    header = sorted({name for one in rows for name in one})
    name = f"{kind} {CORPUS[number]}.csv".replace("/", "")
    return write_csv(folder / name, [[one.get(column, "") for column in header] for one in rows], header)


def write_features(folder: Path, kind: FeatureKind) -> Path:
    features = []
    for number, text in enumerate(CORPUS):
        lon, lat = spot(number)
        told = {
            "name": text,
            "kind": CORPUS[number - 1],
            "level": CORPUS[0],
            "code": CORPUS[number - 2],
            "aliases": CORPUS[number - 3],
        }
        shape: dict[str, Any] = square(lon - 0.001, lat - 0.001, 0.002)
        if kind is FeatureKind.ROADS:
            shape = {"type": "LineString", "coordinates": [[lon - 0.002, lat], [lon + 0.002, lat]]}
        elif kind is FeatureKind.BOUNDARY:
            shape = square(WEST - STEP, SOUTH - STEP, STEP * 6)
        elif kind is FeatureKind.PROTECTED:
            shape = square(WEST - STEP * 0.8, SOUTH - STEP * 0.8, 0.001)
        features.append((told, shape))
    return write_geojson(
        folder / f"{kind} {CORPUS[3]}.geojson", features[:1] if kind is FeatureKind.BOUNDARY else features
    )


def fill(app: Lapwing, folder: Path, offered: Offered) -> None:
    """Put the corpus into every field that takes text."""
    for number, kind in enumerate(FeatureKind):
        done = load(app, write_features(folder, kind), kind, source=CORPUS[number])
        offered.taken[kind] += done.batch.accepted
        offered.refused[kind] += done.batch.rejected
    for number, kind in enumerate(RecordKind):
        done = load(app, write_records(folder, kind, number), kind, source=CORPUS[number + 1])
        offered.taken[kind] += done.batch.accepted
        offered.refused[kind] += done.batch.rejected


def decide_everything(app: Lapwing, run_id: str, offered: Offered) -> None:
    """Give every text to every form that takes one."""
    store, places = app.store, [one.place_id for one in app.store.runs.places(SCOPE, run_id)]
    assert len(places) == len(CORPUS)
    lon, lat = spot(13)
    view = View(date_from=date(2026, 1, 1))
    own = iter(places)
    offered.offer("reason", lambda text: decide(store, SCOPE, next(own), Verdict.ACCEPT, text, now_us=NOW_US))
    other = iter(places)
    change = lambda text: Change(verdict=Verdict.RENAME, reason=f"Known as {text}", name=text)  # noqa: E731
    offered.offer("name", lambda text: change_place(store, SCOPE, next(other), change(text), now_us=NOW_US))
    offered.offer("nomination", lambda text: nominate(
        store, SCOPE, name=text, kind="park", geometry=f"{lon},{lat}", reason=text, source=text, now_us=NOW_US,
    ))  # fmt: skip
    offered.offer("view", lambda text: save_view(store, SCOPE, text, view, now_us=NOW_US))
    outline = shapely.box(WEST, SOUTH, WEST + STEP, SOUTH + STEP)
    offered.offer("drawn area", lambda text: save_area(store, SCOPE, f"drawn {text}", outline, terms_of(app)))
    offered.offer("user", lambda text: accounts.add_user(store, SCOPE, text, Role.ANALYST, now_us=NOW_US))
    stack = stacks.list_stacks(store, SCOPE, least=1)[0]["stack_id"]
    offered.offer("stack", lambda text: stacks.rule_stack(store, SCOPE, stack, "address", reason=text, now_us=NOW_US))
    offered.offer("mapping", lambda text: staging.save_mapping(
        store, SCOPE, text, staging.Choices(owner="test", name=text, kind="incidents", source=text, columns={"date": text}), now_us=NOW_US,
    ))  # fmt: skip
    keys = store.runs.place_records(SCOPE, run_id, places[0])["record_key"].map(bytes).tolist()
    offered.offer(
        "split", lambda text: corroborating.split_reports(store, SCOPE, keys[0], keys[1], reason=text, now_us=NOW_US)
    )
    for kind in (RecordKind.EFFORT, RecordKind.OBSERVATIONS, RecordKind.INCIDENTS):
        offered.offer(f"entered {kind}", lambda text, kind=kind: _entered(app, kind, text))


def _entered(app: Lapwing, kind: RecordKind, text: str) -> None:
    told = dict.fromkeys(("area", "place", "notes", "kind", "agency", "urn"), text) | {"date": "2026-03-03"}
    if entering.enter(app.store, SCOPE, kind, told, app.terms).problems:
        raise InvalidParameter("refused")
