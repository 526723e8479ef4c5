"""The access log: uvicorn's own lines, many written at a time.

uvicorn takes as long to make and write a line as a small graph takes from request to answer. Lines wait here
for a moment, and are written together. On a terminal, where someone may watch, they are uvicorn's.
"""

from __future__ import annotations

import asyncio
import atexit
import http
import logging
from typing import Any

from uvicorn.logging import AccessFormatter

DELAY = 0.1  # seconds that a line may wait
_PHRASES = {each.value: each.phrase for each in http.HTTPStatus}


class Lines:
    """In place of the logger `uvicorn.access`: the one method of it that uvicorn calls for a request."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self._lines: list[str] = []
        atexit.register(self.flush)

    def info(self, text: str, client: str, method: str, path: str, version: str, status: int) -> None:
        """Write a line in a moment. The text is the one that uvicorn has for the other arguments."""
        if not self._lines:
            asyncio.get_running_loop().call_later(DELAY, self.flush)
        self._lines.append(
            f'INFO:     {client} - "{method} {path} HTTP/{version}" {status} {_PHRASES.get(status, "")}\n'
        )

    def flush(self) -> None:
        """Write what waits."""
        lines, self._lines = self._lines, []
        if lines:
            self.stream.write("".join(lines))
            self.stream.flush()


_kept: dict[int, Lines] = {}


def lines(logger: logging.Logger) -> logging.Logger | Lines:
    """What writes the logger's lines: itself, unless it writes uvicorn's plain ones to a stream."""
    if len(logger.handlers) != 1 or not logger.isEnabledFor(logging.INFO):
        return logger
    (handler,) = logger.handlers
    plain = isinstance(handler.formatter, AccessFormatter) and not handler.formatter.use_colors
    if not isinstance(handler, logging.StreamHandler) or not plain:
        return logger
    if id(handler) not in _kept:
        _kept.clear()  # the configuration has changed
        _kept[id(handler)] = Lines(handler.stream)
    return _kept[id(handler)]
