"""The synthetic city: what was planted is what is found, and nothing else comes before it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely

from app.services.demonstration import SEED, make_demo
from app.services.import_request import ImportRequest
from app.services.importing import import_file, undo_batch
from app.services.layers import reference_layer
from app.services.places import list_places
from app.services.synthetic import is_synthetic
from app.wiring import Lapwing
from data.demo import write_city
from geo.crs import MetricCrs
from geo.errors import Conflict, InvalidParameter
from geo.model import FeatureKind, Scope
from geo.temporal import LONDON, from_micros
from geo.validate_features import project_geometries
from tests.conftest import NOW_US
from tests.files import TERMS

TODAY = from_micros(NOW_US).astimezone(LONDON).date()


def planted(truth: Path) -> list[tuple[str, str, shapely.Geometry]]:
    features = json.loads(truth.read_text())["features"]
    shapes = project_geometries(np.array([shapely.geometry.shape(f["geometry"]) for f in features]), MetricCrs())
    return [
        (f["properties"]["kind"], f["properties"]["name"], shape)
        for f, shape in zip(features, shapes, strict=True)
        if f["properties"]["kind"] != "route"
    ]


def test_the_planted_places_are_the_first_places(lapwing: Lapwing, scope: Scope) -> None:
    folder = lapwing.settings.state / "demo"
    made = make_demo(lapwing.store, scope, folder, terms=TERMS, say=lambda _: None)
    truth = planted(made.truth)
    found = list_places(lapwing.store, scope, made.run.run_id, top=len(truth))
    assert len(truth) == 8
    assert {(p["kind"], p["name"]) for p in found} == {(kind, name) for kind, name, _ in truth}
    for place in found:
        x_m, y_m = MetricCrs().project(np.array([place["lon"]]), np.array([place["lat"]]))
        shape = next(shape for _, name, shape in truth if name == place["name"])
        assert shapely.distance(shape, shapely.Point(x_m[0], y_m[0])) < 50


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_other_cities_are_found_too(embedded: Lapwing, scope: Scope, tmp_path: Path, seed: int) -> None:
    from app.services.analysis import analyse
    from geo.parameters import AnalysisParameters

    city = write_city(tmp_path / "city", seed=seed, today=TODAY)
    for kind, path in city.files.items():
        request = ImportRequest(kind=kind, source="lapwing demo")
        import_file(embedded.store, scope, path, request, replace(TERMS, synthetic=True))
    run = analyse(embedded.store, scope, AnalysisParameters(area="boundary"), seed=0, now_us=NOW_US)
    truth = planted(city.truth)
    found = list_places(embedded.store, scope, run.run_id, top=len(truth))
    assert {(p["kind"], p["name"]) for p in found} == {(kind, name) for kind, name, _ in truth}


def test_the_same_seed_and_day_make_the_same_files(tmp_path: Path) -> None:
    first, second = (write_city(tmp_path / name, seed=SEED, today=TODAY) for name in ("a", "b"))
    for kind, path in first.files.items():
        assert path.read_bytes() == second.files[kind].read_bytes(), kind
    assert first.truth.read_bytes() == second.truth.read_bytes()


def test_real_and_invented_records_are_never_mixed(embedded: Lapwing, scope: Scope, tmp_path: Path) -> None:
    make_demo(embedded.store, scope, tmp_path / "demo", terms=TERMS, say=lambda _: None)
    file = tmp_path / "mine.csv"
    file.write_text("date,longitude,latitude\n2026-01-01,-2.36,51.38\n")
    with pytest.raises(Conflict, match="synthetic city"):
        import_file(embedded.store, scope, file, ImportRequest(kind="incidents"), TERMS)
    assert embedded.store.evidence.record_counts(scope)["incidents"]["records"] == 244


def test_a_city_half_made_is_made_again(embedded: Lapwing, scope: Scope, tmp_path: Path) -> None:
    city = write_city(tmp_path / "demo", seed=SEED, today=TODAY)
    for kind in ("boundary", "areas", "incidents"):
        request = ImportRequest(kind=kind, source="lapwing demo")
        import_file(embedded.store, scope, city.files[kind], request, replace(TERMS, synthetic=True))
    city.truth.unlink()
    made = make_demo(embedded.store, scope, tmp_path / "demo", terms=TERMS, say=lambda _: None)
    assert made.run.summary["places"] == 8
    counts = embedded.store.evidence.record_counts(scope)
    assert (counts["incidents"]["records"], counts["sightings"]["records"]) == (244, 184)
    again = make_demo(embedded.store, scope, tmp_path / "demo", terms=TERMS, say=lambda _: None)
    assert again.run == made.run


def test_the_name_of_the_synthetic_source_is_reserved(embedded: Lapwing, scope: Scope, tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("date,longitude,latitude\n2026-01-01,-2.36,51.38\n")
    request = ImportRequest(kind="incidents", source="lapwing demo")
    with pytest.raises(InvalidParameter, match="kept for the synthetic city"):
        import_file(embedded.store, scope, file, request, TERMS)


def test_a_store_once_synthetic_stays_so(embedded: Lapwing, scope: Scope, tmp_path: Path) -> None:
    make_demo(embedded.store, scope, tmp_path / "demo", terms=TERMS, say=lambda _: None)
    for batch in embedded.store.evidence.batches(scope):
        undo_batch(embedded.store, scope, batch.batch_id, now_us=NOW_US)
    assert is_synthetic(embedded.store, scope)  # its runs can still be exported
    file = tmp_path / "mine.csv"
    file.write_text("date,longitude,latitude\n2026-01-01,-2.36,51.38\n")
    with pytest.raises(Conflict):
        import_file(embedded.store, scope, file, ImportRequest(kind="incidents"), TERMS)


def test_the_refuge_is_neither_named_nor_drawn(embedded: Lapwing, scope: Scope, tmp_path: Path) -> None:
    made = make_demo(embedded.store, scope, tmp_path / "demo", terms=TERMS, say=lambda _: None)
    refuge = embedded.store.evidence.features(scope, [FeatureKind.PROTECTED])["geometry"].iat[0]
    homes = embedded.store.evidence.features(scope, [FeatureKind.BUILDINGS])["geometry"]
    drawn = reference_layer(embedded.store, scope, made.run, FeatureKind.BUILDINGS)
    assert drawn is not None
    assert shapely.intersects(homes.to_numpy(object), refuge).any()  # it stands in the imported layer
    assert not shapely.intersects(drawn.geometry, refuge).any()
    assert len(homes) - len(drawn) < 4  # and no ring is drawn round it
