"""What an analysis is made from, and the name that it gives the run."""

from dataclasses import dataclass
from typing import Final

import geo
from app.services import map_cells, run_records
from app.services.deciding import Memory, memory
from app.services.sharing import SHAREABLE
from app.services.stacks import REPORTS
from data.store import Store
from geo.errors import Conflict
from geo.model import RecordKind, Run, Scope
from geo.parameters import AnalysisParameters, run_id

# What a map needs of an analysis; tiles are made from it where they are missing.
MAP_PARTS: Final = (run_records.NAME, map_cells.NAME, "display")
# Of the changes, the files that brought new records and altered none.
ADDED: Final = "added"
_CHANGED: Final = (
    "Records or protected places changed while the analysis was being made; nothing was stored. Make it again."
)


@dataclass(frozen=True)
class RunInputs:
    """Inputs of one run, read once: a decision made meanwhile is the next analysis's.

    ``changes`` are those of the evidence until then; with one more, what was read is not what is held.
    """

    run_id: str
    hashes: tuple[str, ...]
    batches: list[str]
    remembered: Memory
    seed: int
    changes: dict[str, int]


def read_inputs(store: Store, scope: Scope, parameters: AnalysisParameters, *, seed: int) -> RunInputs:
    """Name what goes into an analysis; the same inputs, parameters, version and seed make the same run."""
    changes = store.evidence.changes_so_far(scope)  # first: a change while the rest is read is a change
    hashes = store.evidence.input_hashes(
        scope, sorted({*parameters.record_kinds, *REPORTS, RecordKind.EFFORT, RecordKind.SIGHTINGS})
    )
    remembered = memory(store, scope)
    hashes = (*hashes, *remembered.hashes)
    batches = sorted(b.batch_id for b in store.evidence.batches(scope) if b.undone_at_us is None)
    identity = run_id(parameters=parameters, input_hashes=hashes, code_version=geo.__version__, seed=seed)
    return RunInputs(identity, hashes, batches, remembered, seed, changes)


def require_read(store: Store, scope: Scope, inputs: RunInputs) -> None:
    """Refuse an analysis that may have read records of a file which it does not name: one that came while it read.

    Raises
    ------
    Conflict
        No purge and no undo would find it.
    """
    if store.evidence.changes_so_far(scope) != inputs.changes:
        raise Conflict(_CHANGED)


def require_unchanged(store: Store, scope: Scope, inputs: RunInputs) -> None:
    """Refuse an analysis of evidence that was altered since, and let none be until the caller's transaction ends.

    Records that were only added since it had read them are the next analysis's. Sightings are read last, and the ground
    again and again: none of them may come.

    Raises
    ------
    Conflict
        Its layers would show records that were purged or a refuge that came meanwhile, and no purge would find them.
    """
    store.database.lock("import")
    now, then = ({**changes, ADDED: 0} for changes in (store.evidence.changes_so_far(scope), inputs.changes))
    if now != then:
        raise Conflict(_CHANGED)


def stored_run(store: Store, scope: Scope, inputs: RunInputs, *, as_of_us: int | None) -> Run | None:
    """Run that is already stored over the same inputs and, where one is asked for, of the same time.

    It is whole, with its map, and says whether it may be shared; one that is not is made again.
    """
    known = store.runs.find(scope, inputs.run_id)
    if (
        known
        and known.purged_at_us is None
        and SHAREABLE in known.summary
        and known.summary["batches"] == inputs.batches
        and as_of_us in {None, known.generated_at_us}
        and whole(store, scope, known)
    ):
        return known
    return None


def whole(store: Store, scope: Scope, run: Run) -> bool:
    """Whether an analysis has all that its map needs; one that an earlier version made may have a part of it."""
    return set(MAP_PARTS) <= store.views.names(scope, run.run_id)
