"""The map of an analysis, the layers it draws, and files to take away."""

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from app.services import exporting, layers
from app.services.nominated import nominated_places
from app.services.places import list_places
from app.web.downloads import hand_out
from app.web.routes import permitted
from app.web.security import account, consulted, scope, store
from data.export.geojson import write_geojson
from geo.classes import RAMP, class_breaks
from geo.disclosure import ReleasedLayer
from geo.errors import InvalidParameter, NotFound
from geo.model import FeatureKind, Layer, Profile
from geo.parameters import AnalysisParameters
from maps.page import MapConfig, map_parts

pages = Blueprint("runs", __name__)

MAX_MAP_CELLS = 10_000
MAX_MAP_PLACES = 500
MAX_REFERENCE_FEATURES = 20_000


@pages.get("/runs")
def index() -> BaseResponse:
    """Go to the newest analysis."""
    runs = store().runs.runs(scope())
    if not runs:
        return make_response(render_template("no_runs.html"))
    return redirect(url_for("runs.map_page", run_id=runs[0].run_id))


@pages.get("/runs/<run_id>/map")
def map_page(run_id: str) -> str:
    """Show the map with the list of places beside it."""
    run = store().runs.get(scope(), run_id)
    if run.purged_at_us is not None:
        return render_template("purged_run.html", words=layers.purge_words(run))
    consulted(f"run:{run.run_id}/map")
    released = layers.map_cells(store(), scope(), run, limit=MAX_MAP_CELLS)
    breaks = class_breaks(released.features["records"].to_numpy())
    base = [kind for kind in layers.REFERENCE_KINDS if store().evidence.feature_counts(scope()).get(kind)]
    config = MapConfig(
        cells_url=url_for("runs.cells", run_id=run.run_id),
        places_url=url_for("runs.places", run_id=run.run_id),
        routes_url=url_for("besides.routes", run_id=run.run_id),
        network_url=url_for("besides.network", run_id=run.run_id),
        add_url=url_for("deciding.new") if permitted("deciding.new", account().role) else "",
        reference_urls={str(kind): url_for("runs.reference", run_id=run.run_id, kind=str(kind)) for kind in base},
        breaks=breaks,
        ramp=RAMP,
        bounds=layers.run_bounds(store(), scope(), run),
        place_url=url_for("places.page", place_id="PLACE", run=run.run_id),
    )
    return render_template(
        "map.html",
        run=run,
        parameters=AnalysisParameters.from_json(run.parameters),
        places=list_places(store(), scope(), run.run_id, top=MAX_MAP_PLACES),
        max_places=MAX_MAP_PLACES,
        nominated=nominated_places(store(), scope(), run),
        breaks=breaks,
        cells_drawn=len(released),
        cut=len(released) == MAX_MAP_CELLS,
        map=map_parts(config, nonce=g.nonce),
        formats=exporting.WRITERS,
        audiences=list(Profile),
    )


@pages.get("/runs/<run_id>/layers/cells.geojson")
def cells(run_id: str) -> Response:
    """Return the cells that the map draws."""
    run = store().runs.get(scope(), run_id)
    consulted(f"run:{run.run_id}/cells")
    return geojson_response(layers.map_cells(store(), scope(), run, limit=MAX_MAP_CELLS))


@pages.get("/runs/<run_id>/layers/places.geojson")
def places(run_id: str) -> Response:
    """Return the places that the map draws."""
    run = store().runs.get(scope(), run_id)
    consulted(f"run:{run.run_id}/places")
    return geojson_response(layers.map_places(store(), scope(), run, limit=MAX_MAP_PLACES))


@pages.get("/runs/<run_id>/layers/reference/<kind>.geojson")
def reference(run_id: str, kind: str) -> Response:
    """Return imported reference geography for the base of the map; protected places never."""
    run = store().runs.get(scope(), run_id)
    if kind not in layers.REFERENCE_KINDS:
        raise NotFound("There is no such base layer.")
    layer = layers.reference_layer(store(), scope(), run, FeatureKind(kind), limit=MAX_REFERENCE_FEATURES)
    return Response(status=204) if layer is None else geojson_response(layer)


def geojson_response(layer: ReleasedLayer) -> Response:
    """Answer with a released layer, or that it has not changed."""
    response = Response(write_geojson(layer), mimetype="application/geo+json")
    response.headers["Cache-Control"] = "private, no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response


@pages.post("/runs/<run_id>/download")
def download(run_id: str) -> BaseResponse:
    """Hand out a layer for a stated purpose, and enter it in the ledger."""
    run = store().runs.get(scope(), run_id)
    try:
        layer, profile = Layer(request.form.get("layer", "")), Profile(request.form.get("profile", ""))
    except ValueError as error:
        raise InvalidParameter("Choose a layer and an audience.") from error
    if layer in {Layer.TASKING, Layer.REFERENCE}:  # the outreach list has a route, and roles, of its own
        raise InvalidParameter("Choose the cells, places, routes or linked places.")
    wanted = exporting.ExportRequest(
        layer=layer,
        profile=profile,
        format=request.form.get("format", ""),
        purpose=request.form.get("purpose", ""),
    )
    return hand_out(run, wanted)
