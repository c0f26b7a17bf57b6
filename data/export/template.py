"""Workbooks for partners to fill in: a sheet for their rows, with checks and lists; examples; and what everything means.

No evidence is in them, so nothing is released here. The same template gives the same bytes.
"""

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from data.readers.workbook import ABOUT_SHEET, EXAMPLE_SHEET, LISTS_SHEET
from geo.classes import RAMP
from geo.disclosure import MARKING

Example = Mapping[str, str | float]

OPTIONAL: Final = "optional"
# The first line of the sheet of examples. No column bears its name, so that the sheet cannot be imported by name either.
EXAMPLE_BANNER: Final = "EXAMPLE ONLY. Invented rows on open moorland. This sheet is never imported."
EXAMPLE_HEADER_ROW: Final = 2
# What is typed into a cell of this format stays as it is: a spreadsheet makes a day of the month 2024-03, an American
# date of 09/03/2024 and October of the ages 10-12.
TEXT_FORMAT: Final = "@"
_LAST_ROW: Final = 1_048_576
_NO_MOMENT: Final = datetime(2000, 1, 1)  # noqa: DTZ001 - a constant in place of dates, which would change the bytes
_NARROWEST: Final = 14
_ABOUT_WIDTHS: Final = {"column": 22, "needed": 24, "what it means": 60, "unit or form": 50, "allowed words": 60}


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """What a column of numbers may hold, and how it shows them."""

    least: float
    greatest: float
    number_format: str
    whole: bool = False


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: ``needed`` is ``optional``, ``required`` or says which others would do instead.

    ``if_other`` is what a spreadsheet does about a word that is not listed (``stop``, ``warning`` or ``information``)
    and what it says then.
    """

    name: str
    needed: str
    meaning: str
    form: str
    words: tuple[str, ...] = ()
    allowed: str = ""
    if_other: tuple[str, str] = ("stop", "")
    numbers: Numbers | None = None
    max_length: int | None = None
    width: int = 0

    @property
    def help(self) -> str:
        """What a cell says when it is chosen."""
        return f"{self.needed.capitalize()}. {self.meaning} {self.form}"

    @property
    def number_format(self) -> str:
        """Format of its cells: text, unless it holds numbers."""
        return self.numbers.number_format if self.numbers else TEXT_FORMAT


@dataclass(frozen=True, kw_only=True)
class Template:
    """A workbook to be: ``name`` is the sheet to fill in, ``about`` the lines to read under their headings."""

    name: str
    columns: tuple[Column, ...]
    examples: tuple[Example, ...]
    about: Mapping[str, Sequence[str]]


def write_template(template: Template) -> bytes:
    """Return the workbook (XLSX)."""
    from openpyxl import Workbook

    book = Workbook()
    book.properties.creator = "Lapwing"
    book.properties.title = f"Lapwing template: {template.name}"
    book.properties.created = book.properties.modified = _NO_MOMENT
    sheet = book.active
    sheet.title = template.name
    _fill_data(sheet, template.columns)
    _fill_example(book.create_sheet(EXAMPLE_SHEET), template)
    _fill_about(book.create_sheet(ABOUT_SHEET), template)
    if any(column.words for column in template.columns):
        _fill_lists(book.create_sheet(LISTS_SHEET), template.columns)
    return _packed(book)


def _packed(book: Any) -> bytes:
    """Save, then pack anew: the times in the archive are the clock's, and those of a template must not be."""
    from openpyxl.writer.excel import ExcelWriter

    first, second = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(first, "w", zipfile.ZIP_DEFLATED) as archive:
        ExcelWriter(book, archive).save()  # not book.save, which writes the clock's time into the properties
    with zipfile.ZipFile(first) as archive, zipfile.ZipFile(second, "w") as packed:
        for name in archive.namelist():
            member = zipfile.ZipInfo(name, date_time=_NO_MOMENT.timetuple()[:6])
            packed.writestr(member, archive.read(name), zipfile.ZIP_DEFLATED)
    return second.getvalue()


def _lettered(columns: Sequence[Column]) -> list[tuple[str, Column]]:
    from openpyxl.utils import get_column_letter

    return [(get_column_letter(number), column) for number, column in enumerate(columns, start=1)]


