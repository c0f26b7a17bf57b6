"""What was costly to make and may be asked for again, as much of it as a limit allows."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

DEFAULT_BYTES: Final = 256 * 1024 * 1024


@dataclass
class _Making:
    """Who makes a thing or waits for it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    asking: int = 0


class Shelf:
    """Things by key, the least recently used thrown away first; safe to use from several threads."""

    def __init__(self, limit_bytes: int = DEFAULT_BYTES) -> None:
        self._limit, self._held = limit_bytes, 0
        self._things: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._making: dict[Hashable, _Making] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Any], size: Callable[[Any], int]) -> Any:
        """Return the thing of that key, made now where it is not there; two who ask at once wait for one making."""
        if (found := self._find(key)) is not None:
            return found
        with self._one_at_a_time(key):
            if (found := self._find(key)) is not None:
                return found
            made = make()
            self._put(key, made, size(made))
            return made

    @contextmanager
    def _one_at_a_time(self, key: Hashable) -> Iterator[None]:
        """Wait for whoever makes that key; the last who asked for it leaves nothing behind."""
        with self._lock:
            making = self._making.setdefault(key, _Making())
            making.asking += 1
        try:
            with making.lock:
                yield
        finally:
            with self._lock:
                making.asking -= 1
                if not making.asking:
                    del self._making[key]

    def _find(self, key: Hashable) -> Any:
        with self._lock:
            if key not in self._things:
                return None
            self._things.move_to_end(key)
            return self._things[key][0]

    def _put(self, key: Hashable, thing: Any, size: int) -> None:
        with self._lock:
            _, replaced = self._things.pop(key, (None, 0))
            self._things[key] = (thing, size)
            self._held += size - replaced
            while self._held > self._limit and len(self._things) > 1:
                _, (_, gone) = self._things.popitem(last=False)
                self._held -= gone
