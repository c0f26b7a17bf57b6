"""The map of an analysis, the layers it draws, and files to take away."""

from collections import Counter
from datetime import date
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from app.services import exporting, layers, map_tiles, sharing
from app.services.map_layers import resolution_at
from app.services.nominated import nominated_places
from app.services.view_lists import as_filter, count_view, listed_places
from app.web.downloads import hand_out
from app.web.map_lists import list_of
from app.web.routes import MAY_SEE_RECORDS, permitted
from app.web.security import account, consulted, lapwing, profile, scope, store
from app.web.views import as_query, asked_view, compared_view, readers_runs, visible_run
from data.export.geojson import write_geojson
from geo.classes import RAMP
from geo.disclosure import ReleasedLayer
from geo.errors import InvalidParameter
from geo.model import Layer, Profile, Run
from geo.parameters import AnalysisParameters
from geo.temporal import WEEKDAYS
from geo.view import View, month_view
from geo.view_words import HOUR_BANDS, view_words
from geo.zoom import MAX_ZOOM
from maps.page import MapConfig, map_parts

pages = Blueprint("runs", __name__)

MAX_MAP_PLACES: Final = 500
# What of the map's script follows the view; the page says it once more, where js/map-filter.js reads it.
FOLLOWS: Final = ("tiles_url", "cell_url", "places_url", "routes_url", "network_url")


@pages.get("/runs")
def index() -> BaseResponse:
    """Go to the newest analysis that the reader may see."""
    runs = readers_runs()
    if not runs:
        return make_response(render_template("no_runs.html", operational=profile() is Profile.OPERATIONAL))
    return redirect(url_for("runs.map_page", run_id=runs[0].run_id))


@pages.get("/runs/<run_id>/map")
def map_page(run_id: str) -> str:
    """Show the map with its lists: all of the analysis, or what the address asks for."""
    run = visible_run(run_id)
    if run.purged_at_us is not None:
        return render_template("purged_run.html", words=layers.purge_words(run))
    layers.require_layers(run)
    audience = profile()
    view, other = asked_view().permitted(audience), compared_view()
    if other is not None:
        other.permitted(audience)
    consulted(f"run:{run.run_id}/map{as_query(view)}")
    shown = map_tiles.display(store(), scope(), run, audience)
    counts = count_view(store(), scope(), run, view, audience)
    months = [_month(name) for name in counts.months]
    config = _config(run, view, other, shown)
    month = view.of_month() if view.date_from and str(view.date_from) in {one["from"] for one in months} else None
    return render_template(
        "map.html",
        run=run,
        operational=audience is Profile.OPERATIONAL,
        audience=str(audience),
        named=account().role in MAY_SEE_RECORDS,
        parameters=AnalysisParameters.from_json(run.parameters),
        view=view,
        compared=other,
        query=view.query(),
        counts=counts,
        months=months,
        month_number=1 + [one["from"] for one in months].index(str(month.date_from)) if month else 0,
        place_kinds=_place_kinds(run, view) if audience is Profile.OPERATIONAL else [],
        hour_bands=HOUR_BANDS,
        weekday_names=WEEKDAYS,
        view_words=view_words,
        list_url=partial(page_url, run, view, **_compared_dates(other)),
        now_us=lapwing().clock(),
        listing=list_of(run, view, audience),
        max_places=MAX_MAP_PLACES,
        saved=store().views.saved(scope()) if audience is Profile.OPERATIONAL else [],
        saved_id=request.args.get("saved", ""),
        breaks=shown.breaks[resolution_at(run, audience, MAX_ZOOM)],
        ramp=RAMP,
        follows={name: getattr(config, name) for name in FOLLOWS} | {"query": view.query()},
        map=map_parts(config, nonce=g.nonce),
        formats=exporting.WRITERS,
        audiences=list(Profile),
        download_query=as_query(view),
        sharing=sharing.offer(store(), scope(), run, now_us=lapwing().clock())
        if permitted("sharing.share", account().role)
        else None,
        apart_days=sharing.APART_DAYS,
        too_close=sharing.TOO_CLOSE,
    )


def _month(name: str) -> dict[str, str]:
    """Return a month in words and as the dates of its filter."""
    view = month_view(int(name[:4]), int(name[5:]))
    assert view.date_from is not None  # noqa: S101 - it has both dates
    return {"words": f"{view.date_from:%B %Y}", "from": str(view.date_from), "to": str(view.date_to)}


def _compared_dates(other: View | None) -> dict[str, date | None]:
    """Return the parameters of the address that ask for a comparison."""
    return {"compare_from": other.date_from, "compare_to": other.date_to} if other else {}


