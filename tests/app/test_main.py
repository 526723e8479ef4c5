"""`python -m app` as a person starts it."""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.__main__ import address

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "app"]
README = (ROOT / "README.md").read_text("utf-8")


def environment(**more: str) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("GRADWIRE_")}
    return {**plain, "GRADWIRE_PROCESSES": "1", **more}


@contextmanager
def running(**environ: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        COMMAND,
        cwd=ROOT,
        env=environment(**environ),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def post(url: str, body: str) -> bytes:
    request = urllib.request.Request(url, body.encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        found: bytes = answer.read()
    return found


def test_the_first_lines_say_where_and_what_to_paste() -> None:
    with running(GRADWIRE_PORT="0") as process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(9)]
        url = lines[0].split()[4]
        command = shlex.split("".join(lines[2:]))
        assert lines[0].startswith("gradwire")
        assert command[:3] == ["curl", "-s", f"{url}/backward"]
        assert url in lines[0].partition("docs: ")[2]
        found = json.loads(post(command[2], command[command.index("-d") + 1]))
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) in (0, -signal.SIGTERM)
    assert found["grads"]["x"] == {"data": [[4.5, 4.5], [4.5, 4.5]], "dtype": "float32", "shape": [2, 2]}


def start(**environ: str) -> subprocess.CompletedProcess[str]:
    """A start that fails."""
    return subprocess.run(
        COMMAND, cwd=ROOT, env=environment(**environ), capture_output=True, text=True, timeout=60, check=False
    )


def test_impossible_settings_are_explained() -> None:
    done = start(GRADWIRE_PROT="1")
    assert done.returncode == 2
    assert "GRADWIRE_PROT: no such setting; did you mean GRADWIRE_PORT?" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_address_in_use_is_explained() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = start(GRADWIRE_PORT=port)
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
        ("localhost", "http://localhost:80"),
    ],
)
def test_the_url_is_one_that_a_browser_here_can_open(host: str, url: str) -> None:
    assert address(host, 80) == url


def test_the_request_is_the_readmes() -> None:
    from app.__main__ import FIRST_REQUEST

    assert FIRST_REQUEST.format(url="http://127.0.0.1:8000") in README
