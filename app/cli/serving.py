"""Commands that end in a browser: serve, demo."""

import click

from app.cli.common import Context, command
from app.services import accounts, demonstration
from app.services.places import list_places
from geo.model import Role

DEMO_USER = "demo"


@click.command("serve")
@click.option("--host", help="Address to listen on; default 127.0.0.1, this machine only.")
@click.option("--port", type=click.IntRange(1, 65535), help="Default 8765.")
@command
def serve_command(context: Context, *, host: str | None, port: int | None) -> None:
    """Serve maps, places and tasking lists to a browser until interrupted."""
    from app.services.layers import is_synthetic

    lapwing = context.lapwing
    if is_synthetic(lapwing.store, context.scope):
        _say_demo_link(context, host, port)
    _serve(context, host, port)


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
        now_us=lapwing.clock(),
        vehicle_key=lapwing.secret("vehicle"),
        say=context.say,
    )
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
    if not no_serve:
        _serve(context, host, port)


def _link(context: Context, host: str | None, port: int | None) -> str:
    lapwing = context.lapwing
    path = accounts.demo_link(lapwing.store, context.scope, DEMO_USER, Role.ANALYST, now_us=lapwing.clock())
    return f"http://{host or lapwing.settings.host}:{port or lapwing.settings.port}{path}"


def _say_demo_link(context: Context, host: str | None, port: int | None) -> None:
    click.echo(f"Open this link once to sign in:\n  {_link(context, host, port)}")


def _serve(context: Context, host: str | None, port: int | None) -> None:
    import sys

    from waitress import create_server

    from app.logs import configure_logging
    from app.web import make_app
    from geo.errors import LapwingError

    lapwing = context.lapwing
    configure_logging()
    where, at = host or lapwing.settings.host, port or lapwing.settings.port
    try:
        server = create_server(make_app(lapwing), host=where, port=at, ident=None, threads=4)
    except OSError as error:
        raise LapwingError(
            f"Port {at} on {where} cannot be used ({error.strerror}); choose another with --port."
        ) from error
    context.say(f"Serving on http://{where}:{at} (Ctrl+C stops)")
    sys.stdout.flush()
    try:
        server.run()
    except KeyboardInterrupt:
        context.say("Stopped.")
