"""Long work for a browser: done in a thread of this process, watched by a page that asks how far it is."""

import logging
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from geo.errors import LapwingError, NotFound

_log = logging.getLogger("lapwing.jobs")
_HOUR_US: Final = 3_600_000_000
_UNEXPECTED: Final = "Something went wrong and nothing was stored. Try again; if it happens again, report it."


@dataclass
class Job:
    """One piece of work: ``share`` of it is done; it ends with a ``result`` or with one line of ``error``.

    ``subject`` says what it is about, where a page must know; it is no part of the work.
    """

    job_id: str
    owner: str
    begun_us: int
    share: float = 0.0
    result: Any = None
    error: str = ""
    subject: str = ""
    _done: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def done(self) -> bool:
        """Whether it has ended, well or badly."""
        return self._done.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait a little for its end; returns whether it came."""
        return self._done.wait(seconds)

    def seen(self, share: float) -> None:
        """Note how far it is."""
        self.share = max(self.share, min(1.0, share))


class Jobs:
    """The work under way and what became of it, for an hour; a restart forgets it."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._once = threading.Lock()

    def start(self, owner: str, work: Callable[[Callable[[float], None]], Any], *, now_us: int) -> Job:
        """Begin work, which is handed a function to tell its share done to."""
        job = Job(secrets.token_urlsafe(12), owner, now_us)
        with self._lock:
            self._jobs = {key: one for key, one in self._jobs.items() if now_us - one.begun_us < _HOUR_US}
            self._jobs[job.job_id] = job
        threading.Thread(target=_run, args=(job, work), name=f"job-{job.job_id}", daemon=True).start()
        return job

    def once(self, owner: str, subject: str, begin: Callable[[], Job]) -> Job:
        """Begin what must not be done twice, or return the work on it that is under way or went well."""
        with self._once:
            job = self.about(owner, subject)
            if job is None:
                job = begin()
                job.subject = subject
        return job

    def about(self, owner: str, subject: str) -> Job | None:
        """Return the owner's work on a subject, unless it failed; None where there is none."""
        with self._lock:
            jobs = list(self._jobs.values())
        return next((one for one in jobs if (one.owner, one.subject) == (owner, subject) and not one.error), None)

    def get(self, job_id: str, owner: str) -> Job:
        """Return one of the owner's jobs.

        Raises
        ------
        NotFound
            When there is none, or it is another's.
        """
        job = self._jobs.get(job_id)
        if job is None or job.owner != owner:
            raise NotFound("This work is no longer known: the service was restarted, or an hour has passed.")
        return job


def _run(job: Job, work: Callable[[Callable[[float], None]], Any]) -> None:
    try:
        job.result = work(job.seen)
    except LapwingError as error:
        job.error = str(error)
    except Exception:  # noqa: BLE001 - a thread must end with a word to whoever waits
        _log.exception("job failed")
        job.error = _UNEXPECTED
    finally:
        job.share = 1.0
        job._done.set()  # noqa: SLF001 - its own
