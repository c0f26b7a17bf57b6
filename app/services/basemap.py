"""The ground of a map, from imported reference geography or the user's own archive; no third party has a part in it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import shapely

from app.services.pseudonyms import Keyring
from app.services.reference_layers import no_analysis, release_reference, shown_features
from app.services.synthetic import is_synthetic
from data.export.pmtiles import TileDraft, write_pmtiles
from data.readers.pmtiles import Pmtiles, describe_pmtiles
from data.store import Store
from geo.disclosure import MARKING, ReleasedLayer
from geo.errors import InvalidParameter, UnreadableFile
from geo.model import FeatureKind, Run, Scope

NAME: Final = "Lapwing basemap"
_DRAWN: Final = (
    FeatureKind.PARKS,
    FeatureKind.ROADS,
    FeatureKind.BUILDINGS,
    FeatureKind.PREMISES,
    FeatureKind.BOUNDARY,
)
_NAMED: Final = (FeatureKind.PARKS, FeatureKind.AREAS)  # as points; the names of roads lie along the roads
_ADDRESSES: Final = frozenset({FeatureKind.PREMISES, FeatureKind.BUILDINGS})
_SEAL: Final = re.compile(r" Seal ([0-9a-f]{64})\.$")


@dataclass(frozen=True, kw_only=True)
class BasemapState:
    """The archive that is configured or built, and whether maps draw it: ``about`` is None when they do not."""

    path: Path
    about: Pmtiles | None
    words: str

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for machine-readable output."""
        value: dict[str, Any] = {"path": str(self.path), "in_use": self.about is not None, "why": self.words}
        if self.about is None:
            return value
        about = self.about
        return value | {
            "bounds": list(about.bounds),
            "min_zoom": about.min_zoom,
            "max_zoom": about.max_zoom,
            "bytes": about.size,
            "tiles": about.tiles,
            "layers": list(about.layers),
        }


def build_basemap(
    store: Store, scope: Scope, output: Path, *, keys: Keyring, now_us: int, progress: Callable[[str, float], None]
) -> dict[str, int]:
    """Make an archive of the imported reference geography; returns features by layer.

    ``progress`` is told what is being done and the share of it that is done.

    Raises
    ------
    InvalidParameter
        When the file cannot be written there.
    """
    if output.suffix != ".pmtiles":
        raise InvalidParameter(f"{output.name}: a basemap's name ends in .pmtiles.")
    if not output.parent.is_dir():
        raise InvalidParameter(f"There is no folder {output.parent}; make it first.")
    marking = MARKING + (" (SYNTHETIC)" if is_synthetic(store, scope) else "")
    seal = _seal(store, scope, keys)  # before anything is read: what is protected meanwhile breaks it
    run = no_analysis(store, scope, "basemap", now_us)

    def gather(draft: TileDraft) -> None:
        for number, kind in enumerate(_DRAWN):
            progress("Reading", number / len(_DRAWN))
            draft.add(str(kind), reference_features(store, scope, run, (kind,)))
        draft.add("places", reference_features(store, scope, run, _NAMED, as_labels=True))
        progress("Reading", 1.0)

    counts = write_pmtiles(
        output,
        gather,
        name=NAME,
        description=f"{marking}. Imported reference geography. Seal {seal}.",
        progress=lambda share: progress("Making tiles", share),
    )
    return dict(counts)


def reference_features(
    store: Store, scope: Scope, run: Run, kinds: tuple[FeatureKind, ...], *, as_labels: bool = False
) -> ReleasedLayer:
    """Release all imported features of some kinds; what lies at a protected place stays out.

    With ``as_labels`` each named feature becomes one point inside it.
    """
    features = shown_features(store, scope, kinds)
    if as_labels:
        features = features[features["name"] != ""].reset_index(drop=True)
    geometry = features["geometry"].to_numpy(object)
    shapes = np.asarray(shapely.point_on_surface(geometry), object) if as_labels else geometry
    return release_reference(store, scope, run, features["kind"].to_numpy(object), features["name"].tolist(), shapes)


def basemap_state(store: Store, scope: Scope, path: Path, *, keys: Keyring) -> BasemapState:
    """Say whether maps draw the archive at ``path``, and why not."""
    try:
        with path.open("rb") as stream:
            return _judged(store, scope, path, stream, keys)
    except FileNotFoundError:
        words = "There is no such file; build one with: lapwing basemap build"
        return BasemapState(path=path, about=None, words=words)
    except OSError as error:
        return BasemapState(path=path, about=None, words=f"It cannot be read: {error.strerror}.")


def open_basemap(store: Store, scope: Scope, path: Path, *, keys: Keyring) -> BinaryIO | None:
    """Open the archive at ``path`` when maps draw it; the caller closes it."""
    try:
        stream = path.open("rb")
    except OSError:
        return None
    if _judged(store, scope, path, stream, keys).about is not None:
        return stream
    stream.close()
    return None


def _judged(store: Store, scope: Scope, path: Path, stream: BinaryIO, keys: Keyring) -> BasemapState:
    try:
        about = describe_pmtiles(stream, path.name)
    except UnreadableFile as error:
        return BasemapState(path=path, about=None, words=str(error))
    found = _SEAL.search(about.description) if about.name == NAME else None
    if found and found[1] != _seal(store, scope, keys):
        words = (
            "It is not drawn: protected places have changed since it was built, or it was built for another"
            " organisation. Build it again: lapwing basemap build"
        )
        return BasemapState(path=path, about=None, words=words)
    return BasemapState(path=path, about=about, words="Maps draw it.")


def _seal(store: Store, scope: Scope, keys: Keyring) -> str:
    """Keyed hash of whose geography it is and of what is protected: by it a basemap is known to be out of date.

    A refuge that is imported after the basemap was built would still be drawn as a building.
    """
    protected = store.evidence.features(scope, [FeatureKind.PROTECTED])["feature_key"]
    parts = [scope.org_id.encode(), *sorted(bytes(key) for key in protected)]
    return keys.raw("basemap", b"".join(len(part).to_bytes(4, "big") + part for part in parts)).hex()
