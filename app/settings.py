"""Settings: defaults, then ``lapwing.toml`` in the home folder, then ``LAPWING_*``. Read once and passed down."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final

from geo.errors import InvalidParameter
from geo.model import RecordKind
from geo.retention import DEFAULT_MONTHS

DEFAULT_STORE: Final = "sqlite:///var/lapwing.db"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that can be set.

    Parameters
    ----------
    home : Path
        Folder of the installation's state: relative store addresses, ``var/`` and ``lapwing.toml`` lie in it.
    store : str
        ``sqlite:///relative.db``, ``sqlite:////absolute.db`` or ``postgresql://...``.
    host, port
        Where ``lapwing serve`` listens.
    organisation : str
        The organisation whose rows the command line works on.
    session_hours, idle_minutes : int
        Life of a sign-in session, and how long it may rest.
    secure_cookies : bool
        Send cookies over HTTPS only; set it when a TLS proxy stands in front.
    max_file_mb : int
        The largest file that is imported, in MB of a million bytes.
    max_line_mib : int
        The longest line of a file that is imported, in MiB.
    basemap : str
        A ``.pmtiles`` file of the user's to draw maps on; empty: the one that ``lapwing basemap build`` made.
    keep_incidents_months, keep_observations_months, keep_sightings_months, keep_effort_months : int
        How long records are held after their import; `lapwing purge` removes them then.
    """

    home: Path
    store: str = field(default=DEFAULT_STORE, repr=False)
    host: str = "127.0.0.1"
    port: int = 8765
    organisation: str = "default"
    session_hours: int = 10
    idle_minutes: int = 60
    secure_cookies: bool = False
    max_file_mb: int = 200
    max_line_mib: int = 1
    basemap: str = ""
    keep_incidents_months: int = DEFAULT_MONTHS[RecordKind.INCIDENTS]
    keep_observations_months: int = DEFAULT_MONTHS[RecordKind.OBSERVATIONS]
    keep_sightings_months: int = DEFAULT_MONTHS[RecordKind.SIGHTINGS]
    keep_effort_months: int = DEFAULT_MONTHS[RecordKind.EFFORT]

    @property
    def state(self) -> Path:
        """Folder of runtime state."""
        return self.home / "var"

    @property
    def built_basemap(self) -> Path:
        """Where ``lapwing basemap build`` writes."""
        return self.home / "basemap.pmtiles"

    @property
    def basemap_path(self) -> Path:
        """The archive that maps are drawn on, whether it exists or not."""
        return self.home / Path(self.basemap).expanduser() if self.basemap else self.built_basemap

    @property
    def retention_months(self) -> dict[str, int]:
        """Months that each kind of record is held."""
        return {str(kind): getattr(self, f"keep_{kind}_months") for kind in RecordKind}

    @property
    def max_file_bytes(self) -> int:
        """The largest file, in bytes."""
        return self.max_file_mb * 1_000_000

    @property
    def max_line_bytes(self) -> int:
        """The longest line, in bytes."""
        return self.max_line_mib * (1 << 20)


def load_settings(environ: Mapping[str, str] = os.environ, **overrides: Any) -> Settings:
    """Read the settings.

    Raises
    ------
    InvalidParameter
        For an unknown key in the file or a value of the wrong type.
    """
    home = Path(environ.get("LAPWING_HOME") or default_home()).expanduser().resolve()
    if environ is os.environ:
        # Numba reads it when it is imported, which is when the first loop of geo is compiled or loaded.
        os.environ.setdefault("NUMBA_CACHE_DIR", str(home / "numba"))
    settings = Settings(home=home)
    file = home / "lapwing.toml"
    if file.is_file():
        settings = replace(settings, **_from_file(file))
    told = {name: environ[f"LAPWING_{name.upper()}"] for name in _settable() if environ.get(f"LAPWING_{name.upper()}")}
    converted = {name: _convert(name, text, f"LAPWING_{name.upper()}") for name, text in told.items()}
    given = {name: value for name, value in overrides.items() if value is not None}
    return replace(settings, **(converted | given))


def default_home() -> Path:
    """Return the check-out that this code lies in, else a folder of the user's."""
    root = Path(__file__).resolve().parent.parent
    if (root / "setup.cfg").is_file():
        return root
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "lapwing"


def _settable() -> list[str]:
    return [one.name for one in fields(Settings) if one.name != "home"]


def _from_file(file: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidParameter(f"{file}: not valid TOML ({error}).") from error
    if unknown := sorted(set(table) - set(_settable())):
        raise InvalidParameter(f"{file}: unknown setting {unknown[0]!r}; known are {', '.join(_settable())}.")
    return {name: _convert(name, str(value), f"{file}: {name}") for name, value in table.items()}


def _convert(name: str, text: str, where: str) -> Any:
    kind = {one.name: one.type for one in fields(Settings)}[name]
    if kind is int:
        if not text.isdecimal():
            raise InvalidParameter(f"{where} must be a whole number, not {text!r}.")
        return int(text)
    if kind is bool:
        if text.lower() not in {"true", "false", "1", "0"}:
            raise InvalidParameter(f"{where} must be true or false, not {text!r}.")
        return text.lower() in {"true", "1"}
    return text
