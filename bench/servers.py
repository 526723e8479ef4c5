"""Servers on this machine, started for a case and ended with it, and the client that loads them."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, NamedTuple

from bench.case import Arrays, NotBuilt, Side

ROOT = Path(__file__).parent.parent
START_SECONDS, END_SECONDS, REQUEST_SECONDS = 60, 10, 60
TESSERACT = ROOT / ".venv-bench-tesseract" / "bin" / "tesseract-runtime"
UVICORN = ("--host", "127.0.0.1", "--no-access-log", "--log-level", "warning")


class Server(NamedTuple):
    """A server; `ready` is a path that answers 200 when it is, if it has one."""

    port: int
    process: subprocess.Popen[bytes]
    log: IO[bytes]
    ready: str


class Exchange(NamedTuple):
    """A request, and how its reply's body is read."""

    path: str
    body: bytes
    read: Callable[[bytes], Arrays]
    headers: Mapping[str, str] = {"Content-Type": "application/json"}


def gradwire(stack: ExitStack) -> Server:
    """The service with its default settings, but for the log of accesses."""
    port = _free_port()
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))
    environ = {
        "GRADWIRE_PORT": str(port),
        "GRADWIRE_ACCESS_LOG": "0",
        "GRADWIRE_LOG_LEVEL": "warning",
        "GRADWIRE_STORE": f"{folder}/graphs.sqlite3",
    }
    return _start(stack, [sys.executable, "-m", "app"], port, environ, ready="/health/ready")


def uvicorn(stack: ExitStack, app: str) -> Server:
    """An ASGI application of this package; uvicorn takes uvloop and httptools, which are installed."""
    port = _free_port()
    return _start(stack, [sys.executable, "-m", "uvicorn", app, "--port", str(port), *UVICORN], port)


def tesseract(stack: ExitStack) -> Server:
    """The Tesseract, served by its own command from its own environment."""
    if not TESSERACT.exists():
        raise ImportError(name="tesseract_core")
    port = _free_port()
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))
    environ = {
        "TESSERACT_API_PATH": str(ROOT / "bench/served/tesseract_api.py"),
        "TESSERACT_OUTPUT_PATH": folder,
    }
    return _start(stack, [str(TESSERACT), "serve", "--port", str(port)], port, environ)


def umbridge(stack: ExitStack) -> Server:
    """The UM-Bridge model."""
    import umbridge as _  # noqa: F401  # or the case is not installed

    port = _free_port()
    return _start(stack, [sys.executable, "-m", "bench.served.umbridge_model", str(port)], port)


class Client:
    """The client's process, for as long as the case."""

    def __init__(self, stack: ExitStack) -> None:
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        command = [sys.executable, "-m", "bench.load"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        stack.callback(_end, self._process)

    def side(self, server: Server, *exchanges: Exchange, connections: int = 1, count: int = 0) -> Side:
        """A side that sends requests in turn, whose figure is the time of one: its latency, its share of the
        time with more connections, or with `count` the time of so many, one after the other."""
        wait(server)
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        for number, each in enumerate(exchanges):
            (folder / f"{number:04}").write_bytes(_raw(server, each))
        order = {"port": server.port, "requests": str(folder), "connections": connections, "count": count}

        def answer() -> Arrays:
            return [array for each in exchanges for array in each.read(ask(server, each))]

        def samples(seconds: float) -> list[float]:
            assert self._process.stdin and self._process.stdout
            self._process.stdin.write(json.dumps({**order, "seconds": seconds}) + "\n")
            self._process.stdin.flush()
            return [float(self._process.stdout.readline())]

        return Side(samples, answer)


def ask(server: Server, exchange: Exchange) -> bytes:
    """The body of one reply. Raises NotBuilt where the service says that it cannot do that."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=REQUEST_SECONDS)
    with contextlib.closing(connection):
        connection.request("POST", exchange.path, exchange.body, dict(exchange.headers))
        reply = connection.getresponse()
        body = reply.read()
    if reply.status in (404, 406, 415) or (reply.status == 422 and b'"not-implemented"' in body):
        raise NotBuilt(f"{exchange.path} answers {reply.status}")
    if reply.status != 200:
        raise OSError(f"{exchange.path} answers {reply.status}: {body[:300]!r}")
    return body


def _raw(server: Server, exchange: Exchange) -> bytes:
    headers = {
        "Host": f"127.0.0.1:{server.port}",
        "Content-Length": str(len(exchange.body)),
        **exchange.headers,
    }
    lines = [f"POST {exchange.path} HTTP/1.1", *[f"{name}: {value}" for name, value in headers.items()]]
    return "\r\n".join([*lines, "", ""]).encode() + exchange.body


def _start(
    stack: ExitStack,
    command: Sequence[str],
    port: int,
    environ: Mapping[str, str] | None = None,
    ready: str = "",
) -> Server:
    log = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **(environ or {})}, stdout=log, stderr=subprocess.STDOUT
    )
    stack.callback(_end, process)
    return Server(port, process, log, ready)


def wait(server: Server) -> None:
    """Wait until the server answers; several may start at once."""
    until = time.monotonic() + START_SECONDS
    while not _answers(server):
        if server.process.poll() is not None:
            server.log.seek(0)
            raise OSError(f"{server.process.args} ended: {server.log.read()[-500:].decode(errors='replace')}")
        if time.monotonic() > until:
            raise TimeoutError(f"{server.process.args} does not answer on port {server.port}")
        time.sleep(0.05)


def _answers(server: Server) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    with contextlib.closing(connection), contextlib.suppress(OSError):
        if not server.ready:
            connection.connect()
            return True
        connection.request("GET", server.ready)
        return connection.getresponse().status == 200
    return False


def _end(process: subprocess.Popen[Any]) -> None:
    if process.stdin:
        process.stdin.close()
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
