"""Pure geography: frozen dataclasses and array functions; no I/O, clock, global random state, database or HTML."""

__version__ = "0.1.0"
