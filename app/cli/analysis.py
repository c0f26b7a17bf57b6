"""Commands about what comes out: analyse, runs, areas, and the outreach list."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from app.cli.common import Context, command, table
from app.services import analysis, exporting, tasking
from app.services.by_area import by_area
from geo.model import ClusterAlgorithm, ComparedWith, Layer, Profile
from geo.narrative import day_words, kind_words, plural
from geo.parameters import AnalysisParameters
from geo.temporal import from_micros, micros


class Day(click.ParamType[date]):
    """An ISO date."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Read YYYY-MM-DD."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a date; write it as 2024-03-09.", param, ctx)


class Moment(click.ParamType[int]):
    """An ISO date and time, UTC when it has no offset."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a moment as microseconds UTC."""
        if isinstance(value, int):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a time; write it as 2024-03-09T12:00:00Z.", param, ctx)
        return micros(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def split_words(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Split values at commas."""
    return tuple(word.strip() for value in values for word in value.split(",") if word.strip())


def _weights(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[tuple[str, float], ...]:
    pairs = []
    for value in values:
        category, sign, weight = value.rpartition("=")
        try:
            pairs.append((category.strip(), float(weight)))
        except ValueError:
            sign = ""
        if not sign or not category.strip():
            raise click.BadParameter(f"{value!r} is not CATEGORY=N, such as 'sexual offence=3'.")
    return tuple(pairs)


@click.command("analyse")
@click.option("--from", "date_from", type=Day(), help="First day, Europe/London.")
@click.option("--to", "date_to", type=Day(), help="Last day, included.")
@click.option(
    "--kinds",
    multiple=True,
    callback=split_words,
    help="Record kinds or categories, comma-separated; default incidents,observations.",
)
@click.option("--resolution", type=int, default=9, show_default=True, help="H3 resolution of the cells (9: 0.1 km2).")
@click.option(
    "--eps-m",
    type=float,
    default=150,
    show_default=True,
    help="Records this near each other belong together.",
)
@click.option("--min-weight", type=float, default=5, show_default=True, help="Records within eps that make a cluster.")
@click.option("--area", metavar="NAME", help="Boundary or area to study; else the surroundings of what was observed.")
@click.option(
    "--compared-with",
    type=click.Choice(list(ComparedWith)),
    default=ComparedWith.AREA,
    show_default=True,
    help="What counts are compared with: ground, every cell alike, all incidents, premises, buildings, or hours of outreach"
    " (then only what outreach found is tested).",
)
@click.option("--alpha", type=float, default=0.05, show_default=True, help="Level of the tests.")
@click.option("--simulations", type=int, default=999, show_default=True, help="Simulations of the scan.")
@click.option(
    "--weight",
    "harm_weights",
    multiple=True,
    callback=_weights,
    metavar="CATEGORY=N",
    help="Weight of a record of a category in the order of places; tests are not weighted.",
)
@click.option(
    "--engine",
    type=click.Choice(["local"]),
    default="local",
    show_default=True,
    expose_value=False,
    help="What clusters.",
)
@click.option(
    "--algorithm",
    type=click.Choice(list(ClusterAlgorithm)),
    default=ClusterAlgorithm.GRID,
    show_default=True,
    help="What computes the clusters: the compiled grid, or scikit-learn to check it. The clusters are the same.",
)
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True)
@click.option(
    "--as-of",
    "as_of_us",
    type=Moment(),
    help="Moment of the analysis; default now. Recency is counted from it.",
)
@command
def analyse_command(
    context: Context, *, kinds: tuple[str, ...], seed: int, as_of_us: int | None, **chosen: Any
) -> None:
    """Find places of concern: cells, clusters and the parks, premises, buildings and roads they speak of."""
    store = context.lapwing.store
    selected = analysis.choose_kinds(store, context.scope, kinds)
    parameters = AnalysisParameters(crs_epsg=store.crs.epsg, **chosen, **selected)
    run = analysis.analyse(
        store,
        context.scope,
        parameters,
        seed=seed,
        now_us=context.lapwing.clock(),
        as_of_us=as_of_us,
        progress=lambda step: context.say(f"{step} ..."),
    )
    value = analysis.run_dict(run)
    lines = [
        f"Analysis {run.run_id}: {plural(value['records'], 'record')} in {plural(value['cells'], 'cell')}, {plural(value['hot_cells'], 'hot cell')}, {plural(value['places'], 'place')} of concern.",
        *(f"Note: {warning}" for warning in value["warnings"]),
        f"Next: lapwing places {run.run_id}",
    ]
    context.answer(value, text="\n".join(lines))


@click.command("runs")
@command
def runs_command(context: Context) -> None:
    """List stored analyses, newest first."""
    runs = context.lapwing.store.runs.runs(context.scope)
    value = [
        analysis.run_dict(run)
        | {"generated_at": from_micros(run.generated_at_us).isoformat(), "created_by": run.created_by}
        for run in runs
    ]
    rows = [
        [r["run"], r["generated_at"][:16], r["records"], r["cells"], r["places"], r["study_area"], _purge_note(r)]
        for r in value
    ]
    empty = "No analysis yet. Make one with: lapwing analyse"
    context.answer(
        {"runs": value},
        text=table(["analysis", "made (UTC)", "records", "cells", "places", "area", ""], rows) if rows else empty,
    )


def _purge_note(run: dict[str, Any]) -> str:
    return f"its records were removed {run['purged_at'][:10]}" if run["purged_at"] else ""


@click.command("by-area")
@click.option("--as-of", "as_of", type=Day(), help="Last day counted; default that of the newest record.")
@click.option("--level", help="Only areas of this level, such as ward or beat.")
@click.option("--kinds", multiple=True, callback=split_words, help="Record kinds or categories, comma-separated.")
@command
def by_area_command(context: Context, *, as_of: date | None, level: str | None, kinds: tuple[str, ...]) -> None:
    """Compare the last 28 days with the 28 before, and this year with last, in every imported area."""
    store = context.lapwing.store
    selected = analysis.choose_kinds(store, context.scope, kinds)
    parameters = AnalysisParameters(crs_epsg=store.crs.epsg, **selected)
    found = by_area(store, context.scope, parameters, as_of=as_of, level=level)
    context.consulted("areas")
    rows = [
        [r["area"], r["level"], r["recent"], r["before"], _change(r["change_28_days"]), r["this_year"], r["last_year"], _change(r["change_this_year"])]
        for r in found.rows
    ]  # fmt: skip
    headings = ["area", "level", "28 days", "28 before", "change", "this year", "last year", "change"]
    context.answer(
        {"as_of": found.as_of.isoformat(), "areas": found.rows, "notes": found.notes},
        text=lambda: "\n".join([f"Up to {found.as_of}", table(headings, rows), *found.notes]),
    )


def _change(change: dict[str, Any]) -> str:
    words = {"no_history": "not known", "too_few": "too few to say", "no_clear_change": "no clear change"}
    said = words.get(change["verdict"], change["verdict"])
    return said if change["ratio"] is None else f"{said} (x {change['ratio']:.2f})"


@click.command("task")
@click.argument("run_id", metavar="RUN")
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Write the list as CSV.")
@click.option(
    "--purpose",
    default="outreach tasking",
    show_default=True,
    help="Why the list is taken; kept in the ledger with --output.",
)
@command
def task_command(context: Context, *, run_id: str, output: Path | None, purpose: str) -> None:
    """List the accepted places of RUN for outreach; nothing is listed before an analyst has accepted it."""
    lapwing = context.lapwing
    run = lapwing.store.runs.get(context.scope, run_id)
    found = tasking.accepted_places(lapwing.store, context.scope, run)
    context.consulted(f"run:{run.run_id}/tasking")
    rows = [one.columns() for one in found.accepted]
    value: dict[str, Any] = {
        "run": run.run_id,
        "tasking": rows,
        "waiting": found.waiting,
        "rejected": found.rejected,
        "message": tasking.how_to_accept(found),
    }
    if output is not None:
        request = exporting.ExportRequest(
            layer=Layer.TASKING, format="csv", profile=Profile.OPERATIONAL, purpose=purpose
        )
        value["output"] = str(
            exporting.export_file(lapwing.store, context.scope, run, request, output, now_us=lapwing.clock()).path
        )
    lines = []
    for row in rows:
        lines += [
            f"{row['place_name']} ({kind_words(row['kind'])}){', ' + row['area'] if row['area'] else ''}, {row['where']}",
            f"  {row['why']}",
        ]
        lines += [f"  When: {row['weekdays']}; {row['hours']}. Review by {day_words(row['review_date'])}."]
    context.answer(value, text="\n".join([*lines, value["message"]]))
