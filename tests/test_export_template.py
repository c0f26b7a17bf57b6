"""Templates: what a partner fills in is what the importer reads, and nothing in them is evidence."""

import csv
import io
import re
import zipfile
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from openpyxl import Workbook, load_workbook

from app.services.templates import template_of, template_workbook
from data.export.template import EXAMPLE_HEADER_ROW, OPTIONAL, TEXT_FORMAT
from data.readers import FileSource, Reading, read_file
from data.readers.workbook import ABOUT_SHEET, EXAMPLE_SHEET, TEMPLATE_SHEETS
from geo.crs import MetricCrs
from geo.errors import InvalidParameter, MappingError
from geo.guard import RULE_WORDS
from geo.model import FeatureKind, LocationBasis, Method, RecordKind
from geo.place_kinds import place_kind
from geo.problems import MAX_NOTES, MAX_TEXT
from geo.retention import DEFAULT_MONTHS
from geo.validate import HINT_FIELDS, RECORD_FIELDS, RecordRules, Validated, validate_records
from geo.validate_features import FEATURE_FIELDS, POSTCODE_LEVEL, validate_features
from geo.vocabulary import (
    ALL_DETAIL_FIELDS,
    DETAIL_FIELDS,
    HANDLING_CODES,
    INFORMATION_GRADES,
    SEVERAL,
    SOURCE_GRADES,
    WORDS,
    Regime,
    SourceType,
    parse_grade,
)
from tests.conftest import NOW_US

CRS = MetricCrs()
RECORDS, FEATURES = tuple(map(str, RecordKind)), tuple(map(str, FeatureKind))
KINDS = (*RECORDS, *FEATURES)
LAST_ROW = 1_048_576


@cache
def written(kind: str) -> bytes:
    return template_workbook(kind)


def opened(kind: str) -> Workbook:
    return load_workbook(io.BytesIO(written(kind)))


def saved(book: Workbook) -> FileSource:
    out = io.BytesIO()
    book.save(out)
    return FileSource("sent.xlsx", content=out.getvalue())


@cache
def examples(kind: str) -> list[dict[str, Any]]:
    header, *rows = opened(kind)[EXAMPLE_SHEET].iter_rows(min_row=EXAMPLE_HEADER_ROW, values_only=True)
    return [{name: value for name, value in zip(header, row, strict=True) if value is not None} for row in rows]


def filled(kind: str, rows: list[dict[str, Any]]) -> FileSource:
    """Return the template as a partner sends it back: rows typed below the header of the first sheet."""
    book = opened(kind)
    sheet = book.worksheets[0]
    names = [cell.value for cell in sheet[1]]
    for number, row in enumerate(rows, start=2):
        assert set(row) <= set(names)
        for name, value in row.items():
            sheet.cell(number, names.index(name) + 1).value = value
    return saved(book)


def checked(kind: str, rows: list[dict[str, Any]]) -> Validated:
    chunk = read_file(filled(kind, rows), kind, crs=CRS).whole()
    rules = RecordRules(kind=kind, source="partner", crs=CRS, now_us=NOW_US)
    return validate_records(chunk.rows, chunk.row_numbers, rules)


