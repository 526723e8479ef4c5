"""Python's cycle collector, held back while much is made that stays.

Reading and planning a program makes many objects and drops few. The collector would go through the young ones
again and again, and now and then through everything that the process holds. It is not switched off: where
plans are made all the time, in several threads, what was dropped must be found some day. Nor does it come as
soon as a program is planned: one that is run once is gone before.
"""

from __future__ import annotations

import gc
import threading
from contextlib import ContextDecorator
from typing import Any

_HELD = (4_000_000, 1000, 1000)  # as many objects as are made for 100,000 statements
_lock = threading.Lock()
_inside = 0  # blocks that are open, in all threads
_usual: tuple[int, int, int] | None = None  # the thresholds, while others are set


class collecting_later(ContextDecorator):
    """Inside the block, or the decorated function, hardly anything is collected, in any thread; after it, not
    before as many objects were made again."""

    def __enter__(self) -> None:
        global _inside, _usual
        with _lock:
            _inside += 1
            if _usual is None:
                _usual = gc.get_threshold()
                gc.callbacks.append(_collected)
            gc.set_threshold(*_HELD)

    def __exit__(self, *_: object) -> None:
        global _inside
        with _lock:
            _inside -= 1
            if not _inside and _usual is not None:
                gc.set_threshold(_usual[0] + 2 * gc.get_count()[0], *_usual[1:])


def _collected(phase: str, info: dict[str, Any]) -> None:
    """After a collection outside of all blocks nothing is left to wait for."""
    global _usual
    if phase == "stop" and not _inside and _usual is not None:
        gc.set_threshold(*_usual)
        _usual = None
        gc.callbacks.remove(_collected)
