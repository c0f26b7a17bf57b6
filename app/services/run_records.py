"""The records of an analysis by cell and place: what filters and tiles are counted from, without any position."""

from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from app.services.run_parts import load_table, pack_table
from app.services.selecting import Selection
from data.store import Store
from geo.model import Run, Scope
from geo.parameters import AnalysisParameters

NAME: Final = "records"
NOWHERE: Final = -1
_TEXTS: Final = ("time_basis", "location_basis", "kind", "category", "source_type", "grade", "agency", "source")
_NUMBERS: Final = ("cell", "shared_cell", "place", "from_us", "to_us")


def pack_records(selection: Selection, parameters: AnalysisParameters, place: NDArray[np.int64]) -> bytes:
    """Write the mapped records of an analysis as Parquet, one row an event in the order of the store.

    ``place`` is the number of the place (its cluster) that each record belongs to, or ``NOWHERE``.
    """
    located = selection.located
    table: dict[str, Any] = {
        "cell": selection.at.cells(parameters.resolution),
        "shared_cell": selection.at.cells(parameters.shared_resolution),
        "place": place,
        "from_us": located["from_us"].to_numpy(np.int64),
        "to_us": located["to_us"].to_numpy(np.int64),
    }
    grade = located["grade_source"].astype(str).str.cat(located["grade_information"].astype(str))
    for name in _TEXTS:
        texts = grade if name == "grade" else located[name]
        codes, distinct = pd.factorize(texts.fillna(""))
        told = pa.array([str(text) for text in distinct], pa.string())
        table[name] = pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), told)
    return pack_table(pa.table(table))


def run_records(store: Store, scope: Scope, run: Run) -> pd.DataFrame:
    """Return the records of an analysis by cell and place; texts are categories."""
    return load_table(store, scope, run, NAME)


def has_records(store: Store, scope: Scope, run: Run) -> bool:
    """Whether an analysis has the records that its map is filtered from; one that an earlier version made has not."""
    return store.views.load(scope, run.run_id, NAME) is not None