def checked_features(kind: str, rows: list[dict[str, Any]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    chunk = read_file(filled(kind, rows), kind, crs=CRS).whole()
    assert chunk.geometry is not None
    return validate_features(chunk.rows, chunk.geometry, chunk.row_numbers, kind=FeatureKind(kind), crs=CRS)


def rejected(kind: str, rows: list[dict[str, Any]]) -> int:
    return len(checked(kind, rows).rejected) if kind in RECORDS else len(checked_features(kind, rows)[1])


@cache
def checks(kind: str) -> Mapping[str, Any]:
    """Return the check of each column of the first sheet, by the column's name."""
    sheet = opened(kind).worksheets[0]
    found = {}
    for check in sheet.data_validations.dataValidation:
        (area,) = check.sqref.ranges
        assert (area.min_row, area.max_row, area.min_col) == (2, LAST_ROW, area.max_col)
        found[sheet.cell(1, area.min_col).value] = check
    return found


@cache
def listed(kind: str, name: str) -> list[str]:
    """Return the words that a column's drop-down offers, read where the drop-down refers to."""
    sheet, area = checks(kind)[name].formula1.split("!")
    return [cell.value for (cell,) in opened(kind)[sheet][area.replace("$", "")]]


@pytest.mark.parametrize("kind", RECORDS)
def test_a_record_template_filled_with_its_own_examples_is_accepted_whole(kind: str) -> None:
    rows = examples(kind)
    found = checked(kind, rows)
    assert found.rejected["detail"].tolist() == []
    assert len(found.accepted) == len(rows) == 2
    assert found.redacted == 0
    located = found.accepted[found.accepted["location_basis"] != LocationBasis.NONE]
    assert len(located) >= 1
    assert (located["precision_m"] > 0).all()


@pytest.mark.parametrize("kind", FEATURES)
def test_a_feature_template_filled_with_its_own_examples_is_accepted_whole(kind: str) -> None:
    rows = examples(kind)
    accepted, refused = checked_features(kind, rows)
    assert refused["detail"].tolist() == []
    assert len(accepted) == len(rows) >= 1
    assert not accepted["repaired"].any()


def test_examples_say_what_they_seem_to_say() -> None:
    incident = checked("incidents", examples("incidents")).accepted
    assert incident["time_basis"].tolist() == ["instant", "interval"]
    assert incident["method"].tolist() == [Method.GIVEN, Method.GRID_REF]
    assert incident[["grade_source", "grade_information", "grade_handling"]].agg("".join, axis=1).tolist() == [
        "2CP",
        "1AC",
    ]
    assert incident["regime"].tolist() == [Regime.UK_GDPR, ""]
    seen = checked("observations", examples("observations"))
    assert '"indicators":["alcohol","poor lighting"]' in seen.accepted["detail"].iloc[0]
    assert seen.accepted["time_basis"].tolist() == ["instant", "month"]
    assert seen.hints["place"].tolist() == ["Example Moor"]
    vehicles = checked("sightings", examples("sightings")).accepted
    assert vehicles["vehicle_hash"].tolist() == ["AB00CDE", "EXAMPLE-V2"]


def test_examples_lie_within_a_kilometre_of_one_spot_in_britain_and_name_fictions() -> None:
    for kind in RECORDS:
        located = checked(kind, examples(kind)).accepted.dropna(subset=["x_m"])
        assert (np.hypot(located["x_m"] - 409_200, located["y_m"] - 387_200) < 1_000).all()
    for row in (row for kind in KINDS for row in examples(kind)):
        for name in {"urn", "code", "session_id", "vehicle_id"} & set(row):
            assert row[name].startswith("EXAMPLE-") or row.get("level") == POSTCODE_LEVEL
        for name in {"source", "agency", "name"} & set(row):
            assert row[name].endswith("(fictional)")


@pytest.mark.parametrize("kind", KINDS)
def test_a_template_that_nobody_filled_in_holds_no_row(kind: str) -> None:
    read = read_file(FileSource("empty.xlsx", content=written(kind)), kind, crs=CRS)
    assert len(read.whole().rows) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_the_examples_cannot_be_imported_by_name_or_saved_alone(kind: str) -> None:
    book = opened(kind)
    with pytest.raises(MappingError, match="EXAMPLE ONLY"):
        read_file(saved(book), kind, Reading(layer=EXAMPLE_SHEET), crs=CRS)
    text = io.StringIO()
    csv.writer(text).writerows(book[EXAMPLE_SHEET].iter_rows(values_only=True))
    with pytest.raises(MappingError, match="EXAMPLE ONLY"):
        read_file(FileSource("example.csv", content=text.getvalue().encode()), kind, crs=CRS)


@pytest.mark.parametrize("kind", KINDS)
def test_the_sheet_to_fill_in_comes_first_and_none_is_hidden(kind: str) -> None:
    book = opened(kind)
    assert book.sheetnames[:3] == [kind, EXAMPLE_SHEET, ABOUT_SHEET]
    assert set(book.sheetnames[1:]) <= TEMPLATE_SHEETS
    assert {sheet.sheet_state for sheet in book.worksheets} == {"visible"}
    assert book.active.title == kind
    sheet = book.worksheets[0]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == f"A1:{sheet.cell(1, sheet.max_column).column_letter}{LAST_ROW}"
    assert [other.protection.sheet for other in book.worksheets] == [False] + [True] * (len(book.worksheets) - 1)


@pytest.mark.parametrize("kind", KINDS)
def test_every_column_is_recognised_under_its_own_name(kind: str) -> None:
    read = read_file(FileSource("empty.xlsx", content=written(kind)), kind, crs=CRS)
    assert read.unused == []
    assert read.used == {name: name for name in read.columns}


@pytest.mark.parametrize("kind", RECORDS)
def test_every_field_that_a_record_of_the_kind_keeps_has_a_column(kind: str) -> None:
    of_other_kinds = set(ALL_DETAIL_FIELDS) - set(DETAIL_FIELDS[kind])
    names = [column.name for column in template_of(kind).columns]
    assert sorted(names) == sorted(set(RECORD_FIELDS) - of_other_kinds)


def test_features_are_asked_for_all_they_keep_and_refuges_only_for_where_they_are() -> None:
    names = {kind: {column.name for column in template_of(kind).columns} for kind in FEATURES}
    assert names[FeatureKind.PROTECTED] == {"longitude", "latitude"}
    for kind in set(FEATURES) - {FeatureKind.PROTECTED}:
        without = set() if kind in {FeatureKind.AREAS, FeatureKind.BOUNDARY} else {"level"}
        assert names[kind] & set(FEATURE_FIELDS) == set(FEATURE_FIELDS) - without


def test_no_template_asks_for_a_person() -> None:
    asked = re.compile(
        r"first_?name|surname|child|victim|suspect|birth|dob|phone|mail|nhs|nino|pupil|ethnic|gender|home"
    )
    for kind in KINDS:
        assert [column.name for column in template_of(kind).columns if asked.search(column.name)] == []


@pytest.mark.parametrize("kind", RECORDS)
def test_a_record_is_refused_without_what_is_needed_and_only_then(kind: str) -> None:
    """Fields that only make sense together are left out together: a time has no day, an end no beginning."""
    together = [{"date", "time"}, {"from", "to"}, {"longitude", "latitude"}]
    row = examples(kind)[0]
    for column in (column for column in template_of(kind).columns if column.name in row):
        out = next((each for each in together if column.name in each), {column.name})
        needed = any(one.needed != OPTIONAL for one in template_of(kind).columns if one.name in out)
        assert rejected(kind, [{name: row[name] for name in row if name not in out}]) == needed, column.name


@pytest.mark.parametrize("kind", FEATURES)
def test_a_feature_is_refused_without_what_is_needed_and_only_then(kind: str) -> None:
    row = examples(kind)[0]
    for column in template_of(kind).columns:
        left = {name: row[name] for name in row if name != column.name}
        if left:
            assert rejected(kind, [left]) == (column.needed != OPTIONAL), column.name


@pytest.mark.parametrize("kind", RECORDS)
def test_any_one_of_the_columns_named_together_will_do(kind: str) -> None:
    said = {column.needed for column in template_of(kind).columns} - {OPTIONAL}
    assert all(re.fullmatch(r"one of \w+ or \w+ required", one) for one in said)
    base = {"date": "2024-03-09"} | ({"vehicle_id": "V1"} if kind == "sightings" else {})
    for one in said:
        first, second = re.findall(r"\w+", one)[2:5:2]
        values = {"date": "2024-03-09", "from": "2024-03-09 20:00", "registration": "AB00 CDE", "vehicle_id": "V1"}
        rest = {name: value for name, value in base.items() if name not in {first, second}}
        assert rejected(kind, [rest | {first: values[first]}, rest | {second: values[second]}]) == 0
        assert rejected(kind, [rest | {"kind": "x"}]) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_needed_columns_look_and_read_different(kind: str) -> None:
    book = opened(kind)
    header = {cell.value: cell for cell in book.worksheets[0][1]}
    about = {row[0]: row for row in book[ABOUT_SHEET].iter_rows(values_only=True)}
    for column in template_of(kind).columns:
        needed = column.needed != OPTIONAL
        assert header[column.name].font.bold is needed
        assert about[column.name][1] == column.needed
        assert ("required" in column.needed) is needed
        assert checks(kind)[column.name].prompt.startswith(column.needed.capitalize() + ". ")


def expected_words(kind: str) -> dict[str, list[str]]:
    """Return what the importer's own vocabulary has for each column of a record kind."""
    own = {name: list(WORDS[name]) for name in DETAIL_FIELDS[kind] if name in WORDS}
    return own | {
        "source_type": [one.value for one in SourceType],
        "regime": [one.value for one in Regime],
        "source_grade": list(SOURCE_GRADES),
        "information_grade": list(INFORMATION_GRADES),
        "handling": list(HANDLING_CODES),
        "grade": [s + i + h for s in SOURCE_GRADES for i in INFORMATION_GRADES for h in HANDLING_CODES],
    }


@pytest.mark.parametrize("kind", RECORDS)
def test_the_lists_are_the_vocabulary(kind: str) -> None:
    offered = {name: listed(kind, name) for name, check in checks(kind).items() if check.type == "list"}
    basis = offered.pop("location_basis")
    assert offered == expected_words(kind)
    assert {parse_grade(grade)[0] for grade in offered["grade"]} == {"3x5x2"}
    spot = {"date": "2024-03-09", "vehicle_id": "V1", "longitude": -1.8654, "latitude": 53.3802}
    kept = checked(kind, [spot | {"location_basis": str(word)} for word in LocationBasis]).accepted["location_basis"]
    assert basis == [str(word) for word, came in zip(LocationBasis, kept, strict=True) if word == came]


@pytest.mark.parametrize("kind", RECORDS)
def test_every_word_of_every_list_is_accepted(kind: str) -> None:
    spot = {"date": "2024-03-09", "vehicle_id": "V1"}
    rows = [
        spot | {name: word}
        for name, check in checks(kind).items()
        if check.type == "list"
        for word in listed(kind, name)
    ]
    assert checked(kind, rows).rejected["detail"].tolist() == []


@pytest.mark.parametrize("kind", ["premises", "buildings"])
def test_the_kinds_offered_are_told_apart_when_places_are_made(kind: str) -> None:
    assert {place_kind(kind, word) for word in listed(kind, "kind")}.isdisjoint({"premises", "building"})


@pytest.mark.parametrize("kind", RECORDS)
def test_a_list_stops_what_the_importer_refuses_and_only_that(kind: str) -> None:
    for name, check in checks(kind).items():
        if check.type != "list":
            continue
        legacy = {"grade": "B24", "source_grade": "B", "information_grade": "4", "handling": "P"}
        row = {"date": "2024-03-09", "vehicle_id": "V1"}
        if name in SEVERAL:
            several = "; ".join(listed(kind, name)[:2])
            assert (check.errorStyle, rejected(kind, [row | {name: several}])) == ("information", 0)
        elif name in legacy:
            assert check.errorStyle == "warning"
            assert rejected(kind, [row | ({"source_grade": "B", "information_grade": "4", "handling": "5"})]) == 0
        elif name != "location_basis":
            assert check.errorStyle in {None, "stop"}
            assert rejected(kind, [row | {name: "no such word"}]) == 1
        assert check.showErrorMessage
        assert not check.showDropDown  # in this format, true hides it
        assert re.search(r"list|Lists|5x5x5", check.error)


@pytest.mark.parametrize("kind", KINDS)
def test_checks_of_length_and_number_are_the_importers(kind: str) -> None:
    for name, check in checks(kind).items():
        if check.type == "textLength":
            assert (check.operator, int(check.formula1)) == (
                "lessThanOrEqual",
                MAX_NOTES if name == "notes" else MAX_TEXT,
            )
        elif check.type in {"whole", "decimal"}:
            least, greatest = float(check.formula1), float(check.formula2)
            assert least < greatest
    if kind == RecordKind.EFFORT:
        bounds = checks(kind)["workers"]
        at = [{"date": "2024-03-09", "workers": int(text)} for text in (bounds.formula1, bounds.formula2)]
        over = [{"date": "2024-03-09", "workers": int(bounds.formula2) + 1}, {"date": "2024-03-09", "workers": 0}]
        assert (rejected(kind, at), rejected(kind, over)) == (0, 2)
    if kind in RECORDS:
        spot = {"date": "2024-03-09", "vehicle_id": "V1", "longitude": -1.8654, "latitude": 53.3802}
        bounds = checks(kind)["precision_m"]
        at = [spot | {"precision_m": float(text)} for text in (bounds.formula1, bounds.formula2)]
        assert rejected(kind, at) == 0
        assert rejected(kind, [spot | {"precision_m": float(bounds.formula2) + 1}]) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_excel_opens_what_was_written(kind: str) -> None:
    """Longer prompts, titles and names of sheets make Excel call the whole file damaged."""
    for check in checks(kind).values():
        assert len(check.promptTitle) <= 32
        assert len(check.errorTitle) <= 32
        assert 0 < len(check.prompt) <= 255
        assert len(check.error or "") <= 225
    assert all(len(name) <= 31 for name in opened(kind).sheetnames)


@pytest.mark.parametrize("kind", KINDS)
def test_no_cell_is_a_formula_or_begins_like_one(kind: str) -> None:
    for sheet in opened(kind).worksheets:
        for cell in (cell for row in sheet.iter_rows() for cell in row if cell.value is not None):
            assert cell.data_type in {"s", "n"}
            assert cell.data_type == "n" or not cell.value.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@pytest.mark.parametrize("kind", KINDS)
def test_columns_are_text_unless_they_hold_numbers(kind: str) -> None:
    sheet = opened(kind).worksheets[0]
    for cell in sheet[1]:
        dimension = sheet.column_dimensions[cell.column_letter]
        number = checks(kind)[cell.value].type in {"whole", "decimal"}
        assert (dimension.number_format == TEXT_FORMAT) is not number
        assert dimension.width > len(cell.value)


@pytest.mark.parametrize(
    ("text", "as_a_date", "basis"),
    [
        ("2024-03-09", date(2024, 3, 9), "date"),
        ("09/03/2024", date(2024, 3, 9), "date"),
        ("2024-03-09 21:30", datetime(2024, 3, 9, 21, 30), "instant"),  # noqa: DTZ001 - as a spreadsheet holds it
        ("09/03/2024 21:30", datetime(2024, 3, 9, 21, 30), "instant"),  # noqa: DTZ001
    ],
)
def test_a_date_says_the_same_as_text_and_as_a_date_of_the_spreadsheet(text: str, as_a_date: date, basis: str) -> None:
    found = checked("incidents", [{"date": text}, {"date": as_a_date}]).accepted
    assert found["time_basis"].tolist() == [basis, basis]
    assert len(set(zip(found["from_us"], found["to_us"], strict=True))) == 1


def test_a_time_says_the_same_as_text_and_as_a_time_of_the_spreadsheet() -> None:
    rows = [{"date": "2024-03-09", "time": "21:30"}, {"date": date(2024, 3, 9), "time": time(21, 30)}]
    found = checked("incidents", rows).accepted
    assert len(set(found["from_us"])) == 1
    assert found["time_basis"].tolist() == ["instant", "instant"]


def test_months_and_bands_typed_as_text_stay_what_they_are() -> None:
    rows = [{"date": "2024-03", "age_band": "10-12", "count_band": "3-5"}]
    found = checked("observations", rows).accepted
    assert found["time_basis"].tolist() == ["month"]
    assert found["detail"].tolist() == ['{"age_band":"10-12","count_band":"3-5"}']


@pytest.mark.parametrize("kind", KINDS)
def test_about_explains_every_column_and_what_never_to_write(kind: str) -> None:
    lines = list(opened(kind)[ABOUT_SHEET].iter_rows(values_only=True))
    table = {row[0]: row for row in lines[lines.index(next(row for row in lines if row[0] == "column")) + 1 :]}
    columns = template_of(kind).columns
    assert list(table) == [column.name for column in columns]
    for column in columns:
        assert table[column.name][2:4] == (column.meaning, column.form)
        for word in column.words if column.name != "grade" else column.words[:1]:
            assert word in table[column.name][4]
    text = "\n".join(str(row[0]) for row in lines)
    assert "Never write" in text
    for word in ("names", "Dates of birth", "addresses of children", "telephone numbers", "NHS"):
        assert word in text
    assert "import" in text
    if kind in RECORDS:
        assert all(words in text for words in RULE_WORDS.values())
        assert f"{DEFAULT_MONTHS[kind]} months" in text
    assert ("taken in without it" in text) is (kind == RecordKind.INCIDENTS)


def test_the_effort_template_explains_the_quiet_session() -> None:
    text = "\n".join(str(row[0]) for row in opened("effort")[ABOUT_SHEET].iter_rows(values_only=True))
    assert "nothing was seen" in text
    assert "nothing_seen = yes" in text
    quiet = examples("effort")[1]
    assert set(quiet) == {"from", "to", "area", "workers", "nothing_seen"}
    detail = checked("effort", [quiet]).accepted["detail"].tolist()
    assert detail == ['{"area":"Example Moor","nothing_seen":"yes","workers":2}']


def test_the_words_of_place_are_used_for_placing() -> None:
    row = {"date": "2024-03-09", "place": "Example Moor", "road": "Example Road", "postcode": "ZZ99 9ZZ", "uprn": "001"}
    hints = checked("incidents", [row]).hints
    assert hints[list(HINT_FIELDS)].to_dict("records") == [{name: row[name] for name in HINT_FIELDS}]


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_kind_gives_the_same_bytes_on_any_day(kind: str) -> None:
    first = template_workbook(kind)
    later = datetime.now().astimezone() + timedelta(days=400)
    with (
        mock.patch("time.time", return_value=later.timestamp()),
        mock.patch("time.localtime", return_value=later.timetuple()),
    ):
        assert template_workbook(kind) == first
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert archive.testzip() is None
        assert {one.date_time for one in archive.infolist()} == {(2000, 1, 1, 0, 0, 0)}
        core = archive.read("docProps/core.xml").decode()
    assert re.findall(r"\d{4}-\d\d-\d\dT[\d:]+Z", core) == ["2000-01-01T00:00:00Z"] * 2


def test_templates_of_different_kinds_differ_and_unknown_kinds_are_refused() -> None:
    assert len({template_workbook(kind) for kind in KINDS}) == len(KINDS)
    assert template_workbook(RecordKind.EFFORT) == template_workbook("effort")
    with pytest.raises(InvalidParameter, match="choose from incidents"):
        template_workbook("people")
