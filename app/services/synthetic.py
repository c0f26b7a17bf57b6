"""Whether a store holds the synthetic city."""

from data.demo import SOURCE
from data.store import Store
from geo.model import Scope


def is_synthetic(store: Store, scope: Scope) -> bool:
    """Whether this store is the synthetic city's; it stays so when the city is undone, because its runs remain."""
    return any(batch.source == SOURCE for batch in store.evidence.batches(scope))
