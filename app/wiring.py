"""The composition root: the only place that knows concrete stores, secrets and the clock."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Final

from app.services.jobs import Jobs
from app.services.pseudonyms import Keyring
from app.services.shelf import Shelf
from app.services.terms import Terms
from app.services.uploads import UploadVault
from app.settings import Settings
from data.database import Database
from data.migrate import migrate, require_current
from data.store import Store
from geo.crs import MetricCrs
from geo.errors import InvalidParameter, StoreError
from geo.model import Scope
from geo.temporal import micros

KEY_BYTES: Final = 32


def system_clock() -> int:
    """Microseconds UTC now."""
    return micros(datetime.now(UTC))


@dataclass(frozen=True)
class Lapwing:
    """An assembled application: settings, store, clock and secrets."""

    settings: Settings
    clock: Callable[[], int] = system_clock

    @cached_property
    def database(self) -> Database:
        """The database named by the settings."""
        return open_database(self.settings)

    @cached_property
    def store(self) -> Store:
        """The migrated store. A new embedded store is made on first use; a server database never is."""
        if self.is_embedded and "lapwing_migration" not in self.database.tables():
            migrate(self.database, crs=None, now_us=self.clock())
        return Store.over(self.database, require_current(self.database))

    @cached_property
    def uploads(self) -> UploadVault:
        """Sealed uploads between two steps of an import."""
        return UploadVault(self.settings.state / "uploads")

    @cached_property
    def jobs(self) -> Jobs:
        """Long work for browsers, in this process."""
        return Jobs()

    @cached_property
    def shelf(self) -> Shelf:
        """Prepared layers of this process."""
        return Shelf()

    @property
    def is_embedded(self) -> bool:
        """Whether the store is a file of ours."""
        return self.settings.store.startswith("sqlite:")

    def migrate(self, crs: MetricCrs | None) -> list[int]:
        """Bring the store up to date; ``crs`` is fixed by the first migration."""
        return migrate(self.database, crs=crs, now_us=self.clock())

    def secret(self, name: str) -> bytes:
        """A key that lives outside the store, made on first use and readable by this user only."""
        folder = self.settings.state / "secrets"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = folder / f"{name}.key"
        if not file.exists():
            scratch = folder / f".{name}.{secrets.token_hex(4)}"
            scratch.touch(mode=0o600)
            scratch.write_bytes(secrets.token_bytes(KEY_BYTES))
            try:
                file.hardlink_to(scratch)  # fails when another process was first: its key is then the key
            except FileExistsError:
                pass
            finally:
                scratch.unlink()
        return file.read_bytes()

    @property
    def keys(self) -> Keyring:
        """The keys that the store's hashes were made with: as many of the file's as the store knows of."""
        known = self.store.vehicle_keys()
        content = self.secret("vehicle")
        keys = tuple(content[i : i + KEY_BYTES] for i in range(0, len(content), KEY_BYTES))
        if len(keys) < known:
            raise StoreError(
                f"The store was made with {known} vehicle keys and {self.settings.state}/secrets/vehicle.key holds {len(keys)};"
                " restore that file: without it no vehicle can be recognised again."
            )
        return Keyring(keys[:known])

    @property
    def terms(self) -> Terms:
        """What this installation brings to every import."""
        settings = self.settings
        return Terms(
            now_us=self.clock(),
            keys=self.keys,
            retention_months=settings.retention_months,
            max_line_bytes=settings.max_line_bytes,
            max_file_bytes=settings.max_file_bytes,
        )

    def add_vehicle_key(self) -> Keyring:
        """Append a key to the file of keys, in one step; it counts once the store says so. Returns all of them."""
        used = self.keys.keys
        file = self.settings.state / "secrets" / "vehicle.key"
        scratch = file.with_name(f".vehicle.{secrets.token_hex(4)}")
        scratch.touch(mode=0o600)
        new = (*used, secrets.token_bytes(KEY_BYTES))
        scratch.write_bytes(b"".join(new))
        scratch.replace(file)
        return Keyring(new)

    def scope(self, actor: str) -> Scope:
        """What the command line may touch, on whose behalf."""
        return Scope(org_id=self.settings.organisation, actor=actor)


def open_database(settings: Settings) -> Database:
    """Open the database that a store address names.

    Raises
    ------
    InvalidParameter
        When the address is of no known kind.
    """
    address = settings.store
    scheme = address.partition(":")[0]
    if scheme == "sqlite":
        from data.sqlite import SqliteDatabase

        path = address.removeprefix("sqlite:///")
        if path == address or not path:
            raise InvalidParameter("A SQLite store is written sqlite:///relative.db or sqlite:////absolute.db.")
        return SqliteDatabase(settings.home / Path(path))
    if scheme in {"postgresql", "postgres"}:
        from data.postgis import PostgisDatabase

        return PostgisDatabase(address)
    raise InvalidParameter(
        "A store is written sqlite:///relative.db, sqlite:////absolute.db or postgresql://user@host/name."
    )
