"""Cases sent to the service, and the first difference from torch's answer."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np

from app.compute.call import Call
from app.compute.service import Service
from app.settings import Settings
from tests.conformance.cases import Json
from tests.conformance.request import Requested

# |found - expected| <= RELATIVE |expected| + ABSOLUTE max(1, max |expected|), by the expected dtype.
RELATIVE = {"float64": 1e-8, "float32": 2e-6, "float16": 2e-3}
ABSOLUTE = {"float64": 1e-10, "float32": 1e-5, "float16": 5e-4}
REAL = {"complex128": "float64", "complex64": "float32"}


@cache
def service() -> Service:
    return Service(Settings(compute="inline"))


def send(body: Json, route: str = "backward") -> tuple[int, Json]:
    """The status and the document that answer a request."""
    answer = service().answer(Call(route, json.dumps(body, allow_nan=False).encode()))
    return answer.status, json.loads(answer.body)


def difference(case: Json) -> str | None:
    """What is not as torch has it, or None."""
    requested = Requested(case)
    several = len(case["out"]) > 1
    body = requested.body(case, listed=several)
    status, answer = send(body)
    if status != 200 and not several:  # a list of one
        again = send(requested.body(case, listed=True))
        status, answer = again if again[0] == 200 else (status, answer)
    if status != 200:
        return f"{status}: {answer.get('detail', answer)}"
    return _unlike(case, requested, [answer["outputs"][name] for name in body["outputs"]], answer["grads"])


def _unlike(case: Json, requested: Requested, outputs: list[Json], grads: Json) -> str | None:
    for at, (found, expected) in enumerate(zip(outputs, case["out"], strict=True)):
        if text := apart(found, expected):
            return f"output {at}: {text}"
        if found["requires_grad"] != expected["rg"]:
            return f"output {at}: requires_grad is {found['requires_grad']}"
    names = [found["grad_fn"] for found in outputs]
    if names != case["grad_fn"]:
        return f"grad_fn: {names}, torch {case['grad_fn']}"
    for name, expected in zip(requested.leaves, case["grads"], strict=True):
        found = grads[name]
        if found is None:  # torch was asked for zeros
            if np.any(array(expected["$t"], expected["dtype"], expected["shape"])):
                return f"grads of {name}: null, torch {expected['$t']}"
        elif text := apart(found, expected):
            return f"grads of {name}: {text}"
    return None


def array(data: Any, dtype: str, shape: list[int]) -> np.ndarray[Any, Any]:
    """The numbers of a document; complex ones are pairs in it."""
    if dtype in REAL:
        pairs = np.array(data, dtype=object).astype(REAL[dtype]).reshape(*shape, 2)
        return np.asarray(pairs[..., 0] + 1j * pairs[..., 1]).astype(dtype)
    return np.array(data, dtype=object).astype(dtype).reshape(shape)


def apart(found: Json, expected: Json) -> str | None:
    """How a tensor of the answer differs from the stored one."""
    for key in ("dtype", "shape"):
        if found[key] != expected[key]:
            return f"{key} is {found[key]}, torch {expected[key]}"
    dtype = expected["dtype"]
    mine, theirs = (array(data, dtype, expected["shape"]) for data in (found["data"], expected["$t"]))
    if close(mine, theirs, REAL.get(dtype, dtype)):
        return None
    return f"{found['data']}, torch {expected['$t']}"


def close(mine: np.ndarray[Any, Any], theirs: np.ndarray[Any, Any], dtype: str) -> bool:
    """Equal within the tolerances; NaN and infinities at the same places."""
    if dtype not in RELATIVE:
        return bool(np.array_equal(mine, theirs))
    finite = np.isfinite(theirs)
    scale = max(1.0, float(np.max(np.abs(theirs[finite]), initial=0.0)))
    return bool(np.allclose(mine, theirs, RELATIVE[dtype], ABSOLUTE[dtype] * scale, equal_nan=True))
