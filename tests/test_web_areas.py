"""Figures by area in the browser: levels, days, order, the map, and the file to take away."""

import csv
import io
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from flask.testing import FlaskClient

from app.services.area_export import COLUMNS, areas_csv
from app.services.by_area import ByArea, by_area
from app.web import make_app
from app.web.area_views import in_order
from app.wiring import Lapwing
from geo.disclosure import ReleasedLayer, release
from geo.errors import InvalidParameter
from geo.model import Layer, Profile, Role, Scope
from geo.parameters import AnalysisParameters
from maps.area_map import STATES, draw_areas, draw_sample
from tests.factories import make_run
from tests.files import load, row, square, write_csv, write_geojson
from tests.test_web_pages import sign_in, token

WEST, SOUTH = -2.46, 51.32
SPOTS = {
    "Abbey": (WEST + 0.05, SOUTH + 0.05),
    "Bathwick": (WEST + 0.15, SOUTH + 0.05),
    "Combe": (WEST + 0.05, SOUTH + 0.15),
}
HOSTILE = '<img src=x onerror="alert(1)">&{{7*7}}'


def days(spot: tuple[float, float], first: str, count: int, number: int) -> list[list[Any]]:
    """One record a day at a spot."""
    begin = date.fromisoformat(first)
    return [row(number + i, str(begin + timedelta(days=i % 28)), *spot) for i in range(count)]


@pytest.fixture
def wards(embedded: Lapwing, tmp_path: Path) -> Lapwing:
    """Three wards and one beat round them: more in Abbey, fewer in Bathwick, next to nothing in Combe, one record outside."""
    areas = [
        ({"name": name, "level": "ward"}, square(lon - 0.05, lat - 0.05, 0.1)) for name, (lon, lat) in SPOTS.items()
    ]
    areas.append(({"name": "Beat 7", "level": "beat"}, square(WEST, SOUTH, 0.2)))
    load(embedded, write_geojson(tmp_path / "areas.geojson", areas), "areas")
    records = days(SPOTS["Abbey"], "2026-04-30", 40, 0) + days(SPOTS["Abbey"], "2026-04-02", 12, 100)
    records += days(SPOTS["Bathwick"], "2026-04-30", 6, 200) + days(SPOTS["Bathwick"], "2026-04-02", 30, 300)
    records += [*days(SPOTS["Combe"], "2026-04-30", 3, 400), row(500, "2026-05-27", WEST - 0.5, SOUTH)]
    load(embedded, write_csv(tmp_path / "records.csv", records))
    return embedded


@pytest.fixture
def client(wards: Lapwing) -> FlaskClient:
    return sign_in(make_app(wards), wards)


def table(page: str) -> list[list[str]]:
    """Cells of the rows of the figures."""
    body = re.search(r"<tbody.*?</tbody>", page, re.DOTALL)
    assert body is not None
    rows = re.findall(r"<tr.*?</tr>", body[0], re.DOTALL)
    return [
        [" ".join(re.sub(r"<[^>]+>", "", cell).split()) for cell in re.findall(r"<t[hd].*?</t[hd]>", one, re.DOTALL)]
        for one in rows
    ]


def names(page: str) -> list[str]:
    return [cells[0] for cells in table(page)]


def test_the_finest_level_is_shown_first_with_its_figures(client: FlaskClient) -> None:
    page = client.get("/areas").text
    assert "Up to 27 May 2026" in page
    assert names(page) == ["Abbey", "Bathwick", "Combe", "outside every area"]
    assert [cells[1:3] for cells in table(page)] == [["40", "12"], ["6", "30"], ["3", "0"], ["1", "0"]]
    assert [cells[3].split(" &times;")[0] for cells in table(page)] == [
        "Up",
        "Down",
        "too few to say",
        "too few to say",
    ]
    assert table(page)[0][3].startswith("Up &times; 3.33 (")
    assert {cells[5] for cells in table(page)} == {"not known"}  # nothing of last year


