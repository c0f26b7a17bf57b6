"""Routes and linked places as features, rows and sentences; for operations only."""

from textwrap import shorten
from typing import Any

import numpy as np
import pandas as pd
import shapely

from app.services.routing import ON_FOOT
from app.services.rulings import rulings
from data.store import Store
from geo import cells as h3cells
from geo.decisions import as_decided
from geo.fields import MAX_TEXT
from geo.fields_besides import NETWORK_FIELDS, ROUTE_FIELDS
from geo.model import Place, Profile, Run, Scope
from geo.narrative import place_title, plural
from geo.outcome import Link, Route

_NAME_LENGTH = 60


def route_words(route: Route) -> str:
    """Say what a route rests on."""
    told = route.evidence
    length = f"{told['length_m'] / 1000:.1f} km" if told["length_m"] >= 1000 else f"{told['length_m']} m"
    if route.kind == ON_FOOT:
        roads = f" by {shorten(', '.join(told['roads'][:3]), _NAME_LENGTH, placeholder='...')}" if told["roads"] else ""
        return f"{plural(route.vehicles, 'pair')} of reports within three days join its ends, {length} on foot{roads}: streets that people can have walked, not a way that was seen."
    start = f"{plural(route.vehicles, 'vehicle')} on {plural(told['trips'], 'trip')} shared {length}"
    if "chance" in told:
        ways = max(told["share_forward"], 1 - told["share_forward"])
        one_way = f", {ways:.0%} of the trips one way" if ways > 0.5 else ""
        return f"{start} within about {told['width_m']} m across{one_way}; so many would meet there by chance with a probability of {told['chance']:.2g}."
    seen = f"{route.confidence:.0%} of it seen, the rest inferred between fixes"
    return f"{start} within about {told['width_m']} m across; {seen}."


def route_dict(route: Route) -> dict[str, Any]:
    """Return a route as plain values for the command line."""
    told = {name: getattr(route, name) for name in ("rank", "kind", "name", "vehicles", "confidence")}
    told["name"] = shorten(route.name, 2 * _NAME_LENGTH, placeholder="...") if route.name else None
    return {"route": route.route_id, **told, **route.evidence, "why": route_words(route)}


def link_words(link: Link, first: str, second: str) -> str:
    """Say what joins two places."""
    told, parts = link.evidence, []
    first, second = (shorten(name, _NAME_LENGTH, placeholder="...") for name in (first, second))
    if told["vehicles"]:
        parts.append(
            f"{plural(told['vehicles'], 'vehicle')} seen at both within three days, {told['vehicles_expected']:.1f} expected"
        )
    if told["report_pairs"]:
        parts.append(
            f"{plural(told['report_pairs'], 'pair')} of reports within three days, {told['reports_expected']:.1f} expected"
        )
    if told["prism_vehicles"]:
        parts.append(f"{plural(told['prism_vehicles'], 'vehicle')} seen at one could have reached the other")
    verdict = "go together" if link.significant else "are not shown to go together"
    while len(words := f"{first} and {second} {verdict}: {'; '.join(parts)} (q {told['q_value']:.2g}).") > MAX_TEXT:
        parts.pop()
    return words


def link_dict(link: Link, places: dict[str, Place]) -> dict[str, Any]:
    """Return a link as plain values, with the names of its places."""
    first, second = (_title(places.get(one)) for one in (link.first_place, link.second_place))
    return {
        "first": link.first_place, "first_name": first, "second": link.second_place, "second_name": second,
        "significant": link.significant, **link.evidence, "why": link_words(link, first, second),
    }  # fmt: skip


def places_of(store: Store, scope: Scope, run: Run) -> dict[str, Place]:
    """Places of a run by id, under the names that people gave them."""
    decided_on = rulings(store, scope)
    return {place.place_id: as_decided(place, decided_on)[0] for place in store.runs.places(scope, run.run_id)}


def route_features(store: Store, scope: Scope, run: Run, _: Profile) -> tuple[pd.DataFrame, np.ndarray]:
    """Routes of a run as a layer."""
    routes = store.runs.routes(scope, run.run_id)
    rows = [route_dict(route) | {"id": route.route_id} for route in routes]
    lines = [shapely.MultiLineString(shapely.get_parts(route.geometry).tolist()) for route in routes]
    return _frame(rows, [field.name for field in ROUTE_FIELDS]), np.asarray(lines, dtype=object)


def link_features(store: Store, scope: Scope, run: Run, _: Profile) -> tuple[pd.DataFrame, np.ndarray]:
    """Linked places of a run as lines between their fullest cells."""
    places = places_of(store, scope, run)
    links = [
        link for link in store.runs.links(scope, run.run_id) if {link.first_place, link.second_place} <= set(places)
    ]
    rows = []
    for link in links:
        told = link_dict(link, places)
        rows.append(
            told
            | {
                "id": f"{link.first_place}-{link.second_place}",
                "linked_by": ", ".join(told["kinds"]),
                "significant": int(link.significant),
                "distance_m": round(told["distance_m"]),
            }
        )
    ends = [[places[link.first_place].peak_cell, places[link.second_place].peak_cell] for link in links]
    lon, lat = h3cells.centres(np.asarray(ends, np.int64).ravel())
    lines = [shapely.LineString(pair) for pair in np.column_stack([lon, lat]).reshape(-1, 2, 2)]
    return _frame(rows, [field.name for field in NETWORK_FIELDS]), np.asarray(lines, dtype=object)


def _frame(rows: list[dict[str, Any]], names: list[str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["id", *names])


def _title(place: Place | None) -> str:
    return "a place no longer listed" if place is None else place_title(place.kind, place.name)
