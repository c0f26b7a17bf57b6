"""Charts of proofs are files that other programs read, the same bytes each time."""

import io
import xml.etree.ElementTree as ET

import pytest
from PIL import Image

from geo.errors import InvalidParameter
from maps.charts import draw_proof

CALIBRATION = {"rate": 0.025, "interval": [0.008, 0.057], "alpha": 0.05}
BACKTEST = {
    "results": [
        {"method": method, "area_fraction": part, "pai": pai, "pai_interval": interval}
        for part in (0.01, 0.05)
        for method, pai, interval in (
            ("lapwing", 12.0, [10.0, 14.0]),
            ("counts", 11.0, None),
            ("kde", None, None),
        )
    ]
}


@pytest.mark.parametrize(("kind", "result"), [("calibration", CALIBRATION), ("backtest", BACKTEST)])
def test_svg_holds_its_words_and_loads_nothing(kind, result):
    drawn = draw_proof(kind, result)
    root = ET.fromstring(drawn)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    links = [value for one in root.iter() for name, value in one.attrib.items() if name.endswith("href")]
    assert all(link.startswith("#") for link in links)
    assert b"<script" not in drawn
    assert draw_proof(kind, result) == drawn


def test_png_is_a_picture():
    picture = Image.open(io.BytesIO(draw_proof("backtest", BACKTEST, "png")))
    assert picture.size[0] > 900
    assert len(picture.convert("RGB").getcolors(1 << 20)) > 20


def test_another_form_is_refused():
    with pytest.raises(InvalidParameter, match="svg or png"):
        draw_proof("calibration", CALIBRATION, "pdf")
