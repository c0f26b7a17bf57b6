"""Commands about where records come from and lie: mapping, template, locate, stacks, reports."""

from pathlib import Path
from typing import Any

import click

from app.cli.common import Context, command, table
from app.services import corroborating, locating, mappings, stacks
from geo.errors import InvalidParameter
from geo.model import FeatureKind, RecordKind
from geo.narrative import plural
from geo.temporal import from_micros


@click.group("mapping")
def mapping_command() -> None:
    """Save how a partner's files are read, once; then import them by its name."""


@mapping_command.command("save")
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@command
def mapping_save(context: Context, *, name: str, file: Path) -> None:
    """Check FILE (TOML) and save it as the next version of the mapping NAME."""
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidParameter(f"{file.name}: is not text in UTF-8; save it as such.") from error
    lapwing = context.lapwing
    saved = mappings.save(lapwing.store, context.scope, name, text, now_us=lapwing.clock())
    context.answer(
        {"mapping": saved.name, "version": saved.version},
        text=f"Saved {saved.name}, version {saved.version}. Use it: lapwing import KIND FILE --mapping {saved.name}",
    )


@mapping_command.command("list")
@command
def mapping_list(context: Context) -> None:
    """List the saved mappings, every version."""
    saved = context.lapwing.store.supplies.mappings(context.scope)
    rows = [[one.name, one.version, f"{from_micros(one.saved_at_us):%Y-%m-%d %H:%M}", one.saved_by] for one in saved]
    value = [{"mapping": one.name, "version": one.version, "saved_by": one.saved_by} for one in saved]
    empty = "No mapping has been saved. lapwing mapping show --example gives one to begin with."
    context.answer(
        {"mappings": value}, text=table(["mapping", "version", "saved (UTC)", "by"], rows) if rows else empty
    )


@mapping_command.command("show")
@click.argument("name", required=False)
@click.option("--example", is_flag=True, help="Show an example to begin with.")
@command
def mapping_show(context: Context, *, name: str | None, example: bool) -> None:
    """Print the newest version of the mapping NAME, as TOML."""
    if example:
        context.answer({"text": mappings.EXAMPLE}, text=mappings.EXAMPLE.rstrip())
        return
    if name is None:
        raise click.UsageError("Name a mapping, or ask for --example.")
    saved = context.lapwing.store.supplies.mapping(context.scope, name)
    context.answer(
        {"mapping": saved.name, "version": saved.version, "text": saved.text},
        text=f"# {saved.name}, version {saved.version}\n{saved.text.rstrip()}",
    )


@click.command("template")
@click.argument("kind", type=click.Choice([str(kind) for kind in (*RecordKind, *FeatureKind)]))
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Default: KIND.xlsx here.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@command
def template_command(context: Context, *, kind: str, output: Path | None, force: bool) -> None:
    """Write a workbook for partners to fill in: the columns of KIND, lists to choose from and an example."""
    from app.services.templates import template_workbook

    output = output or Path(f"{kind}.xlsx")
    if output.exists() and not force:
        raise InvalidParameter(f"{output} is there already; choose another name or say --force.")
    output.write_bytes(template_workbook(kind))
    context.answer({"kind": kind, "output": str(output)}, text=f"Wrote {output}.")


