"""Commands about what comes in: import, quarantine, quality, undo."""

import textwrap
from pathlib import Path
from typing import Any

import click

from app.cli.common import Context, command, epsg, table, working
from app.services import import_request, importing, mappings, quality, quarantine
from data.readers.files import FORMATS
from geo.errors import LapwingError
from geo.model import FeatureKind, RecordKind
from geo.narrative import plural
from geo.problems import Reason

KINDS = [str(kind) for kind in (*RecordKind, *FeatureKind)]
WRONG_COUNT = Reason.WRONG_COLUMN_COUNT
_TOTALS = ("read", "accepted", "unlocated", "rejected", "duplicates")
_SUPPLY_TOTALS = ("updated", "unchanged", "missing", "redacted", "coarsened")


def _column_map(_: click.Context, __: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        field, sign, column = pair.partition("=")
        if not sign or not field or not column:
            raise click.BadParameter(f"{pair!r} is not FIELD=COLUMN.")
        found[field.strip()] = column.strip()
    return found


@click.command("import")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--source",
    metavar="NAME",
    help="Who or what the file comes from; files of one source are compared for repeats.",
)
@click.option("--format", "format_name", type=click.Choice(FORMATS), default="auto", show_default=True)
@click.option(
    "--map",
    "column_map",
    multiple=True,
    metavar="FIELD=COLUMN",
    callback=_column_map,
    help="Which column holds a field.",
)
@click.option("--layer", metavar="NAME", help="Layer of a GeoPackage, or sheet of a workbook, that has several.")
@click.option(
    "--precision-m",
    type=float,
    metavar="N",
    help="Radius in metres that holds the true position, for rows that state none.",
)
@click.option(
    "--crs", "crs", callback=epsg, metavar="EPSG:N", help="CRS of easting and northing, where not the store's."
)
@click.option(
    "--timezone", default=import_request.LONDON_NAME, show_default=True, help="Where times without an offset are local."
)
@click.option("--redact", is_flag=True, help="Incidents: take personal data out of the text and keep the row.")
@click.option("--mapping", metavar="NAME", help="Read the file by a saved mapping: see lapwing mapping.")
@command
def import_command(context: Context, *, kind: str, files: tuple[Path, ...], mapping: str | None, **told: Any) -> None:
    """Import FILES of one KIND, whatever their names.

    Read are CSV, XLSX, JSON, JSON lines, GeoJSON, GeoPackage, zipped Shapefile, KML, GPX and, for reference geography,
    OpenStreetMap (.osm, .osm.pbf); plain, gzipped or zipped. Each file is stored whole or not at all. Rows that cannot
    be used are kept aside with a reason: see lapwing quarantine.
    """
    lapwing = context.lapwing
    store = lapwing.store
    request = import_request.ImportRequest(kind=kind, **told)
    if mapping:
        request = mappings.load(store, context.scope, mapping).applied_to(request)
    reports, failed = [], []
    for number, path in enumerate(files, start=1):
        label = f"Importing {path.name}" + (f" ({number} of {len(files)})" if len(files) > 1 else "")
        try:
            with working(label) as seen:
                reports.append(importing.import_file(store, context.scope, path, request, lapwing.terms, progress=seen))
        except LapwingError as error:
            failed.append({"file": path.name, "error": str(error)})
    context.answer(_import_json(reports, failed), text=lambda: _import_text(reports))
    for failure in failed:
        context.say(f"lapwing: {failure['error']}")
    if failed:
        raise click.exceptions.Exit(1)


def _import_json(reports: list[import_request.ImportReport], failed: list[dict[str, str]]) -> dict[str, Any]:
    batches = [report.as_dict() for report in reports]
    reasons: dict[str, int] = {}
    for batch in batches:
        for reason, count in batch["reasons"].items():
            reasons[reason] = reasons.get(reason, 0) + count
    return {
        "batches": batches,
        **{name: sum(b[name] for b in batches) for name in (*_TOTALS, *_SUPPLY_TOTALS)},
        "reasons": reasons,
        "failed": failed,
    }


