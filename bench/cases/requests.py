"""Whole requests over HTTP, from a client in a process of its own."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

import numpy as np

from bench import servers, tensorfile
from bench.case import OURS, Arrays, Case, Match, at_least
from bench.cases.small import TUTORIAL
from bench.ours import let, op
from bench.peers import libraries
from bench.servers import Client, Exchange
from bench.timing import timed

CONNECTIONS, POINTS, LARGE = 8, 64, 1_000_000
SQUARES = [let("y", "sum", op("mul", "x", "x"))]
BASE64 = {"Content-Type": "application/json", "Accept": "application/json+base64"}
BINARY = {"Content-Type": tensorfile.MEDIA, "Accept": tensorfile.MEDIA}


def tutorial(stack: ExitStack, *, trace: bool) -> Match:
    """The tutorial's request from eight connections at once, no two numbers alike."""
    client, own = Client(stack), servers.gradwire(stack)
    bare, torch = (
        servers.uvicorn(stack, f"bench.served.{app}") for app in ("bare:constant", "torch_handler:app")
    )
    side, squares = partial(client.side, connections=CONNECTIONS), _squares()
    plain = [_tutorial(each) for each in squares]
    sides = {
        OURS: side(own, *[_tutorial(each, trace=trace) for each in squares]),
        "bare uvicorn, a constant": side(bare, *plain)._replace(answer=partial(_torch_tutorial, squares)),
        "FastAPI + pydantic + torch": side(torch, *plain),
    }
    return Match(sides, partial(_torch_tutorial, squares))


def one_number(stack: ExitStack) -> Match:
    """The vector-Jacobian product of one number, request after request, each of another number."""
    client, points = Client(stack), np.random.default_rng(0).standard_normal((POINTS, 1))
    own, theirs, bridge = servers.gradwire(stack), servers.tesseract(stack), servers.umbridge(stack)
    sides = {
        OURS: client.side(own, *map(_vjp, points)),
        "tesseract-core serve": client.side(theirs, *[_tesseract(x, _listed) for x in points]),
        "UM-Bridge Gradient": client.side(bridge, *map(_umbridge, points)),
    }
    return Match(sides, lambda: [array for x in points for array in _torch_squares(x)])


def own_client(stack: ExitStack) -> Match:
    """The same as a user of Python's own HTTP client, and of UM-Bridge's, sees it."""
    import umbridge

    own, bridge = servers.gradwire(stack), servers.umbridge(stack)
    servers.wait(own)
    servers.wait(bridge)
    connection = http.client.HTTPConnection("127.0.0.1", own.port)
    stack.callback(connection.close)
    model = umbridge.HTTPModel(f"http://127.0.0.1:{bridge.port}", "squares")
    exchange = _vjp(np.array([1.5]))

    def ask() -> bytes:
        connection.request("POST", exchange.path, exchange.body, dict(exchange.headers))
        return connection.getresponse().read()

    theirs = timed(lambda: model.gradient(0, 0, [[1.5]], [1.0], {}), lambda found: [np.array(found)])
    return Match(
        {OURS: timed(ask, exchange.read), "UM-Bridge's client": theirs},
        partial(_torch_squares, np.array([1.5])),
    )


def million(stack: ExitStack) -> Match:
    """A million numbers in and a million out, as JSON."""
    client, own, theirs = Client(stack), servers.gradwire(stack), servers.tesseract(stack)
    x = np.random.default_rng(0).standard_normal(LARGE)
    sides = {
        OURS: client.side(own, _vjp(x)),
        "tesseract-core, JSON": client.side(theirs, _tesseract(x, _listed)),
    }
    return Match(sides, partial(_torch_squares, x))


def million_binary(stack: ExitStack) -> Match:
    """A million numbers in and a million out, as bytes."""
    client, own, theirs = Client(stack), servers.gradwire(stack), servers.tesseract(stack)
    raw = servers.uvicorn(stack, "bench.served.bare:echo")
    x = np.random.default_rng(0).standard_normal(LARGE)
    request = {"inputs": {"x": {"requires_grad": True}}, "graph": SQUARES, "trace": False}
    body = tensorfile.write(request, {"inputs/x": x})
    doubled = Exchange("/vjp", body, lambda found: [tensorfile.read(found)["vjp/x"]], BINARY)
    echoed = Exchange("/", body, lambda found: [2 * tensorfile.read(found)["inputs/x"]], BINARY)
    sides = {
        OURS: client.side(own, doubled),
        "tesseract-core, base64": client.side(theirs, _tesseract(x, _encoded, BASE64)),
        "raw uvicorn, echo": client.side(raw, echoed),
    }
    return Match(sides, partial(_torch_squares, x))


