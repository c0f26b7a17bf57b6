"""Where unlocated records may be, and records whose position changes after they were stored."""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from data.intake import settle
from geo.model import Scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.database import Database

POSITION_COLUMNS = ("lon", "lat", "x_m", "y_m", "cell7", "location_basis", "precision_m", "method")
# What a revision may say of where a record was; gone once one of its versions has become coarse.
_EXACT_FIELDS: Final = frozenset({"lon", "lat", "precision_m"})


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

    def exact(self, scope: Scope) -> pd.DataFrame:
        """Every version of every record that has an exact position: ``record_key``, ``lon``, ``lat``, ``x_m``, ``y_m``."""
        return self._db.frame("exact_positions", org_id=scope.org_id)

    def coarse_keys(self, scope: Scope) -> frozenset[bytes]:
        """Keys of the records of which only a coarse cell is kept."""
        return frozenset(bytes(row["record_key"]) for row in self._db.rows("coarse_keys", org_id=scope.org_id))

    def coarsen(self, scope: Scope, positions: pd.DataFrame) -> int:
        """Replace positions for good and rename the records (``new_key``) wherever they are named.

        Nothing exact can be worked out of what is left. A record that is held under its new key already is the same
        one come again: only its memberships are kept.
        """
        merged = []
        for row in positions[["record_key", "new_key", *POSITION_COLUMNS]].to_dict("records"):
            one = {"org_id": scope.org_id, "record_key": row["record_key"], "new_key": row["new_key"]}
            if held := self._db.rows("record_held", org_id=scope.org_id, record_key=row["new_key"]):
                merged.append(bytes(held[0]["identity"]))
                names: tuple[str, ...] = ("merge_memberships", "forget_hints", "merge_record")
            else:
                position = {name: value for name, value in row.items() if name != "new_key"}
                self._db.execute("place_record", org_id=scope.org_id, **position)
                names = ("rename_record", "rename_hint")
            for name in (*names, "rename_membership", "rename_identity"):
                self._db.execute(name, **one)
        renamed = {
            bytes(old): bytes(new) for old, new in zip(positions["record_key"], positions["new_key"], strict=True)
        }
        self._rename_in_revisions(scope, renamed)
        self._rename_in_runs(scope, renamed)
        self._rename_in_splits(scope, renamed)
        settle(self._db, scope, merged)
        return len(positions)

    def _rename_in_revisions(self, scope: Scope, renamed: Mapping[bytes, bytes]) -> None:
        for row in self._naming("revisions_naming", scope, renamed):
            changes = json.loads(row["changes"])
            if any(row[name] is not None and bytes(row[name]) in renamed for name in ("old_key", "new_key")):
                changes = {name: pair for name, pair in changes.items() if name not in _EXACT_FIELDS}
            self._db.execute(
                "rename_in_revision",
                org_id=scope.org_id,
                batch_id=row["batch_id"],
                identity=row["identity"],
                new_identity=_new(row["identity"], renamed),
                old_key=_new(row["old_key"], renamed),
                new_key=_new(row["new_key"], renamed),
                changes=json.dumps(changes, sort_keys=True),
            )

    def _rename_in_runs(self, scope: Scope, renamed: Mapping[bytes, bytes]) -> None:
        for row in self._naming("run_records_naming", scope, renamed):
            one = {"org_id": scope.org_id, "run_id": row["run_id"], "record_key": row["record_key"]}
            if not self._db.execute("rename_run_record", new_key=_new(row["record_key"], renamed), **one):
                self._db.execute("drop_run_record", **one)
        for row in self._naming("run_matches_naming", scope, renamed):
            one = {"org_id": scope.org_id, "run_id": row["run_id"], "record_key": row["record_key"]}
            new_key, event_key = (_new(row[name], renamed) for name in ("record_key", "event_key"))
            if not self._db.execute("rename_run_match", new_key=new_key, event_key=event_key, **one):
                self._db.execute("drop_run_match", **one)

    def _rename_in_splits(self, scope: Scope, renamed: Mapping[bytes, bytes]) -> None:
        """Keep what a person said of two reports; of each pair the lesser key stands first."""
        for row in self._db.rows("splits_whole", org_id=scope.org_id):
            pair = (bytes(row["first_key"]), bytes(row["second_key"]))
            low, high = sorted(renamed.get(key, key) for key in pair)
            if {low, high} == set(pair):
                continue
            self._db.execute("drop_split", org_id=scope.org_id, first_key=pair[0], second_key=pair[1])
            kept = row | {"org_id": scope.org_id, "first_key": low, "second_key": high}
            self._db.insert("event_split", {name: [value] for name, value in kept.items()}, ignore_existing=True)

    def _naming(self, name: str, scope: Scope, renamed: Mapping[bytes, bytes]) -> Iterator[dict[str, Any]]:
        """Rows of a query that name any of the renamed records."""
        keys = list(renamed)
        for begin in range(0, len(keys), 500):
            yield from self._db.rows(name, org_id=scope.org_id, record_keys=tuple(keys[begin : begin + 500]))


def _new(key: Any, renamed: Mapping[bytes, bytes]) -> Any:
    """Name of a record after the renaming; None where a revision names no record."""
    return None if key is None else renamed.get(bytes(key), bytes(key))
