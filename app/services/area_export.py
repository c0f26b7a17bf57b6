"""Figures by area as a file to take away, entered in the disclosure ledger."""

import csv
import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.services.by_area import ByArea
from app.services.purpose import checked_purpose
from app.services.synthetic import is_synthetic
from data.audit import Disclosure
from data.export.csv_file import spreadsheet_safe
from data.ids import uuid7
from data.store import Store
from geo.compare import Change
from geo.disclosure import MARKING
from geo.model import Profile, Scope

LAYER: Final = "areas"
WINDOWS: Final = ("recent", "before", "this_year", "last_year")
VERDICT_WORDS: Final = {
    Change.UP: "up",
    Change.DOWN: "down",
    Change.NO_CLEAR_CHANGE: "no clear change",
    Change.TOO_FEW: "too few to say",
    "no_history": "not known",
}
_STATED: Final = frozenset({Change.UP, Change.DOWN, Change.NO_CLEAR_CHANGE})
COLUMNS: Final = (
    "area", "level", "last_28_days", "28_days_before", "ratio_28_days", "low_28_days", "high_28_days", "change_28_days",
    "this_year", "last_year", "ratio_this_year", "low_this_year", "high_this_year", "change_this_year", "up_to", "marking",
)  # fmt: skip


@dataclass(frozen=True)
class AreaFile:
    """A file that was handed out, and its name."""

    name: str
    content: bytes


def hand_out_areas(store: Store, scope: Scope, found: ByArea, *, purpose: str, now_us: int) -> AreaFile:
    """Write the figures as CSV and enter them in the ledger; the file begins to exist when its entry does.

    Raises
    ------
    InvalidParameter
        When no purpose is said.
    """
    purpose = checked_purpose(purpose, "the figures are")
    content = areas_csv(found, marking=MARKING + (" (SYNTHETIC)" if is_synthetic(store, scope) else ""))
    disclosure_id = uuid7(now_us)
    name = f"{MARKING}_lapwing-{LAYER}-{Profile.OPERATIONAL}-{found.as_of}-{disclosure_id}.csv"
    store.audit.record_disclosure(
        scope,
        Disclosure(
            disclosure_id=disclosure_id, run_id=LAYER, layer=LAYER, profile=str(Profile.OPERATIONAL), format="csv",
            purpose=purpose.strip(), actor=scope.actor, disclosed_at_us=now_us, file_name=name,
            sha256=hashlib.sha256(content).hexdigest(), features=len(found.rows), suppressed=0,
        ),
    )  # fmt: skip
    return AreaFile(name, content)


def areas_csv(found: ByArea, *, marking: str) -> bytes:
    """Return the figures as the page shows them: what is not known says so, and no ratio stands where nothing is stated."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in found.rows:
        counts = ["not known" if found.unknown[name] else row[name] for name in WINDOWS]
        cells = [
            row["area"],
            row["level"],
            *counts[:2],
            *_change(row["change_28_days"]),
            *counts[2:],
            *_change(row["change_this_year"]),
        ]
        writer.writerow([*map(spreadsheet_safe, cells), found.as_of.isoformat(), marking])
    return out.getvalue().encode("utf-8-sig")


def _change(change: Mapping[str, Any]) -> list[Any]:
    words = VERDICT_WORDS[change["verdict"]]
    if change["verdict"] not in _STATED:
        return ["", "", "", words]
    high = "no bound" if change["high"] is None else change["high"]
    return [change["ratio"], change["low"], high, words]
