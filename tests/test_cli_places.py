"""Decisions, nominated places, routes, links and facilities on the command line."""

import csv
import os
from pathlib import Path

import pytest

from tests.besides import fresh, seen_by, town
from tests.deciding import EAST, SPOTS, WEST
from tests.files import Outcome, stack, write_csv
from tests.test_cli_commands import Shell

# What a process of its own would have written to stderr.
pytestmark = [
    pytest.mark.filterwarnings(f"error::{name}") for name in ("UserWarning", "RuntimeWarning", "FutureWarning")
]


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Shell:
    for name in [name for name in os.environ if name.startswith("LAPWING_")]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("LAPWING_HOME", str(home))
    monkeypatch.chdir(home)
    return Shell(home, capfd)


def test_the_way_through_on_the_command_line(shell: Shell, tmp_path: Path) -> None:
    def lapwing(*words: object, code: int = 0) -> Outcome:
        done = shell(*words)
        assert done.code == code, done
        assert "Warning" not in done.err
        return done

    lapwing("import", "incidents", write_csv(tmp_path / "a.csv", stack([(*WEST, 6), (*EAST, 8), *SPOTS[:2]])))
    run = lapwing("analyse", "--simulations", 19, "--json").json["run"]
    by_count = {one["records"]: one["place"] for one in lapwing("places", run, "--json").json["places"]}
    one = lapwing(
        "place", "add", "--name", "Quokka Park", "--kind", "park", "--geometry", "-2.20,51.42", "--reason", "told",
        "--source", "council", "--json",
    ).json["place"]  # fmt: skip
    listed = lapwing("places", run)
    assert "Nominated by people, in no ranking:" in listed.out
    assert "Quokka Park" in listed.out
    explained = lapwing("explain", one, "--json").json
    assert (explained["basis"], explained["decision"], explained["decisions"]) == ("nominated", "waiting", [])
    assert "goes with move" in lapwing("decide", by_count[14], "accept", "--reason", "r", "--to", "1,2", code=2).err
    assert "goes with split" in lapwing("decide", by_count[14], "merge", "--reason", "r", "--at", "1,2", code=2).err
    assert "--to LON,LAT" in lapwing("decide", by_count[14], "move", "--reason", "r", code=1).err
    assert "--to" in lapwing("decide", by_count[14], "move", "--reason", "r", "--to", "here", code=1).err
    split = lapwing(
        "decide", by_count[14], "split", "--reason", "two doors", "--at", f"{WEST[0]},{WEST[1]}", "--at", f"{EAST[0]},{EAST[1]}",
        "--json",
    ).json  # fmt: skip
    assert len(split["parts"]) == 2
    told = lapwing("decide", by_count[12], "merge", "--reason", "one park", "--into", by_count[11]).out
    assert f"lapwing decide {by_count[12]} undo" in told
    later = lapwing("analyse", "--simulations", 19, "--json").json["run"]
    assert later != run
    counts = sorted(place["records"] for place in lapwing("places", later, "--json").json["places"])
    assert counts == [6, 8, 23]
    for place in (by_count[11], one):
        lapwing("decide", place, "accept", "--reason", "seen")
    rows = lapwing("task", later, "-o", tmp_path / "t.csv", "--json").json["tasking"]
    assert {one["place"] for one in rows} == {by_count[11], one}
    with (tmp_path / "t.csv").open(encoding="utf-8-sig", newline="") as stream:
        assert {line["place"] for line in csv.DictReader(stream)} == {by_count[11], one}
    history = lapwing("explain", by_count[11]).out
    assert "accept: seen" in history
    assert "lapwing decide" not in lapwing("decide", by_count[12], "undo", "--reason", "wrong").out
    assert lapwing("analyse", "--simulations", 19, "--json").json["places"] == 4


def test_an_undo_is_explained_as_an_undo(shell: Shell, tmp_path: Path) -> None:
    shell("import", "incidents", write_csv(tmp_path / "a.csv", stack(SPOTS)))
    run = shell("analyse", "--simulations", 19, "--json").json["run"]
    one = shell("places", run, "--json").json["places"][0]["place"]
    for verdict in ("accept", "undo"):
        shell("decide", one, verdict, "--reason", f"because of {verdict}")
    told = shell("explain", one, "--json").json["decisions"]
    assert [decision["verdict"] for decision in told] == ["accept", "undo"]


def test_routes_links_and_facilities_on_the_command_line(shell: Shell, tmp_path: Path) -> None:
    app = fresh(shell.home, "sqlite:///var/lapwing.db")
    run = town(app, tmp_path, seen_by(6)).run_id
    app.database.close()
    routes = shell("routes", run, "--json").json
    assert [one["vehicles"] for one in routes["routes"]] == [6]
    assert not {"geometry", "vehicle", "vehicle_hash", "lon", "lat"} & set(routes["routes"][0])
    linked = shell("linked", "latest", "--json").json["links"]
    assert [one["vehicles"] for one in linked] == [6]
    explained = shell("explain", linked[0]["first"])
    assert "Linked: Park" in explained.out
    kinds = shell("facilities", run, "--json").json["kinds"]
    assert set(kinds) == {"park"}
    assert shell("facilities", run, "--kind", "house").code == 2  # homes are never compared
    for words in (["routes", run], ["linked", run], ["facilities", run], ["places", run]):
        done = shell(*words)
        assert (done.code, done.err) == (0, "")
        assert "ZZK" not in done.out


def test_a_kind_of_facility_that_does_not_exist_is_not_called_empty(shell: Shell, tmp_path: Path) -> None:
    app = fresh(shell.home, "sqlite:///var/lapwing.db")
    town(app, tmp_path, seen_by(1), with_roads=False)
    app.database.close()
    done = shell("facilities", "latest", "--kind", "takeawy")
    assert done.code in {1, 2}


def test_without_sightings_the_answer_says_how_to_get_some(shell: Shell, tmp_path: Path) -> None:
    shell("import", "incidents", write_csv(tmp_path / "a.csv", stack([(-2.36, 51.38, 6)])))
    shell("analyse", "--simulations", 19)
    assert "lapwing import sightings FILE" in shell("routes", "latest").out
    assert "No two places" in shell("linked", "latest").out
    assert shell("routes", "nope").code == 1
