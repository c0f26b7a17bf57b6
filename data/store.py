"""What a store is: a narrow database protocol, and the repositories that stand on it.

The repositories know SQL by name and nothing of SQLite or PostgreSQL; the two databases know nothing of Lapwing.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd

from data.accounts import Accounts
from data.audit import AuditLog
from data.evidence import Evidence
from data.intake import Intake
from data.locations import Locations
from data.retention import Retention
from data.runs import Runs
from data.supplies import Supplies
from geo.crs import MetricCrs

_VEHICLE_KEYS = "vehicle_keys"


class Database(Protocol):
    """A transactional SQL database. Connections belong to threads; everything outside a transaction commits at once."""

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing; nested use joins the outer transaction."""

    def execute(self, name: str, /, **parameters: Any) -> int:
        """Run a named statement and return how many rows it touched."""

    def rows(self, name: str, /, **parameters: Any) -> list[dict[str, Any]]:
        """Rows of a named query."""

    def frame(self, name: str, /, **parameters: Any) -> pd.DataFrame:
        """Rows of a named query as a frame."""

    def insert(self, table: str, columns: Mapping[str, Sequence[Any]], *, ignore_existing: bool = False) -> int:
        """Insert columns of values in bulk and return how many rows are new."""

    def script(self, text: str) -> None:
        """Run several statements."""

    def lock(self, name: str) -> None:
        """Let one process at a time do what ``name`` names; released at the end of the transaction."""

    def tables(self) -> set[str]:
        """Names of the tables that exist."""

    def backup_names(self) -> Iterable[str]:
        """Files or database that hold the data, for messages."""

    def compact(self) -> None:
        """Give back the space of removed rows, so that nothing of them stays readable; not within a transaction."""

    def close(self) -> None:
        """Close this thread's connection."""

    @property
    def dialect(self) -> str:
        """Suffix of dialect-specific migrations."""


@dataclass(frozen=True)
class Store:
    """The repositories over one database, with the store's metric CRS."""

    database: Database
    crs: MetricCrs
    intake: Intake
    evidence: Evidence
    supplies: Supplies
    locations: Locations
    retention: Retention
    runs: Runs
    accounts: Accounts
    audit: AuditLog

    @classmethod
    def over(cls, database: Database, crs: MetricCrs) -> "Store":
        """Assemble the repositories over a migrated database."""
        return cls(
            database,
            crs,
            Intake(database),
            Evidence(database),
            Supplies(database),
            Locations(database),
            Retention(database),
            Runs(database),
            Accounts(database),
            AuditLog(database),
        )

    def vehicle_keys(self) -> int:
        """Under how many keys the stored hashes of vehicles were made."""
        rows = self.database.rows("store_setting", name=_VEHICLE_KEYS)
        return int(rows[0]["value"]) if rows else 1

    def set_vehicle_keys(self, count: int) -> None:
        """Say that the stored hashes now stand under so many keys."""
        if not self.database.execute("set_store_setting", name=_VEHICLE_KEYS, value=str(count)):
            self.database.insert("store_setting", {"name": [_VEHICLE_KEYS], "value": [str(count)]})