def _fill_data(sheet: Any, columns: Sequence[Column]) -> None:
    _write_header(sheet, columns, row=1)
    ranges = _list_ranges(columns)
    for letter, column in _lettered(columns):
        check = _check(column, ranges.get(column.name, ""))
        check.add(f"{letter}2:{letter}{_LAST_ROW}")
        sheet.add_data_validation(check)
    sheet.auto_filter.ref = f"A1:{_lettered(columns)[-1][0]}{_LAST_ROW}"
    sheet.oddFooter.center.text = f"{MARKING} when filled in"


def _write_header(sheet: Any, columns: Sequence[Column], *, row: int) -> None:
    """Names, formats and widths. What is needed is dark and bold; each cell and the sheet About say it in words too."""
    from openpyxl.styles import Font, PatternFill

    for letter, column in _lettered(columns):
        needed = column.needed != OPTIONAL
        cell = sheet[f"{letter}{row}"]
        cell.value = column.name
        cell.font = Font(bold=needed, color="FFFFFF" if needed else "000000")
        cell.fill = PatternFill("solid", fgColor=(RAMP[-1] if needed else RAMP[0]).lstrip("#").upper())
        dimension = sheet.column_dimensions[letter]
        dimension.width = column.width or max(_NARROWEST, len(column.name) + 5)
        dimension.number_format = column.number_format
    sheet.freeze_panes = f"A{row + 1}"
    sheet.page_setup.orientation = "landscape"


def _check(column: Column, list_range: str) -> Any:
    """Return the check of a column's cells, with what it says when a cell is chosen and when it refuses."""
    from openpyxl.worksheet.datavalidation import DataValidation

    check = DataValidation(allow_blank=True, showInputMessage=True, showErrorMessage=True)
    check.promptTitle = check.errorTitle = column.name
    check.prompt = column.help
    if list_range:
        check.type, check.formula1 = "list", list_range
        check.errorStyle, check.error = column.if_other
    elif numbers := column.numbers:
        check.type, check.operator = "whole" if numbers.whole else "decimal", "between"
        check.formula1, check.formula2 = str(numbers.least), str(numbers.greatest)
        check.error = f"{column.name} is a number from {numbers.least:g} to {numbers.greatest:,.0f}. {column.form}"
    elif column.max_length:
        check.type, check.operator, check.formula1 = "textLength", "lessThanOrEqual", str(column.max_length)
        check.error = f"Longer than {column.max_length:,} characters: the row would be refused at import."
    return check


def _list_ranges(columns: Sequence[Column]) -> dict[str, str]:
    listed = _lettered([column for column in columns if column.words])
    return {column.name: f"{LISTS_SHEET}!${letter}$2:${letter}${len(column.words) + 1}" for letter, column in listed}


def _fill_lists(sheet: Any, columns: Sequence[Column]) -> None:
    listed = [column for column in columns if column.words]
    _write_header(sheet, listed, row=1)
    for letter, column in _lettered(listed):
        for row, word in enumerate(column.words, start=2):
            sheet[f"{letter}{row}"].value = word
            sheet[f"{letter}{row}"].number_format = TEXT_FORMAT
    sheet.protection.sheet = True


def _fill_example(sheet: Any, template: Template) -> None:
    from openpyxl.styles import Font

    _write_header(sheet, template.columns, row=EXAMPLE_HEADER_ROW)
    sheet["A1"].value = EXAMPLE_BANNER
    sheet["A1"].font = Font(bold=True)
    for number, example in enumerate(template.examples, start=EXAMPLE_HEADER_ROW + 1):
        for letter, column in _lettered(template.columns):
            cell = sheet[f"{letter}{number}"]
            cell.value = example.get(column.name)
            cell.number_format = column.number_format
    sheet.protection.sheet = True  # who types here would wonder why nothing of it is imported


def _fill_about(sheet: Any, template: Template) -> None:
    from openpyxl.styles import Alignment, Font

    for heading, lines in template.about.items():
        sheet.append([heading])
        sheet.cell(sheet.max_row, 1).font = Font(bold=True)
        for line in lines:
            sheet.append([line])
        sheet.append([None])
    sheet.append(list(_ABOUT_WIDTHS))
    for cell in sheet[sheet.max_row]:
        cell.font = Font(bold=True)
    for column in template.columns:
        sheet.append([column.name, column.needed, column.meaning, column.form, column.allowed])
        for cell in sheet[sheet.max_row]:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    for letter, width in zip("ABCDE", _ABOUT_WIDTHS.values(), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.page_setup.orientation = "landscape"
    sheet.protection.sheet = True
