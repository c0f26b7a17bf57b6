"""Who saw, changed and took what: an append-only, hash-chained log, and the ledger of disclosures."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from geo.errors import IntegrityError
from geo.model import Scope

if TYPE_CHECKING:
    from data.database import Database

_GENESIS: Final = "0" * 64
_HOUR_US: Final = 3_600_000_000


class Verb(StrEnum):
    """What happened; the first six are the verbs of section 62 of the Data Protection Act 2018."""

    COLLECTION = "collection"
    ALTERATION = "alteration"
    CONSULTATION = "consultation"
    DISCLOSURE = "disclosure"
    COMBINATION = "combination"
    ERASURE = "erasure"
    WITHDRAWAL = "withdrawal"
    SIGN_IN = "sign_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGN_OUT = "sign_out"
    ACCOUNT = "account"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class Disclosure:
    """One release of a layer outside Lapwing."""

    disclosure_id: str
    run_id: str
    layer: str
    profile: str
    format: str
    purpose: str
    actor: str
    disclosed_at_us: int
    file_name: str
    sha256: str
    features: int
    suppressed: int


class AuditLog:
    """The log and the ledger of one store."""

    def __init__(self, database: "Database") -> None:
        self._db = database

    def append(self, scope: Scope, verb: Verb, subject: str, at_us: int, **detail: Any) -> None:
        """Add one event to the end of the chain."""
        with self._db.transaction():
            self._db.lock("audit")
            last = self._db.rows("last_audit_event")
            event = {
                "seq": int(last[0]["seq"]) + 1 if last else 1,
                "at_us": at_us,
                "org_id": scope.org_id,
                "actor": scope.actor,
                "verb": str(verb),
                "subject": subject,
                "detail": json.dumps(detail, sort_keys=True),
                "previous_hash": last[0]["hash"] if last else _GENESIS,
            }
            event["hash"] = _hash(event)
            self._db.insert("audit_event", {name: [value] for name, value in event.items()})

    def consult(self, scope: Scope, subject: str, at_us: int, **detail: Any) -> None:
        """Log a view once per person, subject and hour, however many requests ask at the same time."""
        if self._has_consulted(scope, subject, at_us):
            return
        with self._db.transaction():
            self._db.lock("audit")
            if not self._has_consulted(scope, subject, at_us):
                self.append(scope, Verb.CONSULTATION, subject, at_us, **detail)

    def _has_consulted(self, scope: Scope, subject: str, at_us: int) -> bool:
        seen = self._db.rows(
            "recent_consultation",
            org_id=scope.org_id,
            actor=scope.actor,
            verb=str(Verb.CONSULTATION),
            subject=subject,
            since_us=at_us - at_us % _HOUR_US,
        )
        return bool(seen[0]["n"])

    def events(self, scope: Scope) -> list[dict[str, Any]]:
        """Return the organisation's events, oldest first."""
        return self._db.rows("audit_events", org_id=scope.org_id)

    def verify(self) -> int:
        """Recompute the chain and return its length.

        Raises
        ------
        IntegrityError
            Naming the first event that was changed, or whose predecessor is missing.
        """
        previous, count = _GENESIS, 0
        for event in self._db.rows("audit_chain"):
            count += 1
            claimed = event.pop("hash")
            if event["seq"] != count or event["previous_hash"] != previous or _hash(event) != claimed:
                raise IntegrityError(
                    f"The audit log was tampered with at event {event['seq']}: its chain of hashes breaks there."
                )
            previous = claimed
        return count

    def record_disclosure(self, scope: Scope, disclosure: Disclosure, **detail: Any) -> None:
        """Enter a release in the ledger and in the log, together; the log has the further detail."""
        with self._db.transaction():
            self._db.insert(
                "disclosure",
                {"org_id": [scope.org_id]} | {name: [value] for name, value in asdict(disclosure).items()},
            )
            self.append(
                scope, Verb.DISCLOSURE, f"run:{disclosure.run_id}", disclosure.disclosed_at_us, layer=disclosure.layer,
                profile=disclosure.profile, purpose=disclosure.purpose, disclosure_id=disclosure.disclosure_id, **detail,
            )  # fmt: skip

    def disclosures(self, scope: Scope) -> list[Disclosure]:
        """Return the ledger, oldest first."""
        return [Disclosure(**row) for row in self._db.rows("disclosures", org_id=scope.org_id)]


def _hash(event: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(dict(event), sort_keys=True, separators=(",", ":")).encode()).hexdigest()
