"""What came out: runs, their cells and places, and what each place rests on."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pandas as pd
import shapely

from geo.errors import NotFound
from geo.model import CELL_COLUMNS, STATISTIC_COLUMNS, Place, Run, Scope
from geo.outcome import NOTHING_BESIDES, Besides, Facility, Link, Route

if TYPE_CHECKING:
    from data.database import Database


# What removes the layers of a run, in this order; nobody outside operations sees it any more, or what is made under its id.
DROPS = (
    "drop_run_matches", "drop_run_records", "drop_run_places", "drop_run_cells", "drop_run_facilities", "drop_run_routes",
    "drop_run_links", "drop_run_views", "end_sharing_of_run",
)  # fmt: skip
_WHOLE = ("observed", "scan_radius", "hot", "gi_star_reliable")


class Runs:
    """Runs of one store and what they found."""

    def __init__(self, database: "Database") -> None:
        self._db = database

    def save(
        self,
        scope: Scope,
        run: Run,
        cells: pd.DataFrame,
        places: Sequence[Place],
        members: Mapping[str, Sequence[bytes]],
        matches: pd.DataFrame,
        besides: Besides = NOTHING_BESIDES,
    ) -> None:
        """Store a whole run in one transaction: all of it or nothing. A run of the same id is replaced.

        ``members`` gives the record keys behind each place id; ``matches`` (``record_key``, ``event_key``, ``reason``,
        ``words``) those that were counted with another. Statistics of ``cells`` are missing values where there are none.
        """
        keys = [(place_id, key) for place_id, own in members.items() for key in own]
        with self._db.transaction():
            self._db.lock("run")
            for name in (*DROPS, "drop_run"):
                self._db.execute(name, org_id=scope.org_id, run_id=run.run_id)
            self._db.insert("run", _one_row(scope, run))
            owner = {"org_id": [scope.org_id] * len(cells), "run_id": [run.run_id] * len(cells)}
            counted = {name: cells[name].tolist() for name in CELL_COLUMNS}
            told = {name: _or_null(cells[name]) for name in STATISTIC_COLUMNS}
            self._db.insert("run_cell", owner | counted | told)
            self._db.insert("run_place", _place_columns(scope, run, places))
            behind: dict[str, Sequence[Any]] = {
                "org_id": [scope.org_id] * len(keys),
                "run_id": [run.run_id] * len(keys),
                "place_id": [place_id for place_id, _ in keys],
                "record_key": [key for _, key in keys],
            }
            with self._db.filling(("run_place_record",), rows=len(keys)):
                self._db.insert("run_place_record", behind)
            told = {name: matches[name].tolist() for name in ("record_key", "event_key", "reason", "words")}
            owner = {"org_id": [scope.org_id] * len(matches), "run_id": [run.run_id] * len(matches)}
            self._db.insert("run_match", owner | told)
            self._db.insert("run_facility", _columns(scope, run, besides.facilities, ()))
            self._db.insert("run_route", _columns(scope, run, besides.routes, ("geometry",)))
            self._db.insert("run_link", _columns(scope, run, besides.links, ()))

    def runs(self, scope: Scope) -> list[Run]:
        """Runs, newest first."""
        return [_run(row) for row in self._db.rows("runs", org_id=scope.org_id)]

    def find(self, scope: Scope, run_id: str) -> Run | None:
        """Return one run, or None."""
        rows = self._db.rows("run", org_id=scope.org_id, run_id=run_id)
        return _run(rows[0]) if rows else None

    def get(self, scope: Scope, run_id: str) -> Run:
        """Return one run; ``latest`` names the newest."""
        if run_id == "latest" and (runs := self.runs(scope)):
            return runs[0]
        run = self.find(scope, run_id)
        if run is None:
            raise NotFound(f"No analysis {run_id}; list them with: lapwing runs")
        return run

    def cells(self, scope: Scope, run_id: str, *, min_records: int = 0) -> pd.DataFrame:
        """Cells of a run with their counts, ordered by cell; study-area cells without records are there with 0."""
        return self._db.frame("run_cells", org_id=scope.org_id, run_id=run_id, min_records=min_records).astype("int64")

    def statistics(self, scope: Scope, run_id: str) -> pd.DataFrame:
        """``cell`` and ``STATISTIC_COLUMNS`` of the cells of a run's own resolution, ordered by cell."""
        frame = self._db.frame("run_cell_statistics", org_id=scope.org_id, run_id=run_id)
        whole = dict.fromkeys(("cell", *_WHOLE), "int64")
        texts = dict.fromkeys(("trend", "state"), object)
        return frame.astype(dict.fromkeys(STATISTIC_COLUMNS, "float64") | whole | texts)

    def statistic(self, scope: Scope, run_id: str, cell: int) -> dict[str, Any] | None:
        """Statistics of one cell, or None."""
        rows = self._db.rows("run_cell_statistic", org_id=scope.org_id, run_id=run_id, cell=cell)
        return rows[0] if rows else None

    def place_kinds(self, scope: Scope, run_id: str) -> dict[str, int]:
        """How many places of each kind a run found."""
        return {
            row["kind"]: int(row["n"]) for row in self._db.rows("run_place_kinds", org_id=scope.org_id, run_id=run_id)
        }

    def place_ids(self, scope: Scope, run_id: str) -> set[str]:
        """Identities of the places of a run."""
        return {row["place_id"] for row in self._db.rows("run_place_ids", org_id=scope.org_id, run_id=run_id)}

    def places(self, scope: Scope, run_id: str, *, top: int | None = None) -> list[Place]:
        """Places of a run, by rank; all, or the first few."""
        parameters = {"org_id": scope.org_id, "run_id": run_id, "max_rank": top or 2**31 - 1}
        return [_place(row) for row in self._db.rows("run_places", **parameters)]

    def place(self, scope: Scope, run_id: str, place_id: str) -> Place | None:
        """One place as a run saw it, or None."""
        rows = self._db.rows("run_place", org_id=scope.org_id, run_id=run_id, place_id=place_id)
        return _place(rows[0]) if rows else None

    def place_records(self, scope: Scope, run_id: str, place_id: str) -> pd.DataFrame:
        """Records behind a place in a run, oldest first, without coordinates."""
        return self._db.frame("place_records", org_id=scope.org_id, run_id=run_id, place_id=place_id)

    def matches(self, scope: Scope, run_id: str) -> pd.DataFrame:
        """Reports that a run counted with another: ``record_key``, ``event_key``, ``reason``, ``words``."""
        return self._db.frame("run_matches", org_id=scope.org_id, run_id=run_id)

    def facilities(self, scope: Scope, run_id: str) -> list[Facility]:
        """Facilities that records of a run speak of, by kind, the most first."""
        rows = self._db.rows("run_facilities", org_id=scope.org_id, run_id=run_id)
        return [
            Facility(**(row | {"feature_key": bytes(row["feature_key"]), "evidence": json.loads(row["evidence"])}))
            for row in rows
        ]

    def routes(self, scope: Scope, run_id: str) -> list[Route]:
        """Routes of a run, by rank."""
        rows = self._db.rows("run_routes", org_id=scope.org_id, run_id=run_id)
        return [
            Route(
                **(
                    row
                    | {"geometry": shapely.from_wkb(bytes(row["geometry"])), "evidence": json.loads(row["evidence"])}
                )
            )
            for row in rows
        ]

    def links(self, scope: Scope, run_id: str) -> list[Link]:
        """Linked places of a run."""
        rows = self._db.rows("run_links", org_id=scope.org_id, run_id=run_id)
        return [
            Link(**(row | {"significant": bool(row["significant"]), "evidence": json.loads(row["evidence"])}))
            for row in rows
        ]

    def seen_in(self, scope: Scope, place_id: str) -> set[str]:
        """Runs in which a place was found."""
        return {row["run_id"] for row in self._db.rows("place_runs", org_id=scope.org_id, place_id=place_id)}


