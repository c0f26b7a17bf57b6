"""Facilities compared with their own kind, and homes with none."""

import json
from pathlib import Path

import pytest

from app.wiring import Lapwing
from tests.files import load, square, stack, write_csv, write_geojson
from tests.runs import SCOPE, run_of


def facility_city(app: Lapwing, folder: Path) -> None:
    """Five takeaways with 9, 4, 0, 0 and 0 records, two parks with 6 and 0, and a home with 8."""
    shops = [(-2.36 + 0.01 * i, 51.38) for i in range(5)]
    spots = [(*shops[0], 9), (*shops[1], 4), (-2.34, 51.405, 6), (-2.36, 51.42, 8)]
    load(app, write_csv(folder / "a.csv", stack(spots)))
    points = [
        ({"name": f"Takeaway {i}", "kind": "takeaway"}, square(lon - 0.0001, lat - 0.0001, 0.0002))
        for i, (lon, lat) in enumerate(shops)
    ]
    load(app, write_geojson(folder / "s.geojson", points), "premises")
    parks = [({"name": f"Park {i}"}, square(-2.341 + 0.02 * i, 51.404, 0.002)) for i in range(2)]
    load(app, write_geojson(folder / "p.geojson", parks), "parks")
    home = [({"name": "1 Quokka Road", "kind": "house"}, square(-2.36005, 51.41995, 0.0001))]
    load(app, write_geojson(folder / "h.geojson", home), "buildings")
    load(app, write_geojson(folder / "b.geojson", [({"name": "Town"}, square(-2.40, 51.36, 0.1))]), "boundary")


def test_facilities_are_counted_exactly_and_homes_never_compared(lapwing: Lapwing, tmp_path: Path) -> None:
    facility_city(lapwing, tmp_path)
    run = run_of(lapwing, area="Town")
    found = lapwing.store.runs.facilities(SCOPE, run.run_id)
    assert {(one.kind, one.name): one.records for one in found} == {
        ("takeaway", "Takeaway 0"): 9, ("takeaway", "Takeaway 1"): 4, ("park", "Park 0"): 6,
    }  # fmt: skip
    kinds = run.summary["facilities"]
    assert set(kinds) == {"park", "takeaway"}
    assert {name: (told["facilities"], told["records"]) for name, told in kinds.items()} == {
        "park": (2, 6),
        "takeaway": (5, 13),
    }
    assert kinds["takeaway"]["hold_80_percent"] == 2
    assert "Quokka" not in json.dumps([kinds, *(vars(one) | {"feature_key": ""} for one in found)], default=str)
    expected = {one.name: one.evidence["expected"] for one in found}
    # Against its own kind: the mean of the four others, since places of a kind are alike without a reason.
    assert expected["Takeaway 0"] == pytest.approx(4 / 4, rel=1e-6) or expected["Takeaway 0"] == pytest.approx(13 / 5)