def _import_text(reports: list[import_request.ImportReport]) -> str:
    rows = [[report.batch.file_name, *(getattr(report.batch, name) for name in _TOTALS)] for report in reports]
    if len(rows) > 1:
        rows.append(["all files", *(sum(row[i + 1] for row in rows) for i in range(len(_TOTALS)))])
    lines = [table(["file", *_TOTALS], rows)] if rows else ["Nothing was imported."]
    kept_out = sorted({column for report in reports for column in report.unused_columns})
    if kept_out:
        lines.append(f"Columns not kept: {', '.join(kept_out)}.")
    if repaired := sum(report.repaired for report in reports):
        lines.append(f"{plural(repaired, 'invalid polygon')} repaired.")
    if corrected := sum(report.corrected for report in reports):
        lines.append(f"{plural(corrected, 'row')} no longer need{'s' if corrected == 1 else ''} attention.")
    lines += [line for report in reports for line in _supply_lines(report)]
    for report in reports:
        if report.reasons:
            why = ", ".join(f"{reason} {count:,}" for reason, count in report.reasons.items())
            lines.append(
                f"{report.batch.file_name}: rows needing attention: {why}. See: lapwing quarantine --batch {report.batch.batch_id}"
            )
    lines += [
        f"{report.batch.file_name}: these very bytes were imported before, read in another way, and may now count twice. Take one back: lapwing undo {report.same_file}"
        for report in reports
        if report.same_file
    ]
    if unlocated := sum(report.batch.unlocated for report in reports):
        lines.append(f"{plural(unlocated, 'accepted record')} without a position: counted, but on no map.")
    if waiting := max((report.waiting_for_place for report in reports), default=0):
        lines.append(f"{plural(waiting, 'record')} may now be placed by name, postcode or UPRN: lapwing locate BATCH")
    return "\n".join(lines)


def _supply_lines(report: import_request.ImportReport) -> list[str]:
    batch, lines = report.batch, []
    if batch.mapping and (batch.updated or batch.unchanged or batch.missing):
        lines.append(
            f"{batch.file_name}: {plural(batch.updated, 'record')} changed, {batch.unchanged:,} unchanged,"
            f" {batch.missing:,} no longer supplied (flagged, not deleted)."
        )
    if report.places_affected:
        named = ", ".join(f"{one['name'] or one['kind']} ({one['place']})" for one in report.places_affected[:10])
        lines.append(f"{batch.file_name}: places that rest on changed or missing records: {named}.")
    if batch.redacted:
        lines.append(f"{batch.file_name}: personal data was taken out of {plural(batch.redacted, 'row')}.")
    if batch.coarsened:
        lines.append(
            f"{plural(batch.coarsened, 'record')} at or near protected places: only their coarse cell is kept, for good."
        )
    if report.runs_affected:
        lines.append(
            f"Analyses that rested on them lost their layers; make them again: {', '.join(report.runs_affected)}."
        )
    return lines


@click.command("quarantine")
@click.option("--batch", "batch_id", metavar="ID", help="Only this batch.")
@click.option("--kind", type=click.Choice(KINDS), help="Only this kind: a file of corrections is imported as one kind.")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write them as CSV to correct and import again.",
)
@command
def quarantine_command(context: Context, *, batch_id: str | None, kind: str | None, output: Path | None) -> None:
    """List rows needing attention: what was wrong, where, and what to do."""
    store = context.lapwing.store
    if output is not None:
        text, written = quarantine.hand_out_corrections(
            store, context.scope, batch_id, kind, now_us=context.lapwing.clock()
        )
        output.write_text(text, encoding="utf-8-sig", newline="")
    rows = quarantine.rows_needing_attention(store, context.scope, batch_id, kind)
    context.consulted("quarantine")
    shown = rows[["batch_id", "file_name", "row_number", "field", "reason", "detail"]]
    value = {
        "rows": shown.rename(columns={"batch_id": "batch", "file_name": "file"}).to_dict("records"),
        "count": len(rows),
    }
    if output is not None:
        value |= {"output": str(output), "written": written}
        text = f"{plural(written, 'row')} written to {output}. Correct them there and import the file again."
        if WRONG_COUNT in set(rows["reason"]):
            text += f" Rows of reason {WRONG_COUNT} are not in it: mend those in the original file."
    elif len(rows):
        text = table(["file", "row", "field", "reason", "what to do"], shown.iloc[:200, 1:].to_numpy().tolist())
        text += f"\n... and {len(rows) - 200:,} more; write them all with --output FILE.csv" if len(rows) > 200 else ""
    else:
        text = "No rows need attention."
    context.answer(value, text=text)


