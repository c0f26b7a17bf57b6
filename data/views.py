"""What pages are drawn from: prepared bytes of a run, and filters that people keep by name."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from geo.errors import NotFound
from geo.model import Scope

if TYPE_CHECKING:
    from data.database import Database


@dataclass(frozen=True, kw_only=True)
class SavedView:
    """A filter under a name; ``query`` is its canonical query string."""

    view_id: str
    name: str
    query: str
    actor: str
    made_at_us: int


class Views:
    """Prepared bytes and saved views of one store."""

    def __init__(self, database: "Database") -> None:
        self._db = database

    def keep(self, scope: Scope, run_id: str, bodies: Mapping[str, bytes]) -> None:
        """Store bytes that pages of a run are drawn from; they go with the run's layers."""
        with self._db.transaction():
            self._db.execute("drop_run_views", org_id=scope.org_id, run_id=run_id)
            count = len(bodies)
            columns = {"org_id": [scope.org_id] * count, "run_id": [run_id] * count}
            self._db.insert("run_view", columns | {"name": list(bodies), "body": list(bodies.values())})

    def load(self, scope: Scope, run_id: str, name: str) -> bytes | None:
        """Return the bytes of that name, or None."""
        rows = self._db.rows("run_view", org_id=scope.org_id, run_id=run_id, name=name)
        return bytes(rows[0]["body"]) if rows else None

    def names(self, scope: Scope, run_id: str) -> set[str]:
        """Return what bytes of a run there are, without loading them."""
        return {row["name"] for row in self._db.rows("run_view_names", org_id=scope.org_id, run_id=run_id)}

    def save(self, scope: Scope, view: SavedView) -> None:
        """Keep a filter."""
        self._db.insert(
            "saved_view", {"org_id": [scope.org_id]} | {name: [value] for name, value in asdict(view).items()}
        )

    def saved(self, scope: Scope) -> list[SavedView]:
        """Return kept filters, by name."""
        return [SavedView(**row) for row in self._db.rows("saved_views", org_id=scope.org_id)]

    def get(self, scope: Scope, view_id: str) -> SavedView:
        """Return one kept filter.

        Raises
        ------
        NotFound
        """
        found = next((one for one in self.saved(scope) if one.view_id == view_id), None)
        if found is None:
            raise NotFound("This saved view is no longer there.")
        return found

    def forget(self, scope: Scope, view_id: str) -> None:
        """Remove a kept filter."""
        self._db.execute("drop_saved_view", org_id=scope.org_id, view_id=view_id)
