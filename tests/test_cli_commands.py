"""The command line: exit codes, streams, empty states and what is said when something is wrong."""

import csv
import getpass
import json
import os
from pathlib import Path

import pytest

from app.cli import _HOMES, main
from tests.files import Outcome, command, row, square, stack, write_csv, write_geojson

GROUPS = (
    "user add", "user list", "user disable", "audit list", "audit verify", "audit export", "mapping save", "mapping list", "mapping show",
    "stacks list", "stacks rule", "vehicle-key rotate", "place add", "place review", "place withdraw",
    "basemap build", "basemap show",
)  # fmt: skip
SPOTS = [(-2.36, 51.38, 9), (-2.30, 51.40, 7), (-2.25, 51.35, 6)]
AS_OF = ("--as-of", "2026-01-01T00:00:00Z")


class Shell:
    """The command line in this process, which is quicker than a new one each time."""

    def __init__(self, home: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.home, self._capfd = home, capfd

    def __call__(self, *words: object) -> Outcome:
        self._capfd.readouterr()
        try:
            main([str(word) for word in words])
            code: object = 0
        except SystemExit as stop:
            code = stop.code or 0
        out, err = self._capfd.readouterr()
        assert "Traceback" not in err
        assert "lapwing: unexpected" not in err
        return Outcome(int(str(code)), out, err)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Shell:
    for name in [name for name in os.environ if name.startswith("LAPWING_")]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("LAPWING_HOME", str(home))
    monkeypatch.chdir(tmp_path)
    return Shell(home, capfd)


@pytest.fixture
def run(shell: Shell) -> str:
    shell("import", "incidents", write_csv(shell.home / "spots.csv", stack(SPOTS)))
    return str(shell("analyse", *AS_OF, "--json").json["run"])


def place_ids(shell: Shell, run: str) -> list[str]:
    return [one["place"] for one in shell("places", run, "--json").json["places"]]


# --- help and usage ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [*sorted(set(_HOMES) - {group.split()[0] for group in GROUPS}), *GROUPS])
def test_every_command_has_help(shell: Shell, words: str) -> None:
    done = shell(*words.split(), "--help")
    assert (done.code, done.err) == (0, "")
    assert "Usage: lapwing " + words in done.out
    assert "--json" in done.out or words in {"serve", "demo"}


def test_help_lists_every_command(shell: Shell) -> None:
    out = shell("--help").out
    assert all(f"  {name} " in out for name in _HOMES)


@pytest.mark.parametrize(
    "words",
    [
        ["fly"], ["import"], ["import", "people", "a.csv"], ["import", "incidents", "a.csv", "--map", "date"], ["places"],
        ["decide", "p", "accept"], ["decide", "p", "maybe", "--reason", "because"], ["export", "latest", "-o", "a.geojson"],
        ["analyse", "--from", "yesterday"], ["analyse", "--as-of", "now"], ["migrate", "--crs", "London"], ["user", "add", "ann"],
        ["export", "latest", "--layer", "records", "--purpose", "review", "-o", "a.geojson"], ["audit", "list", "--last", "0"],
        ["share", "latest"], ["share", "--purpose", "meeting"], ["share", "latest", "--stop", "--purpose", "meeting"],
        ["share", "--stop", "--sooner", "--purpose", "meeting"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_wrong_usage_is_2_and_says_so_on_stderr(shell: Shell, words: list[str]) -> None:
    done = shell(*words)
    assert (done.code, done.out) == (2, "")
    assert "Error: " in done.err
    assert not (shell.home / "var/lapwing.db").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["analyse", "--eps-m", "0"], "eps_m"),
        (["analyse", "--eps-m", "nan"], "eps_m"),
        (["analyse", "--resolution", "99"], "resolution"),
        (["analyse", "--from", "2024-02-01", "--to", "2024-01-01"], "after --to"),
        (["analyse", "--kinds", "elephants"], "elephants"),
        (["analyse", "--area", "Atlantis"], "Atlantis"),
        (["runs", "--store", "mysql://x"], "sqlite:///relative.db"),
        (["runs", "--store", "sqlite:lapwing.db"], "sqlite:///relative.db"),
        (["runs", "--store", "postgresql://user:s3cret@127.0.0.1:1/none"], "cannot be reached"),
        (["runs", "--store", "postgresql://user:s3cret@[::1/none"], "postgresql"),
        (["runs", "--store", "postgresql://user:s3cret@h/%zz"], "postgresql"),
        (["import", "incidents", "a.csv", "--precision-m", "nan"], "precision"),
        (["import", "incidents", "a.csv", "--precision-m", "inf"], "precision"),
        (["import", "incidents", "a.csv", "--precision-m", "-1"], "precision"),
        (["import", "incidents", "a.csv", "--source", " "], "--source"),
        (["quarantine", "--batch", "nope"], "No batch nope"),
        (["quality", "nope"], "No batch nope"),
        (["undo", "nope"], "No batch nope"),
        (["places", "nope"], "No analysis nope"),
        (["task", "nope"], "No analysis nope"),
        (["places", "latest"], "lapwing"),
        (["explain", "nope"], "No place nope"),
        (["decide", "nope", "accept", "--reason", "because"], "No place nope"),
        (["export", "nope", "--purpose", "review", "-o", "a.geojson"], "No analysis nope"),
        (["share", "nope", "--purpose", "meeting"], "No analysis nope"),
        (["share", "latest", "--purpose", " "], "Say what the analysis is shared for"),
        (["share", "--stop", "--purpose", "meeting"], "No analysis is shared"),
        (["user", "disable", "nobody"], "No user is called nobody"),
        (["user", "add", "a b", "--role", "analyst"], "user name"),
        (["migrate", "--crs", "EPSG:4326"], "not a projected CRS"),
        (["migrate", "--crs", "EPSG:999999"], "not a known"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_fails_is_1_with_one_clear_line(shell: Shell, words: list[str], said: str) -> None:
    write_csv(Path("a.csv"), [row()])
    done = shell(*words, "--json")
    lines = [line for line in done.err.splitlines() if not line.endswith(" ...")]
    assert (done.code, done.out, len(lines)) == (1, "", 1), done
    assert lines[0].startswith("lapwing: ")
    assert said in lines[0]
    assert "s3cret" not in done.err


# --- streams ----------------------------------------------------------------------------------------------------------


def test_json_is_alone_on_stdout(shell: Shell, run: str) -> None:
    place = place_ids(shell, run)[0]
    shell("import", "incidents", write_csv(shell.home / "bad.csv", [row(date="soon")]))
    for words in (
        ["quality"], ["quarantine"], ["runs"], ["places", run], ["explain", place], ["task", run], ["user", "list"], ["audit", "list"],
        ["audit", "verify"], ["migrate"], ["analyse"], ["decide", place, "accept", "--reason", "seen"],
        ["export", run, "--purpose", "review", "-o", shell.home / "a.geojson"],
        ["import", "incidents", shell.home / "bad.csv"],
    ):  # fmt: skip
        done = shell(*words, "--json")
        assert done.code == 0, done
        json.loads(done.out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
        assert len(done.out.splitlines()) == 1


def test_progress_goes_to_stderr(shell: Shell, run: str) -> None:
    done = shell("analyse", "--json", "--eps-m", "140")
    assert "Clustering ..." in done.err
    assert list(done.json) >= ["run"]


def test_the_promised_keys_are_there(shell: Shell, run: str) -> None:
    imported = shell("import", "incidents", shell.home / "spots.csv", "--json").json
    assert {"batches", "read", "accepted", "unlocated", "rejected", "duplicates", "reasons"} <= set(imported)
    assert {"batch", "file", "read"} <= set(imported["batches"][0])
    analysed = shell("analyse", *AS_OF, "--json").json
    promised = {
        "run",
        "records",
        "cells",
        "hot_cells",
        "clusters",
        "places",
        "routes",
        "study_area",
        "unlocated",
        "missing_months",
        "warnings",
    }
    assert promised <= set(analysed)
    assert (analysed["records"], analysed["places"]) == (22, 3)


def test_in_a_process_of_its_own_it_is_the_same(tmp_path: Path) -> None:
    done = command(tmp_path, "places", "nope", "--json")
    assert (done.code, done.out) == (1, "")
    assert done.err == "lapwing: No analysis nope; list them with: lapwing runs\n"


# --- home and actor ---------------------------------------------------------------------------------------------------


def test_relative_stores_lie_in_the_home_never_in_the_current_folder(shell: Shell, tmp_path: Path) -> None:
    assert shell("migrate", "--store", "sqlite:///here/a.db").code == 0
    assert (shell.home / "here/a.db").is_file()
    assert shell("migrate").code == 0
    assert (shell.home / "var/lapwing.db").is_file()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["home"]
    assert shell("migrate", "--store", f"sqlite:///{tmp_path}/absolute.db").code == 0
    assert (tmp_path / "absolute.db").is_file()


def test_a_store_may_be_told_before_or_after_the_command(shell: Shell) -> None:
    shell("--store", "sqlite:///one.db", "migrate")
    assert (shell.home / "one.db").is_file()


def test_the_store_and_its_secrets_are_readable_by_their_owner_only(shell: Shell, run: str) -> None:
    for file in (shell.home / "var/lapwing.db", shell.home / "var/secrets/vehicle.key"):
        assert file.stat().st_mode & 0o077 == 0, file


@pytest.mark.parametrize(("told", "actor"), [("desk 4", "desk 4"), ("", f"cli:{getpass.getuser()}")])
def test_the_actor_is_in_the_log(shell: Shell, monkeypatch: pytest.MonkeyPatch, told: str, actor: str) -> None:
    monkeypatch.setenv("LAPWING_ACTOR", told)
    shell("import", "incidents", write_csv(shell.home / "a.csv", [row()]))
    assert shell("audit", "list", "--json").json["events"][0]["actor"] == actor


# --- empty states -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("runs", "No analysis yet. Make one with: lapwing analyse"),
        ("quality", "Begin with: lapwing import incidents FILE"),
        ("quarantine", "No rows need attention."),
        ("user list", "lapwing user add NAME"),
        ("audit list", "The log is empty."),
        ("audit verify", "0 events, chain intact."),
    ],
)
def test_nothing_yet_is_no_failure(shell: Shell, words: str, said: str) -> None:
    done = shell(*words.split())
    assert (done.code, done.err) == (0, "")
    assert said in done.out


def test_an_empty_store_can_be_analysed(shell: Shell) -> None:
    done = shell("analyse", "--json")
    assert (done.code, done.json["records"], done.json["places"]) == (0, 0, 0)
    assert "found no place of concern" in shell("places", "latest").out
    assert "nothing to plan" in shell("task", "latest").out


# --- the way through --------------------------------------------------------------------------------------------------


def test_task_lists_accepted_places_only_and_says_how_to_accept(shell: Shell, run: str) -> None:
    first, second, third = place_ids(shell, run)
    none = shell("task", run)
    assert none.code == 0
    assert "lapwing decide PLACE accept --reason TEXT" in none.out
    assert shell("task", run, "--json").json["tasking"] == []
    shell("decide", first, "accept", "--reason", "lights are out")
    shell("decide", second, "reject", "--reason", "a police station")
    tasking = shell("task", run, "--json").json
    assert [one["place"] for one in tasking["tasking"]] == [first]
    assert (tasking["waiting"], tasking["rejected"]) == (1, 1)
    shell("decide", first, "reject", "--reason", "seen again")
    shell("decide", third, "accept", "--reason", "seen again")
    assert [one["place"] for one in shell("task", run, "--json").json["tasking"]] == [third]
    history = shell("explain", first, "--json").json["decisions"]
    assert [(one["verdict"], one["reason"]) for one in history] == [
        ("accept", "lights are out"),
        ("reject", "seen again"),
    ]


def test_a_decision_wants_a_reason(shell: Shell, run: str) -> None:
    done = shell("decide", place_ids(shell, run)[0], "accept", "--reason", "  ")
    assert done.code == 1
    assert "Say why" in done.err


def test_the_tasking_list_is_written_and_entered_in_the_ledger(shell: Shell, run: str) -> None:
    shell("decide", place_ids(shell, run)[0], "accept", "--reason", "lights are out")
    done = shell("task", run, "-o", shell.home / "list.csv", "--json")
    with (shell.home / "list.csv").open(encoding="utf-8-sig", newline="") as stream:
        (line,) = csv.DictReader(stream)
    assert line["place"] == done.json["tasking"][0]["place"]
    assert {line[name] for name in ("hazards", "safe_exit", "check_in_contact", "objective")} == {""}
    assert shell("audit", "list", "--json").json["events"][-1]["verb"] == "disclosure"


def test_an_export_to_a_folder_is_named_by_its_disclosure(shell: Shell, run: str) -> None:
    done = shell("export", run, "--layer", "cells", "--purpose", "review", "-o", shell.home, "--json").json
    path = Path(done["output"])
    assert path.is_file()
    assert done["disclosure"] in path.name
    assert done["disclosure"].encode() not in path.read_bytes()


def test_an_export_replaces_the_old_file_whole(shell: Shell, run: str) -> None:
    for name in ("a.geojson", "a.gpkg", "a.csv"):
        path = shell.home / name
        path.write_bytes(b"old" * 1_000_000)
        assert shell("export", run, "--purpose", "review", "-o", path).code == 0
        first = path.read_bytes()
        assert b"oldold" not in first
        assert shell("export", run, "--purpose", "review", "-o", path).code == 0
        assert path.read_bytes() == first
    assert not [one.name for one in shell.home.iterdir() if one.name.startswith(".")]


@pytest.mark.parametrize(("purpose", "target"), [(" ", "a.geojson"), ("review", "no/such/folder/a.geojson")])
def test_a_refused_export_leaves_no_file_and_no_entry(shell: Shell, run: str, purpose: str, target: str) -> None:
    events = len(shell("audit", "list", "--json").json["events"])
    done = shell("export", run, "--purpose", purpose, "-o", shell.home / target)
    assert done.code == 1
    assert not (shell.home / target).exists()
    assert len(shell("audit", "list", "--json").json["events"]) == events


def test_an_ending_that_is_no_format_is_not_quietly_geojson(shell: Shell, run: str) -> None:
    done = shell("export", run, "--purpose", "review", "-o", shell.home / "a.kml")
    assert done.code in {1, 2}
    assert not (shell.home / "a.kml").exists()


def test_an_analysis_is_shared_and_taken_back_by_a_person(shell: Shell, run: str) -> None:
    share = ("share", "--purpose", "quarterly meeting")
    done = shell(*share, run, "--json").json
    assert (done["run"], done["shared"], done["purpose"]) == (run, True, "quarterly meeting")
    assert "is shared already" in shell(*share, "latest").err
    shell("import", "incidents", write_csv(shell.home / "one.csv", [row(99)]))
    second = shell("analyse", *AS_OF, "--json").json["run"]
    refused = shell(*share, second)
    assert (refused.code, "say --sooner" in refused.err) == (1, True)
    assert f"Analysis {second} is shared with partners and boards." in shell(*share, second, "--sooner").out
    other = shell("analyse", "--eps-m", "90", "--json").json["run"]
    assert "its parameters are not the usual ones" in shell(*share, other, "--sooner").err
    done = shell("share", "--stop", "--purpose", "a mistake", "--json").json
    assert (done["run"], done["shared"]) == (second, False)
    assert "Say what sharing is stopped for" in shell("share", "--stop", "--purpose", " ").err
    events = shell("audit", "list", "--json").json["events"]
    told = [(one["verb"], one["subject"]) for one in events if one["subject"].endswith("/shared")]
    acts = [("disclosure", run), ("withdrawal", run), ("disclosure", second), ("withdrawal", second)]
    assert told == [(verb, f"run:{one}/shared") for verb, one in acts]


def test_undo_takes_a_file_back(shell: Shell, run: str) -> None:
    (batch,) = shell("quality", "--json").json["batches"]
    assert shell("undo", batch["batch"], "--json").json == {"batch": batch["batch"], "records": 22, "features": 0}
    assert shell("undo", batch["batch"]).code == 1
    assert shell("analyse", *AS_OF, "--json").json["records"] == 0
    assert shell("quality", "--json").json["batches"][0]["undone"] is True


def test_quarantine_is_written_as_csv(shell: Shell) -> None:
    shell("import", "incidents", write_csv(shell.home / "a.csv", [row(1), row(2, date="soon")]))
    done = shell("quarantine", "-o", shell.home / "c.csv", "--json").json
    assert (done["count"], done["rows"][0]["reason"]) == (1, "bad_date")
    with (shell.home / "c.csv").open(encoding="utf-8-sig", newline="") as stream:
        (line,) = csv.DictReader(stream)
    assert (line["row_number"], line["date"], line["file"]) == ("3", "soon", "a.csv")


def test_a_folder_is_not_called_missing(shell: Shell) -> None:
    done = shell("import", "incidents", shell.home)
    assert done.code == 1
    assert "no such file" not in done.err


def test_reference_geography_comes_in_by_the_same_command(shell: Shell) -> None:
    path = write_geojson(shell.home / "parks.geojson", [({"name": "Park"}, square(-2.37, 51.37, 0.01))])
    done = shell("import", "parks", path, "--json").json
    assert (done["read"], done["accepted"], done["batches"][0]["format"]) == (1, 1, "geojson")


def test_the_option_wins_over_the_environment(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAPWING_STORE", f"sqlite:///{shell.home}/third.db")
    assert shell("runs", "--json", "--store", f"sqlite:///{shell.home}/other.db").json == {"runs": []}
    assert (shell.home / "other.db").exists()
    assert not (shell.home / "third.db").exists()


def test_a_lost_passphrase_is_no_dead_end(shell: Shell) -> None:
    assert shell("user", "add", "amy", "--role", "gis").code == 0
    assert "/sign-in/link/" in shell("user", "token", "amy", "--json").json["link"]
    assert shell("user", "token", "bob").code == 1
