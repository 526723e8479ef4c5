"""How many threads one computation may use: numpy's tiles and BLAS together, one after the other.

    engine.set_num_threads(2)

A plan runs tiles on these threads, or calls BLAS, which has as many; never both at once. A second computation
that comes while one has the threads runs in its own thread alone.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from engine.errors import RuntimeArgumentError


class _Budget:
    """The threads of this process, and who has them."""

    def __init__(self) -> None:
        self.count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self.helpers: ThreadPoolExecutor | None = None
        self.taken = threading.Lock()

    def pool(self) -> ThreadPoolExecutor:
        """The threads beside the caller's."""
        if self.helpers is None:
            self.helpers = ThreadPoolExecutor(self.count - 1, "engine-tiles")
        return self.helpers

    def forget(self) -> None:
        """After a fork: the threads are the parent's."""
        self.helpers, self.taken = None, threading.Lock()


_budget = _Budget()
os.register_at_fork(after_in_child=_budget.forget)


def get_num_threads() -> int:
    """How many threads one computation may use; at first, one for each CPU of the process."""
    return _budget.count


def set_num_threads(count: int) -> None:
    """Use at most `count` threads, in BLAS too. RuntimeArgumentError unless it is a positive int."""
    if type(count) is not int or count < 1:
        raise RuntimeArgumentError("set_num_threads expects a positive integer")
    import threadpoolctl

    with _budget.taken:
        if _budget.helpers is not None:
            _budget.helpers.shutdown()
        _budget.count, _budget.helpers = count, None
        threadpoolctl.threadpool_limits(count, "blas")


def spread(work: Callable[[int], None], count: int) -> None:
    """Call `work` with 0 … count - 1, each once, on as many threads as there may be. What the calls raise is
    raised here, the first of it."""
    if count < 2 or _budget.count < 2 or not _budget.taken.acquire(blocking=False):
        for number in range(count):
            work(number)
        return
    try:
        numbers = itertools.count()

        def run() -> None:
            nonlocal numbers
            try:
                with np.errstate(all="ignore"):
                    while (number := next(numbers)) < count:
                        work(number)
            finally:
                numbers = itertools.count(count)  # after an error nobody begins another

        helping = [_budget.pool().submit(run) for _ in range(min(_budget.count, count) - 1)]
        try:
            run()
        finally:
            errors = [each.exception() for each in helping]
        for error in errors:
            if error is not None:
                raise error
    finally:
        _budget.taken.release()
