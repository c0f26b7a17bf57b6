"""A view of an analysis on paper: its map as a picture, or map and list as a document, entered in the ledger."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from app.services.map_picture import INSIDE, MAX_DRAWN, Drawn, Picture, draw_view
from app.services.nominated import NominatedPlace, nominated_places
from app.services.purpose import checked_purpose
from app.services.reviewing import REVIEW_AFTER_DAYS, local_day
from app.services.view_lists import ListedPlace, ViewCounts, count_view, listed_places
from app.services.wording import place_words
from data.audit import Disclosure
from data.ids import uuid7
from data.store import Store
from geo.disclosure import MARKING
from geo.errors import InvalidParameter
from geo.model import Layer, Place, Run, Scope
from geo.narrative import place_title, plural
from geo.view import View
from geo.view_words import view_words
from maps.picture_frame import Bounds
from maps.sheet import write_pdf

MEDIA_TYPES: Final = {"pdf": "application/pdf", "png": "image/png"}
WHOLE: Final = View()
MAX_ROWS: Final = 1000  # of a document; seventy pages that nobody reads


@dataclass(frozen=True, kw_only=True)
class PrintRequest:
    """What somebody wants on paper, and why; ``bounds`` choose a part of the map, else all of it is drawn."""

    form: str
    purpose: str
    view: View = WHOLE
    bounds: Bounds | None = None

    def __post_init__(self) -> None:
        """Refuse a request that could not be entered in the ledger, and have its purpose as it is entered."""
        if self.form not in MEDIA_TYPES:
            raise InvalidParameter(f"Choose how to print: {' or '.join(MEDIA_TYPES)}.")
        object.__setattr__(self, "purpose", checked_purpose(self.purpose, "the print is"))


@dataclass(frozen=True, kw_only=True)
class PrintedPlace:
    """A row of the list: the same as on the page of the map."""

    rank: int
    title: str
    kind: str
    in_view: int
    verdict: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """All that a document says."""

    run: Run
    about: Mapping[str, Any]
    disclosure_id: str
    purpose: str
    filter_words: str
    counts: ViewCounts
    drawn: Drawn
    places: list[PrintedPlace]
    nominated: list[NominatedPlace]
    printed_on: date
    review_by: date
    max_drawn: int = MAX_DRAWN


@dataclass(frozen=True, kw_only=True)
class Printed:
    """A print as it is handed out."""

    body: bytes
    file_name: str
    media_type: str


def print_map(
    store: Store, scope: Scope, run: Run, wanted: PrintRequest, document: Callable[[Sheet], str], *, now_us: int
) -> Printed:
    """Draw a view, write it and enter it in the ledger; ``document`` lays a sheet out as HTML.

    Raises
    ------
    PrintingError
        When a PDF cannot be made on this machine; nothing is entered then.
    """
    disclosure_id = uuid7(now_us)
    sheet = _sheet(store, scope, run, wanted, disclosure_id, now_us)
    body = write_pdf(document(sheet)) if wanted.form == "pdf" else sheet.drawn.png
    name = f"{MARKING}_lapwing-{Layer.MAP}-{INSIDE}-{run.run_id}-{disclosure_id}.{wanted.form}"
    taken = [layer for layer in sheet.drawn.layers if layer.layer is not Layer.REFERENCE]
    store.audit.record_disclosure(
        scope,
        Disclosure(
            disclosure_id=disclosure_id, run_id=run.run_id, layer=str(Layer.MAP), profile=str(INSIDE), format=wanted.form,
            purpose=sheet.purpose, actor=scope.actor, disclosed_at_us=now_us, file_name=name,
            sha256=hashlib.sha256(body).hexdigest(), features=sum(map(len, taken)),
            suppressed=sum(int(layer.metadata["suppressed_features"]) for layer in taken),
        ),
        **_what(wanted),
    )  # fmt: skip
    return Printed(body=body, file_name=name, media_type=MEDIA_TYPES[wanted.form])


def _what(wanted: PrintRequest) -> dict[str, Any]:
    """Filter and part of the map, for the log."""
    told = {"filter": wanted.view.query(), "bounds": list(wanted.bounds) if wanted.bounds else []}
    return {name: value for name, value in told.items() if value}


def _sheet(store: Store, scope: Scope, run: Run, wanted: PrintRequest, disclosure_id: str, now_us: int) -> Sheet:
    listed = listed_places(store, scope, run, wanted.view)
    if wanted.form == "pdf" and len(listed) > MAX_ROWS:
        raise InvalidParameter(
            f"A print lists at most {MAX_ROWS:,} places, and this view has {len(listed):,}: filter it."
        )
    counts = count_view(store, scope, run, wanted.view)
    picture = Picture(view=wanted.view, form=wanted.form, bounds=wanted.bounds, caption=_caption(wanted.view, counts))
    drawn = draw_view(store, scope, run, picture, listed)
    today = local_day(now_us)
    return Sheet(
        run=run,
        about=drawn.layers[-1].metadata,
        disclosure_id=disclosure_id,
        purpose=wanted.purpose,
        filter_words=view_words(wanted.view),
        counts=counts,
        drawn=drawn,
        places=[_row(one, run) for one in listed],
        nominated=nominated_places(store, scope, run, kinds=wanted.view.place_kinds),
        printed_on=today,
        review_by=today + timedelta(days=REVIEW_AFTER_DAYS),
    )


def _row(one: ListedPlace, run: Run) -> PrintedPlace:
    place: Place = one.place
    return PrintedPlace(
        rank=place.rank, title=place_title(place.kind, place.name, place.alternatives), kind=place.kind, in_view=one.in_view,
        verdict=one.standing.verdict, why=place_words(place, run),
    )  # fmt: skip


def _caption(view: View, counts: ViewCounts) -> str:
    shown = (
        plural(counts.records, "record")
        if counts.records == counts.of
        else f"{counts.records:,} of {plural(counts.of, 'record')}"
    )
    words = view_words(view)
    return f"{shown}. Filter: {words}." if words else f"{shown}; no filter."
