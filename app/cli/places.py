"""Commands about the places of an analysis: list them, and say why one is listed."""

from collections.abc import Sequence
from typing import Any

import click

from app.cli.common import Context, command, table
from app.services import places
from app.services.layers import place_dict
from app.services.nominated import NominatedPlace, nominated_place, nominated_places
from app.services.route_layers import link_dict, places_of
from geo.decisions import Decision
from geo.narrative import kind_words, place_title, plural, span_words
from geo.temporal import from_micros


@click.command("places")
@click.argument("run_id", metavar="RUN")
@click.option("--top", type=click.IntRange(min=1), help="Only the first N.")
@command
def places_command(context: Context, *, run_id: str, top: int | None) -> None:
    """List the places of RUN (an id, or latest) in order."""
    run = context.lapwing.store.runs.get(context.scope, run_id)
    listed = places.list_places(context.lapwing.store, context.scope, run.run_id, top=top)
    context.consulted(f"run:{run.run_id}/places")
    rows = [
        [
            p["rank"],
            p["place"],
            place_title(p["kind"], p["name"], p["alternatives"]),
            kind_words(p["kind"]),
            "" if p["probability"] is None else f"{p['probability']:.0%}",
            p["records"],
            "yes" if p["evidence"].get("significant") else "not shown",
            p["basis"],
            p["decision"],
        ]
        for p in listed
    ]
    named = [_nominated(context, one) for one in nominated_places(context.lapwing.store, context.scope, run)]
    overdue = [p for p in named if p["review_overdue"]]
    single = run.summary.get("needs_decision", [])
    headings = ["rank", "place", "name", "kind", "odds", "records", "beyond chance", "basis", "decision"]
    lines = [table(headings, rows) if rows else "This analysis found no place of concern."]
    if named:
        lines += ["", "Nominated by people, in no ranking:"]
        lines.append(
            table(
                ["place", "name", "kind", "source", "decision", "review"],
                [
                    [p["place"], p["name"], kind_words(p["kind"]), p["source"], p["decision"], _review_words(p)]
                    for p in named
                ],
            )
        )
    if overdue:
        lines += [
            "",
            "Needs a decision: nominated places whose review is overdue (lapwing place review, or lapwing place withdraw):",
        ]
        lines.append(table(["place", "name", "review by"], [[p["place"], p["name"], p["review_by"]] for p in overdue]))
    if single:
        lines += [
            "",
            "Needs a decision: single reports of high grade that no cluster holds (lapwing place add, if it is a place):",
        ]
        lines.append(
            table(
                ["day", "report", "category", "agency", "grade", "likeliest place", "near"],
                [
                    [
                        s["day"],
                        s["record"][:16],
                        s["category"],
                        s["agency"],
                        s["grade"],
                        _likeliest(s),
                        f"{s['lon']:.4f},{s['lat']:.4f}",
                    ]
                    for s in single
                ],
            )
        )
    value = {"places": listed, "nominated": named, "needs_decision": single, "review_overdue": overdue}
    context.answer(value, text="\n".join(lines))


def _nominated(context: Context, one: NominatedPlace) -> dict[str, Any]:
    return one.as_dict() | {"review_overdue": one.overdue(context.lapwing.clock())}


def _review_words(named: dict[str, Any]) -> str:
    return f"review overdue since {named['review_by']}" if named["review_overdue"] else f"by {named['review_by']}"


def _likeliest(single: dict[str, Any]) -> str:
    return (
        f"{single['name'] or kind_words(single['kind'])} ({single['probability']:.0%})"
        if single["kind"]
        else "not known"
    )


@click.command("explain")
@click.argument("place_id", metavar="PLACE")
@command
def explain_command(context: Context, *, place_id: str) -> None:
    """Say why PLACE is listed: its evidence, odds, alternatives, links and decisions."""
    named = nominated_place(context.lapwing.store, context.scope, place_id)
    if named is not None:
        context.consulted(f"place:{place_id}")
        told = _nominated(context, named) | {
            "decisions": _decisions(context.lapwing.store.places.decisions(context.scope, place_id))
        }
        lines = [f"{told['name']} ({kind_words(told['kind'])}, nominated)", told["why"], f"Reason: {told['reason']}"]
        lines.append(f"Review: {_review_words(told)}.")
        context.answer(told, text="\n".join([*lines, *_decision_lines(told["decisions"])]))
        return
    view = places.view_place(context.lapwing.store, context.scope, place_id)
    context.consulted(f"place:{place_id}")
    value = place_dict(view.place, view.run, view.standing) | {
        "run": view.run.run_id,
        "runs_seen": view.runs_seen,
        "counted_with": [
            {"report": key.hex(), "counted_with": event.hex(), "because": words}
            for key, event, words in _counted_once(context, view)
        ],
        "decisions": _decisions(view.decisions),
        "nominated": next(({"name": n.name, "source": n.source, "reason": n.reason} for n in view.nominations), None),
        "links": _links_of(context, view),
    }
    context.answer(value, text=lambda: _explanation(value))


