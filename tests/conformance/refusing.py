"""Refused calls sent to the service, and its text beside torch's."""

from __future__ import annotations

from engine.registry import lookup
from tests.conformance.cases import Json, op_of
from tests.conformance.request import Requested
from tests.conformance.running import send


def bodies(case: Json) -> list[Json]:
    """The requests that a refused call may be: the second for an op with several outputs."""
    requested = Requested(case)
    several = len(lookup(op_of(case)).outputs)
    names = [f"y{at}" for at in range(max(several, 2))]
    return [requested.forward(None), requested.forward(names)]


def unlike(case: Json) -> str | None:
    """How the answer is not torch's refusal with the node named, or None."""
    found = None
    for body in bodies(case):
        status, problem = send(body, "forward")
        text = verdict(case, status, problem.get("detail", ""))
        if text is None:
            return None
        found = found or text
    return found


def verdict(case: Json, status: int, detail: str) -> str | None:
    """What an answer lacks of torch's refusal, or None."""
    if status != 422:
        return f"{status}, torch: {case['message']}"
    if text_of(case) not in detail:
        return f"{detail}\n    torch: {case['message']}"
    return None if "node 'y0'" in detail else f"no node is named: {detail}"


def text_of(case: Json) -> str:
    """torch's sentence: without the C++ frames and lists of overloads that may follow it."""
    message: str = case["message"]
    return message.partition("\n")[0]
