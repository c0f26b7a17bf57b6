"""What goes in and comes out again: files as batches, their records, features and rows needing attention; and undo."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import shapely

from data.ids import uuid7s
from geo.errors import Conflict
from geo.model import OPTIONAL_TEXTS, RECORD_COLUMNS, REJECTION_COLUMNS, Batch, LocationBasis, Scope

if TYPE_CHECKING:
    from data.database import Database

# What the tables hold of a record that says nothing of these.
_DEFAULTS: Final = {
    **dict.fromkeys(OPTIONAL_TEXTS, ""),
    **dict.fromkeys(("reported_us", "supply_key", "review_us", "delete_us")),
}


class Intake:
    """The writing side of the evidence of one store. Every method joins the caller's transaction."""

    def __init__(self, database: "Database") -> None:
        self._db = database

    def begin(self, scope: Scope, batch: Batch) -> None:
        """Enter a file whose counts are not known yet, and let no other file in meanwhile."""
        self._db.lock("import")
        seq = int(self._db.rows("last_batch")[0]["seq"]) + 1
        row = {"org_id": scope.org_id, "seq": seq, **asdict(batch)}
        self._db.insert("batch", {name: [value] for name, value in row.items()})

    def finish(self, scope: Scope, batch: Batch) -> None:
        """Enter the counts of a file that has been stored."""
        counts = (
            "read", "accepted", "unlocated", "rejected", "duplicates", "updated", "unchanged", "missing", "redacted", "coarsened",
        )  # fmt: skip
        values = {name: getattr(batch, name) for name in counts}
        self._db.execute("set_batch_counts", org_id=scope.org_id, batch_id=batch.batch_id, **values)

    def records(self, scope: Scope, batch: Batch, records: pd.DataFrame) -> int:
        """Store records (``RECORD_COLUMNS`` except ``event_id``) with their memberships; returns how many are new.

        A record that is already known gains a membership and nothing else.
        """
        keys = records["record_key"].tolist()
        in_order = np.argsort(np.array(keys, dtype="S32"), kind="stable")  # neighbours in an index then come together
        records = records.iloc[in_order]
        columns: dict[str, Sequence[Any]] = {"org_id": [scope.org_id] * len(records)}
        columns["event_id"] = uuid7s(len(records), batch.imported_at_us)
        columns |= {name: values for name in RECORD_COLUMNS[1:] if (values := _values(records[name], name)) is not None}
        new = self._db.insert("record", columns, ignore_existing=True)
        self._membership("batch_record", "record_key", scope, batch, list(columns["record_key"]))
        return new

    def filling(self, rows: int) -> AbstractContextManager[None]:
        """Expect so many records: meanwhile, nothing reads those of this transaction."""
        return self._db.filling(("record", "batch_record"), rows=rows)

    def features(self, scope: Scope, batch: Batch, features: pd.DataFrame) -> int:
        """Store reference features (``FEATURE_COLUMNS``) with their memberships; returns how many are new."""
        shapes = features["geometry"].to_numpy(object)
        bounds = shapely.bounds(shapes).reshape(-1, 4)
        columns: dict[str, Sequence[Any]] = {"org_id": [scope.org_id] * len(features)}
        for name in ("feature_key", "kind", "subtype", "name", "level", "code", "vintage", "aliases"):
            columns[name] = features[name].tolist()
        columns["repaired"] = [int(one) for one in features["repaired"]]
        columns["geometry"] = shapely.to_wkb(shapes, byte_order=1).tolist()
        columns |= {side: bounds[:, i].tolist() for i, side in enumerate(("west", "south", "east", "north"))}
        new = self._db.insert("feature", columns, ignore_existing=True)
        self._membership("batch_feature", "feature_key", scope, batch, features["feature_key"].tolist())
        return new

    def quarantine(self, scope: Scope, batch: Batch, rejected: pd.DataFrame) -> None:
        """Keep rejected rows (``REJECTION_COLUMNS``)."""
        columns: dict[str, Sequence[Any]] = {
            "org_id": [scope.org_id] * len(rejected),
            "batch_id": [batch.batch_id] * len(rejected),
        }
        columns |= {name: rejected[name].tolist() for name in REJECTION_COLUMNS}
        self._db.insert("quarantine", columns)

    def mark_corrected(self, scope: Scope, batch_id: str, rows: pd.DataFrame) -> int:
        """Take rows (``batch``, ``row_number``) off the list of those needing attention: ``batch_id`` corrected them."""
        marked = 0
        for batch, number in zip(rows["batch"].tolist(), rows["row_number"].tolist(), strict=True):
            marked += self._db.execute(
                "mark_corrected", org_id=scope.org_id, batch_id=batch, row_number=int(number), corrected_by=batch_id
            )
        return marked

    def rehash(self, hashed: pd.DataFrame) -> None:
        """Replace the hashes of vehicles (``org_id``, ``record_key``, ``vehicle_hash``)."""
        for row in hashed[["org_id", "record_key", "vehicle_hash"]].to_dict("records"):
            self._db.execute("set_vehicle_hash", **row)

    def undo(self, scope: Scope, batch_id: str, at_us: int) -> dict[str, int]:
        """Take one file back: its memberships go, and each record or feature with its last membership.

        What people corrected in a record goes with the last file that holds it.

        Raises
        ------
        Conflict
            When it has been undone before.
        """
        with self._db.transaction():
            self._db.lock("import")
            if not self._db.execute("mark_undone", org_id=scope.org_id, batch_id=batch_id, at_us=at_us):
                raise Conflict(f"Batch {batch_id} has been undone before.")
            one = {"org_id": scope.org_id, "batch_id": batch_id}
            identities = [row["identity"] for row in self._db.rows("identities_of_batch", **one)]
            self._db.execute("drop_orphan_hints", **one)
            gone = {
                "records": self._db.execute("drop_orphan_records", **one),
                "features": self._db.execute("drop_orphan_features", **one),
            }
            for name in (
                "forget_record_memberships", "forget_feature_memberships", "forget_quarantine", "forget_corrections", "forget_revisions",
            ):  # fmt: skip
                self._db.execute(name, **one)
            self._drop_versions(scope, settle(self._db, scope, identities))
        return gone

    def _drop_versions(self, scope: Scope, record_keys: Iterable[bytes]) -> None:
        for part in _parts(record_keys):
            for name in ("purge_hints", "purge_memberships", "purge_splits", "purge_revisions", "purge_records"):
                self._db.execute(name, org_id=scope.org_id, record_keys=part)

    def _membership(self, table: str, key: str, scope: Scope, batch: Batch, keys: list[bytes]) -> None:
        self._db.insert(
            table, {"org_id": [scope.org_id] * len(keys), "batch_id": [batch.batch_id] * len(keys), key: keys}
        )


