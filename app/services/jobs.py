"""Long work for a browser: done in a thread of this process, watched by a page that asks how far it is."""

import logging
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic_ns
from typing import Any, Final, Protocol

from geo.errors import LapwingError, NotFound

_log = logging.getLogger("lapwing.jobs")
_HOUR_US: Final = 3_600_000_000
_UNEXPECTED: Final = "Something went wrong and nothing was stored. Try again; if it happens again, report it."


class Seen(Protocol):
    """Where work tells its share done and, if it has any, the words for its step."""

    def __call__(self, share: float, words: str = "") -> None:
        """Note how far it is."""


Work = Callable[[Seen], Any]


class Cancelled(LapwingError):
    """Whoever began the work does not want it any more."""


@dataclass
class Job:
    """One piece of work: ``share`` of it is done; it ends with a ``result`` or with one line of ``error``.

    ``words`` name the step under way. ``subject`` says what it is about, where a page must know; it is no part of the work.
    ``ended_us`` is when it ended, by the clock that ``begun_us`` was read from.
    """

    job_id: str
    owner: str
    begun_us: int
    share: float = 0.0
    words: str = ""
    result: Any = None
    error: str = ""
    subject: str = ""
    cancelled: bool = False
    ended_us: int | None = None
    _done: threading.Event = field(default_factory=threading.Event, repr=False)
    _unwanted: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def done(self) -> bool:
        """Whether it has ended, well, badly or cancelled."""
        return self._done.is_set()

    @property
    def stopping(self) -> bool:
        """Whether it was asked to end and has not ended yet."""
        return self._unwanted.is_set() and not self.done

    @property
    def kind(self) -> str:
        """The first word of its subject."""
        return self.subject.partition(":")[0]

    def wait(self, seconds: float) -> bool:
        """Wait a little for its end; returns whether it came."""
        return self._done.wait(seconds)

    def cancel(self) -> None:
        """Ask it to end at its next step; work that has no further step ends as it would have."""
        self._unwanted.set()

    def seen(self, share: float, words: str = "") -> None:
        """Note how far it is.

        Raises
        ------
        Cancelled
            When it is to go no further.
        """
        if self._unwanted.is_set():
            raise Cancelled("Cancelled; nothing was stored.")
        self.share = max(self.share, min(1.0, share))
        self.words = words or self.words


class Jobs:
    """The work under way and, for an hour after its end, what became of it; a restart forgets it."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._once = threading.Lock()

    def start(self, owner: str, work: Work, *, now_us: int) -> Job:
        """Begin work, which is handed a function to tell its share done to."""
        job = Job(secrets.token_urlsafe(12), owner, now_us)
        with self._lock:
            self._jobs = {
                key: one for key, one in self._jobs.items() if one.ended_us is None or now_us - one.ended_us < _HOUR_US
            }
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

    def alone(self, owner: str, subject: str, begin: Callable[[], Job]) -> Job:
        """Begin what a person does one at a time, or return their work of that kind that is under way."""
        with self._once:
            job = self.running(owner, subject.partition(":")[0])
            if job is None:
                job = begin()
                job.subject = subject
        return job

    def about(self, owner: str, subject: str) -> Job | None:
        """Return the owner's work on a subject, unless it failed; None where there is none."""
        return next(
            (one for one in self._all() if (one.owner, one.subject) == (owner, subject) and not one.error), None
        )

    def running(self, owner: str, kind: str) -> Job | None:
        """Return the owner's work of a kind that is under way; None where there is none."""
        return next((one for one in self._all() if (one.owner, one.kind) == (owner, kind) and not one.done), None)

    def _all(self) -> list[Job]:
        with self._lock:
            return list(self._jobs.values())

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


def _run(job: Job, work: Work) -> None:
    began_ns = monotonic_ns()
    try:
        job.result = work(job.seen)
    except Cancelled as error:
        job.cancelled, job.error = True, str(error)
    except LapwingError as error:
        job.error = str(error)
    except Exception:  # noqa: BLE001 - a thread must end with a word to whoever waits
        _log.exception("job failed")
        job.error = _UNEXPECTED
    finally:
        job.share = 1.0
        job.ended_us = job.begun_us + (monotonic_ns() - began_ns) // 1000
        job._done.set()  # noqa: SLF001 - its own
