"""QGIS styles (QML) for exported layers; QGIS fills in all that is left out."""

from itertools import pairwise
from typing import Final
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray

from geo.classes import RAMP, class_breaks

_HEAD: Final = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"


def _options(values: dict[str, str]) -> str:
    return (
        '<Option type="Map">'
        + "".join(f'<Option type="QString" name={quoteattr(k)} value={quoteattr(v)}/>' for k, v in values.items())
        + "</Option>"
    )


def _fill(name: str, fill: str, line: str, width: float, style: str = "solid") -> str:
    values = {
        "color": fill,
        "style": style,
        "outline_color": line,
        "outline_style": "solid",
        "outline_width": str(width),
        "outline_width_unit": "MM",
        "joinstyle": "round",
    }
    return f'<symbol type="fill" name="{name}" alpha="1" clip_to_extent="1" force_rhr="0"><layer class="SimpleFill" enabled="1" locked="0" pass="0">{_options(values)}</layer></symbol>'


def _rgb(colour: str) -> str:
    """Red, green and blue as QGIS writes them."""
    return ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))


def cell_style(records: NDArray[np.int64]) -> str:
    """Style of cells by count in five classes; cells without records are not drawn."""
    field, breaks = "records", class_breaks(records)
    spans = [(low if i == 0 else low + 1, high) for i, (low, high) in enumerate(pairwise(breaks))]
    ranges = "".join(
        f'<range lower="{low}" upper="{high}" symbol="{i}" render="true" label="{low}{f" to {high}" if high > low else ""}"/>'
        for i, (low, high) in enumerate(spans)
    )
    symbols = "".join(_fill(str(i), f"{_rgb(colour)},190", "255,255,255,90", 0.1) for i, colour in enumerate(RAMP))
    return (
        f'{_HEAD}<qgis version="3.22" styleCategories="Symbology">'
        f'<renderer-v2 type="graduatedSymbol" attr={quoteattr(field)} graduatedMethod="GraduatedColor" symbollevels="0" enableorderby="0" forceraster="0">'
        f"<ranges>{ranges}</ranges><symbols>{symbols}</symbols></renderer-v2><layerGeometryType>2</layerGeometryType></qgis>\n"
    )


def place_style(field: str) -> str:
    """Style of places: an outline with the name beside it."""
    return (
        f'{_HEAD}<qgis version="3.22" styleCategories="Symbology|Labeling" labelsEnabled="1">'
        f'<renderer-v2 type="singleSymbol" symbollevels="0" enableorderby="0" forceraster="0"><symbols>{_fill("0", "75,40,109,30", "75,40,109,255", 0.6)}</symbols></renderer-v2>'
        f'<labeling type="simple"><settings calloutType="simple"><text-style fieldName={quoteattr(field)} isExpression="0" fontFamily="Arial" fontSize="9" fontSizeUnit="Point" textColor="38,20,56,255" textOpacity="1">'
        '<text-buffer bufferDraw="1" bufferSize="0.9" bufferSizeUnits="MM" bufferColor="255,255,255,255" bufferOpacity="0.9"/></text-style>'
        '<placement placement="1" centroidInside="1" offsetUnits="MM" priority="5"/><rendering drawLabels="1" obstacle="1" scaleVisibility="0"/></settings></labeling>'
        "<layerGeometryType>2</layerGeometryType></qgis>\n"
    )


def line_style(field: str, colour: str = "#1b7f8c") -> str:
    """Style of routes and links: a line with its name."""
    values = {"line_color": f"{_rgb(colour)},255", "line_width": "0.9", "line_width_unit": "MM", "capstyle": "round"}
    symbol = f'<symbol type="line" name="0" alpha="1" clip_to_extent="1" force_rhr="0"><layer class="SimpleLine" enabled="1" locked="0" pass="0">{_options(values)}</layer></symbol>'
    return (
        f'{_HEAD}<qgis version="3.22" styleCategories="Symbology|Labeling" labelsEnabled="1">'
        f'<renderer-v2 type="singleSymbol" symbollevels="0" enableorderby="0" forceraster="0"><symbols>{symbol}</symbols></renderer-v2>'
        f'<labeling type="simple"><settings calloutType="simple"><text-style fieldName={quoteattr(field)} isExpression="0" fontFamily="Arial" fontSize="9" fontSizeUnit="Point" textColor="38,20,56,255" textOpacity="1">'
        '<text-buffer bufferDraw="1" bufferSize="0.9" bufferSizeUnits="MM" bufferColor="255,255,255,255" bufferOpacity="0.9"/></text-style>'
        '<placement placement="2" priority="5"/><rendering drawLabels="1" obstacle="1" scaleVisibility="0"/></settings></labeling>'
        "<layerGeometryType>1</layerGeometryType></qgis>\n"
    )
