"""A national month of real rows in one go, on both stores: every row accounted for, from file to layer."""

import json
from pathlib import Path

import pytest

from app.services.analysis import analyse
from app.services.exporting import ExportRequest, export_file
from app.services.import_request import ImportRequest
from app.services.importing import import_file
from app.wiring import Lapwing
from geo.model import Layer, Profile, Scope
from geo.parameters import AnalysisParameters
from tests.conftest import NOW_US
from tests.files import TERMS

pytestmark = [pytest.mark.real, pytest.mark.full]

ROWS, WITHOUT_POSITION = 306_785, 5_895  # counted with pandas, see the data's own README


def test_a_national_month_from_files_to_a_layer(
    lapwing: Lapwing, real_data: Path, tmp_path: Path, scope: Scope
) -> None:
    files = sorted((real_data / "police-street/national-2018-11").glob("*.csv.gz"))
    request = ImportRequest(kind="incidents")
    reports = [import_file(lapwing.store, scope, path, request, TERMS).batch for path in files]
    assert len(files) == 33
    assert sum(batch.read for batch in reports) == ROWS
    assert sum(batch.accepted for batch in reports) + sum(batch.rejected for batch in reports) == ROWS
    run = analyse(lapwing.store, scope, AnalysisParameters(), seed=0, now_us=NOW_US)
    assert run.summary["unlocated"] == WITHOUT_POSITION
    assert run.summary["records"] + WITHOUT_POSITION == sum(batch.accepted for batch in reports)
    request = ExportRequest(layer=Layer.CELLS, format="geojson", profile=Profile.OPERATIONAL, purpose="test")
    done = export_file(lapwing.store, scope, run, request, tmp_path / "cells.geojson", now_us=NOW_US)
    features = json.loads(done.path.read_bytes())["features"]
    assert len(features) == run.summary["cells"]
    assert sum(feature["properties"]["records"] for feature in features) == run.summary["records"]
