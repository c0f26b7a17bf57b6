"""Commands for the people who run Lapwing: migrate, user, audit."""

from pathlib import Path

import click

from app.cli.common import Context, command, epsg, table
from app.services import accounts, purging, rotating
from data.audit import Verb
from geo.crs import MetricCrs
from geo.model import Role
from geo.narrative import plural
from geo.temporal import from_micros


@click.command("migrate")
@click.option(
    "--crs",
    callback=epsg,
    metavar="EPSG:N",
    help="Metric CRS of a new store; default EPSG:27700 through OSTN15.",
)
@command
def migrate_command(context: Context, *, crs: MetricCrs | None) -> None:
    """Create the store or bring it up to date; nothing in it is lost."""
    applied = context.lapwing.migrate(crs)
    store = context.lapwing.store
    words = f"Applied migration {', '.join(map(str, applied))}." if applied else "The store is up to date."
    context.answer(
        {"applied": applied, "crs": f"EPSG:{store.crs.epsg}"},
        text=f"{words} Coordinates are in {store.crs.name}, {store.crs.method}.",
    )


@click.group("user")
def user_command() -> None:
    """Add, list or disable the people who may sign in."""


@user_command.command("add")
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice([str(one) for one in Role]),
    required=True,
    help="What the person is here to do; decides what they may see.",
)
@command
def user_add(context: Context, *, name: str, role: str) -> None:
    """Add NAME and print a one-time link; whoever opens it signs in and sets a passphrase."""
    lapwing = context.lapwing
    link = accounts.add_user(lapwing.store, context.scope, name, Role(role), now_us=lapwing.clock())
    url = f"http://{lapwing.settings.host}:{lapwing.settings.port}{link}"
    context.answer({"user": name, "role": role, "link": url}, text=f"{name} may sign in once within 24 hours at\n{url}")


@user_command.command("token")
@click.argument("name")
@command
def user_token(context: Context, *, name: str) -> None:
    """Print a fresh one-time link for NAME and end their sessions; for an expired link or a lost passphrase."""
    lapwing = context.lapwing
    link = accounts.new_link(lapwing.store, context.scope, name, now_us=lapwing.clock())
    url = f"http://{lapwing.settings.host}:{lapwing.settings.port}{link}"
    context.answer({"user": name, "link": url}, text=f"{name} may sign in once within 24 hours at\n{url}")


@user_command.command("list")
@command
def user_list(context: Context) -> None:
    """List users, their roles and whether they are disabled."""
    found = context.lapwing.store.accounts.all(context.scope)
    value = [
        {
            "user": a.name,
            "role": a.role.value,
            "disabled": a.disabled_at_us is not None,
            "passphrase": a.passphrase_hash is not None,
        }
        for a in found
    ]
    rows = [
        [
            v["user"],
            v["role"],
            "disabled" if v["disabled"] else "",
            "" if v["passphrase"] else "no passphrase yet",
        ]
        for v in value
    ]
    context.answer(
        {"users": value},
        text=table(["user", "role", "", ""], rows)
        if rows
        else "No users yet. Add one with: lapwing user add NAME --role analyst",
    )


@user_command.command("disable")
@click.argument("name")
@command
def user_disable(context: Context, *, name: str) -> None:
    """Disable NAME and end their sessions at once."""
    accounts.disable_user(context.lapwing.store, context.scope, name, now_us=context.lapwing.clock())
    context.answer({"user": name, "disabled": True}, text=f"{name} is disabled and signed out everywhere.")


@click.group("audit")
def audit_command() -> None:
    """List, verify or export the audit log."""


@audit_command.command("list")
@click.option(
    "--last", type=click.IntRange(min=1), default=50, show_default=True, help="How many of the newest events."
)
@command
def audit_list(context: Context, *, last: int) -> None:
    """List the newest events."""
    events = context.lapwing.store.audit.events(context.scope)[-last:]
    rows = [
        [e["seq"], from_micros(e["at_us"]).isoformat(timespec="seconds"), e["actor"], e["verb"], e["subject"]]
        for e in events
    ]
    context.answer(
        {"events": events},
        text=table(["no", "when", "who", "what", "about"], rows) if rows else "The log is empty.",
    )