@click.command("quality")
@click.argument("batch_id", required=False, metavar="[BATCH]")
@command
def quality_command(context: Context, *, batch_id: str | None) -> None:
    """Report what the evidence is worth: completeness, precision, repeated coordinates, lag, sources, repeats; of one BATCH or of all."""
    value = quality.report(context.lapwing.store, context.scope, batch_id, now_us=context.lapwing.clock())
    context.answer(value, text=lambda: _quality_text(value))


def _quality_text(value: dict[str, Any]) -> str:
    rows = [
        [b["batch"], b["file"], b["kind"], *(b[name] for name in _TOTALS), "undone" if b["undone"] else ""]
        for b in value["batches"]
    ]
    if not rows:
        return "Nothing has been imported yet. Begin with: lapwing import incidents FILE"
    facts = value["evidence"]
    lines = [
        f"{plural(facts['records'], 'record')}, {facts['unlocated']:,} without a position.",
        f"{plural(facts['distinct_points'], 'distinct point')}; {facts['on_shared_points']:,} records share theirs with another; "
        f"{facts['snapped']:,} are at positions moved to fixed map points.",
        "Time known as: " + (", ".join(f"{name} {n:,}" for name, n in facts["time_basis"].items()) or "nothing") + ".",
        "Position precise to (metres): " + ", ".join(f"{name} {n:,}" for name, n in facts["precision_m"].items()) + ".",
        *_worth_lines(value),
    ]
    return "\n".join(
        [
            table(["batch", "file", "kind", *_TOTALS, ""], rows),
            "",
            *(textwrap.fill(line, 100, subsequent_indent="  ") for line in lines),
        ]
    )


def _worth_lines(value: dict[str, Any]) -> list[str]:
    """Completeness, coordinates, lag, sources, repeats, area and what is due."""
    lines = []
    for kind, counts in value["completeness"].items():
        shares = [f"{name} {_share(n, counts['records'])}" for name, n in counts.items() if name != "records"]
        lines.append(f"Of {plural(counts['records'], 'record')} of {kind}, so many say: {', '.join(shares)}.")
    lines += [
        f"Coordinates of class {one['stack_class']}: {one['coordinates']:,} with {one['records']:,} reports, {one['share']:.1%} of all with a position."
        for one in value["stacks"]["classes"]
    ]
    lag = value["lag"]
    if lag["known"]:
        lines.append(
            f"Reported after a median of {plural(lag['median_days'], 'day')} (quartiles {lag['quartiles_days'][0]} and {lag['quartiles_days'][1]}), "
            f"nine of ten within {lag['p90_days']:,}; {lag['bands']['not said']:,} do not say."
        )
    else:
        lines.append("No report gives both a day and when it was reported.")
    lines.append(
        "How it came to light: " + ", ".join(f"{name} {n:,}" for name, n in value["source_types"].items()) + "."
    )
    if once := sum(value["counted_once"].values()):
        lines.append(f"{plural(once, 'report')} of events that others tell of too: counted once.")
    lines += [
        f"Outside {one['boundary']}: {one['outside']:,} of {one['located']:,} located records."
        for one in value["outside"]
    ]
    if waiting := value["quarantine"]:
        reasons = ", ".join(f"{reason} {n:,}" for reason, n in waiting.items())
        lines.append(f"Rows needing attention: {reasons}. See: lapwing quarantine.")
    due = value["due"]
    if due["review"] or due["deletion"]:
        lines.append(
            f"Due for review: {due['review']:,}; past their date of deletion: {due['deletion']:,} (lapwing purge)."
        )
    return lines


def _share(count: int, total: int) -> str:
    """Return a share in per cent that says neither none nor all where it is not so."""
    return f"{min(max(round(100 * count / total), 1), 99) if 0 < count < total else 100 * (count > 0)}%"


@click.command("undo")
@click.argument("batch_id", metavar="BATCH")
@command
def undo_command(context: Context, *, batch_id: str) -> None:
    """Take BATCH back: each of its records goes unless another file holds it too."""
    gone = importing.undo_batch(context.lapwing.store, context.scope, batch_id, now_us=context.lapwing.clock())
    context.answer(
        {"batch": batch_id, **gone},
        text=f"Batch {batch_id} undone: {plural(gone['records'], 'record')} and {plural(gone['features'], 'feature')} removed.",
    )
