"""One cell of a map, as a page and as the panel beside the map."""

from flask import Blueprint, render_template

from app.services.cell_view import view_cell
from app.services.spots import spot_words
from app.web.routes import MAY_SEE_RECORDS
from app.web.security import account, consulted, scope, store
from app.web.views import as_query, asked_view
from geo.temporal import WEEKDAYS
from geo.view_words import view_words

pages = Blueprint("cells", __name__)


@pages.get("/runs/<run_id>/cells/<cell>")
def page(run_id: str, cell: str) -> str:
    """Show one cell."""
    return _rendered("cell.html", run_id, cell)


@pages.get("/runs/<run_id>/cells/<cell>/panel")
def panel(run_id: str, cell: str) -> str:
    """Show the short form of one cell, for the panel beside the map."""
    return _rendered("map/cell_panel.html", run_id, cell)


def _rendered(template: str, run_id: str, cell: str) -> str:
    run = store().runs.get(scope(), run_id)
    view = asked_view()
    found = view_cell(store(), scope(), run, cell, view)
    consulted(f"run:{run.run_id}/cells/{found.cell}{as_query(view)}")
    return render_template(
        template,
        run=run,
        cell=found,
        where=spot_words(store(), found.lon, found.lat),
        query=as_query(view),
        filtered=view_words(view),
        weekday_names=WEEKDAYS,
        named=account().role in MAY_SEE_RECORDS,
    )
