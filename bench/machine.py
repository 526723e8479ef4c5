"""What the figures were taken on, and two processors for every side alike."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path

THREADS = 2
PEERS = ("torch", "jax", "jaxlib", "autograd", "umbridge")
OWN = ("numpy", "scipy", "fastapi", "uvicorn", "orjson")


def confine() -> None:
    """Let this process, and all that it starts, have two processors and as many threads; before anything that
    reads the number of processors is imported."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(THREADS)


def processor() -> str:
    """The processor's name, family and caches."""
    facts: dict[str, str] = {}
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            facts.setdefault(name.strip(), value.strip())
    except OSError:
        return platform.processor() or platform.machine()
    family = f"family {facts.get('cpu family', '?')}, model {facts.get('model', '?')}"
    return f"{facts.get('model name', platform.machine())} ({family}; {caches()})"


def caches() -> str:
    """The sizes of the first processor's caches."""
    found = []
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = (
            (index / name).read_text(encoding="utf-8").strip() for name in ("level", "type", "size")
        )
        found.append(f"L{level}{'' if kind == 'Unified' else kind[0].lower()} {size}")
    return ", ".join(found) or "caches unknown"


def memory() -> str:
    """The machine's memory."""
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"


def versions() -> dict[str, str]:
    """The versions of what took part, as far as it is installed here."""
    found = {"Python": platform.python_version()}
    for name in (*OWN, *PEERS):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found
