"""What in-place writes are as functions of the old value: the records behind zero_, fill_ and copy_."""

from __future__ import annotations

import numpy as np

from engine import literals
from engine.define import kernel
from engine.errors import RuntimeArgumentError, ShapeError
from engine.leading import behind
from engine.signature import Array, Number, Tensor
from engine.types import Type, broadcast_shapes


@kernel(
    "_zero",
    kind="structural",
    infer=lambda input: input,
    vjp=lambda F, x, y, g: (lambda: F.zeros_like(g),),
)
def zero(input: Tensor) -> Array:
    """Zeros in place of `input`.

    Nothing flows back: the gradient is zero.
    """
    return np.zeros_like(input)


def _fill_type(input: Type, value: Number) -> Type:
    literals.fill_value(value, input.dtype)
    return input


@kernel(
    "_fill_number",
    kind="structural",
    infer=_fill_type,
    vjp=lambda F, x, y, g, value: (lambda: F.zeros_like(g),),
    grad_fn="FillBackward2",
)
def fill_number(input: Tensor, value: Number, *, meta: Type) -> Array:
    """A number in place of `input`.

    Nothing flows back: the gradient is zero.
    """
    return np.full_like(input, literals.fill_value(value, meta.dtype))


def _fill_tensor_type(input: Type, value: Type) -> Type:
    if value.ndim:
        raise RuntimeArgumentError(
            f"fill_ only supports 0-dimension value tensor but got tensor with {value.ndim} dimensions."
        )
    return input


@kernel(
    "_fill_tensor",
    kind="structural",
    infer=_fill_tensor_type,
    vjp=lambda F, x, y, g: (lambda: F.zeros_like(g), lambda: F.sum(g)),
    grad_fn="FillBackward3",
)
def fill_tensor(input: Tensor, value: Tensor, *, lead: int = 0) -> Array:
    """A 0-dim tensor in place of `input`.

    Smooth everywhere.
    """
    found: Array = np.full_like(input, behind(value, lead, input.ndim - lead))
    return found


def _copy_type(input: Type, src: Type) -> Type:
    if broadcast_shapes(input.shape, src.shape) != input.shape:
        raise ShapeError(
            f"output with shape {list(input.shape)} doesn't match the broadcast shape "
            f"{list(broadcast_shapes(input.shape, src.shape))}"
        )
    return input


@kernel(
    "_copy",
    kind="structural",
    infer=_copy_type,
    vjp=lambda F, x, y, g: (lambda: F.zeros_like(g), lambda: g),
    grad_fn="torch::autograd::CopyBackwards",
)
def copy(input: Tensor, src: Tensor, *, lead: int = 0) -> Array:
    """`src`, broadcast and cast, in place of `input`.

    Smooth everywhere between floating dtypes.
    """
    found: Array = np.empty_like(input)
    src = behind(src, lead, input.ndim - lead)
    np.copyto(found, src.real if src.dtype.kind == "c" and input.dtype.kind != "c" else src, casting="unsafe")
    return found
