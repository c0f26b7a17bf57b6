"""Mappings: how one partner's files are read, said once in TOML, saved by name and used by name."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from app.services.import_request import LONDON_NAME, ImportRequest
from data.audit import Verb
from data.readers.files import FORMATS
from data.store import Store
from data.supplies import SavedMapping
from geo.crs import MetricCrs
from geo.errors import CrsError, MappingError
from geo.guard import RULE_WORDS, scan
from geo.model import RecordKind, Scope
from geo.temporal import from_micros
from geo.validate import RECORD_FIELDS

_NAME: Final = re.compile(r"^[a-z0-9][a-z0-9-]{0,59}$")
_KNOWN: Final = frozenset(
    {
        "kind",
        "source",
        "format",
        "layer",
        "crs",
        "timezone",
        "precision_m",
        "columns",
        "only_columns",
        "defaults",
        "values",
        "key",
        "full_supply",
    }
)
EXAMPLE: Final = """\
kind = "incidents"
source = "Anytown Council"
key = ["id"]                 # fields that name a row for ever; leave out where nothing does
full_supply = true           # each file holds every record: what is not in it is flagged

[columns]                    # field = column of the file; columns of well-known names need not be named
id = "Ref"
date = "Date of incident"
easting = "X"
northing = "Y"
kind = "Type"

[values.kind]                # the partner's words = ours
"ASB - Youth" = "anti-social behaviour"

