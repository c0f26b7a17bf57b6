"""A delimited file read in blocks has the rows, line numbers and refusals of one read row by row."""

import csv
import io
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from data.readers import tabular
from data.readers.plain_lines import frame_of, plain_table, rows_of
from data.readers.sniff import FileFacts
from data.readers.source import FileSource
from data.readers.tables import RawChunk
from geo.errors import UnreadableFile
from geo.problems import Reason

CHUNK = 5
FIELD = st.text(st.sampled_from("ab 1é\ufeff\u2028\x0b\x85"), max_size=3)
ODD_FIELD = st.one_of(
    FIELD, FIELD, FIELD, st.sampled_from(['"a,b"', '"a\nb"', '"a\r\n\nb"', '""', 'a"', '"a" b', '"open'])
)
ENDS = st.sampled_from(["\n", "\n", "\n", "\r\n", "\r", "\n\n", "\r\n\r\n", "\r\r\n"])


@st.composite
def bodies(draw: st.DrawFn) -> tuple[int, str]:
    """Number of columns, and lines below the header."""
    columns, plain = draw(st.integers(1, 3)), draw(st.booleans())
    lines = []
    for _ in range(draw(st.integers(0, 18))):
        width = columns if plain or draw(st.integers(0, 9)) else draw(st.integers(0, 4))
        fields = [draw(FIELD if plain else ODD_FIELD) for _ in range(width)]
        lines.append(",".join(fields) + ("\n" if plain else draw(ENDS)))
    text = "".join(lines)
    return columns, text.rstrip("\r\n") if draw(st.booleans()) else text


def _row_by_row(columns: int, body: str) -> tuple[list[tuple[int, list[str]]], list[int]] | None:
    """Line and fields of each row, and lines of those with another number of fields; None where a quote is wrong."""
    good, bad, reader = [], [], csv.reader(io.StringIO(body, newline=""), strict=True)
    try:
        for row in reader:
            if len(row) == columns:
                good.append((reader.line_num + 1, row))
            elif row:
                bad.append(reader.line_num + 1)
    except csv.Error:
        return None
    return good, bad


def _read(columns: int, body: str) -> list[RawChunk]:
    content = (",".join("abcd"[:columns]) + "\n" + body).encode()
    facts = FileFacts(source=FileSource("a.csv", content=content), sha256="", format="csv", encoding="utf-8-sig")
    return list(tabular.read_csv(facts))


@settings(max_examples=500)
@given(bodies(), st.integers(1, 60))
@example((2, "a,b\n" * 12), 8)
@example((2, "a,b\n" * 7 + 'c,"d\ne"\n' + "a,b\n" * 7), 8)
@example((1, "a\n\nb\n"), 60)
@example((1, "\ufeffa\nb\n"), 1)
@example((3, ""), 1)
def test_blocks_say_what_rows_say(given_body: tuple[int, str], block: int) -> None:
    columns, body = given_body
    wanted = _row_by_row(columns, body)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tabular, "CHUNK_ROWS", CHUNK)
        patch.setattr(tabular, "_BLOCK_CHARS", block)
        if wanted is None:
            with pytest.raises(UnreadableFile, match="quote"):
                _read(columns, body)
            return
        chunks = _read(columns, body)
    found = [
        pair for one in chunks for pair in zip(one.row_numbers.tolist(), one.rows.to_numpy().tolist(), strict=True)
    ]
    assert found == wanted[0]
    assert [line for one in chunks for line in one.malformed["row_number"]] == wanted[1]
    assert {reason for one in chunks for reason in one.malformed["reason"]} <= {Reason.WRONG_COLUMN_COUNT}
    assert [len(one.rows) + len(one.malformed) for one in chunks[:-1]] == [CHUNK] * (len(chunks) - 1)
    assert all(before.share <= after.share for before, after in pairwise(chunks))
    assert all(list(one.rows.columns) == list("abcd"[:columns]) for one in chunks)
    assert chunks


def test_the_line_of_a_wrong_quote_is_named_after_plain_blocks() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tabular, "_BLOCK_CHARS", 40)
        with pytest.raises(UnreadableFile, match="begins on line 32 "):
            _read(2, "a,b\n" * 30 + 'c,"open\n' + "a,b\n" * 20)
        with pytest.raises(UnreadableFile, match="near line 32 "):
            _read(2, "a,b\n" * 30 + 'c,"' + "long\n" * 300 + '"\n')


@pytest.mark.parametrize(
    "text", ['a,"b"\n', "a,b\n\nc,d\n", "a,b\rc,d\n", "\na,b\n", "a,b\nc\n", "a,b,c\n", "a,b\0\n", "\ufeffa,b\n", f"a,{'b' * 140_000}\n"]
)  # fmt: skip
def test_what_needs_a_closer_look_is_left(text: str) -> None:
    assert plain_table(text, 2, ",") is None


def test_columns_without_a_name_are_left_out_and_text_stays_text() -> None:
    table = plain_table("1,NA,null\n 2 ,,1e5\n", 3, ",")
    assert table is not None
    frame = frame_of(table, ["a", "", "c"])
    assert frame.to_dict("list") == {"a": ["1", " 2 "], "c": ["null", "1e5"]}
    assert set(frame.dtypes) == {np.dtype(object)}
    assert rows_of(table) == [["1", "NA", "null"], [" 2 ", "", "1e5"]]
