"""A file between upload and import: what a person chose about it, checked again after each choice."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from app.services import mappings
from app.services.import_request import LONDON_NAME, ImportReport, ImportRequest
from app.services.importing import check_file, import_file
from app.services.terms import Edits, Progress, Terms
from data.readers import FileSource, ReadFile, read_file
from data.store import Store
from geo.crs import MetricCrs
from geo.errors import InvalidParameter
from geo.model import Scope


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What has been chosen about an uploaded file so far, as plain values: they travel sealed with the file.

    ``columns`` is None until a person has looked at them; ``edits`` are corrected fields by row number.
    """

    owner: str
    name: str
    kind: str
    source: str = ""
    agency: str = ""
    mapping: str = ""
    layer: str = ""
    crs: str = ""
    timezone: str = LONDON_NAME
    precision_m: str = ""
    redact: bool = False
    columns: Mapping[str, str] | None = None
    edits: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values to be sealed."""
        return asdict(self)

    def request(self, store: Store, scope: Scope) -> ImportRequest:
        """Say it as an import."""
        request = ImportRequest(
            kind=self.kind,
            source=self.source or None,
            layer=self.layer or None,
            crs=MetricCrs.parse(self.crs) if self.crs else None,
            timezone=self.timezone or LONDON_NAME,
            precision_m=_number(self.precision_m),
            redact=self.redact,
            defaults={"agency": self.agency} if self.agency else {},
        )
        if self.mapping:
            request = mappings.load(store, scope, self.mapping).applied_to(request)
        if self.columns is not None:
            request = replace(request, column_map=dict(self.columns), only_told=True)
        return request

    @property
    def corrected(self) -> Edits:
        """Corrected fields by row number."""
        return {int(row): fields for row, fields in self.edits.items()}

    def with_edits(self, new: Mapping[str, Mapping[str, str]]) -> "Choices":
        """Add corrections to those made before."""
        merged = {row: dict(fields) for row, fields in self.edits.items()}
        for row, fields in new.items():
            merged.setdefault(row, {}).update(fields)
        return replace(self, edits=merged)


def _number(text: str) -> float | None:
    if not text.strip():
        return None
    try:
        return float(text)
    except ValueError as error:
        raise InvalidParameter(f"The precision must be a number of metres, not {text!r}.") from error


def preview(
    store: Store, scope: Scope, content: bytes, choices: Choices, terms: Terms, *, complete: bool = False
) -> ReadFile:
    """Read the first rows of an upload and say which of its columns would be which fields.

    ``complete`` refuses columns that do not say when, as an import would.
    """
    request, source = choices.request(store, scope), FileSource(choices.name, content=content)
    return read_file(source, request.kind, request.reading(terms), crs=store.crs, complete=complete)


def check(
    store: Store, scope: Scope, content: bytes, choices: Choices, terms: Terms, progress: Progress
) -> dict[str, Any]:
    """Say what would become of every row of an upload; nothing is stored."""
    source, request = FileSource(choices.name, content=content), choices.request(store, scope)
    checked = check_file(store, scope, source, request, terms, edits=choices.corrected, progress=progress)
    return checked.as_dict()


def confirm(
    store: Store, scope: Scope, content: bytes, choices: Choices, terms: Terms, progress: Progress
) -> ImportReport:
    """Import an upload as chosen."""
    source, request = FileSource(choices.name, content=content), choices.request(store, scope)
    return import_file(store, scope, source, request, terms, edits=choices.corrected, progress=progress)


def save_mapping(store: Store, scope: Scope, name: str, choices: Choices, *, now_us: int) -> str:
    """Keep what was chosen about a file as a mapping, for the next file like it; returns what was saved in words."""
    request = choices.request(store, scope)
    if request.source is None:
        raise InvalidParameter("Say who the file comes from: a mapping needs a source.")
    text = mappings.as_toml(
        mappings.FileMapping(
            name=name, kind=request.kind, source=request.source, format_name=request.format_name, layer=request.layer, crs=request.crs,
            timezone=request.timezone, precision_m=request.precision_m, columns=request.column_map, only_columns=request.only_told,
            defaults=request.defaults, values=request.values, key=request.key, full_supply=request.full_supply,
        )
    )  # fmt: skip
    saved = mappings.save(store, scope, name, text, now_us=now_us)
    return f"{saved.name}, version {saved.version}"
