"""Files in: each reader returns rows as text with their row numbers; validation is done in ``geo``."""

from data.readers.files import Chunk, ReadFile, Reading, read_file
from data.readers.source import FileSource

__all__ = ["Chunk", "FileSource", "ReadFile", "Reading", "read_file"]
