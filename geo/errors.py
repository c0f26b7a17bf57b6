"""One base error, one class a kind of failure; messages say what, where and what to do."""


class LapwingError(Exception):
    """Anything Lapwing can explain to the person who asked."""


class InvalidParameter(LapwingError, ValueError):
    """A parameter is outside its meaning."""


class CrsError(LapwingError, ValueError):
    """Coordinates and coordinate reference system do not go together."""


class UnreadableFile(LapwingError, ValueError):
    """A file cannot be read as any known format; nothing of it was kept."""


class MappingError(LapwingError, ValueError):
    """The columns of a file cannot be matched with the fields of its kind."""


class NotFound(LapwingError, LookupError):
    """Nothing of that name exists within the caller's scope."""


class Conflict(LapwingError, ValueError):
    """The request does not fit the state of what it names."""


class NotPermitted(LapwingError):
    """The caller's role does not allow this."""


class StoreError(LapwingError):
    """The store cannot be opened, is not migrated, or refused the work."""


class DisclosureError(LapwingError, ValueError):
    """A layer would leave with something its audience must not have."""


class IntegrityError(LapwingError):
    """Stored evidence no longer agrees with its own checksums, or counts do not with each other."""
