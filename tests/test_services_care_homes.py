import json
import pytest, numpy as np, shapely
from geo.attribution import Stated, odds
from geo.reference import Reference
from tests.test_services_naming_readings import *

def row(kinds):
    shapes = np.array([shapely.box(x, 0, x + 8, 7) for x in (0, 12)], object)
    return Reference.of(shapes, *(np.array(c, object) for c in (["premises"]*2, kinds, ["Quokka Lodge", "Neighbour"])))

def test_neighbour():
    at = Stated(np.array([[4.0, 3.5]]), np.array([5.0]), np.zeros(1, bool))
    for other in ("takeaway", "house"):
        seen = odds(at, row(["Children's home", other]))
        print(other, seen.entity, seen.probability, seen.unattributed)
        assert 0 not in seen.entity and not (seen.probability > 0.5).any()

@pytest.mark.parametrize("layer", ["premises", "buildings"])
def test_nowhere(embedded, tmp_path, layer):
    round_about = [(AT[0] + 0.00001 * i, AT[1] + 0.00001 * (i % 3)) for i in range(9)]
    rows = [[*graded(i, *spot, "1A"), 10] for i, spot in enumerate(round_about)]
    load(embedded, write_csv(tmp_path / "a.csv", rows, GRADED + PRECISE))
    load(embedded, write_geojson(tmp_path / "c.geojson", [named_square("Quokka Lodge", "Children's home", AT, 0.0004)]), layer)
    run = run_of(embedded)
    (place,) = embedded.store.runs.places(SCOPE, run.run_id)
    print(place.kind, place.name, place.probability, place.alternatives)
    assert (place.kind, place.name, place.alternatives) == ("unattributed", None, ())
