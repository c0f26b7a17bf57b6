"""A home that cares for people is never named, and what was reported there is not put on its neighbour."""

from pathlib import Path

import numpy as np
import pytest
import shapely

from app.wiring import Lapwing
from geo.attribution import Stated, odds
from geo.reference import Reference
from tests.besides import GRADED, graded
from tests.files import load, square, write_csv, write_geojson
from tests.runs import SCOPE, run_of

AT = (-2.10, 51.30)


@pytest.mark.parametrize("other", ["takeaway", "house"])
def test_its_neighbour_is_not_named_in_its_place(other: str) -> None:
    shapes = np.array([shapely.box(x, 0, x + 8, 7) for x in (0, 12)], object)
    kinds, names = ["Children's home", other], ["Quokka Lodge", "Neighbour"]
    reference = Reference.of(shapes, *(np.array(column, object) for column in (["premises"] * 2, kinds, names)))
    seen = odds(Stated(np.array([[4.0, 3.5]]), np.array([5.0]), np.zeros(1, bool)), reference)
    assert 0 not in seen.entity
    assert (seen.probability <= 0.5).all()


@pytest.mark.parametrize("layer", ["premises", "buildings"])
def test_a_cluster_on_it_has_no_name_and_no_alternatives(embedded: Lapwing, tmp_path: Path, layer: str) -> None:
    spots = [(AT[0] + 0.00001 * i, AT[1] + 0.00001 * (i % 3)) for i in range(9)]
    rows = [[*graded(i, *spot, "1A"), 10] for i, spot in enumerate(spots)]
    load(embedded, write_csv(tmp_path / "a.csv", rows, (*GRADED, "precision_m")))
    home = ({"name": "Quokka Lodge", "kind": "Children's home"}, square(AT[0] - 0.0002, AT[1] - 0.0002, 0.0004))
    load(embedded, write_geojson(tmp_path / "c.geojson", [home]), layer)
    (place,) = embedded.store.runs.places(SCOPE, run_of(embedded).run_id)
    assert (place.kind, place.name, place.alternatives) == ("unattributed", None, ())