def _decisions(decisions: Sequence[Decision]) -> list[dict[str, Any]]:
    return [
        {
            **d.detail,
            "verdict": d.verdict,
            "reason": d.reason,
            "actor": d.actor,
            "at": from_micros(d.decided_at_us).isoformat(),
        }
        for d in decisions
    ]


def _decision_lines(decisions: list[dict[str, Any]]) -> list[str]:
    return [f"{d['at'][:10]} {d['actor']}: {d['verdict']}: {d['reason']}" for d in decisions]


def _links_of(context: Context, view: places.PlaceView) -> list[dict[str, Any]]:
    store, known = context.lapwing.store, places_of(context.lapwing.store, context.scope, view.run)
    own = view.place.place_id
    return [
        link_dict(link, known)
        for link in store.runs.links(context.scope, view.run.run_id)
        if own in {link.first_place, link.second_place}
    ]


def _counted_once(context: Context, view: places.PlaceView) -> list[tuple[bytes, bytes, str]]:
    reports = places.reports_of(context.lapwing.store, context.scope, view)
    once = reports[reports["words"] != ""]
    return list(zip(once["record_key"], once["event_key"], once["words"], strict=True))


def _explanation(value: dict[str, Any]) -> str:
    evidence, score = value["evidence"], value["evidence"]["score"]
    odds = (
        f", odds {value['probability']:.0%}"
        if value["probability"] is not None and value["kind"] != "unattributed"
        else ""
    )
    lines = [
        f"{place_title(value['kind'], value['name'], value['alternatives'])} ({kind_words(value['kind'])}{odds})",
        value["why"],
        f"Records from {span_words(evidence)}, the newest {plural(evidence['recency_days'], 'day')} before the analysis. "
        f"Positions precise to {evidence['precision_m']:g} m ({value['basis']}).",
        *_statistics_lines(evidence),
        f"Listing order: {score.get('weight', evidence['records']):g} weight of the records x {score['recency']:g} recency x {score['corroboration']:g} corroboration = {score['score']:g}.",
    ]
    if evidence.get("records_agree") is not None:
        lines.append(
            f"{evidence['records_agree']} of {plural(evidence['records'], 'record')} name it first, each by itself."
        )
    if evidence.get("unattributed") and value["kind"] != "unattributed":
        lines.append(f"None of the imported places, or one that may not be named: {evidence['unattributed']:.0%}.")
    lines += [
        f"Could also be: {place_title(other['kind'], other['name'])} ({kind_words(other['kind'])}), {other['probability']:.0%}."
        for other in value["alternatives"]
    ]
    lines += [
        f"Peak inside: cell {peak['cell']}, {plural(peak['records'], 'record')}."
        for peak in evidence.get("peak_cells", [])
    ]
    if value["counted_with"]:
        lines.append("Counted once with another report (lapwing split, if they are two events):")
        lines += [f"  {one['report']} {one['counted_with']} {one['because']}" for one in value["counted_with"]]
    if value["nominated"]:
        told = value["nominated"]
        lines.append(f"Nominated before as {told['name']} ({told['source']}): {told['reason']}")
    lines += [f"Linked: {link['why']}" for link in value["links"]]
    lines += _decision_lines(value["decisions"])
    return "\n".join(lines)


def _statistics_lines(evidence: dict[str, Any]) -> list[str]:
    if "significant" not in evidence:
        return ["This analysis was made before there were statistics. Make it again: lapwing analyse"]
    beyond = "Beyond chance" if evidence["significant"] else "Not shown to be beyond chance"
    held = (
        "not checked on other grids"
        if evidence["held_in"] is None
        else f"held in {evidence['held_in']} of {evidence['checks']} checks on other grids"
    )
    low, high = evidence["rank_interval"]
    return [
        f"{beyond}: family-wise p {evidence['scan_p']:.3g}; {evidence['observed']} in the window round it, {evidence['expected']:.1f} expected,"
        f" {evidence['rate_ratio']:.1f} times ({evidence['ratio_low']:.1f} to {evidence['ratio_high']:.1f}).",
        f"Stability: {held}; rank between {low} and {high}. Trend: {evidence['trend'].replace('_', ' ')}.",
        f"Found by ourselves: {evidence['found_by_us']} of {evidence['records']}; without them number {evidence['rank_without_ours']}"
        f" by score instead of {evidence['rank_by_score']}.",
    ]
