"""Commands about the ground of the map: basemap build, show."""

import sys
from pathlib import Path
from typing import Any, Self

import click

from app.cli.common import Context, command, table


@click.group("basemap")
def basemap_command() -> None:
    """Make the map's ground from imported parks, roads, premises and buildings, without any third party."""


@basemap_command.command("build")
@click.option(
    "--output", "-o", metavar="FILE", type=click.Path(path_type=Path), help="Default: basemap.pmtiles in LAPWING_HOME."
)
@command
def basemap_build(context: Context, *, output: Path | None) -> None:
    """Build the basemap; what lies at a protected place is left out. Build it again after importing geography."""
    from app.services.basemap import build_basemap

    lapwing = context.lapwing
    file = output or lapwing.settings.built_basemap
    with _Steps() as steps:
        counts = build_basemap(
            lapwing.store, context.scope, file, keys=lapwing.keys, now_us=lapwing.clock(), progress=steps.told
        )
    value: dict[str, Any] = {"output": str(file), "bytes": file.stat().st_size, "features": counts}
    in_use = lapwing.settings.basemap_path.resolve() == file.resolve()
    how = "Maps draw it from now on." if in_use else f"To have maps draw it: LAPWING_BASEMAP={file}"
    text = f"{table(['layer', 'features'], counts.items())}\nWritten to {file} ({_size(value['bytes'])}). {how}"
    context.answer(value | {"in_use": in_use}, text=text)


@basemap_command.command("show")
@command
def basemap_show(context: Context) -> None:
    """Say which basemap maps draw: its file, extent, zooms and size."""
    from app.services.basemap import basemap_state

    lapwing = context.lapwing
    state = basemap_state(lapwing.store, context.scope, lapwing.settings.basemap_path, keys=lapwing.keys)
    lines = [f"{state.path}: {state.words}"]
    if state.about is not None:
        west, south, east, north = state.about.bounds
        lines += [
            f"Extent {west:.4f}, {south:.4f} to {east:.4f}, {north:.4f}; zooms {state.about.min_zoom} to {state.about.max_zoom}; {_size(state.about.size)}.",
            f"Layers: {', '.join(state.about.layers) or 'none'}.",
        ]
    else:
        lines.append("Maps draw a grid in its place.")
    context.answer(state.as_dict(), text="\n".join(lines))


class _Steps:
    """A progress bar on stderr for each step, shown when a person is watching."""

    def __init__(self) -> None:
        self._label = ""
        self._bar: Any = None
        self._done = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def told(self, label: str, share: float) -> None:
        if label != self._label:
            self._close()
            self._label, self._done = label, 0
            self._bar = click.progressbar(length=1000, label=label, file=sys.stderr, hidden=not sys.stderr.isatty())
            self._bar.__enter__()
        now = int(share * 1000)
        self._bar.update(max(0, now - self._done))
        self._done = max(self._done, now)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.__exit__(None, None, None)
            self._bar = None


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"
