"""A file made ready to be stored: read, mapped, checked, pseudonymised, placed. Nothing is written here."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from app.services.locating import Locator
from app.services.protection import Protection
from app.services.pseudonyms import Keyring
from app.services.terms import Edits, Progress, Terms, no_progress
from data.readers import Chunk, ReadFile
from data.store import Store
from geo import retention
from geo.crs import MetricCrs
from geo.model import REJECTION_COLUMNS, RecordKind, Scope
from geo.problems import Problems, Reason, keepable, rejections
from geo.record_keys import RecordKeys
from geo.validate import RECORD_FIELDS, RecordRules, Validated, validate_records


@dataclass(frozen=True, kw_only=True)
class RowShape:
    """What is done to rows under field names before they are checked, and how they are known again.

    Parameters
    ----------
    kind, source : str
    supply : str
        Name of the mapping, under which keys are known again.
    defaults : mapping of field to text
        Used where a row says nothing.
    values : mapping of field to a mapping of text to text
        A partner's words and ours.
    key : tuple of str
        Fields that together name a row for ever; empty where nothing does.
    precision_m : float or None
        Precision of rows that state none; None leaves it to the format.
    redact : bool
        Take personal data out of incidents and keep the row.
    file_crs : MetricCrs or None
    zone : ZoneInfo
    """

    kind: str
    source: str
    supply: str = ""
    defaults: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    precision_m: float | None = None
    redact: bool = False
    file_crs: MetricCrs | None = None
    zone: ZoneInfo


@dataclass
class Prepared:
    """Rows of a file, ready to be stored in pieces.

    ``records`` have ``RECORD_COLUMNS`` except ``event_id``; ``supplied`` are the keys (as identities) that the file
    names at all, in rows that were rejected too, except for ``malformed`` rows, which do not tell their key.
    ``standing`` is what the store kept out and coarse when they were made ready.
    """

    records: list[pd.DataFrame] = field(default_factory=list)
    rejected: list[pd.DataFrame] = field(default_factory=list)
    hints: list[pd.DataFrame] = field(default_factory=list)
    corrects: list[pd.DataFrame] = field(default_factory=list)
    supplied: set[bytes] = field(default_factory=set)
    malformed: int = 0
    redacted: int = 0
    coarsened: int = 0
    standing: "Standing | None" = None

    @property
    def valid(self) -> int:
        """How many rows are good."""
        return sum(map(len, self.records))

    def all_rejected(self) -> pd.DataFrame:
        """Every rejected row, in order of its number."""
        filled = [frame for frame in self.rejected if len(frame)]
        if not filled:
            return pd.DataFrame(columns=list(REJECTION_COLUMNS))
        return pd.concat(filled, ignore_index=True).sort_values("row_number", ignore_index=True)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What the store keeps out (``tombs``, of purged records) and coarse at one moment."""

    tombs: frozenset[bytes]
    protection: Protection

    @classmethod
    def of(cls, store: Store, scope: Scope, kind: str, keys: Keyring) -> "Standing":
        """As the store stands now."""
        return cls(tombs=store.retention.tombs(scope, kind), protection=Protection.of(store, scope, keys))

    def applied_to(self, records: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, int]:
        """Return the records as they may be stored, the rows that are kept out, and how many became coarse."""
        records, buried = self._without_buried(records)
        records, coarse = self.protection.applied_to(records)
        return records, buried, coarse

    def _without_buried(self, records: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Keep out what was purged before: its file does not bring it back, whether it was coarse when it went or not."""
        if not self.tombs:
            return records, pd.DataFrame(columns=list(REJECTION_COLUMNS))
        dead = np.asarray([self._is_buried(bytes(key)) for key in records["record_key"]], bool)
        detail = "this record was purged at the end of its time; it is not taken in again"
        rejected = pd.DataFrame(
            [(int(n), "row", Reason.PURGED, detail, "{}") for n in records.index[dead]], columns=list(REJECTION_COLUMNS)
        )
        return records[~dead], rejected

    def _is_buried(self, record_key: bytes) -> bool:
        keys = self.protection.keys
        return any(keys.raw("tomb", key) in self.tombs for key in (record_key, keys.raw("protected", record_key)))


def bring_up_to_date(prepared: Prepared, now: Standing) -> None:
    """Keep out and coarsen what a purge or a protected place that came after the check asks for."""
    if now == prepared.standing:
        return
    for i, frame in enumerate(prepared.records):
        plain = frame.astype(dict.fromkeys(frame.select_dtypes("category").columns, object))
        records, buried, coarse = now.applied_to(plain)
        prepared.records[i] = _compact(records)
        prepared.hints[i] = _hints_of(prepared.hints[i], records)
        prepared.rejected.append(buried)
        prepared.coarsened += coarse
    prepared.standing = now


def prepare(
    store: Store,
    scope: Scope,
    read: ReadFile,
    shape: RowShape,
    terms: Terms,
    *,
    edits: Edits | None = None,
    progress: Progress = no_progress,
) -> Prepared:
    """Make the rows of a file of records ready; ``edits`` gives corrected fields by row number."""
    rules = RecordRules(
        kind=shape.kind,
        source=shape.source,
        crs=store.crs,
        now_us=terms.now_us,
        location_basis=read.location_basis,
        precision_m=shape.precision_m or read.precision_m,
        file_crs=shape.file_crs,
        zone=shape.zone,
        redact=shape.redact,
    )
    standing = Standing.of(store, scope, shape.kind, terms.keys)
    prepared = Prepared(standing=standing)
    maker = RecordKeys(ordinals=not shape.key)
    step = _Step(rules, shape, terms, maker, Locator(store, scope, terms.keys), standing)
    twice, done = frozenset[bytes](), 0.0
    if shape.key:  # whether a key stands in the file twice is known when all of it has been read
        twice, done = _repeated(read, step, edits or {}, progress), 0.5
    for chunk in read.chunks():
        _take(prepared, chunk, step, edits or {}, twice)
        progress(done + (1 - done) * chunk.share)
    return prepared


def _repeated(read: ReadFile, step: "_Step", edits: Edits, progress: Progress) -> frozenset[bytes]:
    """Identities that stand in the file with more than one content."""
    first: dict[bytes, bytes] = {}
    twice = set()
    for chunk in read.chunks():
        rows = _shaped(chunk.rows, chunk.row_numbers, step.shape, edits)
        contents = rows.astype(str).agg("\x1f".join, axis=1) if len(rows) else []
        for identity, content in zip(_identities(rows, step), contents, strict=True):
            digest = hashlib.blake2b(content.encode(), digest_size=8).digest()
            if identity is not None and first.setdefault(identity, digest) != digest:
                twice.add(identity)
        progress(chunk.share / 2)
    return frozenset(twice)


@dataclass(frozen=True)
class _Step:
    """What every piece of a file is worked on with."""

    rules: RecordRules
    shape: RowShape
    terms: Terms
    maker: RecordKeys
    locator: Locator
    standing: Standing


def _take(prepared: Prepared, chunk: Chunk, step: _Step, edits: Edits, twice: frozenset[bytes]) -> None:
    """Work on one piece and add it."""
    rows = _shaped(chunk.rows, chunk.row_numbers, step.shape, edits)
    rows, numbers, repeated, identities, named = _keyed(rows, chunk.row_numbers, step, twice)
    prepared.supplied |= named
    checked = validate_records(rows, numbers, step.rules)
    records, hints = _finished(checked, pd.Series(identities, index=numbers, dtype=object), step)
    records, buried, coarse = step.standing.applied_to(records)
    prepared.records.append(_compact(records))
    prepared.hints.append(_hints_of(hints, records))
    prepared.malformed += len(chunk.malformed)
    this_year = step.rules.this_year
    prepared.rejected += [checked.rejected, repeated, buried, guarded(chunk.malformed, this_year=this_year)]
    if chunk.corrects is not None:
        prepared.corrects.append(chunk.corrects.assign(own_number=chunk.row_numbers))
    prepared.redacted += checked.redacted
    prepared.coarsened += coarse


def _shaped(rows: pd.DataFrame, numbers: np.ndarray, shape: RowShape, edits: Edits) -> pd.DataFrame:
    rows = rows.fillna("").astype(object)
    for name, words in shape.values.items():
        if name in rows:
            rows[name] = rows[name].str.strip().map(lambda text, words=words: words.get(text, text))
    if shape.kind == RecordKind.EFFORT and "area" in rows:  # where a session was is a place by its name
        rows = rows.reindex(columns=[*rows.columns.union(["place"], sort=False)], fill_value="")
        rows["place"] = rows["place"].where(rows["place"] != "", rows["area"])
    for name, text in shape.defaults.items():
        rows[name] = rows[name].where(rows[name] != "", text) if name in rows else text
    if edits:
        at = {int(number): i for i, number in enumerate(numbers)}
        for number, fields in edits.items():
            for name, text in fields.items() if number in at and set(fields) <= set(RECORD_FIELDS) else ():
                if name not in rows:
                    rows[name] = ""
                rows.iloc[at[number], rows.columns.get_loc(name)] = text
    return rows


def _identities(rows: pd.DataFrame, step: _Step) -> list[bytes | None]:
    """Keyed hash of each row's own key; None where a part of it is missing or files declare none."""
    fields = list(step.shape.key)
    if not fields:
        return [None] * len(rows)
    parts = rows.reindex(columns=fields, fill_value="").apply(lambda one: one.str.strip())
    supply = step.shape.supply
    return [
        step.terms.keys.raw("supply", "\x1f".join((supply, *texts)).encode()) if all(texts) else None
        for texts in parts.itertuples(index=False, name=None)
    ]


def _keyed(
    rows: pd.DataFrame, numbers: np.ndarray, step: _Step, twice: frozenset[bytes]
) -> tuple[pd.DataFrame, np.ndarray, pd.DataFrame, np.ndarray, set[bytes]]:
    """Identity of each row under its declared key, the rows that cannot be known by it, and all identities named."""
    identities = np.full(len(rows), None, dtype=object)
    identities[:] = _identities(rows, step)
    problems = Problems(len(rows))
    if step.shape.key:
        words, first = " and ".join(step.shape.key), step.shape.key[0]
        missing = np.array([one is None for one in identities], bool)
        problems.add(missing, first, Reason.MISSING_FIELD, f"the row has no {words}, its key")
        detail = f"another row of this file has the same {words} and says something else; leave one of them"
        problems.add(np.array([one in twice for one in identities], bool), first, Reason.REPEATED_KEY, detail)
    good = problems.good
    rejected = rejections(rows, numbers, problems, this_year=step.rules.this_year)
    named = set(identities.tolist()) - {None}
    return rows[good].reset_index(drop=True), numbers[good], rejected, identities[good], named


def _finished(checked: Validated, identities: pd.Series, step: _Step) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Records with keys, hashes, dates of review and deletion and, where hints say it for certain, a position."""
    keys, records = step.terms.keys, checked.accepted
    hashed = _hashed(checked.hints, keys)
    first = keys.vehicles(records["vehicle_hash"])
    records = records.assign(vehicle_hash=first, supply_key=identities.reindex(records.index).to_numpy(object))
    told = hashed.reindex(records.index)
    if step.shape.key:  # rows of different keys are different records, whatever else they say
        told["supply"] = [bytes(one).hex() for one in records["supply_key"]]
    records.insert(0, "record_key", step.maker.of(records, told))
    records["vehicle_hash"] = keys.grown(first)
    review_us, delete_us = retention.dates(
        step.shape.kind, now_us=step.terms.now_us, months=step.terms.retention_months
    )
    records = records.assign(review_us=review_us, delete_us=delete_us)
    if checked.hints.empty:
        return records, pd.DataFrame(columns=["record_key", "method", "hint"])
    placed = step.locator.place(checked.hints)
    for name in placed.columns:
        records.loc[placed.index, name] = placed[name]
    waiting = hashed[~hashed.index.isin(placed.index)]
    listed = waiting.assign(record_key=records["record_key"].reindex(waiting.index)).melt(
        id_vars="record_key", var_name="method", value_name="hint"
    )
    return records, listed[listed["hint"] != ""].reset_index(drop=True)


def _hashed(hints: pd.DataFrame, keys: Keyring) -> pd.DataFrame:
    """Hints as they may be stored: a postcode or UPRN only as a keyed hash."""
    return hints.assign(
        **{
            name: [keys.word(name, plain(text)) if text else "" for text in hints[name]]
            for name in ("postcode", "uprn")
            if name in hints
        }
    )


def plain(text: str) -> str:
    """Code without spaces and case."""
    return "".join(text.split()).upper()


def _hints_of(hints: pd.DataFrame, records: pd.DataFrame) -> pd.DataFrame:
    return hints[hints["record_key"].isin(records["record_key"])] if len(hints) else hints


def guarded(malformed: pd.DataFrame, *, this_year: int) -> pd.DataFrame:
    """Rows that a reader could not take, with what the guard knows taken out."""
    if malformed.empty:
        return malformed
    contents = [
        json.dumps(
            {name: keepable(name, str(value), this_year=this_year) for name, value in json.loads(text).items()},
            ensure_ascii=False,
        )
        for text in malformed["row"]
    ]
    return malformed.assign(row=contents)


# Columns with few different values: a million rows of them weigh as much as their codes.
_FEW_VALUES: Final = (
    "kind", "source", "agency", "category", "time_basis", "location_basis", "method", "source_type", "grade_scheme", "grade_source",
    "grade_information", "grade_handling", "handling_conditions", "regime", "notes", "detail", "vehicle_hash",
)  # fmt: skip


def _compact(records: pd.DataFrame) -> pd.DataFrame:
    return records.astype(dict.fromkeys(_FEW_VALUES, "category"))
