"""bilinear: a form for each output, linear in both inputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.errors import DTypeError, ShapeError
from engine.op import refused, sample
from engine.signature import Array, Tensor
from engine.types import Type

_NAMES = {"float16": "c10::Half", "float32": "float", "float64": "double", "int64": "long int"}


@kernel(
    "_trilinear",
    kind="contraction",
    infer=lambda input, weight, other: Type((input.shape[0], weight.shape[0]), input.dtype),
    vjp=lambda F, x, y, g: (
        lambda: F.einsum("bo,oij,bj->bi", g, F.conj(x[1]), F.conj(x[2])),
        lambda: F.einsum("bo,bi,bj->oij", g, F.conj(x[0]), F.conj(x[2])),
        lambda: F.einsum("bo,oij,bi->bj", g, F.conj(x[1]), F.conj(x[0])),
    ),
    grad_fn="TrilinearBackward0",
    saves=("input", "weight", "other"),
    batched="loop",
)
def trilinear(input: Tensor, weight: Tensor, other: Tensor) -> Array:
    """The sum over i and j of input[b, i] * weight[o, i, j] * other[b, j].

    Smooth everywhere.
    """
    each = np.matmul(input, weight) * other  # (o, b, j)
    return np.ascontiguousarray(np.sum(each, axis=-1).T)


def _check(input1: Type, input2: Type, weight: Type, bias: Type | None) -> None:
    if input1.ndim != input2.ndim:
        raise ShapeError(
            f"bilinear(): input dimensions do not match: got {input1.ndim} and {input2.ndim}",
            expected=input1.ndim,
            actual=input2.ndim,
        )
    for dim, (one, other) in enumerate(zip(input1.shape[:-1], input2.shape[:-1], strict=True)):
        if one != other:
            raise ShapeError(
                f"bilinear(): input batch dimensions do not match at dim {dim}: got {one} and {other}"
            )
    for name, dim, each in (("input1", 1, input1), ("input2", 2, input2)):
        if dim >= weight.ndim or each.shape[-1] != weight.shape[dim]:
            wanted = weight.shape[dim] if dim < weight.ndim else 0
            raise ShapeError(
                f"bilinear(): {name} size does not match weight size: got {each.shape[-1]} but expected "
                f"{wanted}",
                expected=wanted,
                actual=each.shape[-1],
            )
    if bias is not None and bias.shape[0] != weight.shape[0]:
        raise ShapeError(
            f"bilinear(): bias size does not match weight size: got {bias.shape[0]} but expected "
            f"{weight.shape[0]}"
        )
    if not input1.dtype is input2.dtype is weight.dtype:
        named = (("input1", input1), ("input2", input2), ("weight", weight))
        shown = ", ".join(f"{name}: {_NAMES.get(each.dtype.name, each.dtype.name)}" for name, each in named)
        raise DTypeError(f"All tensors must have the same dtype, got {shown}")


@composite(
    "nn.functional.bilinear",
    samples=lambda make: [
        sample(make(3, 4), make(3, 2), make(2, 4, 2), make(2)),
        sample(make(2, 2, 3), make(2, 2, 2), make(3, 3, 2)),
        sample(make(3), make(2), make(2, 3, 2)),
        sample(make(0, 3), make(0, 2), make(2, 3, 2), make(2)),
    ],
    refusals=lambda make: [
        refused(
            "input batch dimensions do not match at dim 0: got 3 and 2", make(3, 4), make(2, 5), make(2, 4, 5)
        ),
        refused("input1 size does not match weight size: got 4 but", make(3, 4), make(3, 5), make(2, 3, 5)),
        refused("input2 size does not match weight size: got 5 but", make(3, 4), make(3, 5), make(2, 4, 4)),
        refused("bias size does not match weight size", make(3, 4), make(3, 5), make(2, 4, 5), make(3)),
        refused("input dimensions do not match: got 2 and 3", make(3, 4), make(3, 3, 5), make(2, 4, 5)),
    ],
)
def bilinear(F: Any, input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Any:
    """input1 @ weight[o] @ input2 for each o, plus bias.

    Smooth everywhere.
    """
    _check(input1.meta, input2.meta, weight.meta, None if bias is None else bias.meta)
    front = input1.meta.shape[:-1]
    count = 1
    for size in front:
        count *= size
    left = F.reshape(input1, (count, input1.meta.shape[-1]))
    right = F.reshape(input2, (count, input2.meta.shape[-1]))
    found = F.reshape(F._trilinear(left, weight, right), (*front, weight.meta.shape[0]))
    return found if bias is None else F.add(found, bias)
