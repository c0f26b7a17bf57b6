"""The export command."""

from pathlib import Path

import click

from app.cli.common import Context, command
from app.services import exporting
from geo.errors import InvalidParameter
from geo.model import Layer, Profile
from geo.narrative import plural


@click.command("export")
@click.argument("run_id", metavar="RUN")
@click.option(
    "--layer",
    type=click.Choice([str(one) for one in exporting.LAYERS]),
    default=str(Layer.PLACES),
    show_default=True,
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(exporting.WRITERS),
    help="Default: by the ending of the file.",
)
@click.option(
    "--profile",
    type=click.Choice([str(one) for one in Profile]),
    default=str(Profile.OPERATIONAL),
    show_default=True,
    help="Audience; public is never published.",
)
@click.option("--purpose", required=True, help="Why it is taken and for whom; kept in the disclosure ledger.")
@click.option(
    "--output",
    "-o",
    required=True,
    type=click.Path(path_type=Path),
    help="File, or folder for a file named by its disclosure.",
)
@command
def export_command(
    context: Context,
    *,
    run_id: str,
    layer: str,
    format_name: str | None,
    profile: str,
    purpose: str,
    output: Path,
) -> None:
    """Write a layer of RUN to a file, after disclosure control for the audience."""
    lapwing = context.lapwing
    run = lapwing.store.runs.get(context.scope, run_id)
    if format_name and not output.is_dir() and exporting.format_of(output) != format_name and output.suffix:
        raise InvalidParameter(f"--format {format_name} does not fit the ending of {output.name}.")
    request = exporting.ExportRequest(
        layer=Layer(layer),
        format=format_name or exporting.format_of(output),
        profile=Profile(profile),
        purpose=purpose,
    )
    done = exporting.export_file(lapwing.store, context.scope, run, request, output, now_us=lapwing.clock())
    context.answer(
        done.as_dict(),
        text=f"{plural(done.features, 'feature')} written to {done.path}; {plural(done.suppressed, 'feature')} suppressed for the {profile} audience.",
    )
