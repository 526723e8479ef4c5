"""Examples run as a user runs them, and what they print."""

import contextlib
import io
import re
import runpy
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
STORED = Path(__file__).resolve().parent / "data"


def printed(name: str) -> str:
    """What `python examples/<name>.py` prints, with the addresses of objects masked."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    return re.sub(r"0x[0-9a-f]+", "0x…", said.getvalue())
