"""Reports of one event, which count once; and what a person says of them."""

import pandas as pd

from data.audit import Verb
from data.ids import uuid7
from data.readers.files import PUBLISHERS
from data.store import Store
from geo.corroboration import same_events
from geo.errors import InvalidParameter
from geo.membership import among
from geo.model import Scope


def match_reports(store: Store, scope: Scope, records: pd.DataFrame) -> pd.DataFrame:
    """Find records (rows of ``Evidence.records``) that tell of an event which another tells of already.

    Returns ``record_key``, ``event_key``, ``reason``, ``words``, ``agency`` and ``source`` of each record that is counted
    with another.
    """
    published = {batch.source for batch in store.evidence.batches(scope) if batch.format in PUBLISHERS}
    table = records.assign(urn_is_key=~records["source"].isin(published))
    matches = same_events(table, splits=store.supplies.splits(scope))
    told = table.loc[among(table["record_key"], matches["record_key"]), ["record_key", "agency", "source"]]
    return matches.join(told.set_index("record_key"), on="record_key")


def split_reports(store: Store, scope: Scope, first: bytes, second: bytes, *, reason: str, now_us: int) -> None:
    """Say that two reports tell of two events; later analyses count both."""
    if not reason.strip():
        raise InvalidParameter("Say why these are two events: a later reader needs the reason.")
    for key in (first, second):
        store.evidence.record(scope, key)
    with store.database.transaction():
        store.supplies.split(scope, first, second, reason.strip(), now_us)
        _note(store, scope, "split", first, second, now_us)


def join_reports(store: Store, scope: Scope, first: bytes, second: bytes, *, now_us: int) -> None:
    """Take a split back."""
    with store.database.transaction():
        if store.supplies.join_again(scope, first, second):
            _note(store, scope, "joined", first, second, now_us)


def _note(store: Store, scope: Scope, what: str, first: bytes, second: bytes, now_us: int) -> None:
    pair = ":".join(sorted((first.hex()[:16], second.hex()[:16])))
    store.supplies.alter(scope, uuid7(now_us), f"{what}:{pair}", now_us)
    store.audit.append(scope, Verb.ALTERATION, f"reports:{pair}", now_us, what=what)
