"""A page of HTML as a tagged PDF, made without fetching anything from anywhere."""

import base64
from functools import cache
from pathlib import Path
from typing import Final

from geo.errors import DisclosureError, LapwingError

FAMILY: Final = "Lapwing Print"
_PACKAGES: Final = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"


class PrintingError(LapwingError):
    """What makes documents is not installed on this machine."""


def write_pdf(html: str) -> bytes:
    """Return a document as PDF/UA-1, in a font that comes along: the same page on every machine.

    Raises
    ------
    PrintingError
        Saying what to install, where WeasyPrint or Pango is missing.
    DisclosureError
        When the document asks for anything that it does not hold itself; nothing was fetched.
    """
    try:
        import weasyprint
        from weasyprint.text.fonts import FontConfiguration
        from weasyprint.urls import FatalURLFetchingError, URLFetcher
    except ImportError as error:
        raise PrintingError(_missing("WeasyPrint", "pip install 'lapwing[pdf]'")) from error
    except OSError as error:  # WeasyPrint opens Pango as it is imported
        raise PrintingError(_missing("Pango", f"apt-get install {_PACKAGES}")) from error
    fonts, nothing = FontConfiguration(), URLFetcher(allowed_protocols={"data"}, fail_on_errors=True)
    try:
        own = weasyprint.CSS(string=_font_faces(), font_config=fonts, url_fetcher=nothing)
        document = weasyprint.HTML(string=html, url_fetcher=nothing)
        written: bytes = document.write_pdf(stylesheets=[own], font_config=fonts, pdf_variant="pdf/ua-1")
    except FatalURLFetchingError as error:
        raise DisclosureError("A print loads nothing from anywhere, and this one asked for something.") from error
    return written


def picture_address(png: bytes) -> str:
    """Return a picture as an address that a document can hold."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _missing(part: str, how: str) -> str:
    return f"No PDF can be made here, because {part} is missing: {how}. A picture (PNG) needs neither."


@cache
def _font_faces() -> str:
    """Return the font of the pictures as rules of a style sheet."""
    import matplotlib as mpl

    folder = Path(mpl.get_data_path()) / "fonts/ttf"
    faces = {"normal": "DejaVuSans.ttf", "bold": "DejaVuSans-Bold.ttf"}
    return "".join(
        f"@font-face {{ font-family: '{FAMILY}'; font-weight: {weight}; "
        f"src: url(data:font/ttf;base64,{base64.b64encode((folder / name).read_bytes()).decode()}); }}\n"
        for weight, name in faces.items()
    )