def _choices(_: click.Context, __: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        text, sign, candidate = pair.rpartition("=")
        if not sign or not text or not candidate:
            raise click.BadParameter(f"{pair!r} is not TEXT=CANDIDATE.")
        found[text] = candidate
    return found


@click.command("locate")
@click.argument("batch_id", metavar="BATCH")
@click.option(
    "--choose",
    "choices",
    multiple=True,
    metavar="TEXT=CANDIDATE",
    callback=_choices,
    help="What an ambiguous name means, by the candidate's id; for all rows of the batch that say it.",
)
@command
def locate_command(context: Context, *, batch_id: str, choices: dict[str, str]) -> None:
    """Place the unlocated records of BATCH by UPRN, postcode, road or the name of an imported place, all offline.

    Only what is certain is placed. A name that may mean several places is listed with candidates to choose from.
    """
    lapwing = context.lapwing
    report = locating.locate(lapwing.store, context.scope, batch_id, lapwing.terms, choices=choices)
    context.answer(report.as_dict(), text=lambda: _locate_text(report))


def _locate_text(report: locating.LocateReport) -> str:
    by = ", ".join(f"{name} {n:,}" for name, n in report.by_method.items())
    lines = [f"{plural(report.located, 'record')} placed{f' ({by})' if by else ''}."]
    for one in report.ambiguous:
        lines.append(f"{one['text']!r} ({plural(one['rows'], 'row')}) may be:")
        lines += [f"  {c['candidate']}  {c['name']} ({c['kind']})" for c in one["candidates"]]
    if report.ambiguous:
        lines.append(f"Choose with: lapwing locate {report.batch_id} --choose 'TEXT=CANDIDATE'")
    if report.unmatched:
        lines.append(f"{plural(report.unmatched, 'record')} say where they are, but no imported place answers to it.")
    if report.without_hint:
        lines.append(f"{plural(report.without_hint, 'record')} say nothing of their place: counted, but on no map.")
    return "\n".join(lines)


@click.group("stacks")
def stacks_command() -> None:
    """Show coordinates that many reports share, and say what they are."""


@stacks_command.command("list")
@click.option("--least", type=click.IntRange(1), default=2, show_default=True, help="Reports at a coordinate.")
@command
def stacks_list(context: Context, *, least: int) -> None:
    """List repeated coordinates with their class, the busiest first."""
    found = stacks.list_stacks(context.lapwing.store, context.scope, least=least)
    context.consulted("stacks")
    context.answer({"stacks": found, "count": len(found)}, text=lambda: _stacks_text(found))


def _stacks_text(found: list[dict[str, Any]]) -> str:
    if not found:
        return "No coordinate is shared by several reports."
    rows = [[o["stack_id"], o["records"], f"{o['share']:.1%}", o["stack_class"], o["reason"]] for o in found[:100]]
    more = f"\n... and {len(found) - 100:,} more; all with --json" if len(found) > 100 else ""
    return table(["stack", "reports", "share", "class", "because"], rows) + more


@stacks_command.command("rule")
@click.argument("stack_id", metavar="STACK")
@click.argument("stack_class", metavar="CLASS", type=click.Choice([str(one) for one in stacks.RULED]))
@click.option("--reason", required=True, help="Why, for whoever reads it later.")
@command
def stacks_rule(context: Context, *, stack_id: str, stack_class: str, reason: str) -> None:
    """Say that STACK is of a CLASS, whatever the detector says; later analyses follow it."""
    lapwing = context.lapwing
    stacks.rule_stack(lapwing.store, context.scope, stack_id, stack_class, reason=reason, now_us=lapwing.clock())
    context.answer(
        {"stack": stack_id, "class": stack_class}, text=f"{stack_id} counts as {stack_class}. Analyse again to see it."
    )


def _record_key(_: click.Context, __: click.Parameter, text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not a record's key; lapwing explain shows them.") from error


@click.command("split")
@click.argument("first", callback=_record_key)
@click.argument("second", callback=_record_key)
@click.option("--reason", help="Why these are two events.")
@click.option("--undo", is_flag=True, help="Take the split back.")
@command
def split_command(context: Context, *, first: bytes, second: bytes, reason: str | None, undo: bool) -> None:
    """Say that reports FIRST and SECOND, which were counted once, tell of two events."""
    lapwing = context.lapwing
    if undo:
        corroborating.join_reports(lapwing.store, context.scope, first, second, now_us=lapwing.clock())
    else:
        corroborating.split_reports(
            lapwing.store, context.scope, first, second, reason=reason or "", now_us=lapwing.clock()
        )
    done = "may be counted once again" if undo else "count as two events"
    context.answer({"split": not undo}, text=f"The reports {done}. Analyse again to see it.")
