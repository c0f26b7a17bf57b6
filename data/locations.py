"""Where unlocated records may be, and records whose position changes after they were stored."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from geo.model import Scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.database import Database

POSITION_COLUMNS = ("lon", "lat", "x_m", "y_m", "cell7", "location_basis", "precision_m", "method")


class Locations:
    """Location hints and later positions of one store."""

    def __init__(self, database: "Database") -> None:
        self._db = database

    def remember(self, scope: Scope, hints: pd.DataFrame) -> None:
        """Keep hints (``record_key``, ``method``, ``hint``) of records that could not be placed."""
        columns: dict[str, Sequence[Any]] = {"org_id": [scope.org_id] * len(hints)}
        columns |= {name: hints[name].tolist() for name in ("record_key", "method", "hint")}
        self._db.insert("location_hint", columns, ignore_existing=True)

    def hints(self, scope: Scope, batch_id: str) -> pd.DataFrame:
        """Hints of a batch's unlocated records: ``record_key``, ``method``, ``hint``."""
        return self._db.frame("hints_of_batch", org_id=scope.org_id, batch_id=batch_id)

    def hints_of(self, scope: Scope, record_key: bytes) -> dict[str, str]:
        """What one unlocated record says of its place, by method; postcodes and UPRNs as keyed hashes."""
        rows = self._db.rows("hints_of_record", org_id=scope.org_id, record_key=record_key)
        return {row["method"]: row["hint"] for row in rows}

    def waiting(self, scope: Scope) -> int:
        """How many records could yet be placed."""
        return int(self._db.rows("hints_waiting", org_id=scope.org_id)[0]["n"])

    def place(self, scope: Scope, positions: pd.DataFrame) -> int:
        """Give records a position (``record_key`` and ``POSITION_COLUMNS``) and forget what hinted at it."""
        placed = 0
        for row in positions[["record_key", *POSITION_COLUMNS]].to_dict("records"):
            placed += self._db.execute("place_record", org_id=scope.org_id, **row)
            self._db.execute("forget_hints", org_id=scope.org_id, record_key=row["record_key"])
        return placed

    def coarsen(self, scope: Scope, positions: pd.DataFrame) -> int:
        """Replace positions for good and rename the records (``new_key``), so that nothing exact can be worked out."""
        for row in positions[["record_key", "new_key", *POSITION_COLUMNS]].to_dict("records"):
            position = {name: value for name, value in row.items() if name != "new_key"}
            self._db.execute("place_record", org_id=scope.org_id, **position)
            for name in (
                "rename_record",
                "rename_membership",
                "rename_hint",
                "rename_run_record",
                "rename_old",
                "rename_new",
            ):
                self._db.execute(name, org_id=scope.org_id, record_key=row["record_key"], new_key=row["new_key"])
        return len(positions)
