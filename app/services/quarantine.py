"""Rows needing attention: listed, and written as a file that can be corrected and imported again."""

import csv
import io
import json
from typing import Any, Final

import pandas as pd

from data.audit import Verb
from data.export.csv_file import spreadsheet_safe
from data.readers.files import ABOUT_CORRECTIONS, PUBLISHERS, SNAPPED_PRECISION_M
from data.store import Store
from geo.errors import InvalidParameter
from geo.model import Scope
from geo.problems import Reason
from geo.validate import RECORD_FIELDS

_ALIKE: Final = ["kind", "source", "field", "reason", "row"]
ALIKE_ORDINAL: Final = [*_ALIKE, "ordinal"]


def rows_needing_attention(
    store: Store, scope: Scope, batch_id: str | None = None, kind: str | None = None
) -> pd.DataFrame:
    """Every rejected row with its file, row number, field, reason and what to do."""
    if batch_id is not None:
        store.evidence.batch(scope, batch_id)
    frame = store.evidence.quarantine(scope, batch_id)
    return frame if kind is None else frame[frame["kind"] == kind].reset_index(drop=True)


def hand_out_corrections(
    store: Store, scope: Scope, batch_id: str | None = None, kind: str | None = None, *, now_us: int
) -> tuple[str, int]:
    """Return the corrections as CSV with the number of its rows, and log that they were taken."""
    text = corrections_csv(store, scope, batch_id, kind)
    store.audit.append(scope, Verb.DISCLOSURE, "quarantine", now_us, batch=batch_id or "all", kind=kind or "any")
    return text, sum(1 for _ in csv.reader(io.StringIO(text))) - 1


def corrections_csv(store: Store, scope: Scope, batch_id: str | None = None, kind: str | None = None) -> str:
    """Rows needing attention as CSV: correct the field named on each row, then import the file again.

    The first columns say what was wrong and which row it is; the rest are the fields as read. What the reader knew of
    the whole file (source, snapped positions) is written into each row, so that a corrected row says the same. A row
    that several imports of one source rejected alike is listed as often as in the import that has it most.

    Raises
    ------
    InvalidParameter
        When the rows are of several kinds: a file is imported as one kind.
    """
    frame = rows_needing_attention(store, scope, batch_id, kind)
    frame = frame[frame["reason"] != Reason.WRONG_COLUMN_COUNT]  # of those no field is known
    if len(kinds := sorted(frame["kind"].unique())) > 1:
        raise InvalidParameter(f"These rows are of kinds {', '.join(kinds)}; write one file a kind with --kind.")
    frame = frame[~_ordinals(frame).duplicated(ALIKE_ORDINAL)].reset_index(drop=True)
    contents = [json.loads(text) for text in frame["row"]]
    fields = [
        name
        for name in dict.fromkeys((*RECORD_FIELDS, "name", "level", "code", "vintage"))
        if any(name in row for row in contents)
    ]
    extra = [name for name in ("source", "location_basis", "precision_m") if name not in fields]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([*ABOUT_CORRECTIONS, *fields, *extra])
    for (_, entry), content in zip(frame.iterrows(), contents, strict=True):
        known = _known_of_file(entry)
        values = {name: content.get(name) or known.get(name, "") for name in (*fields, *extra)}
        about = [
            entry["batch_id"],
            entry["file_name"],
            entry["row_number"],
            entry["field"],
            entry["reason"],
            entry["detail"],
        ]
        writer.writerow(
            [*map(spreadsheet_safe, about), *(spreadsheet_safe(values[name]) for name in (*fields, *extra))]
        )
    return out.getvalue()


def with_repeats(store: Store, scope: Scope, corrected: pd.DataFrame) -> pd.DataFrame:
    """Add to corrected rows (``batch``, ``row_number``) those that other batches rejected alike.

    The same file may have come twice: its bad row is one row, and one correction is enough. Repeats within one batch
    are rows of their own.
    """
    listed = _ordinals(store.evidence.quarantine(scope).rename(columns={"batch_id": "batch"}), batch="batch")
    alike = listed.merge(corrected, on=["batch", "row_number"])[ALIKE_ORDINAL]
    return listed.merge(alike.drop_duplicates(), on=ALIKE_ORDINAL)[["batch", "row_number"]]


def _ordinals(frame: pd.DataFrame, *, batch: str = "batch_id") -> pd.DataFrame:
    """Number equal rejected rows within each batch."""
    return frame.assign(ordinal=frame.groupby([*_ALIKE, batch], sort=False).cumcount())


def _known_of_file(entry: pd.Series) -> dict[str, Any]:
    known: dict[str, Any] = {"source": entry["source"]}
    if entry["format"] in PUBLISHERS:
        known |= {"location_basis": "snapped", "precision_m": f"{SNAPPED_PRECISION_M:g}"}
    return known
