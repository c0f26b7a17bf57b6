"""Routes, links, facilities and single reports on their way out: the same bytes everywhere, no secret, nothing after a purge."""

import json
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from app.services.analysis import run_dict
from app.services.exporting import ExportRequest, export_file
from app.services.layers import released_layer
from app.services.purging import purge
from app.wiring import Lapwing
from data.export.geojson import write_geojson as geojson_bytes
from geo.model import Layer, Profile, RecordKind
from geo.retention import DAY_US
from tests.besides import (
    BESIDES,
    FORMATS,
    GRADED,
    LATER,
    exports,
    fresh,
    graded,
    links_json,
    mark,
    no_sighting_in,
    routes_json,
    seen_by,
    single,
    town,
)
from tests.conftest import NOW_US
from tests.files import TERMS, load, write_csv
from tests.runs import SCOPE, run_of


def test_no_registration_hash_or_sighting_is_in_any_export_log_or_answer(
    lapwing: Lapwing, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = seen_by(6)
    with caplog.at_level(logging.DEBUG):
        run = town(lapwing, tmp_path, rows)
        content = exports(lapwing, run, tmp_path)
    hashes = lapwing.store.evidence.records(SCOPE, [RecordKind.SIGHTINGS])["vehicle_hash"].unique()
    assert len(hashes) == 6
    told = "\n".join(
        [
            content.decode("utf-8", "replace"), json.dumps(run_dict(run)), json.dumps(routes_json(lapwing, run)),
            json.dumps(links_json(lapwing, run)), json.dumps(lapwing.store.audit.events(SCOPE), default=str), caplog.text,
        ]
    )  # fmt: skip
    for secret in [
        *hashes,
        *(hash_[:12] for hash_ in hashes),
        *(mark(v) for v in range(6)),
        *(mark(v).replace(" ", "") for v in range(6)),
    ]:
        assert secret not in told
    for lon, lat in ((str(row[1]), str(row[2])) for row in rows if len(str(row[2])) == len("51.123456")):
        assert lon not in told or lat not in told
    assert no_sighting_in(rows, [route.geometry for route in lapwing.store.runs.routes(SCOPE, run.run_id)])


def test_both_stores_export_the_same_bytes(tmp_path: Path, postgis_url: str) -> None:
    found = []
    for name, store in (("lite", "sqlite:///lapwing.db"), ("post", postgis_url)):
        app, folder = fresh(tmp_path / name, store), tmp_path / f"{name}-files"
        folder.mkdir()
        run = town(app, folder, seen_by(6))
        facilities = [
            (one.kind, one.name, one.records, one.weight, one.evidence)
            for one in app.store.runs.facilities(SCOPE, run.run_id)
        ]
        layers = [
            geojson_bytes(released_layer(app.store, SCOPE, run, layer, Profile.OPERATIONAL))
            for layer in (Layer.CELLS, Layer.PLACES, *BESIDES)
        ]
        for layer in BESIDES:
            for format_name in FORMATS:
                request = ExportRequest(layer=layer, format=format_name, profile=Profile.OPERATIONAL, purpose="review")
                path = folder / f"{layer}.{format_name}"
                export_file(app.store, SCOPE, run, request, path, now_us=NOW_US)
                layers.append(path.read_bytes())
        found.append((run.run_id, run.summary["network"], run.summary["sightings"], facilities, layers))
        app.database.close()
    assert found[0] == found[1]


def test_a_purge_takes_routes_links_facilities_and_single_reports_with_it(lapwing: Lapwing, tmp_path: Path) -> None:
    load(lapwing, write_csv(tmp_path / "g.csv", [graded(1, -2.10, 51.30, "1A", agency="QuokkaAgency")], GRADED))
    run = town(lapwing, tmp_path, seen_by(6))
    facilities = lapwing.store.runs.facilities(SCOPE, run.run_id)
    assert facilities
    (one,) = single(run)
    purge(lapwing.store, SCOPE, LATER)
    held = lapwing.store.runs.get(SCOPE, run.run_id)
    assert held.purged_at_us is not None
    for left in (lapwing.store.runs.routes, lapwing.store.runs.links, lapwing.store.runs.facilities):
        assert left(SCOPE, run.run_id) == []
    text = json.dumps(run_dict(held))
    for told in (one["record"], one["cell"], "QuokkaAgency", "needs_decision", *(p.name for p in facilities)):
        assert told not in text
    assert held.summary.get("network") is None


def test_a_purge_of_sightings_alone_takes_the_routes(lapwing: Lapwing, tmp_path: Path) -> None:
    """Sightings are held for half a year, incidents for two: the run loses its layers when the first of them go."""
    run = town(lapwing, tmp_path, seen_by(6))
    report = purge(lapwing.store, SCOPE, replace(TERMS, now_us=NOW_US + 220 * DAY_US))
    assert set(report.records) == {"sightings"}
    assert lapwing.store.runs.routes(SCOPE, run.run_id) == []
    assert lapwing.store.runs.links(SCOPE, run.run_id) == []
    later = run_of(lapwing, simulations=99)
    assert later.run_id != run.run_id
    assert later.summary["routes"] == 0
    assert later.summary["sightings"]["sightings"] == 0
