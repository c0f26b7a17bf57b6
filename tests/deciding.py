"""Three clusters, what people decide about them, and what then is on every list."""

from pathlib import Path
from typing import Any

from app.services import places
from app.services.deciding import Change, change_place
from app.services.layers import released_layer
from app.services.nominating import nominate
from app.services.tasking import TaskingList, accepted_places
from app.wiring import Lapwing
from data.export.geojson import write_geojson as geojson_bytes
from data.places import Nomination
from geo.decisions import Decision
from geo.model import Layer, Place, Profile, Run, Verdict
from tests.files import load, stack, write_csv, write_geojson
from tests.runs import SCOPE

A, B, C = (-2.36, 51.38), (-2.30, 51.40), (-2.25, 51.35)
SPOTS = [(*A, 12), (*B, 11), (*C, 10)]
LAYERS = (Layer.CELLS, Layer.PLACES, Layer.TASKING, Layer.ROUTES, Layer.NETWORK)
WEST, EAST = (-2.20, 51.30), (-2.1990, 51.30)


def three_clusters(app: Lapwing, folder: Path) -> Lapwing:
    """Load three clusters far apart, of twelve, eleven and ten records."""
    load(app, write_csv(folder / "a.csv", stack(SPOTS)))
    return app


def found(app: Lapwing, run: Run) -> dict[int, Place]:
    """Places of a run by how many records they have."""
    return {place.records: place for place in app.store.runs.places(SCOPE, run.run_id)}


def ids(app: Lapwing, run: Run) -> list[str]:
    return sorted(place.place_id for place in app.store.runs.places(SCOPE, run.run_id))


def decide(app: Lapwing, place_id: str, verdict: Verdict, reason: str = "we looked", **told: Any) -> Decision:
    return change_place(app.store, SCOPE, place_id, Change(verdict=verdict, reason=reason, **told), now_us=app.clock())


def named(app: Lapwing, **told: Any) -> Nomination:
    words: dict[str, Any] = {
        "name": "Victoria Park",
        "kind": "park",
        "geometry": "-2.20,51.42",
        "reason": "told",
        "source": "council",
    }
    return nominate(app.store, SCOPE, **words | told, now_us=app.clock())


def verdict_of(app: Lapwing, run: Run, place_id: str) -> str:
    listed = {one["place"]: one["decision"] for one in places.list_places(app.store, SCOPE, run.run_id)}
    view = places.view_place(app.store, SCOPE, place_id)
    layer = released_layer(app.store, SCOPE, run, Layer.PLACES, Profile.OPERATIONAL).features
    (exported,) = layer.loc[layer["place"] == place_id, "decision"]
    assert listed[place_id] == view.standing.verdict == exported
    return str(exported)


def shared(app: Lapwing, run: Run, profile: Profile) -> set[str]:
    return set(released_layer(app.store, SCOPE, run, Layer.PLACES, profile).features["place"])


def tasked(app: Lapwing, run: Run) -> list[str]:
    """Place ids of the tasking list, which the tasking layer must repeat."""
    listed = [one.place.place_id for one in tasking(app, run).accepted]
    assert set(released_layer(app.store, SCOPE, run, Layer.TASKING, Profile.OPERATIONAL).features["id"]) == set(listed)
    return sorted(listed)


def tasking(app: Lapwing, run: Run) -> TaskingList:
    return accepted_places(app.store, SCOPE, run)


def members(app: Lapwing, run: Run) -> list[bytes]:
    return sorted(
        bytes(key)
        for place_id in ids(app, run)
        for key in app.store.runs.place_records(SCOPE, run.run_id, place_id)["record_key"]
    )


def everything(app: Lapwing, run: Run) -> bytes:
    return b"".join(geojson_bytes(released_layer(app.store, SCOPE, run, one, Profile.OPERATIONAL)) for one in LAYERS)


def refuge_at(app: Lapwing, folder: Path, lon: float, lat: float) -> None:
    point = {"type": "Point", "coordinates": [lon, lat]}
    load(app, write_geojson(folder / "refuge.geojson", [({"name": "R"}, point)]), "protected")