def _place_kinds(run: Run, view: View) -> list[tuple[str, int]]:
    """Return the kinds of places, found and nominated, with how many there are of each."""
    kinds = Counter(one.nomination.kind for one in nominated_places(store(), scope(), run))
    kinds.update(store().runs.place_kinds(scope(), run.run_id))
    return sorted((dict.fromkeys(view.place_kinds, 0) | kinds).items())


def _config(run: Run, view: View, other: View | None, shown: map_tiles.Display) -> MapConfig:
    """Return what the map's script needs to know."""
    audience = profile()
    inside = audience is Profile.OPERATIONAL
    base = (
        [kind for kind in layers.REFERENCE_KINDS if store().evidence.feature_counts(scope()).get(kind)]
        if inside
        else []
    )
    small = view.pairs()
    return MapConfig(
        tiles_url=tiles_url(run, view),
        compared_url=tiles_url(run, other) if other is not None else "",
        cell_url=url_for("cells.panel", run_id=run.run_id, cell="CELL") + as_query(view) if inside else "",
        places_url=url_for("runs.places", run_id=run.run_id) + as_query(view)
        if inside
        else url_for("runs.places", run_id=run.run_id),
        routes_url=url_for("besides.routes", run_id=run.run_id) if inside and not small else "",
        network_url=url_for("besides.network", run_id=run.run_id) if inside and not small else "",
        add_url=url_for("deciding.new") if permitted("deciding.new", account().role) else "",
        coverage_url=tiles_url(run, View(), map_tiles.COVERAGE) if inside else "",
        reference_urls={str(kind): tiles_url(run, View(), kind) for kind in base},
        basemap_url=url_for("basemap.archive") if inside else "",
        breaks={str(resolution): limits for resolution, limits in shown.breaks.items()},
        resolutions=[resolution_at(run, audience, zoom) for zoom in range(MAX_ZOOM + 1)],
        ramp=RAMP,
        bounds=shown.bounds,
        place_url=url_for("places.page", place_id="PLACE", run=run.run_id) if inside else "",
        area_url=url_for("drawing.summary", run_id=run.run_id) if permitted("drawing.summary", account().role) else "",
    )


def tiles_url(run: Run, view: View, layer: str = map_tiles.CELLS) -> str:
    """Return the address of a layer's tiles, with the places of zoom, column and row in braces."""
    whole = url_for("tiles.tile", layer=layer, run_id=run.run_id, z=0, x=0, y=0)
    return whole.removesuffix("0/0/0.mvt") + "{z}/{x}/{y}.mvt" + as_query(view)


@pages.get("/runs/<run_id>/layers/places.geojson")
def places(run_id: str) -> Response:
    """Return the places that the map draws."""
    run, audience = visible_run(run_id), profile()
    view = asked_view().permitted(audience)
    consulted(f"run:{run.run_id}/places{as_query(view)}")
    if audience is not Profile.OPERATIONAL:
        return geojson_response(layers.released_layer(store(), scope(), run, Layer.PLACES, audience))
    listed = None
    if view != View() or run.summary["places"] > MAX_MAP_PLACES:
        listed = as_filter(listed_places(store(), scope(), run, view)[:MAX_MAP_PLACES])
    shown = layers.released_layer(store(), scope(), run, Layer.PLACES, audience, listed=listed, kinds=view.place_kinds)
    return geojson_response(shown)


def geojson_response(layer: ReleasedLayer) -> Response:
    """Answer with a released layer, or that it has not changed."""
    response = Response(write_geojson(layer), mimetype="application/geo+json")
    response.headers["Cache-Control"] = "private, no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response


@pages.post("/runs/<run_id>/download")
def download(run_id: str) -> BaseResponse:
    """Hand out a layer for a stated purpose, all of it or what a view shows, and enter it in the ledger."""
    run = store().runs.get(scope(), run_id)
    try:
        layer, audience = Layer(request.form.get("layer", "")), Profile(request.form.get("profile", ""))
    except ValueError as error:
        raise InvalidParameter("Choose a layer and an audience.") from error
    if layer in {Layer.TASKING, Layer.REFERENCE, Layer.MAP}:  # the outreach list has a route, and roles, of its own
        raise InvalidParameter("Choose the cells, places, routes or linked places.")
    wanted = exporting.ExportRequest(
        layer=layer,
        profile=audience,
        format=request.form.get("format", ""),
        purpose=request.form.get("purpose", ""),
        view=asked_view(),
    )
    return hand_out(run, wanted)


def page_url(run: Run, view: View, **others: Any) -> str:
    """Return the address of the map with a view and whatever else its lists need."""
    pairs = [*view.pairs(), *((name, str(value)) for name, value in others.items() if value)]
    return url_for("runs.map_page", run_id=run.run_id) + (f"?{urlencode(pairs)}" if pairs else "")
