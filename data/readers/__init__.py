"""Files in: each reader returns rows as text with their row numbers; validation is done in ``geo``."""

from data.readers.files import ReadFile, read_file

__all__ = ["ReadFile", "read_file"]
