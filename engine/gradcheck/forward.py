"""Jacobians by forward mode: a column for each tangent, of one input at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from engine.eager.tensor import Tensor
from engine.func.forward import pushed_forward
from engine.gradcheck.calls import Call, F, Part, as_tuple, requires_grad

Array = np.ndarray[Any, Any]


def jacobians(call: Call, place: int) -> list[Array]:
    """The Jacobian of each output with respect to the input at `place`: an element of that is a row."""
    shape, dtype = call.inputs[place].array.shape, call.inputs[place].array.dtype
    rows = []
    for at in np.ndindex(shape):
        unit = np.zeros(shape, dtype)
        unit[at] = 1
        rows.append(along(call, place, unit))
    return [
        np.array([row[at] for row in rows], output.array.dtype).reshape(len(rows), output.numel())
        for at, output in enumerate(call.results())
    ]


def along(call: Call, place: int, tangent: Array) -> list[Array]:
    """The derivative of each output, flat, along a tangent of the input at `place`."""
    found = pushed(call, place, Tensor(tangent.reshape(call.inputs[place].array.shape)))
    return [each.array.reshape(-1) for each in found]


def pushed(call: Call, place: int, tangent: Tensor) -> tuple[Tensor, ...]:
    """The same as tensors, of the shape of the outputs."""
    return as_tuple(pushed_forward(call.func, call.inputs, (tangent,), (place,))[1])


def real_calls(call: Call) -> Iterator[tuple[Part | None, Call]]:
    """`call` as functions of real inputs: of the imaginary parts of complex ones and of their real parts, the
    other part staying as it is; itself where there are none."""
    places = [at for at, each in enumerate(call.inputs) if isinstance(each, Tensor) and each.is_complex()]
    if not places:
        yield None, call
        return
    yield "imaginary", _of_parts(call, places, "imaginary")
    yield "real", _of_parts(call, places, "real")


def _of_parts(call: Call, places: list[int], part: Part) -> Call:
    arrays = {at: call.inputs[at].array for at in places}

    def func(*args: Any) -> Any:
        given = list(args)
        for at, array in arrays.items():
            if part == "real":
                given[at] = F.add(given[at], Tensor(array.imag * 1j))
            else:
                given[at] = F.add(Tensor(array.real.copy()), F.mul(given[at], 1j))
        return call.func(*given)

    inputs = list(call.inputs)
    for at, array in arrays.items():
        taken = array.real if part == "real" else array.imag
        inputs[at] = Tensor(taken.copy(), requires_grad=requires_grad(call.inputs[at]))
    return replace(call, func=func, inputs=tuple(inputs))
