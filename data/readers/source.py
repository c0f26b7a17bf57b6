"""Where the bytes of a file come from: a path, or memory for what must not touch the disk."""

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from geo.errors import UnreadableFile


@dataclass(frozen=True)
class FileSource:
    """A file by path, or by name and content."""

    name: str
    path: Path | None = None
    content: bytes | None = field(default=None, repr=False)

    @classmethod
    def of(cls, file: "Path | FileSource") -> "FileSource":
        """Name a file on disk; a source is returned as it is."""
        return file if isinstance(file, FileSource) else cls(file.name, path=file)

    def require(self, max_bytes: int) -> None:
        """Refuse what is not there, empty or too large.

        Raises
        ------
        UnreadableFile
        """
        if self.path is not None:
            if self.path.is_dir():
                raise UnreadableFile(f"{self.path}: is a folder; name the files in it.")
            if not self.path.is_file():
                raise UnreadableFile(f"{self.path}: no such file.")
        if self.size == 0:
            raise UnreadableFile(f"{self.name}: the file is empty; nothing was imported.")
        if self.size > max_bytes:
            raise UnreadableFile(
                f"{self.name}: is larger than {max_bytes / 1e6:g} MB; split it, or raise max_file_mb in lapwing.toml."
            )

    def open(self) -> BinaryIO:
        """Open the bytes for reading."""
        return self.path.open("rb") if self.path is not None else io.BytesIO(self.content or b"")

    @property
    def size(self) -> int:
        """Length in bytes."""
        return self.path.stat().st_size if self.path is not None else len(self.content or b"")
