"""CSV for spreadsheets: one line a feature, marking and audience in columns; text that would run as a formula is quoted."""

import csv
import io
from typing import Any, Final

from geo.disclosure import ReleasedLayer

# A spreadsheet runs a cell that begins like this as a formula.
# What a layer says of itself as a whole, repeated on every line.
TRAVELS_ALONG: Final = ("generated_at", "study_area", "unlocated_records", "suppressed_features", "handling")
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def write_csv(layer: ReleasedLayer) -> bytes:
    """Return a released layer as CSV (UTF-8 with BOM, so that Excel reads it right); geometry is not included."""
    if not isinstance(layer, ReleasedLayer):
        raise TypeError("only a ReleasedLayer can be exported")
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    names = [field.name for field in layer.fields]
    about = [str(layer.metadata[name]) for name in TRAVELS_ALONG]
    writer.writerow([*names, *TRAVELS_ALONG])
    for row in zip(*(layer.features[name].tolist() for name in names), strict=True):
        writer.writerow([*(spreadsheet_safe(value) for value in row), *map(spreadsheet_safe, about)])
    if not len(layer):  # no feature, but marking and audience all the same
        known = {
            "marking": layer.metadata["marking"],
            "profile": layer.metadata["profile"],
            "run": layer.metadata["run"],
        }
        writer.writerow([*(known.get(name, "") for name in names), *about])
    return out.getvalue().encode("utf-8-sig")


def spreadsheet_safe(value: Any) -> Any:
    """Text that a spreadsheet shows and does not run; numbers stay numbers, missing values empty.

    Examples
    --------
    >>> spreadsheet_safe("=1+1"), spreadsheet_safe("-2.36"), spreadsheet_safe(None)
    ("'=1+1", '-2.36', '')
    """
    if value is None or value != value:
        return ""
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS) and not _is_number(value):
        return "'" + value
    return value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
