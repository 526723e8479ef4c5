"""The service as a process of its own on a free port."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]


class Server(NamedTuple):
    """A server that runs, and where."""

    url: str
    process: subprocess.Popen[str]

    def compute_pids(self) -> list[int]:
        """Its compute processes, that is its children."""
        pid = self.process.pid
        return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


@contextmanager
def serving(**environ: str) -> Iterator[Server]:
    """`python -m app` with these settings, ended by its id afterwards."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("GRADWIRE_")}
    with subprocess.Popen(
        [sys.executable, "-m", "app"],
        cwd=ROOT,
        env={**plain, "GRADWIRE_PORT": "0", "GRADWIRE_ACCESS_LOG": "false", **environ},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        try:
            yield Server(process.stdout.readline().split()[4], process)
        finally:
            process.kill()


def is_alive(pid: int) -> bool:
    """Whether the process exists and has not ended; a zombie has."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"
