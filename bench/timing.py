"""Seconds: medians of calls, and sides of a case in turns."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

from bench.case import Arrays, Figures, Side

SECONDS = 1.0  # a case of `median` is repeated for about this long
MOST, LEAST = 50, 3
SAMPLE = 1e-3  # calls that are shorter are timed many at once


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


def timed(work: Callable[[], Any], answer: Callable[[Any], Arrays]) -> Side:
    """A side whose figures are the seconds of `work()`; `answer` reads what it gives."""
    number = 0

    def samples(seconds: float) -> list[float]:
        nonlocal number
        number = number or _calls(work)
        work()  # caches, and threads that the other side has left spinning
        found: list[float] = []
        started = time.perf_counter()
        while not found or time.perf_counter() - started < seconds:
            begun = time.perf_counter()
            for _ in range(number):
                work()
            found.append((time.perf_counter() - begun) / number)
        return found

    return Side(samples, lambda: answer(work()))


def timed_once(fresh: Callable[[], Any], work: Callable[[Any], Any], answer: Callable[[Any], Arrays]) -> Side:
    """A side whose figures are the seconds of `work(fresh())` without `fresh`: what a first time takes."""

    def samples(seconds: float) -> list[float]:
        found: list[float] = []
        started = time.perf_counter()
        while not found or time.perf_counter() - started < seconds:
            given = fresh()
            begun = time.perf_counter()
            kept = work(given)
            found.append(time.perf_counter() - begun)
            del kept
        return found

    return Side(samples, lambda: answer(work(fresh())))


def in_turns(sides: Mapping[str, Side], rounds: int, seconds: float, most: float) -> dict[str, Figures]:
    """Each side's figures, a round after the other, so that what disturbs one disturbs all; no further round
    after `most` seconds."""
    figures: dict[str, Figures] = {name: [] for name in sides}
    gc.collect()
    begun = time.perf_counter()
    gc.freeze()  # what was imported and set up is of no concern to the collector
    try:
        for each in range(rounds):
            if each and time.perf_counter() - begun > most:
                break
            order = list(sides) if each % 2 == 0 else list(reversed(sides))
            for name in order:
                figures[name].append(sides[name].samples(seconds))
    finally:
        gc.unfreeze()
    return figures


def _calls(work: Callable[[], Any]) -> int:
    """How many calls make a sample worth timing."""
    number = 1
    while True:
        begun = time.perf_counter()
        for _ in range(number):
            work()
        spent = time.perf_counter() - begun
        if spent > SAMPLE:
            return number
        number = max(2 * number, int(number * SAMPLE / max(spent, 1e-7)))
