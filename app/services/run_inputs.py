"""What an analysis is made from, and the name that it gives the run."""

from dataclasses import dataclass

import geo
from app.services.deciding import Memory, memory
from app.services.run_records import has_records
from app.services.stacks import REPORTS
from data.store import Store
from geo.model import RecordKind, Run, Scope
from geo.parameters import AnalysisParameters, run_id


@dataclass(frozen=True)
class RunInputs:
    """Inputs of one run, read once: a decision made meanwhile is the next analysis's."""

    run_id: str
    hashes: tuple[str, ...]
    batches: list[str]
    remembered: Memory
    seed: int


def read_inputs(store: Store, scope: Scope, parameters: AnalysisParameters, *, seed: int) -> RunInputs:
    """Name what goes into an analysis; the same inputs, parameters, version and seed make the same run."""
    hashes = store.evidence.input_hashes(
        scope, sorted({*parameters.record_kinds, *REPORTS, RecordKind.EFFORT, RecordKind.SIGHTINGS})
    )
    remembered = memory(store, scope)
    hashes = (*hashes, *remembered.hashes)
    batches = sorted(b.batch_id for b in store.evidence.batches(scope) if b.undone_at_us is None)
    identity = run_id(parameters=parameters, input_hashes=hashes, code_version=geo.__version__, seed=seed)
    return RunInputs(identity, hashes, batches, remembered, seed)


def stored_run(store: Store, scope: Scope, inputs: RunInputs, *, as_of_us: int | None) -> Run | None:
    """Run that is already stored over the same inputs and, where one is asked for, of the same time; whole, with its map."""
    known = store.runs.find(scope, inputs.run_id)
    if (
        known
        and known.purged_at_us is None
        and known.summary["batches"] == inputs.batches
        and as_of_us in {None, known.generated_at_us}
        and has_records(store, scope, known)
    ):
        return known
    return None
