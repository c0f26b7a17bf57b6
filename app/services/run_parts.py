"""What the map of an analysis is drawn from, kept with it by name."""

import io

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from data.store import Store
from geo.errors import Conflict
from geo.model import Run, Scope


def load_part(store: Store, scope: Scope, run: Run, name: str) -> bytes:
    """Return the bytes kept under a name.

    Raises
    ------
    Conflict
        When an earlier version made the analysis.
    """
    body = store.views.load(scope, run.run_id, name)
    if body is None:
        raise Conflict(
            f"Analysis {run.run_id} was made before maps had tiles and filters. Make it again: lapwing analyse"
        )
    return body


def load_table(store: Store, scope: Scope, run: Run, name: str) -> pd.DataFrame:
    """Return the table kept under a name."""
    return pq.read_table(io.BytesIO(load_part(store, scope, run, name))).to_pandas()


def pack_table(table: pa.Table) -> bytes:
    """Write a table as it is kept."""
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd")
    return out.getvalue()
