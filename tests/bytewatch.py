"""Watching the disk, while work goes on, for bytes that must never lie on it.

    with watching([b"planted-4711"], folders=[home], processes=[server.pid]) as watch:
        ...
    assert watch.hits == []

A thread looks again and again, as fast as it can, at every file below the folders, at what is new in the system's
temporary folders, and through ``/proc`` at what the processes and their children hold open: files open for writing
wherever they lie, and files already deleted or never named. At the end everything is read once more.

Needles must be random for each test, or another test's files are found. Compressed bytes are not looked into, so plant in
plain files. Memory that only looks like a file (``memfd``, ``/dev/shm``) is not disk. Linux only.
"""

# pathlib is several times slower, and the files sought live for milliseconds
# ruff: noqa: PTH115, PTH116, PTH123, PTH208

import contextlib
import os
import stat
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

TEMPORARY = (tempfile.gettempdir(), "/var/tmp")  # SQLite and others prefer the second
SETTLED_NS = 20_000_000  # a younger timestamp may stand for two changes: the kernel's clock ticks every few ms
BLOCK = 4 << 20
PAUSE_S = 0.0003


class Hit(NamedTuple):
    path: str
    needle: bytes


class Mark(NamedTuple):
    inode: int
    size: int
    changed_ns: int

    @classmethod
    def of(cls, found: os.stat_result) -> "Mark":
        return cls(found.st_ino, found.st_size, max(found.st_mtime_ns, found.st_ctime_ns))

    @property
    def is_settled(self) -> bool:
        return time.time_ns() - self.changed_ns > SETTLED_NS


@contextmanager
def watching(
    needles: Iterable[bytes],
    *,
    folders: Iterable[Path],
    processes: Iterable[int] = (),
    ignore: Iterable[Path] = (),
) -> Iterator["Watch"]:
    """Watch until the block ends; ``ignore`` names files or folders that may hold the needles, such as their source."""
    watch = Watch(list(needles), [str(folder) for folder in folders], list(processes), [str(one) for one in ignore])
    interval = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)  # work in this process must not keep the watch from looking
    thread = threading.Thread(target=watch.run, name="bytewatch", daemon=True)
    thread.start()
    watch.ready.wait()
    try:
        yield watch
    finally:
        watch.stop.set()
        thread.join()
        sys.setswitchinterval(interval)
    if watch.failure is not None:
        raise watch.failure
    watch.look(thoroughly=True)


class Watch:
    """What was found, and how often and how fast the watch looked."""

    def __init__(self, needles: list[bytes], folders: list[str], processes: list[int], ignore: list[str]) -> None:
        assert needles
        assert all(len(needle) >= 6 for needle in needles), "short needles are found by chance"
        self.hits: list[Hit] = []
        self.looks = 0
        self.slowest_ms = 0.0
        self.ready, self.stop = threading.Event(), threading.Event()
        self.failure: BaseException | None = None
        self._needles = needles
        self._processes = processes
        self._ignore = ignore
        self._trees = [Tree(folder) for folder in folders] + [
            Tree(folder, known=True) for folder in dict.fromkeys(TEMPORARY) if Path(folder).is_dir()
        ]
        self._open_files: dict[tuple[int, str], Mark | None] = {}

    def run(self) -> None:
        try:
            while not self.stop.is_set():
                began = time.perf_counter()
                self.look()
                self.slowest_ms = max(self.slowest_ms, (time.perf_counter() - began) * 1000)
                self.looks += 1
                self.ready.set()
                time.sleep(PAUSE_S)
        except BaseException as error:  # noqa: BLE001  (handed on by watching)
            self.failure = error
        finally:
            self.ready.set()

    def look(self, *, thoroughly: bool = False) -> None:
        """Read what changed since the last look, or everything."""
        if thoroughly:
            self._open_files.clear()
        for process in self._family():
            self._look_at_open_files(process)
        for tree in self._trees:
            for path in tree.changed(thoroughly=thoroughly):
                self._search(path, path)

    def _family(self) -> list[int]:
        """The processes and their descendants that still live."""
        found, waiting = [], list(self._processes)
        while waiting:
            process = waiting.pop()
            found.append(process)
            with contextlib.suppress(OSError):
                for thread in os.listdir(f"/proc/{process}/task"):
                    with contextlib.suppress(OSError), open(f"/proc/{process}/task/{thread}/children") as children:
                        waiting += map(int, children.read().split())
        return found

    def _look_at_open_files(self, process: int) -> None:
        with contextlib.suppress(OSError):  # the process has ended
            for number in os.listdir(f"/proc/{process}/fd"):
                handle = f"/proc/{process}/fd/{number}"
                with contextlib.suppress(OSError):  # it was closed meanwhile
                    found = os.stat(handle)
                    mark = Mark.of(found)
                    if not stat.S_ISREG(found.st_mode) or self._open_files.get((process, number)) == mark:
                        continue
                    self._open_files[process, number] = mark if mark.is_settled else None
                    name = os.readlink(handle)
                    if _may_be_spool(process, number, name):
                        self._search(handle, name)

    def _search(self, path: str, name: str) -> None:
        if any(name == one or name.startswith(f"{one}/") for one in self._ignore):
            return
        missing = [needle for needle in self._needles if Hit(name, needle) not in self.hits]
        missing = [needle for needle in missing if not self._noted(needle in os.fsencode(name), name, needle)]
        overlap = max(map(len, self._needles)) - 1
        with contextlib.suppress(OSError), open(path, "rb", buffering=0) as file:
            tail = b""
            while missing and (block := file.read(BLOCK)):
                text = tail + block
                missing = [needle for needle in missing if not self._noted(needle in text, name, needle)]
                tail = text[-overlap:] if overlap else b""

    def _noted(self, is_there: bool, name: str, needle: bytes) -> bool:
        if is_there:
            self.hits.append(Hit(name, needle))
        return is_there


