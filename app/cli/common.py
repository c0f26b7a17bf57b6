"""What every command shares: the store, ``--json``, tables and progress."""

import getpass
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from app.settings import load_settings
from app.wiring import Lapwing
from geo.crs import MetricCrs
from geo.model import Scope

Function = TypeVar("Function", bound=Callable[..., Any])


class Context:
    """The application behind a command, and how it answers."""

    def __init__(self, store: str | None, *, as_json: bool) -> None:
        self.lapwing = Lapwing(load_settings(store=store))
        self.as_json = as_json

    @property
    def scope(self) -> Scope:
        """Who is at the keyboard: LAPWING_ACTOR, else the operating system's user."""
        return self.lapwing.scope(os.environ.get("LAPWING_ACTOR") or f"cli:{getpass.getuser()}")

    def consulted(self, subject: str) -> None:
        """Log that this person saw something: once an hour for each subject."""
        self.lapwing.store.audit.consult(self.scope, subject, self.lapwing.clock())

    def answer(self, value: Any, *, text: str | Callable[[], str]) -> None:
        """Print the answer: JSON on stdout when asked for, else text for people."""
        if self.as_json:
            click.echo(json.dumps(value, ensure_ascii=False, default=str))
        else:
            click.echo(text() if callable(text) else text)

    def say(self, message: str) -> None:
        """Print progress or a remark on stderr."""
        click.echo(message, err=True)


def command(function: Function) -> Function:
    """Give a command ``--json`` and ``--store`` and pass it a :class:`Context` as its first argument."""

    @click.option("--json", "as_json", is_flag=True, help="Answer in JSON on stdout; messages go to stderr.")
    @click.option(
        "--store",
        metavar="URL",
        help="Store to work on; default LAPWING_STORE, else sqlite:///var/lapwing.db.",
    )
    @click.pass_context
    def wrapped(ctx: click.Context, /, *, as_json: bool, store: str | None, **arguments: Any) -> Any:
        return function(Context(store or (ctx.find_root().obj or {}).get("store"), as_json=as_json), **arguments)

    wrapped.__doc__ = function.__doc__
    wrapped.__name__ = function.__name__
    if hasattr(function, "__click_params__"):
        wrapped.__click_params__ = wrapped.__click_params__ + function.__click_params__  # type: ignore[attr-defined]
    return wrapped  # type: ignore[return-value]


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Columns of text, numbers to the right, fitted to their content."""
    body = [
        ["" if cell is None else f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in rows
    ]
    numeric = [all(_is_number(row[i]) for row in body) and bool(body) for i in range(len(headings))]
    widths = [max(len(heading), *(len(row[i]) for row in body), 0) for i, heading in enumerate(headings)]
    lines = [list(headings), *body]
    return "\n".join(
        "  ".join(c.rjust(w) if n else c.ljust(w) for c, w, n in zip(line, widths, numeric, strict=True)).rstrip()
        for line in lines
    )


def _is_number(text: str) -> bool:
    return text.replace(",", "").replace(".", "").replace("-", "").isdigit() or not text


@contextmanager
def working(label: str) -> Iterator[Callable[[float], None]]:
    """Progress bar on stderr for work that tells its share done; shown when a person is watching."""
    steps = 1000
    with click.progressbar(length=steps, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        done = 0

        def seen(share: float) -> None:
            nonlocal done
            now = int(share * steps)
            bar.update(max(0, now - done))
            done = max(done, now)

        yield seen
        seen(1.0)


def epsg(_: click.Context, __: click.Parameter, text: str | None) -> MetricCrs | None:
    """Read an option that names a CRS."""
    if text is None:
        return None
    if not re.fullmatch(r"(?:EPSG:)?\d{4,6}", text, re.IGNORECASE):
        raise click.BadParameter(f"{text!r} is not a CRS; write it as EPSG:27700.")
    return MetricCrs.parse(text)