[defaults]                   # where the file says nothing
agency = "Anytown Council"
regime = "UKGDPR"
"""


@dataclass(frozen=True, kw_only=True)
class FileMapping:
    """A mapping as read: everything an import is told by it."""

    name: str
    kind: str
    source: str
    format_name: str = "auto"
    layer: str | None = None
    crs: MetricCrs | None = None
    timezone: str = LONDON_NAME
    precision_m: float | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    only_columns: bool = False
    key: tuple[str, ...] = ()
    full_supply: bool = False

    def applied_to(self, request: ImportRequest) -> ImportRequest:
        """Complete a request; what the person says beside the mapping wins.

        Raises
        ------
        MappingError
            When the mapping is for another kind.
        """
        if request.kind != self.kind:
            raise MappingError(f"The mapping {self.name!r} is for {self.kind}, not {request.kind}.")
        return replace(
            request,
            source=request.source or self.source,
            format_name=self.format_name if request.format_name == "auto" else request.format_name,
            layer=request.layer or self.layer,
            crs=request.crs or self.crs,
            timezone=self.timezone if request.timezone == LONDON_NAME else request.timezone,
            precision_m=request.precision_m or self.precision_m,
            column_map={**self.columns, **request.column_map},
            only_told=self.only_columns or request.only_told,
            defaults={**self.defaults, **request.defaults},
            values=self.values,
            key=self.key,
            full_supply=self.full_supply,
            mapping=self.name,
        )


def parse(name: str, text: str) -> FileMapping:
    """Read a mapping's TOML.

    Raises
    ------
    MappingError
        Naming what is unknown or of the wrong type.
    """
    if not _NAME.match(name):
        raise MappingError(f"{name!r} is not a name for a mapping: use small letters, digits and hyphens.")
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MappingError(f"The mapping {name!r} is not valid TOML: {error}.") from error
    if unknown := sorted(set(table) - _KNOWN):
        raise MappingError(
            f"The mapping {name!r} has an unknown entry {unknown[0]!r}; known are {', '.join(sorted(_KNOWN))}."
        )
    if table.get("kind") not in set(RecordKind):
        raise MappingError(f"The mapping {name!r} needs a kind: one of {', '.join(RecordKind)}.")
    source = _text(name, table, "source")
    if not source:
        raise MappingError(f"The mapping {name!r} needs a source: who the files come from.")
    if table.get("format", "auto") not in FORMATS:
        raise MappingError(f"The mapping {name!r}: unknown format {table['format']!r}; known are {', '.join(FORMATS)}.")
    read = FileMapping(
        name=name,
        kind=str(table["kind"]),
        source=source,
        format_name=table.get("format", "auto"),
        layer=_text(name, table, "layer") or None,
        crs=_crs(name, _text(name, table, "crs")),
        timezone=_text(name, table, "timezone") or LONDON_NAME,
        precision_m=_number(name, table, "precision_m"),
        columns=_texts(name, table, "columns"),
        defaults=_texts(name, table, "defaults"),
        values={one: _texts(name, table.get("values", {}), one) for one in _table(name, table, "values")},
        only_columns=bool(table.get("only_columns", False)),
        key=_list(name, table, "key"),
        full_supply=bool(table.get("full_supply", False)),
    )
    _refuse_unknown_fields(read)
    read.applied_to(ImportRequest(kind=read.kind))  # whatever an import would refuse is refused now
    return read


def _refuse_unknown_fields(read: FileMapping) -> None:
    named = {*read.columns, *read.defaults, *read.values, *read.key}
    if unknown := sorted(named - set(RECORD_FIELDS)):
        raise MappingError(
            f"The mapping {read.name!r}: unknown field {unknown[0]!r}; known are {', '.join(RECORD_FIELDS)}."
        )


def _text(name: str, table: Mapping[str, Any], entry: str) -> str:
    value = table.get(entry, "")
    if not isinstance(value, str):
        raise MappingError(f"The mapping {name!r}: {entry} must be text in quotes.")
    return value.strip()


def _number(name: str, table: Mapping[str, Any], entry: str) -> float | None:
    value = table.get(entry)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise MappingError(f"The mapping {name!r}: {entry} must be a number.")
    return None if value is None else float(value)


def _table(name: str, table: Mapping[str, Any], entry: str) -> Mapping[str, Any]:
    value = table.get(entry, {})
    if not isinstance(value, Mapping):
        raise MappingError(f"The mapping {name!r}: {entry} must be a table: [{entry}].")
    return value


def _texts(name: str, table: Mapping[str, Any], entry: str) -> dict[str, str]:
    found = _table(name, table, entry)
    if wrong := [one for one, value in found.items() if not isinstance(value, str)]:
        raise MappingError(f"The mapping {name!r}: {entry}.{wrong[0]} must be text in quotes.")
    return {str(one): str(value) for one, value in found.items()}


def _list(name: str, table: Mapping[str, Any], entry: str) -> tuple[str, ...]:
    value = table.get(entry, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise MappingError(f'The mapping {name!r}: {entry} must be a list of fields: ["id"].')
    return tuple(value)


def _crs(name: str, text: str) -> MetricCrs | None:
    try:
        return MetricCrs.parse(text) if text else None
    except CrsError as error:
        raise MappingError(f"The mapping {name!r}: {error}") from error


def save(store: Store, scope: Scope, name: str, text: str, *, now_us: int) -> SavedMapping:
    """Check a mapping and keep it as its next version.

    Raises
    ------
    MappingError
        When it cannot be used, or seems to hold personal data.
    """
    parse(name, text)
    if found := scan(text, this_year=from_micros(now_us).year, bare_names=False):
        raise MappingError(f"The mapping {name!r} seems to hold {RULE_WORDS[found[0].rule]}; take it out.")
    with store.database.transaction():
        saved = store.supplies.save_mapping(scope, name, text, now_us)
        store.audit.append(scope, Verb.ALTERATION, f"mapping:{name}", now_us, version=saved.version)
    return saved


def load(store: Store, scope: Scope, name: str) -> FileMapping:
    """Return the newest version of a saved mapping."""
    return parse(name, store.supplies.mapping(scope, name).text)


def as_toml(mapping: FileMapping) -> str:
    """Write a mapping as TOML, for saving what was chosen on the import page."""
    crs = f"EPSG:{mapping.crs.epsg}" if mapping.crs else ""
    usual = {"format": "auto", "timezone": LONDON_NAME}
    texts = {
        "kind": mapping.kind,
        "source": mapping.source,
        "format": mapping.format_name,
        "layer": mapping.layer or "",
    }
    texts |= {"crs": crs, "timezone": mapping.timezone}
    lines = [f"{name} = {_quoted(text)}" for name, text in texts.items() if text not in {"", usual.get(name)}]
    if mapping.precision_m is not None:
        lines.append(f"precision_m = {mapping.precision_m:g}")
    if mapping.only_columns:
        lines.append("only_columns = true")
    if mapping.key:
        lines += [
            f"key = [{', '.join(map(_quoted, mapping.key))}]",
            f"full_supply = {str(mapping.full_supply).lower()}",
        ]
    tables = {"columns": mapping.columns, "defaults": mapping.defaults}
    tables |= {f"values.{name}": words for name, words in mapping.values.items()}
    for title, entries in tables.items():
        if entries:
            lines += ["", f"[{title}]", *(f"{_quoted(name)} = {_quoted(text)}" for name, text in entries.items())]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    import json

    return json.dumps(text, ensure_ascii=False)
