"""Long work of pages: it runs in a thread, and a page shows how far it is."""

from typing import Any, Final

from app.services import jobs
from app.web.security import lapwing, scope, store

Work = jobs.Work

# How long a page may wait for work before it shows how far it is.
PATIENCE_S: Final = 1.5


def begin(work: Work) -> jobs.Job:
    """Begin work that gives back the database connection of the thread that it runs in."""
    database = store().database

    def closing(seen: jobs.Seen) -> Any:
        try:
            return work(seen)
        finally:
            database.close()

    return lapwing().jobs.start(scope().actor, closing, now_us=lapwing().clock())
