"""How the processors are shared out: compute processes, and the threads that each may use."""

from __future__ import annotations

import os

from app.settings import Settings


def processes(settings: Settings) -> int:
    """How many compute processes there are."""
    return settings.processes or _processors()


def threads(settings: Settings) -> int:
    """How many threads one place that computes may use, BLAS and elementwise arithmetic together."""
    places = processes(settings) if settings.compute == "process" else 1
    return settings.threads or max(1, _processors() // places)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
