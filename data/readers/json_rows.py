"""JSON objects, one a line or in one list, to columns of text; what lies deeper is named with dots."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from data.readers.sniff import FileFacts
from data.readers.tables import CHUNK_ROWS, RawChunk
from geo.errors import UnreadableFile
from geo.model import REJECTION_COLUMNS
from geo.problems import Reason

MAX_DEPTH: Final = 6
# Half of a character: JSON can write it, UTF-8 and both stores cannot.
_HALF: Final = re.compile("[\ud800-\udfff]")


def read_json(facts: FileFacts) -> Iterator[RawChunk]:
    """Read a list of objects; numbers are positions in the list, from 1.

    Raises
    ------
    UnreadableFile
        When it is not a list of objects.
    """
    try:
        with facts.open() as stream:
            values = json.loads(stream.read().decode(facts.encoding))
    except (ValueError, RecursionError) as error:
        raise UnreadableFile(
            f"{facts.name}: cannot be read as json ({str(error)[:100]}); nothing was imported."
        ) from error
    if not isinstance(values, list):
        raise UnreadableFile(f"{facts.name}: is not a list of records; nothing was imported.")
    yield from _chunks(facts, enumerate(values, start=1), len(values))


def read_json_lines(facts: FileFacts) -> Iterator[RawChunk]:
    """Read one object a line; a line that is none is counted and rejected."""
    with facts.open() as stream:
        lines = stream.read().decode(facts.encoding, errors="replace").split("\n")
    numbered = ((number, _parsed(line)) for number, line in enumerate(lines, start=1) if line.strip())
    yield from _chunks(facts, numbered, len(lines))


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _chunks(facts: FileFacts, numbered: Iterator[tuple[int, Any]], count: int) -> Iterator[RawChunk]:
    """All objects are flattened first: columns that only later rows have are columns of every chunk."""
    rows: list[dict[str, str]] = []
    numbers: list[int] = []
    malformed: list[tuple[int, str, str, str, str]] = []
    for number, value in numbered:
        if isinstance(value, Mapping):
            rows.append(dict(_flat(value)))
            numbers.append(number)
        else:
            detail = "the line is not a JSON object; mend it in the file"
            malformed.append((number, "row", Reason.WRONG_COLUMN_COUNT, detail, json.dumps({})))
    names = list(dict.fromkeys(name for row in rows for name in row))
    if rows and not names:
        raise UnreadableFile(f"{facts.name}: its records have no fields; nothing was imported.")
    for begin in range(0, max(len(rows), 1), CHUNK_ROWS):
        part = rows[begin : begin + CHUNK_ROWS]
        columns = {name: pd.Series([row.get(name, "") for row in part], dtype=object) for name in names}
        yield RawChunk(
            pd.DataFrame(columns),
            np.asarray(numbers[begin : begin + CHUNK_ROWS], np.int64),
            pd.DataFrame(malformed if begin == 0 else [], columns=list(REJECTION_COLUMNS)),
            share=min(1.0, (begin + CHUNK_ROWS) / max(count, 1)),
        )


def _flat(value: Mapping[str, Any], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    for name, inner in value.items():
        path = _HALF.sub("\ufffd", f"{prefix}{name}")
        if isinstance(inner, Mapping):
            if depth < MAX_DEPTH:
                yield from _flat(inner, f"{path}.", depth + 1)
        elif isinstance(inner, list):
            yield path, _HALF.sub("\ufffd", "; ".join(str(one) for one in inner if isinstance(one, str | int | float)))
        else:
            text = "" if inner is None else str(inner).lower() if isinstance(inner, bool) else str(inner)
            yield path, _HALF.sub("\ufffd", text)