class Tree:
    """The files below a folder.

    Of a folder whose content is ``known`` from the start only what is new or changed matters, and its older subfolders are
    looked into thoroughly only at the end: nobody makes temporary files in another program's.
    """

    def __init__(self, root: str, *, known: bool = False) -> None:
        self._folders: dict[str, int] = {root: -1}
        self._files: dict[str, Mark | None] = {}
        self._known: dict[str, Mark] = {}
        self._resting: set[str] = set()
        if known:
            self._list_all()
            for path in self._files:
                with contextlib.suppress(OSError):
                    self._known[path] = Mark.of(os.lstat(path))
            self._resting = set(self._folders) - {root}
            self._folders, self._files = {root: -1}, {}

    def changed(self, *, thoroughly: bool = False) -> Iterator[str]:
        """Paths of files that changed since they were last given; thoroughly, of all but the known ones."""
        if thoroughly:
            self._folders = dict.fromkeys([*self._folders, *self._resting], -1)
            self._resting = set()
            self._files = dict.fromkeys([*self._files, *self._known])
        self._list_all()
        for path, before in list(self._files.items()):
            try:
                mark = Mark.of(os.lstat(path))
            except OSError:
                del self._files[path]
                continue
            if mark not in (before, self._known.get(path)):
                self._files[path] = mark if mark.is_settled else None
                yield path

    def _list_all(self) -> None:
        waiting = list(self._folders)
        while waiting:
            waiting += self._list(waiting.pop())

    def _list(self, folder: str) -> list[str]:
        """List a folder whose own timestamp says that names came or went; returns the folders that are new in it."""
        fresh = []
        try:
            changed_ns = os.stat(folder).st_mtime_ns
            if changed_ns == self._folders[folder]:
                return []
            self._folders[folder] = changed_ns if time.time_ns() - changed_ns > SETTLED_NS else -1
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if entry.path not in self._folders and entry.path not in self._resting:
                            self._folders[entry.path] = -1
                            fresh.append(entry.path)
                    elif entry.is_file(follow_symlinks=False) and not self._is_known(entry):
                        self._files.setdefault(entry.path, None)
        except FileNotFoundError:
            self._folders.pop(folder, None)
        except PermissionError:  # somebody else's
            pass
        return fresh

    def _is_known(self, entry: os.DirEntry[str]) -> bool:
        known = self._known.get(entry.path)
        return known is not None and known.inode == entry.inode()


def _may_be_spool(process: int, number: str, name: str) -> bool:
    """Whether an open file is one that is written to, or one that has no name; not what is only read, nor memory."""
    if name.startswith(("/memfd:", "/dev/shm/")):
        return False
    if name.endswith(" (deleted)"):
        return True
    with open(f"/proc/{process}/fdinfo/{number}") as info:
        flags = next(int(line.split()[1], 8) for line in info if line.startswith("flags:"))
    return flags & os.O_ACCMODE != os.O_RDONLY
