"""Rows needing attention: listed, and written as a file that can be corrected and imported again."""

import csv
import io
import json
from typing import Any

import pandas as pd

from data.audit import Verb
from data.export.csv_file import spreadsheet_safe
from data.readers.files import ABOUT_CORRECTIONS, POLICE_UK, SNAPPED_PRECISION_M
from data.store import Store
from geo.model import Scope
from geo.validate import RECORD_FIELDS, Reason


def rows_needing_attention(store: Store, scope: Scope, batch_id: str | None = None) -> pd.DataFrame:
    """Every rejected row with its file, row number, field, reason and what to do."""
    if batch_id is not None:
        store.evidence.batch(scope, batch_id)
    return store.evidence.quarantine(scope, batch_id)


def hand_out_corrections(store: Store, scope: Scope, batch_id: str | None = None, *, now_us: int) -> str:
    """Return the corrections as CSV and log that they were taken."""
    text = corrections_csv(store, scope, batch_id)
    store.audit.append(scope, Verb.DISCLOSURE, "quarantine", now_us, batch=batch_id or "all")
    return text


def corrections_csv(store: Store, scope: Scope, batch_id: str | None = None) -> str:
    """Rows needing attention as CSV: correct the field named on each row, then import the file again.

    The first columns say what was wrong and are ignored on import; the rest are the fields as read. What the reader
    knew of the whole file (source, snapped positions) is written into each row, so that a corrected row says the same.
    A row that several imports of one source rejected alike is listed as often as in the import that has it most.
    """
    frame = rows_needing_attention(store, scope, batch_id)
    frame = _most_in_one_batch(frame[frame["reason"] != Reason.WRONG_COLUMN_COUNT])  # of those no field is known
    contents = [json.loads(text) for text in frame["row"]]
    fields = [
        name
        for name in (*RECORD_FIELDS, "name", "level", "code", "vintage", "wkt")
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


def _most_in_one_batch(frame: pd.DataFrame) -> pd.DataFrame:
    """Equal rejected rows as the maximum over batches, not their sum: the same file may have come twice."""
    alike = ["kind", "source", "field", "reason", "row"]
    ordinal = frame.groupby([*alike, "batch_id"], sort=False).cumcount()
    return frame[~frame.assign(ordinal=ordinal).duplicated([*alike, "ordinal"])].reset_index(drop=True)


def _known_of_file(entry: pd.Series) -> dict[str, Any]:
    known: dict[str, Any] = {"source": entry["source"]}
    if entry["format"] == POLICE_UK:
        known |= {"location_basis": "snapped", "precision_m": f"{SNAPPED_PRECISION_M:g}"}
    return known
