"""Medians of wall-clock times."""

import gc
import statistics
import time
from collections.abc import Callable
from typing import Any

SECONDS = 1.0  # a case is repeated for about this long
MOST, LEAST = 50, 3


def median(work: Callable[..., Any], setup: Callable[[], Any] | None = None) -> float:
    """The median seconds of `work()`, or of `work(setup())` with the setup left out."""
    times: list[float] = []
    started = time.perf_counter()
    while len(times) < LEAST or (len(times) < MOST and time.perf_counter() - started < SECONDS):
        given = () if setup is None else (setup(),)
        gc.collect()
        gc.disable()
        begun = time.perf_counter()
        kept = work(*given)
        times.append(time.perf_counter() - begun)
        gc.enable()
        del kept
    return statistics.median(times)
