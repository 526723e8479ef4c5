"""Tiny graphs run on the event loop, once they are known; nothing else does."""

import gzip
import json

import numpy as np
import pytest

from app.compute import Answer, Compute
from app.compute.call import BINARY, Form
from app.compute.warm import REQUEST
from tests.app.binaries import packed
from tests.app.computing import call, computing, works

pytestmark = pytest.mark.anyio


async def known(compute: Compute, body: bytes, route: str = "backward") -> Answer | None:
    """The answer that the event loop gives at once, if it does."""
    return compute.at_once(call(body, route=route))


async def test_a_tiny_graph_runs_at_once_when_it_is_known() -> None:
    async with computing(compute="thread") as compute:
        assert await known(compute, REQUEST) is None
        elsewhere = await compute(call(REQUEST, route="backward"))
        here = await known(compute, REQUEST)
        assert here == elsewhere
        other = REQUEST.replace(b"[[1, 1], [1, 1]]", b"[[2, 2], [2, 2]]")
        answer = await known(compute, other)
        assert answer is not None
        assert json.loads(answer.body)["outputs"]["out"]["data"] == 48.0


async def test_a_small_binary_body_too_but_none_that_is_compressed() -> None:
    graph = json.loads(REQUEST)["graph"]
    body = packed({"inputs": {"x": {"requires_grad": True}}, "graph": graph}, {"inputs/x": np.ones((2, 2))})
    sent = call(body, route="backward")._replace(sent=Form(BINARY), wanted=Form(BINARY))
    async with computing(compute="thread") as compute:
        assert compute.at_once(sent) is None
        elsewhere = await compute(sent)
        here = compute.at_once(sent)
        assert here is not None
        assert here.body == elsewhere.body
        broken = compute.at_once(sent._replace(body=body[:-1]))
        assert broken is None
        zipped = call(gzip.compress(body), route="backward")._replace(sent=Form(BINARY, "gzip"))
        assert (await compute(zipped)).status == 200
        assert compute.at_once(zipped) is None


async def test_an_error_in_a_known_graph_is_answered_at_once() -> None:
    async with computing(compute="thread") as compute:
        assert await works(compute)
        answer = await known(compute, REQUEST.replace(b'"outputs"', b'"output"'))
        assert answer is not None
        assert (answer.status, json.loads(answer.body)["code"]) == (422, "unknown-field")


async def test_a_graph_is_known_on_the_route_where_it_was_computed() -> None:
    async with computing(compute="thread") as compute:
        assert await works(compute)
        assert await known(compute, REQUEST, "forward") is None
        assert (await compute(call(REQUEST, route="forward"))).status == 200
        assert await known(compute, REQUEST, "forward") is not None


async def test_large_bodies_and_costly_plans_do_not_run_on_the_event_loop() -> None:
    ones = b"[" + b",".join([b"1.5"] * 200) + b"]"
    wide = REQUEST.replace(b"[[1, 1], [1, 1]]", ones)
    async with computing(compute="thread", inline_flops=1000) as compute:
        assert await works(compute)
        assert await known(compute, REQUEST) is not None
        assert await known(compute, wide) is None  # the same graph, now with more to do
        assert await known(compute, REQUEST) is None  # and no longer tiny
    async with computing(compute="thread", inline_body_bytes=len(REQUEST)) as compute:
        assert await works(compute)
        assert await known(compute, REQUEST) is not None
        assert await known(compute, REQUEST + b" ") is None
    view = json.dumps({"inputs": {"x": [1.0]}, "graph": [{"id": "y", "op": "view", "in": ["x", [1]]}]})
    async with computing(compute="thread", inline_flops=0) as compute:
        for body in (REQUEST, view.encode()):  # a view takes no flops at all
            assert (await compute(call(body, route="forward"))).status == 200
            assert await known(compute, body, "forward") is None


async def test_what_takes_long_to_plan_does_not_run_on_the_event_loop() -> None:
    chain = [{"id": "a0", "op": "sin", "in": ["x"]}]
    chain += [{"id": f"a{at}", "op": "sin", "in": [f"a{at - 1}"]} for at in range(1, 301)]
    order = [{"id": "g0", "op": "sum", "in": [{"op": "exp", "in": [{"op": "sin", "in": ["x"]}]}]}]
    for at in range(7):
        wrt = {"wrt": ["x"], "create_graph": True}
        order.append({"id": f"h{at}", "op": "grad", "in": [f"g{at}"], "attrs": wrt})
        order.append({"id": f"g{at + 1}", "op": "sum", "in": [f"h{at}"]})
    x = {"data": [1.0], "requires_grad": True}
    async with computing(compute="thread") as compute:
        for graph, here in ((chain[:40], True), ([{"with": "no_grad", "do": chain}], False), (order, False)):
            body = json.dumps({"inputs": {"x": x}, "graph": graph}).encode()
            assert (await compute(call(body))).status == 200
            assert (await known(compute, body, "forward") is not None) == here
        calls = [{"tensor": "out", "retain_graph": True}] * 3
        request = json.loads(REQUEST) | {"trace": False}
        for count, here in ((2, True), (3, False)):
            body = json.dumps(request | {"backward": calls[:count]}).encode()
            assert (await compute(call(body, route="backward"))).status == 200
            assert (await known(compute, body) is not None) == here


@pytest.mark.parametrize("route", ["jacobian", "hessian"])
async def test_derivatives_by_many_inputs_or_of_many_outputs_do_not_run_on_the_event_loop(route: str) -> None:
    x = {"data": 1.0, "requires_grad": True}
    graph = [{"id": "y", "op": "mul", "in": ["x0", "x0"]}, {"id": "z", "op": "exp", "in": ["y"]}]
    async with computing(compute="thread", inline_flops=10**9) as compute:
        for inputs, outputs, here in ((1, 1, True), (3, 3, True), (4, 1, False), (1, 4, False)):
            request = {
                "inputs": {f"x{at}": x for at in range(inputs)},
                "graph": graph,
                "outputs": ["y", "z", "y", "z"][-outputs:],
            }
            body = json.dumps(request).encode()
            assert (await compute(call(body, route=route))).status == 200
            assert (await known(compute, body, route) is not None) == here


async def test_loops_that_may_go_on_do_not_run_on_the_event_loop() -> None:
    loop = {
        "id": "y", "op": "while", "carry": {"v": "x"}, "max_iters": 1_000_000,
        "cond": {"yield": {"op": "view", "in": ["v", []]}}, "body": {"yield": {"v": "v"}},
    }  # fmt: skip
    for limit, here in ((1_000_000, False), (5, True)):
        body = json.dumps({"inputs": {"x": False}, "graph": [{**loop, "max_iters": limit}]}).encode()
        async with computing(compute="thread") as compute:
            assert (await compute(call(body))).status == 200
            assert (await known(compute, body, "forward") is not None) == here


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'{"graph": 1, "graph": 2}', b'{"inputs": {}}', b"[" * 5000, b'{"graph":' * 1500],
)
async def test_what_is_no_request_is_not_known(body: bytes) -> None:
    async with computing(compute="thread") as compute:
        assert await works(compute)
        assert await known(compute, body) is None
