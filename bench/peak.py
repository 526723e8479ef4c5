"""`python -m bench.peak gradwire|torch`: the most memory that a gradient takes above its inputs, in bytes.

Each side is a process of its own: what one library keeps to itself is none of the other's. The kernel counts:
the most pages that were resident since the count was reset.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import chains, machine

SIZE, OPS = 1_000_000, 100
WARM = 64  # elements of the first runs: code and caches are no arrays


def measured(side: str) -> float:
    """The figure of a side, in a process of its own."""
    command = [sys.executable, "-m", "bench.peak", side]
    found = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return float(found.stdout)


def gradwire(size: int) -> Callable[[], Any]:
    """The gradient by a Program."""
    import numpy as np

    from bench import ours

    program = ours.program(chains.graph(OPS))
    inputs = ours.tensors({"x": np.linspace(0.1, 1, size, dtype=np.float32)})
    return lambda: program.backward(inputs, trace=False)


def torch(size: int) -> Callable[[], Any]:
    """The gradient by torch eager."""
    from bench.peers import libraries

    x = libraries.torch().linspace(0.1, 1, size, requires_grad=True)
    return libraries.eager(lambda: chains.along(OPS, x, libraries.torch()), [x])


def _resident(field: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise OSError(f"/proc/self/status has no {field}")


def main() -> None:
    machine.confine()
    make = {"gradwire": gradwire, "torch": torch}[sys.argv[1]]
    for _ in range(3):
        make(WARM)()
    work = make(SIZE)
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # the peak is from now
    before = _resident("VmRSS")
    kept = work()
    print(_resident("VmHWM") - before)
    del kept


if __name__ == "__main__":
    main()
