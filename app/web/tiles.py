"""Vector tiles of released layers; the audience is derived from the role, and what has not changed is not sent again."""

import hashlib
from typing import Final

from flask import Blueprint, Response, request

import geo
from app.services import map_tiles
from app.services.layers import REFERENCE_KINDS, require_layers
from app.web.security import consulted, lapwing, profile, scope, store
from app.web.views import as_query, asked_view, visible_run
from geo.errors import NotFound
from geo.model import FeatureKind, Profile, Run
from geo.view import View
from maps.tiles import FORMAT, check_tile

pages = Blueprint("tiles", __name__, url_prefix="/tiles")

MEDIA_TYPE: Final = "application/vnd.mapbox-vector-tile"


@pages.get("/<layer>/<run_id>/<int:z>/<int:x>/<int:y>.mvt")
def tile(layer: str, run_id: str, z: int, x: int, y: int) -> Response:
    """Return one tile, or that it is the one the browser has."""
    check_tile(z, x, y)
    run = visible_run(run_id)
    require_layers(run)
    audience = profile()
    view = asked_view().permitted(audience) if layer == map_tiles.CELLS else View()
    if layer != map_tiles.CELLS and audience is not Profile.OPERATIONAL:
        raise NotFound("There is no such layer of tiles.")
    state = _state(layer, run)
    consulted(f"run:{run.run_id}/tiles/{layer}{as_query(view)}")
    response = Response(mimetype=MEDIA_TYPE)
    response.headers["Cache-Control"] = "private, no-cache"
    key = (
        geo.__version__,
        str(FORMAT),
        run.run_id,
        *state,
        audience,
        scope().org_id,
        view.query(),
        layer,
        f"{z}/{x}/{y}",
    )
    etag = hashlib.blake2b("\n".join(key).encode(), digest_size=16).hexdigest()
    response.set_etag(etag)
    if request.if_none_match.contains(etag):
        response.status_code = 304
        return response
    response.data = _body(layer, run, view, audience, (z, x, y))
    return response


def _state(layer: str, run: Run) -> tuple[str, ...]:
    """Return what a tile depends on besides its address.

    Raises
    ------
    NotFound
        When there is no such layer.
    """
    if layer in {map_tiles.CELLS, map_tiles.COVERAGE}:
        return (str(run.generated_at_us),)
    if layer not in REFERENCE_KINDS:
        raise NotFound("There is no such layer of tiles.")
    return map_tiles.reference_state(store(), scope(), FeatureKind(layer))


def _body(layer: str, run: Run, view: View, audience: Profile, tile: map_tiles.Tile) -> bytes:
    shelf = lapwing().shelf
    if layer == map_tiles.CELLS:
        return map_tiles.cell_tile(store(), scope(), run, view, audience, tile, shelf)
    if layer == map_tiles.COVERAGE:
        return map_tiles.coverage_tile(store(), scope(), run, tile, shelf)
    return map_tiles.reference_tile(store(), scope(), run, FeatureKind(layer), tile, shelf)
