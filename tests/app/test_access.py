"""The access log says what uvicorn's says, a moment later."""

import asyncio
import io
import itertools
import logging
import os
import signal
import subprocess
import sys
import urllib.request
from typing import Any

import pytest
from uvicorn.logging import AccessFormatter

from app import access
from tests.app.server import ROOT

FORMAT = '%(levelprefix)s %(client_addr)s - "%(request_line)s" %(status_code)s'
TEXT = '%s - "%s %s HTTP/%s" %d'
numbers = itertools.count()
REQUESTS: list[tuple[Any, ...]] = [
    ("127.0.0.1:4", "POST", "/backward", "1.1", 200),
    ("::1:65535", "GET", "/ops?x=%20y", "1.0", 404),
    ("10.0.0.1:80", "PUT", "/graphs/a", "1.1", 599),
]


def silent() -> logging.Logger:
    found = logging.getLogger(f"access-{next(numbers)}")
    found.propagate = False
    return found


def logger(stream: Any, colours: bool = False) -> logging.Logger:
    found = silent()
    found.setLevel(logging.INFO)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(AccessFormatter(FORMAT, use_colors=colours))
    found.addHandler(handler)
    return found


@pytest.mark.anyio
async def test_lines_are_uvicorns_written_together() -> None:
    theirs, ours = io.StringIO(), io.StringIO()
    lines = access.lines(logger(ours))
    for request in REQUESTS:
        logger(theirs).info(TEXT, *request)
        lines.info(TEXT, *request)
    assert not ours.getvalue()
    await asyncio.sleep(2 * access.DELAY)
    assert ours.getvalue() == theirs.getvalue()
    lines.info(TEXT, *REQUESTS[0])
    await asyncio.sleep(2 * access.DELAY)
    assert ours.getvalue().count("\n") == len(REQUESTS) + 1


def test_other_loggers_write_for_themselves() -> None:
    coloured = logger(io.StringIO(), colours=True)
    quiet = logger(io.StringIO())
    quiet.setLevel(logging.WARNING)
    two = logger(io.StringIO())
    two.addHandler(logging.NullHandler())
    for each in (coloured, quiet, silent(), two):
        assert access.lines(each) is each


def test_connections_share_their_lines() -> None:
    one = logger(io.StringIO())
    assert access.lines(one) is access.lines(one)


def test_nothing_is_lost_at_the_end() -> None:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("GRADWIRE_")}
    environ = {**plain, "GRADWIRE_PORT": "0", "GRADWIRE_COMPUTE": "inline"}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-m", "app"], cwd=ROOT, env=environ, text=True, stdout=pipe, stderr=pipe
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[4]
        with urllib.request.urlopen(f"{url}/health/live") as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=20)
    assert '"GET /health/live HTTP/1.1" 200 OK' in log
