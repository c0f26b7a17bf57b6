"""Evidence that is supplied again and again: saved mappings, versions of records, and what a person says of matches."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from data.intake import settle
from geo.errors import NotFound
from geo.model import Scope

if TYPE_CHECKING:
    from data.database import Database


@dataclass(frozen=True, kw_only=True)
class SavedMapping:
    """One version of a mapping, as its TOML text."""

    name: str
    version: int
    text: str
    saved_at_us: int
    saved_by: str


@dataclass(frozen=True, kw_only=True)
class Revision:
    """One record's change: from ``old_key`` to ``new_key``, or no longer in a full supply (``new_key`` is None).

    ``changes`` gives the old and new value of each field that differs.
    """

    identity: bytes
    old_key: bytes
    new_key: bytes | None
    changes: dict[str, list[Any]]


class Supplies:
    """Mappings, versions, splits and alterations of one store."""

    def __init__(self, database: "Database") -> None:
        self._db = database

    def save_mapping(self, scope: Scope, name: str, text: str, at_us: int) -> SavedMapping:
        """Keep a mapping as its next version; the same text again is no new version."""
        with self._db.transaction():
            self._db.lock("mapping")
            versions = [one for one in self.mappings(scope) if one.name == name]
            if versions and versions[-1].text == text:
                return versions[-1]
            saved = SavedMapping(
                name=name, version=len(versions) + 1, text=text, saved_at_us=at_us, saved_by=scope.actor
            )
            self._db.insert(
                "mapping", {"org_id": [scope.org_id]} | {field: [value] for field, value in vars(saved).items()}
            )
        return saved

    def mappings(self, scope: Scope) -> list[SavedMapping]:
        """Every version of every mapping, by name and version."""
        return [SavedMapping(**row) for row in self._db.rows("mappings", org_id=scope.org_id)]

    def mapping(self, scope: Scope, name: str) -> SavedMapping:
        """Return the newest version of a mapping."""
        found = [one for one in self.mappings(scope) if one.name == name]
        if not found:
            known = ", ".join(sorted({one.name for one in self.mappings(scope)})) or "none"
            raise NotFound(f"No mapping is called {name!r}; saved are: {known}.")
        return found[-1]

    def supplied(self, scope: Scope, mapping: str) -> dict[bytes, bytes]:
        """Identity to record key, as each was supplied last under a mapping (any version of it)."""
        found = self._db.frame("supplied_versions", org_id=scope.org_id, mapping=mapping)
        return dict(zip(found["supply_key"].map(bytes), found["record_key"].map(bytes), strict=True))

    def current(self, scope: Scope, identities: Sequence[bytes], *, without: Collection[bytes]) -> dict[bytes, bytes]:
        """Identity to the record key that counts: a person's correction may stand above what was supplied.

        ``without`` names versions that have only just been stored.
        """
        new = set(without)
        found: dict[bytes, bytes] = {}
        for begin in range(0, len(identities), 500):
            part = tuple(identities[begin : begin + 500])
            for row in self._db.rows("current_versions", org_id=scope.org_id, identities=part):
                if bytes(row["record_key"]) not in new:
                    found[bytes(row["supply_key"])] = bytes(row["record_key"])
        return found

    def revise(self, scope: Scope, batch_id: str, revisions: Sequence[Revision]) -> None:
        """Keep what a batch changed, and let the new versions count."""
        columns: dict[str, Sequence[Any]] = {
            "org_id": [scope.org_id] * len(revisions),
            "batch_id": [batch_id] * len(revisions),
            "identity": [one.identity for one in revisions],
            "old_key": [one.old_key for one in revisions],
            "new_key": [one.new_key for one in revisions],
            "changes": [json.dumps(one.changes, sort_keys=True) for one in revisions],
        }
        self._db.insert("revision", columns)
        settle(self._db, scope, (one.identity for one in revisions))

    def revisions(self, scope: Scope, batch_id: str) -> list[Revision]:
        """What a batch changed."""
        rows = self._db.rows("revisions_of_batch", org_id=scope.org_id, batch_id=batch_id)
        return [
            Revision(
                identity=bytes(row["identity"]),
                old_key=bytes(row["old_key"]),
                new_key=bytes(row["new_key"]) if row["new_key"] is not None else None,
                changes=json.loads(row["changes"]),
            )
            for row in rows
        ]

    def places_resting_on(self, scope: Scope, record_keys: Sequence[bytes]) -> list[dict[str, Any]]:
        """Places that any analysis built on some records, each as the newest such analysis named it."""
        found: dict[str, dict[str, Any]] = {}
        for begin in range(0, len(record_keys), 500):
            part = tuple(record_keys[begin : begin + 500])
            for row in self._db.rows("places_of_records", org_id=scope.org_id, record_keys=part):
                found[row["place_id"]] = {"place": row["place_id"], "name": row["name"], "kind": row["kind"]}
        return [found[place] for place in sorted(found)]

    def split(self, scope: Scope, first: bytes, second: bytes, reason: str, at_us: int) -> None:
        """Say that two records are two events."""
        low, high = sorted((first, second))
        self._db.insert(
            "event_split",
            {
                "org_id": [scope.org_id], "first_key": [low], "second_key": [high], "reason": [reason], "actor": [scope.actor],
                "split_at_us": [at_us],
            },
            ignore_existing=True,
        )  # fmt: skip

    def join_again(self, scope: Scope, first: bytes, second: bytes) -> int:
        """Take a split back."""
        low, high = sorted((first, second))
        return self._db.execute("drop_split", org_id=scope.org_id, first_key=low, second_key=high)

    def splits(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        """Pairs that a person has split, sorted."""
        rows = self._db.rows("splits", org_id=scope.org_id)
        return [(bytes(row["first_key"]), bytes(row["second_key"])) for row in rows]

    def rule_stack(self, scope: Scope, stack_id: str, stack_class: str, reason: str, at_us: int) -> None:
        """Say what a repeated coordinate is; a later word replaces an earlier one."""
        self._db.execute("drop_stack_ruling", org_id=scope.org_id, stack_id=stack_id)
        row = {
            "stack_id": stack_id,
            "stack_class": stack_class,
            "reason": reason,
            "actor": scope.actor,
            "ruled_at_us": at_us,
        }
        self._db.insert("stack_ruling", {"org_id": [scope.org_id]} | {name: [value] for name, value in row.items()})

    def stack_rulings(self, scope: Scope) -> dict[str, str]:
        """Return what people said of repeated coordinates: class by stack id."""
        rows = self._db.rows("stack_rulings", org_id=scope.org_id)
        return {row["stack_id"]: row["stack_class"] for row in rows}

    def alter(self, scope: Scope, alteration_id: str, subject: str, at_us: int) -> None:
        """Note a change that is an input of later analyses although no file brought it."""
        self._db.insert(
            "alteration",
            {
                "alteration_id": [alteration_id], "org_id": [scope.org_id], "subject": [subject], "at_us": [at_us],
                "actor": [scope.actor],
            },
        )  # fmt: skip
