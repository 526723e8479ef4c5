"""Normalisation over the trailing dimensions: layer_norm."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import float16, float32
from engine.errors import DTypeError, NotImplementedYet, RuntimeArgumentError, ShapeError
from engine.leading import behind
from engine.op import refused, sample
from engine.ops.reductions import wide
from engine.signature import Shape, Tensor
from engine.types import Type


def _check_shapes(input: Type, size: tuple[int, ...], weight: Type | None, bias: Type | None) -> None:
    shown = list(size)
    if not size:
        raise RuntimeArgumentError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one "
            "element, but got normalized_shape = []"
        )
    for name, each in (("weight", weight), ("bias", bias)):
        if each is not None and each.shape != size:
            raise ShapeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape "
                f"{list(each.shape)} and normalized_shape = {shown}",
                expected=shown,
                actual=list(each.shape),
            )
    if input.shape[-len(size) :] != size:
        trailing = ", ".join(map(str, size))
        raise ShapeError(
            f"Given normalized_shape={shown}, expected input with shape [*, {trailing}], but got input of "
            f"size{list(input.shape)}",
            expected=shown,
            actual=list(input.shape),
        )


def _check_dtypes(input: Type, weight: Type | None, bias: Type | None) -> None:
    if not input.dtype.is_floating_point:
        raise NotImplementedYet(f"\"LayerNormKernelImpl\" not implemented for '{input.dtype.title}'")
    given = [each.dtype for each in (weight, bias) if each is not None]
    mixed = input.dtype is float16 and all(dtype is float32 for dtype in given)
    if not mixed and any(dtype is not input.dtype for dtype in given):
        raise DTypeError("mixed dtype (CPU): all inputs must share same datatype.", expected=input.dtype.name)


def _norm_type(
    input: Type, weight: Any, bias: Any, normalized_shape: Any, eps: float
) -> tuple[Type, Type, Type]:
    _check_shapes(input, normalized_shape, weight, bias)
    _check_dtypes(input, weight, bias)
    rank = len(normalized_shape)
    rows = Type((*input.shape[: input.ndim - rank], *(1,) * rank), (weight or bias or input).dtype)
    return Type(input.shape, input.dtype), rows, rows


def _layer_norm_vjp(F: Any, x: Any, y: Any, g: Any, normalized_shape: Any, eps: float) -> Any:
    input, weight = x[0], x[1]
    dims = tuple(range(-len(normalized_shape), 0))
    size = max(input.meta.numel // max(y[1].meta.numel, 1), 1)

    def scaled() -> Any:
        return F.mul(F.sub(input, y[1]), y[2])

    def of_input() -> Any:
        apart = scaled()
        parts = []
        if g[0] is not None:
            each = g[0] if weight is None else F.mul(g[0], weight)
            shift = F.add(F.mean(each, dims, True), F.mul(apart, F.mean(F.mul(each, apart), dims, True)))
            parts.append(F.mul(y[2], F.sub(each, shift)))
        if g[1] is not None:
            parts.append(F.expand(F.div(g[1], size), input.meta.shape))
        if g[2] is not None:
            parts.append(F.neg(F.mul(F.div(F.mul(g[2], F.mul(y[2], y[2])), size), apart)))
        found = parts[0]
        for part in parts[1:]:
            found = F.add(found, part)
        return found

    return (
        of_input,
        None if weight is None else lambda: None if g[0] is None else F.mul(g[0], scaled()),
        lambda: g[0],
    )


@kernel(
    "_native_layer_norm",
    kind="normalisation",
    infer=_norm_type,
    vjp=_layer_norm_vjp,
    saves=("bias", "input", "normalized_shape", "result1", "result2", "weight"),
    outputs=("result0", "result1", "result2"),
    grad_fn="NativeLayerNormBackward0",
    samples=lambda make: [],
)
def _native_layer_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    normalized_shape: Shape,
    eps: float,
    *,
    meta: Any,
    lead: int,
) -> Any:
    """layer_norm, with the mean and the reciprocal of the deviation of each row.

    Smooth everywhere.
    """
    dims = tuple(range(-len(normalized_shape), 0))
    rows = input.astype(wide(input.dtype), copy=False)
    size = rows.dtype.type(rows.size // max(meta[1].numel, 1))
    middle = np.divide(np.sum(rows, axis=dims, keepdims=True), size)
    found = rows - middle
    spread = np.divide(np.sum(np.square(found), axis=dims, keepdims=True), size)
    scale = np.reciprocal(np.sqrt(spread + rows.dtype.type(eps)))
    found *= scale
    if weight is not None:
        found *= behind(weight, lead, input.ndim - lead)
    if bias is not None:
        found += behind(bias, lead, input.ndim - lead)
    results = zip((found, middle, scale), meta, strict=True)
    return tuple(each.astype(out.dtype.numpy, copy=False) for each, out in results)


@composite(
    "nn.functional.layer_norm",
    samples=lambda make: [
        sample(make(2, 3), (3,)),
        sample(make(2, 3), (3,), make(3), make(3)),
        sample(make(2, 2, 3), (2, 3), make(2, 3), make(2, 3)),
        sample(make(2, 3), (3,), None, make(3), 0.1),
        sample(make(2, 3), (3,), make(3)),
    ],
    refusals=lambda make: [
        refused(
            "Given normalized_shape=[2], expected input with shape [*, 2], but got input of size[2, 3]",
            make(2, 3),
            (2,),
        ),
        refused("Expected weight to be of same shape as normalized_shape", make(2, 3), (3,), make(2)),
        refused("Expected bias to be of same shape as normalized_shape", make(2, 3), (3,), None, make(2)),
        refused("Expected normalized_shape to be at least 1-dimensional", make(2, 3), ()),
        refused("\"LayerNormKernelImpl\" not implemented for 'Long'", make.ints(1, 2), (2,)),
    ],
)
def layer_norm(
    F: Any,
    input: Tensor,
    normalized_shape: Shape,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Any:
    """Each row of the last dims less its mean, over its deviation; times weight, plus bias.

    Smooth everywhere: eps keeps the deviation from 0.
    """
    return F._native_layer_norm(input, weight, bias, normalized_shape, eps)[0]
