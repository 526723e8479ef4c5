"""Python's cycle collector, held back while much is made that stays.

Reading and planning a program makes many objects and drops few. The collector would go through the young ones
again and again, and now and then through everything that the process holds. It is not switched off: where
plans are made all the time, in several threads, what was dropped must be found some day.
"""

from __future__ import annotations

import gc
import threading
from contextlib import ContextDecorator

_HELD = (1_000_000, 1000, 1000)  # more objects than are made for a program that is not huge
_lock = threading.Lock()
_inside = 0  # blocks that are open, in all threads
_before = gc.get_threshold()  # outside of the first of them


class collecting_later(ContextDecorator):
    """Inside the block, or the decorated function, hardly anything is collected, in any thread."""

    def __enter__(self) -> None:
        global _inside, _before
        with _lock:
            if not _inside:
                _before = gc.get_threshold()
                gc.set_threshold(*_HELD)
            _inside += 1

    def __exit__(self, *_: object) -> None:
        global _inside
        with _lock:
            _inside -= 1
            if not _inside:
                gc.set_threshold(*_before)
