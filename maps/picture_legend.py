"""What stands round the map on a picture: marking, caption, legend, and where it comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from geo.disclosure import ReleasedLayer
from geo.model import Profile
from maps.picture_frame import Frame
from maps.picture_shapes import styled
from maps.picture_styles import INK, LINES, Style
from maps.picture_text import PT_MM, font, width_mm, wrapped

MARGIN_MM: Final = 1.0
SMALL_PT: Final = 7.0
_MARKING_PT: Final = 10.0
_LINE_MM: Final = 3.4
_ROW_MM: Final = 4.4
_MARKING_MM: Final = 5.5
_SWATCH_MM: Final = 5.0
_ENTRY_GAP_MM: Final = 4.0
_CAPTION_LINES: Final = 3
AUDIENCES: Final = {"operational": "operational", "partner": "partner", "public": "board"}

WORDS: Final = {
    "hot": "hot: more than chance explains",
    "looked": "looked, nothing recorded",
    "place": "place of concern, with its number in the list",
    "nominated": "nominated by a person",
    "route": "route that vehicles share",
    "link": "places that go together",
    "parks": "park",
    "buildings": "building",
    "roads": "road",
    "premises": "premises",
    "boundary": "boundary",
}
COARSENED: Final = (
    "Cells with too few records are not shown, and counts are rounded down. A blank is not a quiet place."
)


@dataclass(frozen=True)
class Entry:
    """One line of the legend."""

    name: str
    style: Style
    words: str

    @property
    def width(self) -> float:
        """How much room it takes, mm."""
        return _SWATCH_MM + 1.2 + width_mm(self.words, SMALL_PT) + _ENTRY_GAP_MM


def legend_entries(layers: Sequence[ReleasedLayer], breaks: Sequence[int]) -> list[list[Entry]]:
    """Return the legend in groups: the classes of the cells, then what else of these layers is there to be seen."""
    classes, others = [], {}
    for layer in layers:
        for name, style, chosen in styled(layer, breaks):
            if name.startswith("class "):
                classes.append(Entry(name, style, class_words(int(name[6:]), breaks)))
            elif name in WORDS and chosen.any():
                others[name] = Entry(name, style, WORDS[name])
    return [group for group in (classes, [others[name] for name in WORDS if name in others]) if group]


def class_words(k: int, breaks: Sequence[int]) -> str:
    """Return the limits of a class; the first says of what.

    Examples
    --------
    >>> [class_words(k, [1, 2, 3, 6]) for k in range(3)]
    ['1 to 2 records in a cell', '3', '4 to 6']
    """
    first = breaks[0] if k == 0 else breaks[k] + 1
    limits = f"{first:,} to {breaks[k + 1]:,}" if breaks[k + 1] > first else f"{first:,}"
    return f"{limits} records in a cell" if k == 0 else limits


def legend_rows(groups: Sequence[Sequence[Entry]], room_mm: float) -> list[list[Entry]]:
    """Return the legend in rows that fit; a group begins a new one."""
    rows: list[list[Entry]] = []
    for group in groups:
        used = room_mm
        for entry in group:
            if used + entry.width - _ENTRY_GAP_MM > room_mm or entry is group[0]:
                rows.append([])
                used = 0
            rows[-1].append(entry)
            used += entry.width
    return rows


def height_below(layers: Sequence[ReleasedLayer], breaks: Sequence[int], width: float) -> float:
    """Return how much room legend, notes and marking take below the map."""
    rows = legend_rows(legend_entries(layers, breaks), width)
    return _MARKING_MM + len(_notes(layers, True, width)) * _LINE_MM + len(rows) * _ROW_MM + 2


def height_above(caption: str, width: float) -> float:
    """Return how much room marking and caption take above the map."""
    return _MARKING_MM + (len(wrapped(caption, SMALL_PT, width, _CAPTION_LINES)) + 1) * _LINE_MM + 1


def draw_above(axes: Any, about: Mapping[str, Any], size_mm: tuple[float, float], caption: str) -> None:
    """Draw the marking, what the picture is of, and the caption."""
    width, top = size_mm[0] - 2 * MARGIN_MM, size_mm[1]
    _marking(axes, about, size_mm[0] / 2, top - 4)
    audience = AUDIENCES[str(about["profile"])]
    first = (
        f"Analysis {about['run']}. Audience: {audience}. Records: {about['period']}. Study area: {about['study_area']}."
    )
    lines = [*wrapped(first, SMALL_PT, width, 1), *wrapped(caption, SMALL_PT, width, _CAPTION_LINES)]
    for i, line in enumerate(lines):
        words(axes, MARGIN_MM, top - _MARKING_MM - 2.4 - i * _LINE_MM, line)


def draw_below(
    axes: Any, layers: Sequence[ReleasedLayer], breaks: Sequence[int], frame: Frame, *, unnumbered: bool
) -> None:
    """Draw the legend, the notes and the marking under the map."""
    rows = legend_rows(legend_entries(layers, breaks), frame.width)
    _marking(axes, layers[0].metadata, frame.left + frame.width / 2, 1.8)
    for i, row in enumerate(rows):
        left, middle = frame.left, frame.bottom - 3.4 - i * _ROW_MM
        for entry in row:
            _swatch(axes, entry, left, middle)
            words(axes, left + _SWATCH_MM + 1.2, middle - 0.9, entry.words)
            left += entry.width
    under = frame.bottom - 2 - len(rows) * _ROW_MM
    for i, line in enumerate(_notes(layers, unnumbered, frame.width), start=1):
        words(axes, frame.left, under + 0.8 - i * _LINE_MM, line)


def words(axes: Any, left: float, base: float, text: str) -> None:
    """Draw plain words; a dollar sign is one."""
    axes.text(left, base, text, fontproperties=font(SMALL_PT), color=INK, parse_math=False, va="baseline", zorder=60)


def _marking(axes: Any, about: Mapping[str, Any], middle: float, base: float) -> None:
    prop = font(_MARKING_PT, bold=True)
    axes.text(middle, base, about["marking"], fontproperties=prop, color=INK, parse_math=False, ha="center")


def _notes(layers: Sequence[ReleasedLayer], unnumbered: bool, width: float) -> list[str]:
    about = layers[0].metadata
    told = [
        about.get("notice", ""),
        COARSENED if layers[0].profile is not Profile.OPERATIONAL else "",
        about["handling"],
    ]
    told.append(
        "Where numbers would cover one another, some are left out; the list has all places." if unnumbered else ""
    )
    return wrapped(" ".join(one for one in told if one), SMALL_PT, width, 3)


def _swatch(axes: Any, entry: Entry, left: float, middle: float) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    up = 0.0 if entry.name in LINES else 6 * PT_MM / 2
    corners = [
        (left, middle - up),
        (left + _SWATCH_MM, middle - up),
        (left + _SWATCH_MM, middle + up),
        (left, middle + up),
    ]
    path = Path([corners[0], corners[1]]) if not up else Path([*corners, corners[0]], closed=True)
    axes.add_patch(PathPatch(path, **entry.style))
