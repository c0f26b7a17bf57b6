"""Layers out: disclosure control, then one file written whole, then the ledger."""

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from app.services.layers import released_layer, require_layers
from app.services.map_layers import map_layer
from app.services.purpose import checked_purpose
from app.services.sharing import obstacle
from app.services.view_lists import as_filter, listed_places
from data.audit import Disclosure
from data.export.csv_file import write_csv
from data.export.geojson import geojson_pieces
from data.export.geopackage import publish, write_geopackage
from data.ids import uuid7
from data.store import Store
from geo.disclosure import ReleasedLayer
from geo.errors import Conflict, InvalidParameter
from geo.model import Layer, Profile, Run, Scope
from geo.parameters import AnalysisParameters
from geo.view import View

WRITERS: Final = ("geojson", "gpkg", "csv")
LAYERS: Final = (Layer.CELLS, Layer.PLACES, Layer.ROUTES, Layer.NETWORK, Layer.TASKING)
MEDIA_TYPES: Final = {
    "geojson": "application/geo+json",
    "gpkg": "application/geopackage+sqlite3",
    "csv": "text/csv; charset=utf-8",
}
WHOLE: Final = View()


@dataclass(frozen=True, kw_only=True)
class ExportRequest:
    """What somebody wants to take, for whom and why."""

    layer: Layer
    format: str
    profile: Profile
    purpose: str
    view: View = WHOLE

    def __post_init__(self) -> None:
        """Refuse a request that could not be entered in the ledger, and have its purpose as it is entered."""
        if self.layer not in LAYERS:
            raise InvalidParameter(f"The {self.layer} layer is not for taking away; choose from {', '.join(LAYERS)}.")
        if self.format not in WRITERS:
            raise InvalidParameter(f"Unknown format {self.format!r}; choose from {', '.join(WRITERS)}.")
        object.__setattr__(self, "purpose", checked_purpose(self.purpose, "the layer is"))
        if self.view != WHOLE and self.profile is not Profile.OPERATIONAL:
            raise InvalidParameter("Outside operations a layer leaves whole; take it without the filter.")
        if self.view != WHOLE and self.layer not in {Layer.CELLS, Layer.PLACES}:
            raise InvalidParameter(f"The {self.layer} layer cannot be filtered; take it without the filter.")


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What was written, and its entry in the ledger."""

    path: Path
    disclosure_id: str
    features: int
    suppressed: int
    sha256: str
    profile: Profile
    layer: Layer

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for machine-readable output."""
        return {
            "output": str(self.path),
            "disclosure": self.disclosure_id,
            "layer": str(self.layer),
            "profile": str(self.profile),
            "features": self.features,
            "suppressed_features": self.suppressed,
            "sha256": self.sha256,
        }


def format_of(path: Path) -> str:
    """Return the format that a file's ending asks for; GeoJSON for folders and names without an ending.

    Raises
    ------
    InvalidParameter
        When the ending is that of no format we write.
    """
    found = {".gpkg": "gpkg", ".csv": "csv", ".geojson": "geojson", ".json": "geojson", "": "geojson"}
    if path.is_dir():
        return "geojson"
    if path.suffix.lower() not in found:
        raise InvalidParameter(
            f"{path.name}: no format ends in {path.suffix}; choose one with --format {'|'.join(WRITERS)}."
        )
    return found[path.suffix.lower()]


def export_file(store: Store, scope: Scope, run: Run, request: ExportRequest, output: Path, *, now_us: int) -> Exported:
    """Release a layer, write it and enter it in the ledger; an existing file is replaced in one step.

    When ``output`` is a folder, the file is named by layer, audience, run and disclosure.

    Raises
    ------
    Conflict
        When the file is not for operations and the analysis may not be shared.
    """
    _require_shareable(store, scope, run, request)
    released = _asked(store, scope, run, request)
    disclosure_id = uuid7(now_us)
    if output.is_dir():
        output = output / file_name(run, request, disclosure_id)
    if not output.parent.is_dir():
        raise InvalidParameter(f"There is no folder {output.parent}; make it first.")
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}.") as folder:  # beside: one file system
        draft = Path(folder) / "draft"
        _write(released, request.format, draft, store)
        done = Exported(
            path=output,
            disclosure_id=disclosure_id,
            features=len(released),
            suppressed=int(released.metadata["suppressed_features"]),
            sha256=_sha256(draft),
            profile=request.profile,
            layer=request.layer,
        )
        _enter(store, scope, run, request, done, now_us)  # first: never a file without its entry
        publish(draft, output)
    return done


def _require_shareable(store: Store, scope: Scope, run: Run, request: ExportRequest) -> None:
    """Refuse others a file whose dates, area or kinds of records would tell what only operations may know."""
    if request.profile is Profile.OPERATIONAL:
        return
    require_layers(run)
    if words := obstacle(store, scope, run):
        raise Conflict(
            f"Analysis {run.run_id} cannot be shared: {words}. Take the file for operations, or take it from an analysis"
            " over whole months, with the usual settings, of an imported area or of none."
        )


def _asked(store: Store, scope: Scope, run: Run, request: ExportRequest) -> ReleasedLayer:
    """Release the whole layer, or the rows of it that a view shows."""
    if request.view == WHOLE:
        return released_layer(store, scope, run, request.layer, request.profile)
    if request.layer is Layer.CELLS:
        resolution = AnalysisParameters.from_json(run.parameters).resolution
        return map_layer(store, scope, run, request.view, request.profile, resolution=resolution)
    shown = as_filter(listed_places(store, scope, run, request.view))
    return released_layer(
        store, scope, run, request.layer, request.profile, listed=shown, kinds=request.view.place_kinds
    )


def file_name(run: Run, request: ExportRequest, disclosure_id: str) -> str:
    """Return the name of a disclosed file: marking, layer, audience, run and the disclosure's own id."""
    return f"OFFICIAL-SENSITIVE_lapwing-{request.layer}-{request.profile}-{run.run_id}-{disclosure_id}.{request.format}"


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _write(released: ReleasedLayer, format_name: str, draft: Path, store: Store) -> None:
    if format_name == "gpkg":
        write_geopackage(released, draft, store.crs)
    elif format_name == "geojson":
        with draft.open("wb") as stream:
            stream.writelines(geojson_pieces(released))
    else:
        draft.write_bytes(write_csv(released))


def _enter(store: Store, scope: Scope, run: Run, request: ExportRequest, done: Exported, now_us: int) -> None:
    store.audit.record_disclosure(
        scope,
        Disclosure(
            disclosure_id=done.disclosure_id, run_id=run.run_id, layer=str(request.layer), profile=str(request.profile),
            format=request.format, purpose=request.purpose, actor=scope.actor, disclosed_at_us=now_us, file_name=done.path.name,
            sha256=done.sha256, features=done.features, suppressed=done.suppressed,
        ),
        **({"filter": request.view.query()} if request.view != WHOLE else {}),
    )  # fmt: skip
