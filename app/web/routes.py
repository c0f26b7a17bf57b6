"""Who may call what: every endpoint stands here, and one that does not is refused to everybody."""

from typing import Final

from geo.model import Role

PUBLIC: Final = frozenset(
    {"static", "sign_in.health", "sign_in.form", "sign_in.sign_in", "sign_in.link", "sign_in.use_link"}
)

EVERYONE: Final = frozenset(Role)
_PLANNING: Final = frozenset({Role.ANALYST, Role.COORDINATOR})
_MAPS: Final = frozenset({Role.ANALYST, Role.COORDINATOR, Role.GIS})
_READERS: Final = _MAPS | {Role.PARTNER, Role.BOARD}
_DOWNLOADS: Final = frozenset({Role.ANALYST, Role.GIS})
_ANALYST: Final = frozenset({Role.ANALYST})

ACCESS: Final[dict[str, frozenset[Role]]] = {
    "sign_in.sign_out": EVERYONE,
    "sign_in.passphrase": EVERYONE,
    "sign_in.set_passphrase": EVERYONE,
    "dashboard.home": EVERYONE,
    "runs.index": _READERS,
    "runs.map_page": _READERS,
    "tiles.tile": _READERS,
    "cells.page": _MAPS,
    "cells.panel": _MAPS,
    "drawing.summary": _MAPS,
    "drawing.stored": _MAPS,
    "drawing.save": _ANALYST,
    "views.save": _DOWNLOADS | {Role.COORDINATOR},
    "views.forget": _ANALYST,
    "runs.places": _READERS,
    "runs.download": _DOWNLOADS,
    "printing.print_view": _DOWNLOADS,
    "basemap.archive": _MAPS,
    "analysing.new": _ANALYST,
    "analysing.start": _ANALYST,
    "analysing.progress": _ANALYST,
    "analysing.share": _ANALYST,
    "analysing.cancel": _ANALYST,
    "sharing.share": _ANALYST,
    "sharing.stop": _ANALYST,
    "besides.page": _MAPS,
    "besides.routes": _MAPS,
    "besides.network": _MAPS,
    "proving.accuracy": _MAPS,
    "proving.chart": _MAPS,
    "proving.calibrate": _ANALYST,
    "proving.backtest": _ANALYST,
    "proving.progress": _ANALYST,
    "proving.areas": _PLANNING,
    "proving.areas_csv": _PLANNING,
    "places.page": _MAPS,
    "places.decide": _ANALYST,
    "places.split": _ANALYST,
    "deciding.change": _ANALYST,
    "deciding.new": _ANALYST,
    "deciding.add": _ANALYST,
    "tasking.latest": _PLANNING,
    "tasking.page": _PLANNING,
    "tasking.download": _PLANNING,
    "evidence.imports": _ANALYST,
    "imports.new": _ANALYST,
    "imports.upload": _ANALYST,
    "imports.columns": _ANALYST,
    "imports.choose_columns": _ANALYST,
    "imports.progress": _ANALYST,
    "imports.share": _ANALYST,
    "imports.check": _ANALYST,
    "imports.correct": _ANALYST,
    "imports.confirm": _ANALYST,
    "imports.imported": _ANALYST,
    "imports.cancel": _ANALYST,
    "imports.batch": _ANALYST,
    "imports.undo": _ANALYST,
    "imports.locate": _ANALYST,
    "imports.template": _PLANNING,
    "records.index": _PLANNING,
    "records.new": _PLANNING,
    "records.add": _PLANNING,
    "records.stored": _PLANNING,
    "records.correct": _PLANNING,
    "records.save_correction": _PLANNING,
    "records.undo": _PLANNING,
    "evidence.quality": _ANALYST,
    "evidence.quality_of_batch": _ANALYST,
    "evidence.stacks": _ANALYST,
    "evidence.rule_stack": _ANALYST,
    "evidence.quarantine": _ANALYST,
    "evidence.download_quarantine": _ANALYST,
    "administration.audit": frozenset({Role.AUDITOR}),
    "administration.users": frozenset({Role.ADMIN}),
    "administration.disable_user": frozenset({Role.ADMIN}),
}

# Rows behind a place (agencies, references, what reports say, exact points) are for analysts only; when, what kind and what
# grade others of operations may filter by, cell by cell.
MAY_SEE_RECORDS: Final = _ANALYST


def permitted(endpoint: str | None, role: Role) -> bool:
    """Whether a role may call an endpoint; one that is not in the table is refused."""
    return endpoint is not None and role in ACCESS.get(endpoint, frozenset())
