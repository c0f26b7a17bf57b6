"""The ``lapwing`` command. Each group of commands is imported when it is used, so that help comes at once."""

from importlib import import_module
from typing import Final

import click

_HOMES: Final = {
    "template": "sources", "mapping": "sources",
    "import": "evidence", "quarantine": "evidence", "undo": "evidence",
    "locate": "sources", "quality": "evidence", "stacks": "sources", "split": "sources",
    "analyse": "analysis", "runs": "analysis", "places": "places", "explain": "places",
    "routes": "besides", "linked": "besides", "facilities": "besides", "by-area": "analysis",
    "decide": "deciding", "place": "deciding",
    "task": "analysis",
    "calibrate": "proving", "backtest": "proving",
    "share": "sharing", "export": "exporting", "basemap": "basemap",
    "migrate": "administration", "user": "administration", "audit": "administration", "purge": "administration",
    "vehicle-key": "administration",
    "serve": "serving", "demo": "serving",
}  # fmt: skip


_SUMMARIES: Final = {
    "template": "Write a workbook for partners to fill in.",
    "mapping": "Save how a partner's files are read, to import them by name.",
    "import": "Import files of records or reference geography.",
    "quarantine": "List rows needing attention, or write them as CSV to correct.",
    "undo": "Take an imported file back.",
    "locate": "Place unlocated records by UPRN, postcode, road or name, offline.",
    "quality": "Report how complete and precise the evidence is.",
    "stacks": "List coordinates that many reports share, or say what one is.",
    "split": "Say that two reports which were counted once are two events.",
    "analyse": "Find places of concern and store the analysis.",
    "runs": "List stored analyses.",
    "places": "List the places of an analysis.",
    "explain": "Say why a place is listed.",
    "routes": "List the corridors that several vehicles share.",
    "linked": "List places that go together beyond chance.",
    "facilities": "Compare parks, takeaways and others with their own kind.",
    "by-area": "Compare periods in every ward, beat or other area.",
    "decide": "Accept, reject, move, rename, merge or split a place, with a reason.",
    "place": "Add, review or withdraw a place that no analysis found.",
    "task": "List accepted places for outreach.",
    "calibrate": "Measure how often chance alone raises a hot cell.",
    "backtest": "Test whether the map points to what comes next.",
    "share": "Share an analysis with partners and boards, or stop.",
    "export": "Write a layer of an analysis to a file.",
    "basemap": "Make or show the ground that maps are drawn on.",
    "migrate": "Create the store or bring it up to date.",
    "user": "Add, list or disable users, or give one a new link.",
    "audit": "List, verify or export the audit log.",
    "purge": "Remove records past their date of deletion.",
    "vehicle-key": "Add a new key for the hashes of vehicles.",
    "serve": "Serve the maps and lists to a browser.",
    "demo": "Make a synthetic city, analyse it and serve it.",
}


class LazyGroup(click.Group):
    """A group that knows its commands' names and imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which the work is done."""
        return list(_HOMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name not in _HOMES:
            return None
        module = import_module(f"app.cli.{_HOMES[cmd_name]}")
        command: click.Command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_SUMMARIES.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--store", metavar="URL", help="Store to work on; default LAPWING_STORE, else sqlite:///var/lapwing.db.")
@click.version_option(package_name="lapwing", prog_name="lapwing")
@click.pass_context
def cli(ctx: click.Context, store: str | None) -> None:
    """Find the places where children are exploited, so that agencies can disrupt the place.

    The usual order: import, analyse, places, decide, task, export. Every command has --help and --json.
    """
    ctx.ensure_object(dict)["store"] = store


def main(arguments: list[str] | None = None) -> None:
    """Run the command line: exit 0 done, 1 failed with one line, 2 wrong usage; never a traceback."""
    import os
    import sys

    from geo.errors import LapwingError

    try:
        cli(arguments, prog_name="lapwing")  # ends the process itself when all went well
    except LapwingError as error:
        click.echo(f"lapwing: {error}", err=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, MemoryError) as error:
        click.echo(f"lapwing: {error or type(error).__name__}", err=True)
    except Exception as error:
        if os.environ.get("LAPWING_DEBUG"):
            raise
        click.echo(f"lapwing: unexpected {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
                   " (set LAPWING_DEBUG=1 to see where; please report it)", err=True)  # fmt: skip
    sys.exit(1)
