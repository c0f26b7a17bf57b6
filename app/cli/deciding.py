"""Commands by which people decide about places, and add, review or withdraw their own."""

from typing import Any

import click

from app.cli.common import Context, command
from app.services.deciding import Change, change_place
from app.services.nominating import nominate
from geo.decisions import RejectCode
from geo.given_geometry import read_point
from geo.model import Verdict
from geo.narrative import day_words
from geo.place_kinds import PLACE_KINDS

_DONE = {
    Verdict.ACCEPT: "accepted; it is in the outreach list",
    Verdict.REJECT: "rejected; it stays so in later analyses",
    Verdict.MOVE: "moved; lists send people to the new point",
    Verdict.RENAME: "renamed",
    Verdict.MERGE: "merged; the next analysis shows one place",
    Verdict.SPLIT: "split; the next analysis shows the parts that have records",
    Verdict.UNDO: "taken back",
}
_OF_NOMINATED = (Verdict.REVIEW, Verdict.WITHDRAW)


@click.command("decide")
@click.argument("place_id", metavar="PLACE")
@click.argument("verdict", type=click.Choice([str(one) for one in Verdict if one not in _OF_NOMINATED]))
@click.option("--reason", required=True, help="Why; it is kept with the decision.")
@click.option(
    "--code", type=click.Choice([str(one) for one in RejectCode]), help="With reject: what the place is instead."
)
@click.option("--to", metavar="LON,LAT", help="With move: where the place really is.")
@click.option("--name", help="With rename: what the place is called.")
@click.option("--into", metavar="PLACE", help="With merge: the place that it is a part of.")
@click.option(
    "--at", multiple=True, metavar="LON,LAT", help="With split: the middle of each part; give it twice or more."
)
@command
def decide_command(
    context: Context, *, place_id: str, verdict: str, to: str | None, at: tuple[str, ...], **said: str | None
) -> None:
    """Decide about PLACE: accept or reject it for tasking, move, rename, merge or split it, or undo the newest decision.

    Every decision is kept with its reason and remembered in later analyses.
    """
    _refuse_strays(verdict, {"to": to, "at": at, **said})
    change = Change(
        verdict=Verdict(verdict),
        reason=said["reason"] or "",
        code=said["code"] or "",
        to=read_point("--to", to) if to else None,
        name=said["name"] or "",
        into=said["into"] or "",
        at=[read_point("--at", one) for one in at],
    )
    decision = change_place(context.lapwing.store, context.scope, place_id, change, now_us=context.lapwing.clock())
    value: dict[str, Any] = {
        "place": place_id,
        "decision": decision.verdict,
        "reason": decision.reason,
        **decision.detail,
    }
    parts = [f"  part {one['place']}" for one in decision.detail.get("parts", ())]
    hint = (
        "" if decision.verdict == Verdict.UNDO else f" Take it back with: lapwing decide {place_id} undo --reason TEXT"
    )
    context.answer(value, text="\n".join([f"{place_id}: {_DONE[Verdict(verdict)]}.{hint}", *parts]))


_NEEDS = {
    "to": Verdict.MOVE,
    "at": Verdict.SPLIT,
    "code": Verdict.REJECT,
    "name": Verdict.RENAME,
    "into": Verdict.MERGE,
}


def _refuse_strays(verdict: str, said: dict[str, Any]) -> None:
    """Refuse an option that belongs to another verdict: it would be lost."""
    for name, needs in _NEEDS.items():
        if said.get(name) and verdict != needs:
            raise click.UsageError(f"--{name} goes with {needs}, not with {verdict}.")


@click.group("place")
def place_command() -> None:
    """Add a place of concern that no analysis found, say when it is reviewed, or withdraw it."""


@place_command.command("add")
@click.option("--name", required=True, help="What the place is called.")
@click.option("--kind", required=True, type=click.Choice(PLACE_KINDS), help="What the place is.")
@click.option("--geometry", required=True, metavar="LON,LAT|WKT", help="Where: a point, line or polygon in WGS 84.")
@click.option("--reason", required=True, help="Why it is a place of concern; kept with it.")
@click.option("--source", required=True, help="Who says so: an agency or a reference, never a person.")
@click.option(
    "--review-by", default="", metavar="DATE", help="When somebody looks again: within a year; default in 90 days."
)
@command
def add_command(context: Context, **said: str) -> None:
    """Add a place of concern with no cluster behind it. It is labelled nominated, is in no ranking, and waits for a decision."""
    place = nominate(context.lapwing.store, context.scope, **said, now_us=context.lapwing.clock())
    context.answer(
        {
            "place": place.place_id,
            "name": place.name,
            "kind": place.kind,
            "basis": "nominated",
            "review_by": place.review_by.isoformat(),
        },
        text=f"{place.place_id}: nominated, review by {day_words(place.review_by.isoformat())}."
        f" Next: lapwing decide {place.place_id} accept --reason TEXT",
    )


@place_command.command("review")
@click.argument("place_id", metavar="PLACE")
@click.option("--review-by", required=True, metavar="DATE", help="When somebody looks again: within a year.")
@click.option("--reason", required=True, help="Why it stays a place of concern; kept with it.")
@command
def review_command(context: Context, *, place_id: str, review_by: str, reason: str) -> None:
    """Say that somebody looked at the nominated PLACE again, and when it is looked at next."""
    change = Change(verdict=Verdict.REVIEW, reason=reason, review_by=review_by)
    decision = change_place(context.lapwing.store, context.scope, place_id, change, now_us=context.lapwing.clock())
    day = decision.detail["review_by"]
    context.answer(
        {"place": place_id, "decision": decision.verdict, "reason": decision.reason, "review_by": day},
        text=f"{place_id}: review by {day_words(day)}. Take it back with: lapwing decide {place_id} undo --reason TEXT",
    )


@place_command.command("withdraw")
@click.argument("place_id", metavar="PLACE")
@click.option("--reason", required=True, help="Why it is no place of concern; kept with it.")
@command
def withdraw_command(context: Context, *, place_id: str, reason: str) -> None:
    """Take the nominated PLACE off lists, maps, exports and tasking; its history stays until lapwing purge removes it."""
    change = Change(verdict=Verdict.WITHDRAW, reason=reason)
    decision = change_place(context.lapwing.store, context.scope, place_id, change, now_us=context.lapwing.clock())
    context.answer(
        {"place": place_id, "decision": decision.verdict, "reason": decision.reason},
        text=f"{place_id}: withdrawn. Take it back with: lapwing decide {place_id} undo --reason TEXT",
    )
