"""What came in: batches, records, reference features and the rows that need attention."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from data.ids import uuid7s
from geo.errors import Conflict, NotFound
from geo.model import RECORD_COLUMNS, REJECTION_COLUMNS, Batch, FeatureKind, LocationBasis, Scope

if TYPE_CHECKING:
    from data.store import Database

_WORLD = (-180.0, -90.0, 180.0, 90.0)


class Evidence:
    """Batches, records, features and quarantine of one store."""

    def __init__(self, database: "Database") -> None:
        self._db = database

    # --- in ---------------------------------------------------------------------------------------------------

    def import_records(self, scope: Scope, batch: Batch, records: pd.DataFrame, rejected: pd.DataFrame) -> Batch:
        """Store one file of records in one transaction; returns the batch with its counts filled in.

        ``records`` has ``RECORD_COLUMNS`` except ``event_id``. A record that is already known gains a membership and
        counts as a duplicate.
        """
        located = (records["location_basis"] != LocationBasis.NONE).to_numpy(bool)
        records = records.assign(event_id=uuid7s(len(records), batch.imported_at_us))
        with self._db.transaction():
            self._db.lock("import")
            fresh = [self._insert_records(scope, records[part]) for part in (located, ~located)]
            counted = _count(batch, valid=len(records), new=sum(fresh), unlocated=fresh[1], rejected=len(rejected))
            self._insert_batch(scope, counted)
            self._insert_membership("batch_record", "record_key", scope, counted, records["record_key"].tolist())
            self._insert_quarantine(scope, counted, rejected)
        return counted

    def import_features(self, scope: Scope, batch: Batch, features: pd.DataFrame, rejected: pd.DataFrame) -> Batch:
        """Store one file of reference features in one transaction."""
        bounds = shapely.bounds(features["geometry"].to_numpy(object)).reshape(-1, 4)
        columns: dict[str, Sequence[Any]] = {"org_id": [scope.org_id] * len(features)}
        for name in ("feature_key", "kind", "subtype", "name", "level", "code", "vintage"):
            columns[name] = features[name].tolist()
        columns["repaired"] = [int(one) for one in features["repaired"]]
        columns["geometry"] = shapely.to_wkb(features["geometry"].to_numpy(object), byte_order=1).tolist()
        columns |= {side: bounds[:, i].tolist() for i, side in enumerate(("west", "south", "east", "north"))}
        with self._db.transaction():
            self._db.lock("import")
            new = self._db.insert("feature", columns, ignore_existing=True)
            counted = _count(batch, valid=len(features), new=new, unlocated=0, rejected=len(rejected))
            self._insert_batch(scope, counted)
            self._insert_membership("batch_feature", "feature_key", scope, counted, features["feature_key"].tolist())
            self._insert_quarantine(scope, counted, rejected)
        return counted

    def mark_corrected(self, scope: Scope, batch_id: str, rows: pd.DataFrame) -> int:
        """Take rows (``batch``, ``row_number``) off the list of those needing attention: ``batch_id`` corrected them."""
        marked = 0
        for batch, number in zip(rows["batch"].tolist(), rows["row_number"].tolist(), strict=True):
            marked += self._db.execute(
                "mark_corrected", org_id=scope.org_id, batch_id=batch, row_number=int(number), corrected_by=batch_id
            )
        return marked

    def undo_batch(self, scope: Scope, batch_id: str, at_us: int) -> dict[str, int]:
        """Take one file back: its memberships go, and each record or feature with its last membership."""
        with self._db.transaction():
            self._db.lock("import")
            self.batch(scope, batch_id)
            if not self._db.execute("mark_undone", org_id=scope.org_id, batch_id=batch_id, at_us=at_us):
                raise Conflict(f"Batch {batch_id} has been undone before.")
            parameters = {"org_id": scope.org_id, "batch_id": batch_id}
            gone = {
                "records": self._db.execute("drop_orphan_records", **parameters),
                "features": self._db.execute("drop_orphan_features", **parameters),
            }
            for name in (
                "forget_record_memberships",
                "forget_feature_memberships",
                "forget_quarantine",
                "forget_corrections",
            ):
                self._db.execute(name, **parameters)
        return gone

    def _insert_records(self, scope: Scope, records: pd.DataFrame) -> int:
        columns: dict[str, Sequence[Any]] = {"org_id": [scope.org_id] * len(records)}
        for name in RECORD_COLUMNS:
            values = records[name]
            columns[name] = (
                [None if v != v else v for v in values.tolist()] if values.dtype.kind == "f" else values.tolist()
            )
        return self._db.insert("record", columns, ignore_existing=True)

    def _insert_batch(self, scope: Scope, batch: Batch) -> None:
        self._db.insert("batch", {"org_id": [scope.org_id]} | {name: [value] for name, value in asdict(batch).items()})

    def _insert_membership(self, table: str, key: str, scope: Scope, batch: Batch, keys: list[bytes]) -> None:
        self._db.insert(
            table, {"org_id": [scope.org_id] * len(keys), "batch_id": [batch.batch_id] * len(keys), key: keys}
        )

    def _insert_quarantine(self, scope: Scope, batch: Batch, rejected: pd.DataFrame) -> None:
        columns: dict[str, Sequence[Any]] = {
            "org_id": [scope.org_id] * len(rejected),
            "batch_id": [batch.batch_id] * len(rejected),
        }
        columns |= {name: rejected[name].tolist() for name in REJECTION_COLUMNS}
        self._db.insert("quarantine", columns)

    # --- out --------------------------------------------------------------------------------------------------

    def batches(self, scope: Scope) -> list[Batch]:
        """Every batch in order of import."""
        return [Batch(**row) for row in self._db.rows("batches", org_id=scope.org_id)]

    def batch(self, scope: Scope, batch_id: str) -> Batch:
        """One batch."""
        for batch in self.batches(scope):
            if batch.batch_id == batch_id:
                return batch
        raise NotFound(f"No batch {batch_id}; list them with: lapwing quality")

    def quarantine(self, scope: Scope, batch_id: str | None = None) -> pd.DataFrame:
        """Rows needing attention, each with its batch, file, row number, field, reason and mapped text."""
        frame = self._db.frame("quarantine", org_id=scope.org_id)
        return frame if batch_id is None else frame[frame["batch_id"] == batch_id].reset_index(drop=True)

    def quarantine_reasons(self, scope: Scope, batch_id: str) -> dict[str, int]:
        """How many rows of a batch were rejected for each reason."""
        rows = self._db.rows("quarantine_reasons", org_id=scope.org_id, batch_id=batch_id)
        return {row["reason"]: int(row["n"]) for row in rows}

    def records(self, scope: Scope, kinds: Sequence[str]) -> pd.DataFrame:
        """Records of the given kinds, ordered by key; floats are NaN where unlocated."""
        return _record_frame(self._db.frame("records_for_analysis", org_id=scope.org_id, kinds=tuple(map(str, kinds))))

    def batch_records(self, scope: Scope, batch_id: str) -> pd.DataFrame:
        """Records that a batch holds a membership of."""
        return _record_frame(self._db.frame("records_of_batch", org_id=scope.org_id, batch_id=batch_id))

    def record_counts(self, scope: Scope) -> dict[str, dict[str, int]]:
        """Records and unlocated records of each kind."""
        rows = self._db.rows("record_counts", org_id=scope.org_id)
        return {row["kind"]: {"records": int(row["records"]), "unlocated": int(row["unlocated"])} for row in rows}

    def feature_counts(self, scope: Scope) -> dict[str, int]:
        """Reference features of each kind."""
        return {row["kind"]: int(row["features"]) for row in self._db.rows("feature_counts", org_id=scope.org_id)}

    def categories(self, scope: Scope) -> list[str]:
        """Distinct record categories."""
        return [row["category"] for row in self._db.rows("categories", org_id=scope.org_id) if row["category"]]

    def features(
        self, scope: Scope, kinds: Sequence[str], bounds: tuple[float, float, float, float] = _WORLD
    ) -> pd.DataFrame:
        """Reference features whose box meets ``bounds`` (west, south, east, north in degrees), ordered by key."""
        box = dict(zip(("west", "south", "east", "north"), bounds, strict=True))
        frame = self._db.frame("features_of_kind", org_id=scope.org_id, kinds=tuple(map(str, kinds)), **box)
        return frame.assign(geometry=_shapes(frame["geometry"]), repaired=frame["repaired"].astype(bool))

    def area(self, scope: Scope, name: str) -> shapely.Geometry:
        """Union of the boundary or area features known by a name: source, file stem, feature name or code."""
        found = self._db.frame("named_areas", org_id=scope.org_id, name=name)
        if found.empty:
            known = {row["stem"]: row["source"] for row in self._db.rows("area_names", org_id=scope.org_id)}
            listed = ", ".join(sorted({*known, *known.values()} - {"unnamed"}))
            raise NotFound(
                f"No boundary or area is called {name!r}; imported are: {listed or 'none (lapwing import boundary FILE)'}."
            )
        exact = found[(found["name"] == name) | (found["code"] == name)]
        chosen = exact if len(exact) else found
        return shapely.union_all(_shapes(chosen.drop_duplicates("feature_key")["geometry"]))

    def input_hashes(self, scope: Scope, record_kinds: Sequence[str]) -> tuple[str, ...]:
        """SHA-256 of every file that can bear on an analysis: the record kinds asked for and all reference kinds."""
        kinds = tuple(sorted({*map(str, record_kinds), *map(str, FeatureKind)}))
        return tuple(row["file_sha256"] for row in self._db.rows("input_hashes", org_id=scope.org_id, kinds=kinds))


def _count(batch: Batch, *, valid: int, new: int, unlocated: int, rejected: int) -> Batch:
    counts = {
        "read": valid + rejected,
        "accepted": new,
        "unlocated": unlocated,
        "rejected": rejected,
        "duplicates": valid - new,
    }
    return Batch(**(asdict(batch) | counts))


def _record_frame(frame: pd.DataFrame) -> pd.DataFrame:
    floats = ["lon", "lat", "x_m", "y_m", "precision_m"]
    return frame.astype(dict.fromkeys(floats, float) | {"from_us": np.int64, "to_us": np.int64})


def _shapes(wkb: pd.Series) -> np.ndarray:
    return np.asarray(shapely.from_wkb(wkb.to_numpy(object)), dtype=object)
