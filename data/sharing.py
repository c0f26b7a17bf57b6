"""Which analysis people outside operations see: every act of sharing, and the one that stands."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from geo.model import Run, Scope

if TYPE_CHECKING:
    from data.database import Database


@dataclass(frozen=True, kw_only=True)
class Sharing:
    """One act of sharing; it stands while it is ``live``.

    ``run_made_at_us`` tells the analysis from one that was made anew under its id.
    """

    seq: int
    run_id: str
    run_made_at_us: int
    purpose: str
    actor: str
    shared_at_us: int
    live: bool = True


class Sharings:
    """Acts of sharing of one store; at most one of an organisation stands, which the database sees to."""

    def __init__(self, database: "Database") -> None:
        self._db = database

    def all(self, scope: Scope) -> list[Sharing]:
        """Return every act of sharing, oldest first."""
        return [_sharing(row) for row in self._db.rows("sharings", org_id=scope.org_id)]

    def live(self, scope: Scope) -> Sharing | None:
        """Return the one that stands, or None."""
        rows = self._db.rows("live_sharing", org_id=scope.org_id)
        return _sharing(rows[0]) if rows else None

    def begin(self, scope: Scope, run: Run, purpose: str, at_us: int) -> Sharing:
        """Have a run be the one that is shared, instead of any other; called in a transaction that holds the lock of runs."""
        self.end(scope)
        before = self.all(scope)
        made = Sharing(
            seq=before[-1].seq + 1 if before else 1, run_id=run.run_id, run_made_at_us=run.generated_at_us, purpose=purpose,
            actor=scope.actor, shared_at_us=at_us,
        )  # fmt: skip
        row = asdict(made) | {"org_id": scope.org_id, "live": 1}
        self._db.insert("sharing", {name: [value] for name, value in row.items()})
        return made

    def end(self, scope: Scope) -> None:
        """Have nothing be shared any more."""
        self._db.execute("end_sharing", org_id=scope.org_id)


def _sharing(row: dict[str, Any]) -> Sharing:
    return Sharing(**(row | {"live": bool(row["live"])}))