def settle(database: "Database", scope: Scope, identities: Iterable[bytes]) -> list[bytes]:
    """Say anew which version of each record counts, out of the files and corrections that are left, in their order.

    A correction by a person counts, and so does a version that a file brings and that is another than the one supplied
    before it; a row that says again what was supplied last changes nothing. Returns the keys of the versions that
    people made of records which no file holds any longer.
    """
    alone: list[bytes] = []
    for part in _parts(identities):
        counting: dict[bytes, bytes] = {}
        supplied: dict[bytes, bytes] = {}
        versions = _versions_of(database, scope, part)
        told = database.rows("versions_told", org_id=scope.org_id, record_keys=versions)
        for row in told:
            identity, key = bytes(row["identity"]), bytes(row["record_key"])
            if row["by_hand"]:
                counting[identity] = key
                continue
            before = supplied.get(identity)
            is_other = bool(row["revised"]) if before is None else before != key
            if is_other or identity not in counting:
                counting[identity] = key
            supplied[identity] = key
        counted = tuple(sorted(counting.values()))
        database.execute("settle_versions", org_id=scope.org_id, record_keys=versions, counting=counted)
        alone += [bytes(row["record_key"]) for row in told if bytes(row["identity"]) not in supplied]
    return alone


def _versions_of(database: "Database", scope: Scope, identities: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Keys of every version of some records, whether it counts or not."""
    rows = database.rows("versions_of", org_id=scope.org_id, identities=identities)
    return tuple(bytes(row["record_key"]) for row in rows)


def _parts(identities: Iterable[bytes]) -> Iterator[tuple[bytes, ...]]:
    everyone = sorted({bytes(one) for one in identities})
    for begin in range(0, len(everyone), 500):
        yield tuple(everyone[begin : begin + 500])


def _values(column: pd.Series, name: str) -> list[Any] | None:
    """Values as a database takes them; None where no record says anything and the table's default is just that."""
    if column.dtype.kind == "f":
        return [None if value != value else value for value in column.tolist()]
    values: list[Any] = column.to_numpy(object).tolist()
    return None if name in _DEFAULTS and values.count(_DEFAULTS[name]) == len(values) else values


def unlocated(records: pd.DataFrame) -> int:
    """How many of these records have no position."""
    return int((records["location_basis"] == LocationBasis.NONE).sum())