def test_a_level_and_a_day_are_chosen_by_address(client: FlaskClient) -> None:
    page = client.get("/areas?level=beat&as_of=2026-04-29").text
    assert '<option value="beat" selected' in page
    assert '<option value="ward" >Ward (3)' in page
    assert 'value="2026-04-29"' in page
    assert names(page) == ["Beat 7"]
    assert table(page)[0][1:3] == ["42", "not known"]


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ("as_of=2026-02-30", "as_of", "is a date, such as"),
        ("as_of=1066-10-14", "as_of", "lies between 1971 and 2199"),
        ("as_of=%3Cscript%3E", "as_of", "is a date, such as"),
        ("level=galaxy", "level", "no areas of that level"),
    ],
)
def test_what_cannot_be_shown_is_said_at_its_field(client: FlaskClient, query: str, field: str, words: str) -> None:
    answer = client.get(f"/areas?{query}")
    assert answer.status_code == 422
    assert words in answer.text
    assert f'href="#{field}"' in answer.text
    assert f'id="{field}-error"' in answer.text
    assert names(answer.text)[0] == "Abbey"  # the figures of the usual question
    assert "<script>" not in answer.text
    assert "lapwing import" not in answer.text


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("area", "ABC"), ("-area", "CBA"), ("recent", "CBA"), ("-recent", "ABC"), ("-before", "BAC"), ("before", "CAB"),
        ("-change_28_days", "ABC"), ("change_28_days", "BAC"), ("-this_year", "ABC"), ("nonsense", "ABC"),
    ],
)  # fmt: skip
def test_rows_are_sorted_and_what_lies_outside_stands_last(client: FlaskClient, sort: str, order: str) -> None:
    found = names(client.get(f"/areas?sort={sort}").text)
    assert "".join(name[0] for name in found[:3]) == order
    assert found[3:] == ["outside every area"]


def test_headings_turn_the_order_round_and_keep_the_question(client: FlaskClient) -> None:
    page = client.get("/areas?level=ward&as_of=2026-05-27&sort=-recent").text
    assert re.search(r'aria-sort="descending"[^>]*><a[^>]*sort=recent#figures', page)
    assert page.count('aria-sort="none"') == 6
    links = re.findall(r'href="(/areas\?[^"]*)#figures"', page)
    assert len(links) == 7
    assert all("level=ward" in link and "as_of=2026-05-27" in link for link in links)
    assert "-change_28_days" in links[3]


def test_the_map_has_a_pattern_a_name_and_words_for_every_area(client: FlaskClient) -> None:
    page = client.get("/areas").text
    drawn = re.findall(r'<path class="lw-area" fill="url\(#lw-area-(\w+)\)" d="[^"]+"><title>([^<]*)</title>', page)
    assert drawn == [
        ("up", "Abbey: up, 40 after 12"),
        ("down", "Bathwick: down, 6 after 30"),
        ("too_few", "Combe: too few to say, 3 after 0"),
    ]
    for state in STATES:
        assert page.count(f'<pattern id="lw-area-{state}"') == 1
    assert 'aria-label="Map of 3 areas by what changed' in page
    assert not re.search(r'\sstyle="|fill="#', page)


def test_areas_of_which_nothing_is_known_are_hatched(client: FlaskClient) -> None:
    page = client.get("/areas?as_of=2030-01-01").text
    assert set(re.findall(r'fill="url\(#lw-area-(\w+)\)" d=', page)) == {"no_history"}
    assert "<title>Abbey: not known</title>" in page


def test_names_of_areas_are_never_markup(embedded: Lapwing, tmp_path: Path) -> None:
    ward = ({"name": HOSTILE, "level": HOSTILE}, square(WEST, SOUTH, 0.2))
    load(embedded, write_geojson(tmp_path / "areas.geojson", [ward]), "areas")
    load(embedded, write_csv(tmp_path / "records.csv", [row(1, "2026-05-01", WEST + 0.1, SOUTH + 0.1)]))
    page = sign_in(make_app(embedded), embedded).get("/areas").text
    assert "<img" not in page
    assert page.count("&lt;img src=x onerror=") >= 3  # level, map, table
    assert "&amp;49" not in page


def take(client: FlaskClient, **said: str) -> Any:
    form = {"csrf_token": token(client.get("/areas").text), "purpose": "ward meeting"} | said
    return client.post("/areas.csv", data=form)


