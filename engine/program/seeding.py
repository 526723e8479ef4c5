"""The random generator that programs draw from."""

from __future__ import annotations

import threading

from engine.random import Generator

_local = threading.local()


def seeded(seed: int) -> Generator:
    """This thread's generator for programs, seeded: making one costs more than a small plan."""
    generator: Generator | None = getattr(_local, "generator", None)
    if generator is None:
        generator = _local.generator = Generator()
    return generator.manual_seed(seed)
