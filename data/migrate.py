"""Numbered, forward-only, checksummed migrations, applied under a lock."""

import hashlib
from importlib.resources import files

from data.database import Database
from geo.crs import MetricCrs
from geo.errors import Conflict, StoreError

_BOOKKEEPING = """
CREATE TABLE lapwing_migration (number BIGINT PRIMARY KEY, checksum TEXT NOT NULL, applied_at_us BIGINT NOT NULL);
CREATE TABLE store_setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


def available(dialect: str) -> dict[int, str]:
    """SQL text of every migration for a dialect: the common part, then the dialect's own."""
    folder = files("data").joinpath("migrations")
    texts: dict[int, str] = {}
    for file in sorted(folder.iterdir(), key=lambda one: (one.name.split("_")[0], one.name.count("."), one.name)):
        parts = file.name.split(".")
        if parts[-1] == "sql" and (len(parts) == 2 or parts[1] == dialect):
            number = int(file.name.split("_")[0])
            texts[number] = texts.get(number, "") + file.read_text(encoding="utf-8")
    return texts


def migrate(database: Database, *, crs: MetricCrs | None, now_us: int) -> list[int]:
    """Bring a store up to date and return the numbers applied.

    Raises
    ------
    Conflict
        When the store already has another metric CRS: its coordinates cannot change under its records.
    StoreError
        When an applied migration differs from this version's text.
    """
    with database.transaction():
        database.lock("migrate")
        if "lapwing_migration" not in database.tables():
            database.script(_BOOKKEEPING)
        fixed = stored_crs(database)
        if fixed and crs and fixed.epsg != crs.epsg:
            raise Conflict(
                f"This store is in EPSG:{fixed.epsg} and holds coordinates in it; make a new store for EPSG:{crs.epsg}."
            )
        chosen = fixed or crs or MetricCrs()
        if not fixed:
            database.insert("store_setting", {"name": ["crs_epsg"], "value": [str(chosen.epsg)]})
        done = {row["number"]: row["checksum"] for row in database.rows("migrations")}
        applied = []
        for number, text in available(database.dialect).items():
            checksum = _checksum(text)
            if number in done:
                if done[number] != checksum:
                    raise StoreError(f"Migration {number} was changed after it was applied; restore its text.")
                continue
            database.script(text.replace("{srid}", str(chosen.epsg)))
            database.insert(
                "lapwing_migration", {"number": [number], "checksum": [checksum], "applied_at_us": [now_us]}
            )
            applied.append(number)
    return applied


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def stored_crs(database: Database) -> MetricCrs | None:
    """Metric CRS fixed by the first migration, or None for a new store."""
    rows = database.rows("store_setting", name="crs_epsg")
    return MetricCrs(int(rows[0]["value"])) if rows else None


def require_current(database: Database) -> MetricCrs:
    """Metric CRS of an up-to-date store.

    Raises
    ------
    StoreError
        When the store has not been migrated to this version.
    """
    where = ", ".join(database.backup_names())
    if "lapwing_migration" not in database.tables():
        raise StoreError(f"{where} is not a Lapwing store yet; run: lapwing migrate")
    done = {row["number"]: row["checksum"] for row in database.rows("migrations")}
    wanted = available(database.dialect)
    if missing := sorted(set(wanted) - set(done)):
        raise StoreError(f"{where} lacks migration {missing[0]}; run: lapwing migrate")
    for number, text in wanted.items():
        if done[number] != _checksum(text):
            raise StoreError(
                f"{where} was made by another version of migration {number}; use that version, or a new store."
            )
    crs = stored_crs(database)
    if crs is None:
        raise StoreError(f"{where} has lost its metric CRS setting; restore it from a backup.")
    return crs