def test_figures_are_taken_away_for_a_purpose_and_entered_in_the_ledger(client: FlaskClient, wards: Lapwing) -> None:
    answer = take(client, level="ward", as_of="2026-05-27", sort="-before")
    assert answer.mimetype == "text/csv"
    (entry,) = wards.store.audit.disclosures(Scope())
    assert (entry.layer, entry.format, entry.purpose, entry.actor) == ("areas", "csv", "ward meeting", "analyst-2")
    assert entry.features == 4
    assert entry.file_name in answer.headers["Content-Disposition"]
    assert entry.file_name.startswith("OFFICIAL-SENSITIVE_lapwing-areas-operational-2026-05-27-")
    import hashlib

    assert hashlib.sha256(answer.data).hexdigest() == entry.sha256
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert tuple(rows[0]) == COLUMNS
    assert [one["area"] for one in rows] == ["Bathwick", "Abbey", "Combe", "outside every area"]
    abbey = rows[1]
    assert (abbey["level"], abbey["last_28_days"], abbey["28_days_before"]) == ("ward", "40", "12")
    assert float(abbey["ratio_28_days"]) == pytest.approx(40 / 12, abs=1e-4)
    assert float(abbey["low_28_days"]) > 1
    assert (abbey["change_28_days"], abbey["change_this_year"]) == ("up", "not known")
    assert (abbey["last_year"], abbey["ratio_this_year"], abbey["up_to"]) == ("not known", "", "2026-05-27")
    assert (rows[2]["change_28_days"], rows[2]["ratio_28_days"]) == ("too few to say", "")
    assert {one["marking"] for one in rows} == {"OFFICIAL-SENSITIVE"}


@pytest.mark.parametrize(
    ("said", "words"),
    [({"purpose": "  "}, "Say what the figures are for"), ({"level": "galaxy"}, "no areas of that level"), ({"as_of": "x"}, "is a date")],
)  # fmt: skip
def test_nothing_leaves_on_a_question_that_is_wrong(
    client: FlaskClient, wards: Lapwing, said: dict[str, str], words: str
) -> None:
    answer = take(client, **said)
    assert (answer.status_code, answer.mimetype) == (422, "text/html")
    assert words in answer.text
    assert wards.store.audit.disclosures(Scope()) == []


def test_the_file_needs_a_form_token_and_a_planning_role(wards: Lapwing) -> None:
    web = make_app(wards)
    assert sign_in(web, wards).post("/areas.csv", data={"purpose": "x"}).status_code == 400
    web.config["WTF_CSRF_ENABLED"] = False
    assert sign_in(web, wards, Role.COORDINATOR).post("/areas.csv", data={"purpose": "x"}).status_code == 200
    for role in (Role.GIS, Role.AUDITOR, Role.ADMIN, Role.PARTNER, Role.BOARD):
        assert sign_in(web, wards, role).post("/areas.csv", data={"purpose": "x"}).status_code == 403
        assert len(wards.store.audit.disclosures(Scope())) == 1


def test_a_name_that_a_spreadsheet_would_run_is_text(wards: Lapwing) -> None:
    found = by_area(wards.store, Scope(), AnalysisParameters(), as_of=date(2026, 5, 27), level="beat")
    hostile = [one | {"area": "=1+1", "level": "@x"} for one in found.rows]
    named = ByArea(**(vars(found) | {"rows": hostile}))
    assert b"'=1+1,'@x,49,42," in areas_csv(named, marking="M")


def test_an_unbounded_ratio_counts_as_the_largest() -> None:
    verdict = {"verdict": "up", "low": 3.0, "high": None, "ratio": None, "p_value": 0.0}
    known = {"verdict": "up", "low": 1.2, "high": 4.0, "ratio": 2.0, "p_value": 0.01}
    rows = [
        {"area": name, "level": "", "recent": 9, "before": 0, "this_year": 9, "last_year": 0, "change_28_days": change,
         "change_this_year": change}
        for name, change in (("a", known), ("b", verdict), ("c", {"verdict": "too_few", "ratio": 50.0}), ("d", {"verdict": "no_history", "ratio": None}))
    ]  # fmt: skip
    found = ByArea(
        as_of=date(2026, 1, 1), rows=rows, notes=[], unknown={}, shapes=[shapely.box(0, 0, 1, 1)] * 4, levels={"": 4}
    )
    assert [one["area"] for one in in_order(found, "-change_28_days").rows] == ["b", "a", "c", "d"]
    assert [one["area"] for one in in_order(found, "change_this_year").rows] == ["a", "b", "c", "d"]


