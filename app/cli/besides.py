"""Commands about what an analysis finds besides places: routes, linked places and facilities."""

import click

from app.cli.common import Context, command, table
from app.services.facilities import COMPARED
from app.services.layers import require_layers
from app.services.route_layers import link_dict, places_of, route_dict
from geo.model import Run
from geo.narrative import kinds_words, place_title, plural


def _run(context: Context, run_id: str) -> Run:
    run = context.lapwing.store.runs.get(context.scope, run_id)
    require_layers(run)
    return run


@click.command("routes")
@click.argument("run_id", metavar="RUN")
@command
def routes_command(context: Context, *, run_id: str) -> None:
    """List the routes of RUN (an id, or latest): corridors that at least three distinct vehicles share."""
    run = _run(context, run_id)
    routes = [route_dict(route) for route in context.lapwing.store.runs.routes(context.scope, run.run_id)]
    context.consulted(f"run:{run.run_id}/routes")
    told = run.summary.get("sightings") or {}
    rows = [
        [r["rank"], r["route"], r["name"] or "no road name known", r["vehicles"], f"{r['confidence']:.0%}", r["why"]]
        for r in routes
    ]
    empty = (
        "No vehicle sightings in this analysis; import some with: lapwing import sightings FILE"
        if not told.get("sightings")
        else f"{plural(told['sightings'], 'sighting')}, {plural(told['pairs'], 'pair')} within an hour of each other: no corridor that three distinct vehicles share."
    )
    moves = run.summary.get("movements") or {"stops": [], "directions": []}
    lines = [table(["rank", "route", "roads", "vehicles", "confidence", "why"], rows) if rows else empty]
    lines += [
        f"{plural(one['vehicles'], 'vehicle')} stood in cell {one['cell']}, {plural(one['stops'], 'stop')}."
        for one in moves["stops"]
    ]
    lines += [
        f"{plural(one['vehicles'], 'vehicle')} went from about {one['from_cell']} to about {one['to_cell']}; which way is not known without roads."
        for one in moves["directions"]
    ]
    context.answer({"routes": routes, "sightings": told, **moves}, text="\n".join(lines))


@click.command("linked")
@click.argument("run_id", metavar="RUN")
@command
def linked_command(context: Context, *, run_id: str) -> None:
    """List the linked places of RUN (an id, or latest): what vehicles and reports join beyond chance, and by how much."""
    run = _run(context, run_id)
    store = context.lapwing.store
    places = places_of(store, context.scope, run)
    links = [link_dict(link, places) for link in store.runs.links(context.scope, run.run_id)]
    context.consulted(f"run:{run.run_id}/network")
    told = run.summary.get("network") or {}
    names = {one: place_title(place.kind, place.name) for one, place in places.items()}
    groups = [
        f"These go together: {', '.join(names.get(one, one) for one in group['places'])}."
        for group in told.get("groups", [])
    ]
    lines = groups + [
        f"  {link['why']}" for link in sorted(links, key=lambda link: (not link["significant"], link["q_value"]))
    ]
    possible = told.get("pairs_possible", 0)
    empty = f"No two places are joined by vehicles or by reports beyond chance ({plural(possible, 'pair')} looked at)."
    context.answer({"links": links, **told}, text="\n".join(lines) if lines else empty)


@click.command("facilities")
@click.argument("run_id", metavar="RUN")
@click.option("--kind", type=click.Choice(COMPARED), help="Only facilities of this kind.")
@click.option("--top", type=click.IntRange(min=1), default=20, show_default=True, help="Only the first N of each kind.")
@command
def facilities_command(context: Context, *, run_id: str, kind: str | None, top: int) -> None:
    """Compare the parks, takeaways and other facilities of RUN, each with its own kind; homes are never compared."""
    run = _run(context, run_id)
    found = [
        {"kind": one.kind, "name": one.name, "records": one.records, "weight": one.weight, **one.evidence}
        for one in context.lapwing.store.runs.facilities(context.scope, run.run_id)
        if kind in {None, one.kind}
    ]
    context.consulted(f"run:{run.run_id}/facilities")
    kinds = {name: told for name, told in (run.summary.get("facilities") or {}).items() if kind in {None, name}}
    lines: list[str] = []
    for name, told in kinds.items():
        if not told["records"]:
            continue
        own = [one for one in found if one["kind"] == name][:top]
        lines.append(
            f"{kinds_words(name)}: {told['hold_80_percent']} of {told['facilities']} hold 80 % of {plural(told['records'], 'record')}"
            f"; {told['share_by_chance'] * told['facilities']:.0f} would if all were alike."
        )
        headings = ["name", "records", "expected", "times its kind", "q"]
        lines.append(
            table(
                headings,
                [
                    [
                        one["name"] or "no name",
                        one["records"],
                        f"{one['expected']:.1f}",
                        _times(one),
                        f"{one['q_value']:.2g}",
                    ]
                    for one in own
                ],
            )
        )
    empty = "No record of this analysis speaks of a facility (moved positions do not count); import parks and premises to compare them."
    context.answer({"kinds": kinds, "facilities": found}, text="\n".join(lines) if lines else empty)


def _times(one: dict[str, float | None]) -> str:
    if not one["tested"]:
        return "nothing to compare"
    if one["rate_ratio"] is None:
        return "all of its kind"
    low, high = one["ratio_low"], one["ratio_high"]
    return f"{one['rate_ratio']:.1f} ({low:.1f} to {'any' if high is None else format(high, '.1f')})"
