"""Routes, linked places, facilities and reports that need a decision: one page, and the layers that the map draws of them."""

from flask import Blueprint, Response, render_template

from app.services.layers import released_layer, require_layers
from app.services.nominated import nominated_places
from app.services.route_layers import link_dict, places_of, route_dict
from app.web.routes import MAY_SEE_RECORDS
from app.web.runs import geojson_response
from app.web.security import account, consulted, lapwing, scope, store
from geo.model import Layer, Profile

pages = Blueprint("besides", __name__)

LEAST_SHOWN = 3


@pages.get("/runs/<run_id>/connections")
def page(run_id: str) -> str:
    """Show what goes together, which ways are driven, and which facilities stand out."""
    run = store().runs.get(scope(), run_id)
    require_layers(run)
    consulted(f"run:{run.run_id}/connections")
    places = places_of(store(), scope(), run)
    links = [link_dict(link, places) for link in store().runs.links(scope(), run.run_id)]
    facilities = store().runs.facilities(scope(), run.run_id)
    if account().role not in MAY_SEE_RECORDS:  # one or two records at a named address are as good as the records
        facilities = [one for one in facilities if one.records >= LEAST_SHOWN]
    named, now_us = nominated_places(store(), scope(), run), lapwing().clock()
    return render_template(
        "connections.html",
        run=run,
        places=places,
        links=sorted(links, key=lambda link: (not link["significant"], link["q_value"])),
        routes=[route_dict(route) for route in store().runs.routes(scope(), run.run_id)],
        facilities={
            kind: [one for one in facilities if one.kind == kind] for kind in (run.summary.get("facilities") or {})
        },
        nominated=named,
        review_due=[one for one in named if one.overdue(now_us)],
        now_us=now_us,
    )


@pages.get("/runs/<run_id>/layers/routes.geojson")
def routes(run_id: str) -> Response:
    """Return the routes that the map draws."""
    return _layer(run_id, Layer.ROUTES)


@pages.get("/runs/<run_id>/layers/network.geojson")
def network(run_id: str) -> Response:
    """Return the linked places that the map draws."""
    return _layer(run_id, Layer.NETWORK)


def _layer(run_id: str, layer: Layer) -> Response:
    run = store().runs.get(scope(), run_id)
    consulted(f"run:{run.run_id}/{layer}")
    return geojson_response(released_layer(store(), scope(), run, layer, Profile.OPERATIONAL))
