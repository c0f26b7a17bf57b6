"""What was costly to make and may be asked for again, as much of it as a limit allows."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Final

DEFAULT_BYTES: Final = 256 * 1024 * 1024


class Shelf:
    """Things by key, the least recently used thrown away first; safe to use from several threads."""

    def __init__(self, limit_bytes: int = DEFAULT_BYTES) -> None:
        self._limit, self._held = limit_bytes, 0
        self._things: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Any], size: Callable[[Any], int]) -> Any:
        """Return the thing of that key, made now where it is not there; two who ask at once wait for one making."""
        if (found := self._find(key)) is not None:
            return found
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            try:
                if (found := self._find(key)) is not None:
                    return found
                made = make()
                self._put(key, made, size(made))
                return made
            finally:
                with self._lock:
                    self._making.pop(key, None)

    def _find(self, key: Hashable) -> Any:
        with self._lock:
            if key not in self._things:
                return None
            self._things.move_to_end(key)
            return self._things[key][0]

    def _put(self, key: Hashable, thing: Any, size: int) -> None:
        with self._lock:
            self._things[key] = (thing, size)
            self._held += size
            while self._held > self._limit and len(self._things) > 1:
                _, (_, gone) = self._things.popitem(last=False)
                self._held -= gone
