"""What the figures were taken on, and two processors for every side alike."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import time
from datetime import UTC, datetime
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


def facts() -> list[str]:
    """When, where and with what."""
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return [
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.system()} {platform.release()}",
        f"{processor()}, {os.cpu_count()} processors of which {THREADS} were used, {pages / 2**30:.0f} GiB",
        ", ".join(f"{name} {version}" for name, version in versions().items()),
    ]


def versions() -> dict[str, str]:
    """The versions of what took part, as far as it is installed here."""
    found = {"Python": platform.python_version()}
    for name in (*OWN, *PEERS):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    for folder in Path(__file__).parent.parent.glob(".venv-bench-tesseract/lib/*/site-packages"):
        for each in importlib.metadata.distributions(name="tesseract-core", path=[str(folder)]):
            found["tesseract-core"] = each.version
    return found


class Usage:
    """What others made of the processors meanwhile: figures from a busy machine are worth little."""

    def __init__(self) -> None:
        self._began = self._others(), time.monotonic()

    def others(self) -> str:
        """A sentence; processes that this one started are counted when they have ended."""
        busy, spent = self._others() - self._began[0], time.monotonic() - self._began[1]
        share = max(0.0, busy / spent / (os.cpu_count() or 1))
        return f"Other processes took {share:.0%} of the processors."

    @staticmethod
    def _others() -> float:
        fields = Path("/proc/stat").read_text(encoding="utf-8").split("\n", 1)[0].split()[1:]
        user, nice, system, _, _, irq, softirq, steal = (int(each) for each in fields[:8])
        busy = (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
        return busy - sum(os.times()[:4])
