"""The command by which partners and boards see an analysis, or see it no longer."""

import click

from app.cli.common import Context, command
from app.services.sharing import share_run, stop_sharing
from geo.temporal import from_micros


@click.command("share")
@click.argument("run_id", metavar="[RUN]", required=False)
@click.option("--purpose", required=True, help="Why it is shared, or no longer; kept in the log.")
@click.option(
    "--sooner", is_flag=True, help="Share it although a close one was shared: their differences can give a record away."
)
@click.option("--stop", is_flag=True, help="Take the shared analysis back; partners and boards then see none.")
@command
def share_command(context: Context, *, run_id: str | None, purpose: str, sooner: bool, stop: bool) -> None:
    """Let partners and boards see RUN and no other analysis, or stop sharing. Only people share: no analysis does it by itself."""
    if stop and (run_id or sooner):
        raise click.UsageError("--stop goes alone with --purpose: it takes back whatever is shared.")
    if not (stop or run_id):
        raise click.UsageError("Name the analysis to share, or say --stop.")
    store, now_us = context.lapwing.store, context.lapwing.clock()
    if stop:
        act = stop_sharing(store, context.scope, purpose, now_us=now_us)
        words = f"Analysis {act.run_id} is no longer shared; partners and boards see none."
    else:
        act = share_run(store, context.scope, run_id or "", purpose, sooner=sooner, now_us=now_us)
        words = f"Analysis {act.run_id} is shared with partners and boards. Take it back with: lapwing share --stop --purpose TEXT"
    value = {
        "run": act.run_id,
        "shared": not stop,
        "shared_at": from_micros(act.shared_at_us).isoformat(),
        "purpose": purpose.strip(),
    }
    context.answer(value, text=words)
