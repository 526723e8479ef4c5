"""`python -m bench.load`: the client of the HTTP cases, a process of its own, the same for all servers.

It reads an order a line, `{"port", "requests": a folder of raw HTTP, "connections", "seconds", "count"}`,
and writes a line of seconds for each: per request where there are many connections, else the median latency.
The requests are sent in turn. Connections are kept alive; opening them is not timed.
"""

from __future__ import annotations

import itertools
import json
import selectors
import socket
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PIECE = 1 << 18
SMALL = 1 << 14  # a request that the system takes at once


class Reply:
    """The bytes of one reply, as they come."""

    def __init__(self) -> None:
        self.buffer = bytearray(PIECE)
        self.start()

    def start(self) -> None:
        self.have, self.whole = 0, 0

    def receive(self, sock: socket.socket) -> bool:
        """Take what has come; whether the reply is complete."""
        found = sock.recv_into(memoryview(self.buffer)[self.have :])
        if not found:
            raise ConnectionError("the server closed the connection")
        self.have += found
        if not self.whole:
            self._head()
        return bool(self.whole) and self.have >= self.whole

    def _head(self) -> None:
        end = self.buffer.find(b"\r\n\r\n", 0, self.have)
        if end < 0:
            return
        head = bytes(self.buffer[:end]).lower()
        if head[9:12] != b"200":
            raise ConnectionError(f"answered {head[:40]!r}")
        at = head.index(b"content-length:") + len(b"content-length:")
        self.whole = end + 4 + int(head[at:].split(b"\r\n", 1)[0])
        if self.whole > len(self.buffer):
            self.buffer.extend(bytes(self.whole - len(self.buffer)))


def connect(port: int) -> socket.socket:
    """A connection that sends at once."""
    sock = socket.create_connection(("127.0.0.1", port), timeout=60)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def one(port: int, requests: Iterator[bytes], seconds: float, count: int) -> float:
    """The median latency of requests one after the other; of `count` of them the time of all."""
    times: list[float] = []
    reply = Reply()
    with connect(port) as sock:
        began = time.perf_counter()
        while len(times) < (count or 1) or (not count and time.perf_counter() - began < seconds):
            request = next(requests)
            sent = time.perf_counter()
            sock.sendall(request)
            reply.start()
            while not reply.receive(sock):
                pass
            times.append(time.perf_counter() - sent)
    return sum(times) if count else statistics.median(times)


def many(port: int, requests: Iterator[bytes], seconds: float, connections: int) -> float:
    """Seconds per request, where each connection sends the next when it has its answer."""
    selector = selectors.DefaultSelector()
    socks = [connect(port) for _ in range(connections)]
    for sock in socks:
        selector.register(sock, selectors.EVENT_READ, Reply())
    done, began = 0, time.perf_counter()
    for sock in socks:
        sock.send(next(requests))
    while (spent := time.perf_counter() - began) < seconds:
        for key, _ in selector.select(1):
            sock, reply = key.fileobj, key.data
            if reply.receive(sock):
                done += 1
                reply.start()
                sock.send(next(requests))
    for sock in socks:
        sock.close()
    return spent / done


def measure(order: dict[str, Any]) -> float:
    """Carry out an order."""
    found = [each.read_bytes() for each in sorted(Path(order["requests"]).iterdir())]
    requests = itertools.cycle(found)
    if order["connections"] > 1:
        assert max(map(len, found)) < SMALL
        return many(order["port"], requests, order["seconds"], order["connections"])
    return one(order["port"], requests, order["seconds"], order["count"])


def main() -> None:
    for line in sys.stdin:
        print(repr(measure(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
