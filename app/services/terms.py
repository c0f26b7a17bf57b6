"""What an installation brings to every import, and who watches one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from app.services.pseudonyms import Keyring
from geo import retention

Progress = Callable[[float], None]
Edits = Mapping[int, Mapping[str, str]]


def no_progress(_: float) -> None:
    """Nobody watches."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What the installation brings to every import: the time, the keys and how long records are held.

    ``synthetic`` marks the files of the demo, which never share a store with real ones.
    """

    now_us: int
    keys: Keyring
    retention_months: Mapping[str, int] = field(default_factory=lambda: dict(retention.DEFAULT_MONTHS))
    max_line_bytes: int = 1 << 20
    max_file_bytes: int = 200_000_000
    synthetic: bool = False
