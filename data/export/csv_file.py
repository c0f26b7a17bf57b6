"""CSV for spreadsheets: one line a feature, marking and audience in columns; text that would run as a formula is quoted."""

import csv
import io
from typing import Any, Final

from geo.disclosure import ReleasedLayer

# A spreadsheet runs a cell that begins like this as a formula.
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def write_csv(layer: ReleasedLayer) -> bytes:
    """Return a released layer as CSV (UTF-8 with BOM, so that Excel reads it right); geometry is not included."""
    if not isinstance(layer, ReleasedLayer):
        raise TypeError("only a ReleasedLayer can be exported")
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    names = [field.name for field in layer.fields]
    writer.writerow(names)
    for row in zip(*(layer.features[name].tolist() for name in names), strict=True):
        writer.writerow([spreadsheet_safe(value) for value in row])
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
