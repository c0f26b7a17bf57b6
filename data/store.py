"""What a store is: a narrow database protocol, and the repositories that stand on it.

The repositories know SQL by name and nothing of SQLite or PostgreSQL; the two databases know nothing of Lapwing.
"""

from dataclasses import dataclass

from data.accounts import Accounts
from data.audit import AuditLog
from data.database import Database
from data.evidence import Evidence
from data.intake import Intake
from data.locations import Locations
from data.places import Places
from data.proofs import Proofs
from data.retention import Retention
from data.runs import Runs
from data.sharing import Sharings
from data.supplies import Supplies
from data.views import Views
from geo.crs import MetricCrs

_VEHICLE_KEYS = "vehicle_keys"


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
    sharings: Sharings
    views: Views
    places: Places
    proofs: Proofs
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
            Sharings(database),
            Views(database),
            Places(database),
            Proofs(database),
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
