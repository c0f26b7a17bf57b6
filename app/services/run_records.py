"""The records of an analysis by cell and place: what filters and tiles are counted from, without any position."""

from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from app.services.run_parts import load_table, pack_table
from data.store import Store
from geo import cells as h3cells
from geo.model import Run, Scope
from geo.parameters import AnalysisParameters

NAME: Final = "records"
NOWHERE: Final = -1
_TEXTS: Final = ("time_basis", "location_basis", "kind", "category", "source_type", "grade", "agency", "source")
_NUMBERS: Final = ("cell", "shared_cell", "place", "from_us", "to_us")


def pack_records(located: pd.DataFrame, parameters: AnalysisParameters, place_of: dict[bytes, int]) -> bytes:
    """Write the mapped records of an analysis as Parquet, one row an event in the order of the store.

    ``place_of`` gives the number of the place (its cluster) that a record key belongs to.
    """
    lon, lat = located["lon"].to_numpy(), located["lat"].to_numpy()
    table: dict[str, Any] = {
        "cell": h3cells.index_points(lon, lat, parameters.resolution),
        "shared_cell": h3cells.index_points(lon, lat, parameters.shared_resolution),
        "place": np.fromiter(
            (place_of.get(bytes(key), NOWHERE) for key in located["record_key"]), np.int64, len(located)
        ),
        "from_us": located["from_us"].to_numpy(np.int64),
        "to_us": located["to_us"].to_numpy(np.int64),
    }
    grade = located["grade_source"].astype(str).str.cat(located["grade_information"].astype(str))
    for name in _TEXTS:
        texts = grade if name == "grade" else located[name]
        table[name] = pa.array(texts.astype(object).fillna("").astype(str).tolist()).dictionary_encode()
    return pack_table(pa.table(table))


def run_records(store: Store, scope: Scope, run: Run) -> pd.DataFrame:
    """Return the records of an analysis by cell and place; texts are categories."""
    return load_table(store, scope, run, NAME)


def has_records(store: Store, scope: Scope, run: Run) -> bool:
    """Whether an analysis has the records that its map is filtered from; one that an earlier version made has not."""
    return store.views.load(scope, run.run_id, NAME) is not None
