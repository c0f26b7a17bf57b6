"""A council that supplies its file again and again under one mapping."""

from pathlib import Path

from app.services import mappings
from app.services.import_request import ImportReport, ImportRequest
from app.services.importing import import_file
from app.services.terms import Terms
from app.wiring import Lapwing
from tests.conftest import NOW_US
from tests.files import TERMS
from tests.runs import SCOPE

HEADER = ("ref", "date", "longitude", "latitude", "type")
MAPPING = """
kind = "incidents"
source = "Anytown Council"
key = ["id"]
full_supply = true
[columns]
id = "ref"
kind = "type"
"""


def save_mapping(app: Lapwing, text: str = MAPPING) -> None:
    mappings.save(app.store, SCOPE, "council", text, now_us=NOW_US)


def supply(app: Lapwing, path: Path, terms: Terms = TERMS) -> ImportReport:
    request = mappings.load(app.store, SCOPE, "council").applied_to(ImportRequest(kind="incidents"))
    return import_file(app.store, SCOPE, path, request, terms)
