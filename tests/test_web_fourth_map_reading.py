"""What a fourth reader of the map found on its pages: each fault once, so that it stays mended."""

import html
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import shapely

from app.services.drawing import save_area
from app.services.sharing import share_run
from app.web import runs
from app.wiring import Lapwing
from data.evidence import Evidence
from geo.model import FeatureKind, Role, Run, Scope
from tests.clients import client_of
from tests.conftest import NOW_US
from tests.deciding import named
from tests.files import load, row, stack, terms_of, write_csv
from tests.runs import SCOPE, run_of

SPOT = (-2.36, 51.38)


def shared(app: Lapwing) -> Run:
    run = run_of(app)
    share_run(app.store, SCOPE, run.run_id, "weekly meeting", now_us=NOW_US)
    return run


# --- what outsiders are told --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.PARTNER, Role.BOARD, Role.ANALYST])
def test_how_many_records_do_not_say_the_day_is_for_operations(
    embedded: Lapwing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, role: Role
) -> None:
    load(embedded, write_csv(tmp_path / "a.csv", stack([(*SPOT, 12)])))
    run = shared(embedded)
    real = runs.count_view
    monkeypatch.setattr(runs, "count_view", lambda *asked: replace(real(*asked), without_time=3))
    page = client_of(embedded, role).get(f"/runs/{run.run_id}/map?from=2024-03-01&to=2024-03-31")
    assert page.status_code == 200
    assert ("3 records do not say the day" in page.text) is (role is Role.ANALYST)


def test_a_record_that_outsiders_may_not_have_moves_no_end_of_their_months(embedded: Lapwing, tmp_path: Path) -> None:
    rows = [*stack([(*SPOT, 12)]), row(900, "2019-11-05", -2.20, 51.40)]
    load(
        embedded,
        write_csv(tmp_path / "a.csv", [*rows, *(row(50 + i, f"2024-04-{1 + i:02d}", *SPOT) for i in range(9))]),
    )
    run = shared(embedded)

    def offered(role: Role) -> list[str]:
        page = client_of(embedded, role).get(f"/runs/{run.run_id}/map").text
        months = re.search(r'data-months="([^"]*)"', page)
        assert "2019" not in page or role is Role.ANALYST
        return [one["words"] for one in json.loads(html.unescape(months[1]))] if months else []

    assert offered(Role.PARTNER) == ["March 2024", "April 2024"]
    assert offered(Role.BOARD) == []  # one of the months alone is less than ten records
    assert offered(Role.ANALYST)[0] == "November 2019"


# --- what may be chosen -------------------------------------------------------------------------------------------------


def test_kinds_that_only_nominated_places_have_can_be_chosen(worked: Lapwing) -> None:
    run = run_of(worked)
    one = named(worked, kind="car_park")
    client = client_of(worked, Role.ANALYST)
    page = client.get(f"/runs/{run.run_id}/map").text
    assert "car_park" in re.findall(r'name="place_kind" type="checkbox" value="([^"]*)"', page)
    for kind, there in (("car_park", True), ("park", False)):
        assert (one.name in client.get(f"/runs/{run.run_id}/map?place_kind={kind}").text) is there


@pytest.mark.parametrize(
    ("query", "said"),
    [("compare_from=soon", "compare_from: &#39;soon&#39;"), ("compare_to=9999-12-31", "compare_to: 9999-12-31"),
     ("compare_from=2024-03-02&compare_to=2024-03-01", "compare_from 2024-03-02 is after")],
)  # fmt: skip
def test_a_bad_date_to_compare_with_is_called_by_its_name(
    embedded: Lapwing, tmp_path: Path, query: str, said: str
) -> None:
    load(embedded, write_csv(tmp_path / "a.csv", stack([(*SPOT, 12)])))
    answer = client_of(embedded, Role.ANALYST).get(f"/runs/{run_of(embedded).run_id}/map?{query}")
    assert answer.status_code == 422
    assert said in answer.text


# --- areas by name ------------------------------------------------------------------------------------------------------


def test_an_area_is_found_by_its_name_without_loading_every_other(
    embedded: Lapwing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(embedded, write_csv(tmp_path / "a.csv", stack([(*SPOT, 12)])))
    run = run_of(embedded)
    save_area(embedded.store, SCOPE, "Mill Lane", shapely.box(-2.37, 51.37, -2.35, 51.39), terms_of(embedded))
    asked: list[str] = []
    real = Evidence.features

    def features(self: Evidence, scope: Scope, kinds: Sequence[str], *bounds: object) -> pd.DataFrame:
        asked.extend(map(str, kinds))
        return real(self, scope, kinds, *bounds)

    monkeypatch.setattr(Evidence, "features", features)
    client = client_of(embedded, Role.ANALYST)
    page = client.get(f"/runs/{run.run_id}/area?name=Mill+Lane")
    assert (page.status_code, "12 records" in page.text, "level=drawn" in page.text) == (200, True, True)
    assert not {FeatureKind.BOUNDARY, FeatureKind.AREAS} & set(asked)
    for other in ("Mill", "drawn on a map", "mill lane"):  # names of files and sources are for those who import
        assert client.get(f"/runs/{run.run_id}/area", query_string={"name": other}).status_code == 404


# --- layers to take away ------------------------------------------------------------------------------------------------


def test_layers_are_offered_to_others_only_where_an_analysis_may_be_shared(embedded: Lapwing, tmp_path: Path) -> None:
    load(embedded, write_csv(tmp_path / "a.csv", stack([(*SPOT, 12)])))
    client = client_of(embedded, Role.ANALYST)
    form = {"layer": "cells", "format": "csv", "profile": "partner", "purpose": "weekly meeting"}
    for run, may in ((run_of(embedded), True), (run_of(embedded, date_from=date(2024, 3, 2)), False)):
        page = client.get(f"/runs/{run.run_id}/map").text
        (chosen,) = re.findall(r'id="profile" name="profile".*?</select>', page, re.DOTALL)
        assert re.findall(r'value="(\w+)"', chosen) == (
            ["operational", "partner", "public"] if may else ["operational"]
        )
        answer = client.post(f"/runs/{run.run_id}/download", data=form)
        assert answer.status_code == (200 if may else 409)
        assert ("its dates are not whole months" in answer.text) is not may
