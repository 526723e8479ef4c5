"""`python -m tests.contract.printed [PAGE …]` writes into the pages of docs/ what their programs print.

The programs of a page, its blocks of Python, are run one after another in a process of their own: an op that
a page defines is no op of the service. What each prints stands in the block of text under it. A service runs
for pages that call one, and their commands, blocks of shell with an answer under them, are run as well.
"""

import re
import subprocess
import sys
from pathlib import Path

from tests.app.server import serving

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = re.compile(r"```python\n(.*?)```\n(?:\n```text\n.*?```\n)?", re.S)
COMMAND = re.compile(r"```sh\n(.*?)```\n```text\n.*?```\n", re.S)
SERVICE = "http://127.0.0.1:8000"
_NEXT = "\x1e"  # between what two programs print


def programs(page: str) -> list[str]:
    """The programs of a page, given as its text."""
    return PROGRAM.findall(page)


def printed(page: str) -> str:
    """A page, given as its text, with what its programs print now. AssertionError if one fails."""
    if SERVICE not in page:
        return _printed(page)
    with serving() as server:
        return _printed(page.replace(SERVICE, server.url)).replace(server.url, SERVICE)


def _printed(page: str) -> str:
    page = COMMAND.sub(_with_answer, page)
    source = f"\nprint({_NEXT!r}, end='')\n".join(programs(page))
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", source], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    outputs = iter(ran.stdout.split(_NEXT))

    def with_output(match: re.Match[str]) -> str:
        output = next(outputs).rstrip("\n")
        shown = f"\n```text\n{output}\n```\n" if output else ""
        return f"```python\n{match[1]}```\n{shown}"

    return PROGRAM.sub(with_output, page)


def _with_answer(match: re.Match[str]) -> str:
    ran = subprocess.run(["bash", "-c", match[1]], capture_output=True, text=True, check=True)
    return f"```sh\n{match[1]}```\n```text\n{ran.stdout.rstrip()}\n```\n"


def main(names: list[str]) -> None:
    """Write the pages called `names`, or all that have programs."""
    for path in sorted((ROOT / "docs").glob("*.md")):
        page = path.read_text(encoding="utf-8")
        if programs(page) and (not names or path.stem in names) and (new := printed(page)) != page:
            path.write_text(new, encoding="utf-8")
            print(f"wrote {path.name}")


if __name__ == "__main__":
    main(sys.argv[1:])
