"""Commands that end in a browser: serve, demo."""

import threading
from typing import Any

import click

from app.cli.common import Context, command
from app.services import accounts, demonstration
from app.services.places import list_places
from app.wiring import Lapwing
from geo.errors import LapwingError
from geo.model import Role

DEMO_USER = "demo"
SWEEP_S = 300


@click.command("serve")
@click.option("--host", help="Address to listen on; default 127.0.0.1, this machine only.")
@click.option("--port", type=click.IntRange(1, 65535), help="Default 8765.")
@command
def serve_command(context: Context, *, host: str | None, port: int | None) -> None:
    """Serve maps, places and tasking lists to a browser until interrupted."""
    from app.services.synthetic import is_synthetic

    lapwing = context.lapwing
    server = _listen(context, host, port)
    if is_synthetic(lapwing.store, context.scope):
        _say_demo_link(context, host, port)
    _serve(context, *server)


@click.command("demo")
@click.option("--no-serve", is_flag=True, help="Make and analyse the city, print the link and stop.")
@click.option("--host", help="Address to listen on; default 127.0.0.1, this machine only.")
@click.option("--port", type=click.IntRange(1, 65535), help="Default 8765.")
@command
def demo_command(context: Context, *, no_serve: bool, host: str | None, port: int | None) -> None:
    """Make a synthetic city, analyse it and serve it. Nothing in it is real, and everything says so."""
    lapwing = context.lapwing
    folder = lapwing.settings.state / "demo"
    made = demonstration.make_demo(
        lapwing.store,
        context.scope,
        folder,
        terms=lapwing.terms,
        say=context.say,
    )
    server = None if no_serve else _listen(context, host, port)
    top = list_places(lapwing.store, context.scope, made.run.run_id, top=1)
    link = _link(context, host, port)
    value = {
        "run": made.run.run_id,
        "places": made.run.summary["places"],
        "truth": str(made.truth),
        "link": link,
    }
    words = (
        f"{made.run.summary['places']} places of concern in the synthetic city; first: {top[0]['name'] or top[0]['kind']}.\n"
        if top
        else ""
    )
    context.answer(value, text=f"{words}Open this link once to sign in:\n  {link}")
    if server is not None:
        _serve(context, *server)


def _link(context: Context, host: str | None, port: int | None) -> str:
    lapwing = context.lapwing
    path = accounts.demo_link(lapwing.store, context.scope, DEMO_USER, Role.ANALYST, now_us=lapwing.clock())
    return f"http://{host or lapwing.settings.host}:{port or lapwing.settings.port}{path}"


def _say_demo_link(context: Context, host: str | None, port: int | None) -> None:
    click.echo(f"Open this link once to sign in:\n  {_link(context, host, port)}")


def _listen(context: Context, host: str | None, port: int | None) -> tuple[Any, str, int]:
    """Take the port before anything is promised about it; returns the server, its host and its port."""
    from app.logs import configure_logging
    from app.web import make_app
    from app.web.spooling import make_server

    lapwing = context.lapwing
    configure_logging()
    where, at = host or lapwing.settings.host, port or lapwing.settings.port
    try:
        return make_server(make_app(lapwing), host=where, port=at), where, at
    except OSError as error:
        raise LapwingError(
            f"Port {at} on {where} cannot be used ({error.strerror}); choose another with --port or LAPWING_PORT."
        ) from error


def _serve(context: Context, server: Any, where: str, at: int) -> None:
    import sys

    if where not in {"127.0.0.1", "localhost", "::1"} and not context.lapwing.settings.secure_cookies:
        context.say(
            "Note: others can reach this address; put a TLS proxy in front and set LAPWING_SECURE_COOKIES=true."
        )
    context.say(f"Serving on http://{where}:{at} (Ctrl+C stops)")
    sys.stdout.flush()
    stopped = threading.Event()
    threading.Thread(target=_sweep, args=(context.lapwing, stopped), name="sweep", daemon=True).start()
    try:
        server.run()
    except KeyboardInterrupt:
        context.say("Stopped.")
    finally:
        stopped.set()


def _sweep(lapwing: Lapwing, stopped: threading.Event) -> None:
    """Delete uploads that nobody confirmed or cancelled, at once and every few minutes."""
    while True:
        lapwing.uploads.sweep(now_us=lapwing.clock())
        if stopped.wait(SWEEP_S):
            return
