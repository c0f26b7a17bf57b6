"""Words on a picture: measured before they are drawn, and never read as anything but words."""

from functools import cache
from typing import Any, Final

FONT: Final = "DejaVu Sans"  # comes with matplotlib: the same on every machine
PT_MM: Final = 25.4 / 72


@cache
def font(size_pt: float, *, bold: bool = False) -> Any:
    """Return the one font in a size."""
    from matplotlib.font_manager import FontProperties

    return FontProperties(family=FONT, size=size_pt, weight="bold" if bold else "normal")


def plain(text: str) -> str:
    """Return text on one line, with a question mark for each character that the font does not have."""
    from matplotlib.font_manager import findfont, get_font

    face = get_font(findfont(font(8)))
    return "".join(one if face.get_char_index(ord(one)) else "?" for one in " ".join(text.split()))


def width_mm(text: str, size_pt: float, *, bold: bool = False) -> float:
    """Return how wide plain text is."""
    from matplotlib.textpath import text_to_path

    width, _, _ = text_to_path.get_text_width_height_descent(text, font(size_pt, bold=bold), ismath=False)
    return float(width) * PT_MM


def wrapped(text: str, size_pt: float, room_mm: float, lines: int) -> list[str]:
    """Return text in at most so many lines of a width; what does not fit ends in three dots."""
    found: list[str] = []
    rest = plain(text)
    while rest and len(found) < lines:
        line = _fitting(rest, size_pt, room_mm)
        rest = rest[len(line) :].lstrip()
        if rest and len(found) == lines - 1:
            line = _fitting(line, size_pt, room_mm - width_mm("...", size_pt)).rstrip(" ,;.") + "..."
        found.append(line.rstrip())
    return found


def _fitting(text: str, size_pt: float, room_mm: float) -> str:
    """Return as many whole words as fit, or characters of a word that is too long."""
    if width_mm(text, size_pt) <= room_mm:
        return text
    low, high = 1, len(text)
    while low < high:  # the longest beginning that fits
        middle = (low + high + 1) // 2
        low, high = (middle, high) if width_mm(text[:middle], size_pt) <= room_mm else (low, middle - 1)
    space = text.rfind(" ", 0, low + 1)
    return text[: space if space > 0 else low]
