"""The lists beside a map: the same places and cells in words, a page at a time, in an order of the reader's."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from flask import request

from app.services.layers import released_layer
from app.services.nominated import nominated_places
from app.services.spots import spots_words
from app.services.view_lists import Page, listed_cells, listed_places
from app.web.security import scope, store
from geo import cells as h3cells
from geo.model import Layer, Profile, Run
from geo.narrative import place_title
from geo.view import View

PLACES: Final = "places"
CELLS: Final = "cells"
# Orders of places by their name in the address; a minus sign turns one round.
_ORDERS: Final[dict[str, Callable[[dict[str, Any]], Any]]] = {
    "rank": lambda row: row["rank"],
    "title": lambda row: (row["title"].casefold(), row["rank"]),
    "records": lambda row: (row["records"], -row["rank"]),
    "decision": lambda row: (row["decision"], row["rank"]),
}
# Orders of cells: the columns behind each.
_COLUMNS: Final = {"records": ("records", "cell"), "where": ("cell",), "hot": ("hot", "records", "cell")}
_FIRST: Final = {PLACES: "rank", CELLS: "-records"}


@dataclass(frozen=True)
class Listing:
    """One page of a list, how it is ordered, and the nominated places, which are in no order."""

    kind: str
    sort: str
    page: Page
    nominated: list[Any]

    def turned(self, name: str) -> str:
        """Return the order that a click on a heading asks for."""
        return f"-{name}" if self.sort == name else name

    def direction(self, name: str) -> str:
        """Return how a column is sorted, in the words of ``aria-sort``."""
        if self.sort.removeprefix("-") != name:
            return "none"
        return "descending" if self.sort.startswith("-") else "ascending"


def list_of(run: Run, view: View, audience: Profile) -> Listing:
    """Return the list that the address asks for."""
    kind = CELLS if request.args.get("list") == CELLS else PLACES
    sort, text = request.args.get("sort", ""), request.args.get("page", "")
    number = int(text) if text.isdecimal() and len(text) < 7 else 1
    if sort.removeprefix("-") not in (_ORDERS if kind == PLACES else _COLUMNS):
        sort = _FIRST[kind]
    return Listing(kind, sort, *(_places if kind == PLACES else _cells)(run, view, audience, sort, number))


def _cells(run: Run, view: View, audience: Profile, sort: str, number: int) -> tuple[Page, list[Any]]:
    sign = "-" if sort.startswith("-") else ""
    order = [sign + name for name in _COLUMNS[sort.removeprefix("-")]]
    page = listed_cells(store(), scope(), run, view, audience, order=order, number=number)
    _say_where(page.rows)
    return page, []


def _places(run: Run, view: View, audience: Profile, sort: str, number: int) -> tuple[Page, list[Any]]:
    rows = _place_rows(run, view, audience)
    rows.sort(key=_ORDERS[sort.removeprefix("-")], reverse=sort.startswith("-"))
    inside = audience is Profile.OPERATIONAL
    named = nominated_places(store(), scope(), run, kinds=view.place_kinds) if inside else []
    return Page.of(rows, number), named


def _place_rows(run: Run, view: View, audience: Profile) -> list[dict[str, Any]]:
    if audience is not Profile.OPERATIONAL:
        released = released_layer(store(), scope(), run, Layer.PLACES, audience).features
        return [
            {"place": row["place"], "rank": row["rank"] or 0, "title": place_title(row["kind"], row["name"]), "kind": row["kind"],
             "records": row["records"], "why": row["why"], "decision": ""}
            for row in released[released["rank"].notna()].to_dict("records")
        ]  # fmt: skip
    return [
        {"place": one.place.place_id, "rank": one.place.rank, "kind": one.place.kind, "records": one.in_view,
         "title": place_title(one.place.kind, one.place.name, one.place.alternatives), "decision": one.standing.verdict,
         "snapped": one.place.basis == "snapped", "significant": one.place.evidence.get("significant", True)}
        for one in listed_places(store(), scope(), run, view)
    ]  # fmt: skip


def _say_where(rows: list[dict[str, Any]]) -> None:
    """Add where each cell's middle is: a grid reference to 100 m, or degrees."""
    cells = np.asarray([h3cells.cell_number(row["cell"]) for row in rows], np.int64)
    lon, lat = h3cells.centres(cells)
    for row, words, east, north in zip(rows, spots_words(store(), lon, lat), lon.tolist(), lat.tolist(), strict=True):
        row.update(where=words, lon=east, lat=north)