@audit_command.command("verify")
@command
def audit_verify(context: Context) -> None:
    """Recompute the chain of hashes; fails when any event was changed or removed."""
    count = context.lapwing.store.audit.verify()
    context.answer({"events": count, "intact": True}, text=f"{count:,} events, chain intact.")


@audit_command.command("export")
@click.option("--output", "-o", required=True, type=click.Path(path_type=Path, dir_okay=False), help="JSON lines file.")
@command
def audit_export(context: Context, *, output: Path) -> None:
    """Write the whole log as JSON lines."""
    import json

    lapwing = context.lapwing
    lapwing.store.audit.verify()
    events = lapwing.store.audit.events(context.scope)
    output.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    lapwing.store.audit.append(context.scope, Verb.DISCLOSURE, "audit", lapwing.clock(), events=len(events))
    context.answer({"events": len(events), "output": str(output)}, text=f"{len(events):,} events written to {output}.")


@click.command("purge")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@command
def purge_command(context: Context, *, dry_run: bool, yes: bool) -> None:
    """Remove records past their date of deletion, for good, with the layers of analyses that rest on them.

    Nominated places go, too, that were withdrawn or not reviewed for as long as observations are held.

    What stays is a tombstone, so that their file does not bring them back, and counts by month and coarse area. Copies
    that were handed out get a recall in the ledger: see lapwing audit.
    """
    lapwing = context.lapwing
    planned = purging.purge(lapwing.store, context.scope, lapwing.terms, dry_run=True)
    due = sum(planned.records.values()) + planned.rejected_rows + planned.nominations
    if due and not dry_run:
        if not yes:
            click.confirm(f"Remove {plural(due, 'row')} for good?", abort=True, err=True)
        planned = purging.purge(lapwing.store, context.scope, lapwing.terms)
    context.answer(planned.as_dict(), text=lambda: _purge_text(planned))


def _purge_text(report: purging.PurgeReport) -> str:
    total = sum(report.records.values())
    if not total:
        lines = ["No record is past its date of deletion."]
    else:
        by_kind = ", ".join(f"{kind} {count:,}" for kind, count in report.records.items())
        lines = [f"{plural(total, 'record')} {'would go' if report.dry_run else 'removed'}: {by_kind}."]
    if report.rejected_rows:
        lines.append(f"{plural(report.rejected_rows, 'rejected row')} {'would go' if report.dry_run else 'removed'}.")
    if report.nominations:
        lines.append(f"{plural(report.nominations, 'nominated place')} {'would go' if report.dry_run else 'removed'}.")
    if report.runs:
        lines.append(f"Analyses whose layers {'would go' if report.dry_run else 'went'} too: {', '.join(report.runs)}.")
    if report.recalled:
        lines.append(f"{plural(len(report.recalled), 'disclosure')} to recall; ask their recipients to destroy them.")
    if report.due_for_review:
        lines.append(f"{plural(report.due_for_review, 'record')} due for review: see lapwing quality.")
    return "\n".join(lines)


@click.group("vehicle-key")
def vehicle_key_command() -> None:
    """Care for the key under which registrations are hashed; it lies outside the store: back it up apart."""


@vehicle_key_command.command("rotate")
@command
def vehicle_key_rotate(context: Context) -> None:
    """Add a new key and bring all stored hashes of vehicles under it."""
    lapwing = context.lapwing
    keys = lapwing.add_vehicle_key()
    changed = rotating.rotate_vehicle_key(lapwing.store, context.scope, keys, now_us=lapwing.clock())
    context.answer(
        {"keys": len(keys.keys), "records": changed},
        text=f"{plural(changed, 'record')} brought under key {len(keys.keys)}. Back up secrets/vehicle.key again.",
    )