def _columns(scope: Scope, run: Run, found: Sequence[Any], shapes: tuple[str, ...]) -> dict[str, Sequence[Any]]:
    """Columns of findings of one type, ready to insert."""
    columns: dict[str, Sequence[Any]] = {"org_id": [scope.org_id] * len(found), "run_id": [run.run_id] * len(found)}
    if not found:
        return columns
    for field in fields(found[0]):
        values = [getattr(one, field.name) for one in found]
        if field.name == "evidence":
            values = [json.dumps(dict(value), sort_keys=True) for value in values]
        elif field.name in shapes:
            values = [shapely.to_wkb(value) for value in values]
        columns[field.name] = [int(value) if isinstance(value, bool) else value for value in values]
    return columns


def _or_null(values: pd.Series) -> list[Any]:
    """Plain values, None where one is missing; whole numbers stay whole beside missing ones."""
    whole = values.name in _WHOLE
    plain = (values.astype("Int64") if whole else values).astype(object)
    return list(plain.where(values.notna(), None))


def _one_row(scope: Scope, run: Run) -> dict[str, Sequence[Any]]:
    return {
        "run_id": [run.run_id],
        "org_id": [scope.org_id],
        "parameters": [run.parameters],
        "input_hashes": [json.dumps(run.input_hashes)],
        "code_version": [run.code_version],
        "seed": [run.seed],
        "generated_at_us": [run.generated_at_us],
        "created_by": [run.created_by],
        "summary": [json.dumps(run.summary, sort_keys=True)],
    }


def _place_columns(scope: Scope, run: Run, places: Sequence[Place]) -> dict[str, Sequence[Any]]:
    columns: dict[str, Sequence[Any]] = {
        "org_id": [scope.org_id] * len(places),
        "run_id": [run.run_id] * len(places),
    }
    for name in (
        "place_id",
        "rank",
        "cluster",
        "kind",
        "name",
        "probability",
        "basis",
        "records",
        "peak_cell",
    ):
        columns[name] = [getattr(place, name) for place in places]
    for name in ("footprint", "evidence", "alternatives"):
        columns[name] = [json.dumps(getattr(place, name)) for place in places]
    return columns


def _run(row: dict[str, Any]) -> Run:
    return Run(
        **(row | {"input_hashes": tuple(json.loads(row["input_hashes"])), "summary": json.loads(row["summary"])})
    )


def _place(row: dict[str, Any]) -> Place:
    parsed = {
        "footprint": tuple(json.loads(row["footprint"])),
        "evidence": json.loads(row["evidence"]),
        "alternatives": tuple(json.loads(row["alternatives"])),
    }
    return Place(**(row | parsed))