def layer(*shapes: shapely.Geometry, kind: str = "areas", name: str | None = "Area") -> ReleasedLayer:
    frame = pd.DataFrame({"id": [str(i) for i in range(len(shapes))], "kind": kind, "name": name})
    return release(Layer.REFERENCE, frame, np.asarray(shapes, object), run=make_run(), profile=Profile.OPERATIONAL)


def paths(svg: str) -> list[str]:
    return re.findall(r'<path class="lw-area" [^>]*d="([^"]*)"', svg)


def test_outlines_are_drawn_whole_with_their_holes_and_north_up() -> None:
    north = shapely.box(-2.4, 51.4, -2.3, 51.5)
    holed = shapely.box(-2.4, 51.3, -2.3, 51.4).difference(shapely.box(-2.37, 51.33, -2.33, 51.37))
    svg = draw_areas(layer(north, holed), ["up", "down"], ["a", "b"], label="L")
    first, second = paths(svg)
    assert (first.count("M"), second.count("M")) == (1, 2)
    top, below = (min(int(y) for y in re.findall(r"M\d+ (\d+)", one)) for one in (first, second))
    assert top < below
    width, height = map(int, re.search(r'viewBox="0 0 (\d+) (\d+)"', svg).groups())  # type: ignore[union-attr]
    assert height == 1000
    assert width == pytest.approx(16 + 984 * 0.1 / 0.2 * np.cos(np.radians(51.4)), abs=3)


def test_steps_of_a_path_add_up_to_the_outline() -> None:
    ring = [(-2.4, 51.3), (-2.3, 51.31), (-2.28, 51.39), (-2.39, 51.4), (-2.4, 51.3)]
    (path,) = paths(draw_areas(layer(shapely.Polygon(ring)), ["too_few"], [""], label="L"))
    start, steps = re.fullmatch(r"M(\d+ \d+)l([-\d ]+)z", path).groups()  # type: ignore[union-attr]
    points = np.cumsum(np.array([start.split(), *np.array(steps.split()).reshape(-1, 2)], int), axis=0)
    assert len(points) == 4
    assert points.min() == 8
    assert points[:, 1].max() == pytest.approx(992, abs=1)


def test_a_speck_has_no_path_and_no_mark_and_an_empty_map_is_one() -> None:
    speck = shapely.box(-2.4, 51.4, -2.399999, 51.400001)
    svg = draw_areas(layer(speck, shapely.box(-2.3, 51.3, -2.2, 51.4)), ["up", "no_clear_change"], ["", ""], label="L")
    assert paths(svg)[0] == ""
    assert "lw-area-mark" not in svg
    assert "<path" not in draw_areas(layer(), [], [], label="L").split("</defs>")[1]


def test_only_areas_in_known_states_are_drawn() -> None:
    here = shapely.box(-2.4, 51.3, -2.3, 51.4)
    with pytest.raises(InvalidParameter):
        draw_areas(layer(here, kind="parks"), ["up"], [""], label="L")
    with pytest.raises(InvalidParameter):
        draw_areas(layer(here), ["worse"], [""], label="L")


def test_changes_wear_a_mark_besides_their_colour() -> None:
    marked = {state for state in STATES if "lw-area-mark" in draw_sample(state)}
    assert marked == {"up", "down"}
    patterns = {state: re.search(rf'id="lw-area-{state}".*?</pattern>', draw_areas(layer(), [], [], label=""), re.DOTALL)[0] for state in STATES}  # type: ignore[index]  # fmt: skip
    inks = {state: re.sub(r'^.*?class="lw-area-ground"[^>]*>|\s', "", text) for state, text in patterns.items()}
    assert len(set(inks.values())) == len(STATES)


def test_without_areas_or_records_the_page_leads_on(embedded: Lapwing, tmp_path: Path) -> None:
    web = make_app(embedded)
    client = sign_in(web, embedded)
    assert 'href="/imports/new?kind=areas"' in client.get("/areas").text
    ward = ({"name": "Abbey", "level": "ward"}, square(WEST, SOUTH, 0.2))
    load(embedded, write_geojson(tmp_path / "areas.geojson", [ward]), "areas")
    page = client.get("/areas").text
    assert "There are no records with a position" in page
    assert 'href="/imports/new"' in page
    coordinator = sign_in(web, embedded, Role.COORDINATOR).get("/areas").text
    assert "An analyst imports them" in coordinator
    assert "/imports/new" not in coordinator
