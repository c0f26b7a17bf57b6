"""The evidence as it stands: batches, records, reference features and rows needing attention, for reading."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from data.record_frames import MARK, in_key_order, unpacked
from geo.errors import NotFound
from geo.model import Batch, FeatureKind, Scope, content_hash

if TYPE_CHECKING:
    from data.database import Database

_WORLD = (-180.0, -90.0, 180.0, 90.0)


class Evidence:
    """Batches, records, features and quarantine of one store."""

    def __init__(self, database: "Database") -> None:
        self._db = database

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

    def quarantine_count(self, scope: Scope) -> int:
        """How many rows need attention."""
        return int(self._db.rows("quarantine_count", org_id=scope.org_id)[0]["n"])

    def quarantine_reasons(self, scope: Scope, batch_id: str) -> dict[str, int]:
        """How many rows of a batch were rejected for each reason."""
        rows = self._db.rows("quarantine_reasons", org_id=scope.org_id, batch_id=batch_id)
        return {row["reason"]: int(row["n"]) for row in rows}

    def records(self, scope: Scope, kinds: Sequence[str]) -> pd.DataFrame:
        """Records of the given kinds as they now stand, ordered by key; floats are NaN where unlocated."""
        asked = {"org_id": scope.org_id, "kinds": tuple(map(str, kinds))}
        # A hundred thousand rows say the same few things: they are read as one text, and told apart once.
        frame = unpacked(in_key_order(self._db.frame("records_packed", mark=MARK, **asked)))
        if frame is None:
            frame = in_key_order(self._db.frame("records_for_analysis", **asked))
        return _record_frame(frame)

    def batch_records(self, scope: Scope, batch_id: str) -> pd.DataFrame:
        """Records that a batch holds a membership of."""
        return _record_frame(self._db.frame("records_of_batch", org_id=scope.org_id, batch_id=batch_id))

    def record(self, scope: Scope, record_key: bytes) -> dict[str, Any]:
        """One record with everything that is stored of it."""
        rows = self._db.rows("whole_record", org_id=scope.org_id, record_key=record_key)
        if not rows:
            raise NotFound(f"No record {record_key.hex()[:16]}; it may have been undone or purged.")
        return rows[0]

    def changes_so_far(self, scope: Scope) -> dict[str, int]:
        """How often records or features came, went or were altered; no count ever falls, so equal ones mean no change."""
        row = self._db.rows("changes_so_far", org_id=scope.org_id)[0]
        return {name: int(count) for name, count in row.items()}

    def vehicle_hashes(self) -> pd.DataFrame:
        """Every record with a vehicle, of every organisation: ``org_id``, ``record_key``, ``vehicle_hash``."""
        return self._db.frame("vehicle_hashes")

    def completeness(self, scope: Scope, batch_id: str | None = None) -> dict[str, dict[str, int]]:
        """How many records of each kind there are (``records``), and how many say something in each field."""
        rows = self._of_all_or_batch("completeness", scope, batch_id)
        return {row["kind"]: {name: int(n) for name, n in row.items() if name != "kind"} for row in rows}

    def details(self, scope: Scope, batch_id: str | None = None) -> list[tuple[str, str, int]]:
        """Kind, fields of the kind as JSON, and how many records say just that."""
        rows = self._of_all_or_batch("details", scope, batch_id)
        return [(row["kind"], row["detail"], int(row["records"])) for row in rows]

    def _of_all_or_batch(self, name: str, scope: Scope, batch_id: str | None) -> list[dict[str, Any]]:
        if batch_id is None:
            return self._db.rows(name, org_id=scope.org_id)
        return self._db.rows(f"{name}_of_batch", org_id=scope.org_id, batch_id=batch_id)

    def newest_batch_of(self, scope: Scope, record_key: bytes) -> Batch | None:
        """Return the file that a record came in last, if it is still held by one."""
        rows = self._db.rows("batch_of_record", org_id=scope.org_id, record_key=record_key)
        return self.batch(scope, rows[0]["batch_id"]) if rows else None

    def newest_records(self, scope: Scope, kinds: Sequence[str], *, count: int) -> list[dict[str, Any]]:
        """Return the records that began last, newest first, with everything that is stored of them."""
        return self._db.rows("newest_records", org_id=scope.org_id, kinds=tuple(map(str, kinds)), count=count)

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
        chosen = self._called(scope, name)
        if chosen.empty:
            known = {row["stem"]: row["source"] for row in self._db.rows("area_names", org_id=scope.org_id)}
            listed = ", ".join(sorted({*known, *known.values()} - {"unnamed"}))
            raise NotFound(
                f"No boundary or area is called {name!r}; imported are: {listed or 'none (lapwing import boundary FILE)'}."
            )
        return shapely.union_all(_shapes(chosen.drop_duplicates("feature_key")["geometry"]))

    def areas_called(self, scope: Scope, name: str) -> list[dict[str, str]]:
        """Kind, name, code and level of each boundary or area of that name or code, without its shape."""
        return self._db.rows("areas_called", org_id=scope.org_id, name=name)

    def area_levels(self, scope: Scope, name: str) -> set[str]:
        """Levels of the features that a name stands for, empty ones of boundaries too; none where nothing is called so."""
        return set(self._called(scope, name)["level"].astype(str))

    def _called(self, scope: Scope, name: str) -> pd.DataFrame:
        """Boundaries and areas of that name or code; where there are none, those of a source or file of that name."""
        found = self._db.frame("named_areas", org_id=scope.org_id, name=name)
        exact = found[(found["name"] == name) | (found["code"] == name)]
        return exact if len(exact) else found

    def file_spans(self, scope: Scope, kinds: Sequence[str]) -> pd.DataFrame:
        """First and last moment of every imported file's records (``first_us``, ``last_us``) and how many it holds."""
        frame = self._db.frame("file_spans", org_id=scope.org_id, kinds=tuple(map(str, kinds)))
        return frame.astype({"first_us": np.int64, "last_us": np.int64, "records": np.int64})

    def input_hashes(self, scope: Scope, record_kinds: Sequence[str]) -> tuple[str, ...]:
        """SHA-256 of every file that can bear on an analysis, and of what people changed besides.

        Files are those of the record kinds asked for and of all reference kinds. Positions given later, splits, purges
        and protected places that came later are inputs too: one more hash stands for all of them, if there are any.
        """
        kinds = tuple(sorted({*map(str, record_kinds), *map(str, FeatureKind)}))
        files = self._db.rows("input_hashes", org_id=scope.org_id, kinds=kinds)
        # A file that was read in two ways and gave records each time is two inputs.
        hashes = [row["file_sha256"] for row in files for _ in range(max(1, int(row["times"])))]
        altered = [row["subject"] for row in self._db.rows("alterations", org_id=scope.org_id)]
        return (*hashes, content_hash(*altered)) if altered else tuple(hashes)


def _record_frame(frame: pd.DataFrame) -> pd.DataFrame:
    floats = ["lon", "lat", "x_m", "y_m", "precision_m", "reported_us"]
    return frame.astype(dict.fromkeys(floats, float) | {"from_us": np.int64, "to_us": np.int64})


def _shapes(wkb: pd.Series) -> np.ndarray:
    return np.asarray(shapely.from_wkb(wkb.to_numpy(object)), dtype=object)