def batch(stack: ExitStack) -> Match:
    """Many points in one request against a request for each."""
    client, server, squares = Client(stack), servers.gradwire(stack), _squares()
    many = {**_request(squares), "trace": False, "batch": {"inputs": ["x"]}}
    whole = client.side(server, Exchange("/backward", _json(many), _gradient))
    sides = {
        OURS: whole._replace(answer=lambda: list(whole.answer()[0])),
        f"{POINTS} requests": client.side(
            server, *[_tutorial(each, trace=False) for each in squares], count=POINTS
        ),
    }
    return Match(sides, partial(_torch_tutorial, squares))


# -- requests


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _squares() -> Any:
    return np.random.default_rng(0).standard_normal((POINTS, 2, 2)).astype(np.float32)


def _request(x: Any) -> dict[str, Any]:
    return {"inputs": {"x": {"data": x.tolist(), "requires_grad": True}}, "graph": TUTORIAL}


def _tutorial(x: Any, **settings: Any) -> Exchange:
    return Exchange("/backward", _json({**_request(x), **settings}), _gradient)


def _umbridge(x: Any) -> Exchange:
    call = {"name": "squares", "outWrt": 0, "inWrt": 0, "input": [x.tolist()], "sens": [1.0], "config": {}}
    return Exchange("/Gradient", _json(call), lambda body: [np.array(json.loads(body)["output"])])


def _vjp(x: Any) -> Exchange:
    inputs = {"x": {"data": x.tolist(), "dtype": "float64", "requires_grad": True}}
    request = {"inputs": inputs, "graph": SQUARES, "trace": False}
    return Exchange("/vjp", _json(request), lambda body: [np.array(json.loads(body)["vjp"]["x"]["data"])])


def _tesseract(x: Any, encode: Callable[[Any], Any], headers: Any = None) -> Exchange:
    request = {
        "inputs": {"x": encode(x)},
        "vjp_inputs": ["x"],
        "vjp_outputs": ["y"],
        "cotangent_vector": {"y": encode(np.array(1.0))},
    }
    exchange = Exchange("/vector_jacobian_product", _json(request), _tesseract_answer)
    return exchange._replace(headers=headers) if headers else exchange


def _listed(x: Any) -> Any:
    return _array(x, "json", x.tolist())


def _encoded(x: Any) -> Any:
    return _array(x, "base64", base64.b64encode(x.tobytes()).decode())


def _array(x: Any, encoding: str, buffer: Any) -> Any:
    data = {"buffer": buffer, "encoding": encoding}
    return {"object_type": "array", "shape": list(x.shape), "dtype": str(x.dtype), "data": data}


# -- answers


def _gradient(body: bytes) -> Arrays:
    return [np.array(json.loads(body)["grads"]["x"]["data"], np.float32)]


def _tesseract_answer(body: bytes) -> Arrays:
    found = json.loads(body)["x"]["data"]
    if found["encoding"] == "base64":
        return [np.frombuffer(base64.b64decode(found["buffer"]))]
    return [np.array(found["buffer"])]


def _torch_tutorial(squares: Any) -> Arrays:
    leaves = libraries.leaves(list(squares))
    for x in leaves:
        y = x + 2
        (y * y * 3).mean().backward()
    return [x.grad.numpy() for x in leaves]


def _torch_squares(x: Any) -> Arrays:
    (leaf,) = libraries.leaves([x])
    (leaf * leaf).sum().backward()
    return [leaf.grad.numpy()]


CASES = (
    Case(
        "HTTP, tutorial graph, 8 connections",
        {"bare uvicorn, a constant": at_least(0.35), "FastAPI + pydantic + torch": at_least(4)},
        partial(tutorial, trace=False),
        "rate",
    ),
    Case(
        "HTTP, tutorial graph and its trace, 8 connections",
        {"bare uvicorn, a constant": None, "FastAPI + pydantic + torch": None},
        partial(tutorial, trace=True),
        "rate",
    ),
    Case(
        "HTTP, vjp of one number, latency",
        {"tesseract-core serve": at_least(4), "UM-Bridge Gradient": at_least(2)},
        one_number,
    ),
    Case("HTTP, vjp of one number, latency", {"UM-Bridge's client": at_least(2)}, own_client),
    Case("HTTP, vjp of 1e6 float64, JSON", {"tesseract-core, JSON": at_least(6)}, million),
    Case(
        "HTTP, vjp of 1e6 float64, binary",
        {"tesseract-core, base64": at_least(8), "raw uvicorn, echo": at_least(0.5)},
        million_binary,
    ),
    Case("HTTP, 64 points in one batch", {"64 requests": at_least(20)}, batch),
)
