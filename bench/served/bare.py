"""Bare ASGI under uvicorn: what no Python service can be faster than.

`constant` answers the tutorial's request without reading it; `echo` answers with the bytes it was sent.
"""

from __future__ import annotations

from typing import Any

ANSWER = (
    b'{"outputs":{"out":{"data":27.0,"dtype":"float32","shape":[]}},'
    b'"grads":{"x":{"data":[[4.5,4.5],[4.5,4.5]],"dtype":"float32","shape":[2,2]}}}'
)


async def _answer(send: Any, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def constant(scope: Any, _receive: Any, send: Any) -> None:
    """The same answer to everything."""
    if scope["type"] == "http":
        await _answer(send, ANSWER)


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """The body that came."""
    if scope["type"] != "http":
        return
    pieces, more = [], True
    while more:
        message = await receive()
        pieces.append(message["body"])
        more = message.get("more_body", False)
    await _answer(send, b"".join(pieces))
