"""What a row says in the words of a vocabulary: grades, source type, regime and the fields of its kind."""

from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.problems import Problems, Reason
from geo.validate_texts import Texts
from geo.vocabulary import (
    DETAIL_FIELDS,
    BadWord,
    Regime,
    SourceType,
    detail_json,
    detail_value,
    parse_grade,
    parse_grade_parts,
)

GRADE_FIELDS: Final = ("grade", "source_grade", "information_grade", "handling")
_GRADES: Final = ("grade_scheme", "grade_source", "grade_information", "grade_handling")
_COLUMNS: Final = ("source_type", "regime", *_GRADES, "handling_conditions", "detail")


def read_words(texts: Texts, problems: Problems, kind: str) -> dict[str, NDArray[np.object_] | str]:
    """Grades, source type, regime and the fields of the kind, each in the words of its vocabulary.

    Parameters
    ----------
    texts : mapping of ndarray of str, each of shape (n,)
        The fields that the file has, empty where a row says nothing.
    problems : Problems
        Takes what is wrong.
    kind : str
        Record kind.

    Returns
    -------
    dict
        Column of the record to its values, each of shape (n,); one empty text where the file has no such field.
    """
    count = len(problems.good)
    found: dict[str, NDArray[np.object_] | str] = dict.fromkeys(_COLUMNS, "" if count else np.empty(0, dtype=object))
    if "handling_conditions" in texts:
        found["handling_conditions"] = texts["handling_conditions"]
    if "source_type" in texts:
        found["source_type"] = _each(texts, ("source_type",), problems, lambda word: SourceType(word.lower()).value)
    if "regime" in texts:
        found["regime"] = _each(texts, ("regime",), problems, lambda word: Regime(word.upper()).value)
    if texts.keys() & set(GRADE_FIELDS):
        whole = _each(texts, GRADE_FIELDS[:1], problems, parse_grade)
        parts = _each(texts, GRADE_FIELDS[1:], problems, parse_grade_parts)
        found |= _grades(np.where(whole != "", whole, parts))
    if names := [name for name in DETAIL_FIELDS.get(kind, ()) if name in texts]:
        found["detail"] = _details(texts, names, problems)
    return found


def _grades(parsed: NDArray[np.object_]) -> dict[str, NDArray[np.object_]]:
    columns = {name: np.full(len(parsed), "", dtype=object) for name in _GRADES}
    at = np.flatnonzero(parsed != "")
    for i, column in enumerate(columns.values()):
        column[at] = [parsed[row][i] for row in at]
    return columns


def _each(texts: Texts, names: tuple[str, ...], problems: Problems, read: Callable[..., object]) -> NDArray[np.object_]:
    """Read each distinct combination of some fields once; empty text where all are empty."""
    result = np.full(len(problems.good), "", dtype=object)
    columns = [texts.get(name, result) for name in names]
    at = np.flatnonzero(np.any([column != "" for column in columns], axis=0))
    if not len(at):
        return result
    codes, uniques = pd.factorize(pd.MultiIndex.from_arrays([column[at] for column in columns]))
    values = np.full(len(uniques), "", dtype=object)
    for code, given in enumerate(uniques):
        try:
            values[code] = read(*given)
        except (BadWord, ValueError) as error:
            known = str(error) if isinstance(error, BadWord) else f"{names[0]} must be one of: {_choices(names[0])}"
            problems.add_each(dict.fromkeys(at[codes == code].tolist(), known), names[0], Reason.UNKNOWN_WORD)
    result[at] = values[codes]
    return result


def _choices(field: str) -> str:
    return ", ".join(SourceType if field == "source_type" else Regime)


def _details(texts: Texts, names: list[str], problems: Problems) -> NDArray[np.object_]:
    """What is told in some fields of each row, as JSON; each distinct combination is written once."""
    columns = {name: _each(texts, (name,), problems, _reader(name)) for name in names}
    told = {name: values for name, values in columns.items() if (values != "").any()}
    if not told:
        return np.full(len(problems.good), "", dtype=object)
    codes, _ = pd.factorize(pd.MultiIndex.from_arrays([texts[name] for name in told]))
    _, first = np.unique(codes, return_index=True)
    written = [detail_json({n: v[i] for n, v in told.items() if v[i] != "" and v[i] != []}) for i in first]
    return np.asarray(written, dtype=object)[codes]


def _reader(name: str) -> Callable[[str], object]:
    return lambda text: detail_value(name, text)
