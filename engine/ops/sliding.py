"""Windows along a dimension, and one dimension seen as several."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.errors import RuntimeArgumentError, ShapeError
from engine.op import refused, sample
from engine.signature import Array, Dim, Shape, Tensor
from engine.types import Type, strided, wrap_dim


def _unfold_type(input: Type, dimension: int, size: int, step: int) -> Type:
    axis = dimension + max(input.ndim, 1)
    whole = input.shape[axis] if input.ndim else 1
    if size < 0:
        raise RuntimeArgumentError(f"size is {size} but must be >= 0", actual=size)
    if size > whole:
        raise RuntimeArgumentError(
            f"maximum size for tensor at dimension {axis} is {whole} but size is {size}",
            expected=whole,
            actual=size,
        )
    if step <= 0:
        raise RuntimeArgumentError(f"step is {step} but must be > 0", actual=step)
    if not input.ndim:
        return Type((size,), input.dtype)
    steps = list(input.stride())
    shape = [*input.shape, size]
    shape[axis] = (whole - size) // step + 1
    steps.append(steps[axis])
    steps[axis] *= step
    return strided(tuple(shape), input.dtype, tuple(steps))


@kernel(
    "unfold",
    kind="view",
    infer=_unfold_type,
    vjp=lambda F, x, y, g, dimension, size, step: (
        lambda: F._unfold_backward(g, x[0].meta.shape, dimension, size, step),
    ),
    saves=("dimension", "self_sym_sizes", "size", "step"),
    samples=lambda make: [
        sample(make(5), 0, 2, 1),
        sample(make(2, 5), -1, 3, 2),
        sample(make(4, 2), 0, 2, 2),
        sample(make(3), 0, 0, 1),
    ],
    refusals=lambda make: [
        refused("maximum size for tensor at dimension 0 is 3 but size is 5", make(3), 0, 5, 1),
        refused("step is 0 but must be > 0", make(3), 0, 1, 0),
        refused("size is -1 but must be >= 0", make(3), 0, -1, 1),
    ],
)
def unfold(input: Tensor, dimension: Dim, size: int, step: int, *, lead: int) -> Array:
    """Windows of `size` every `step` along a dimension, the window as a new last dimension, as a view.

    Smooth everywhere. The gradients of windows that overlap add up.
    """
    whole = input if input.ndim > lead else input[..., None]
    if size == 0:
        rows = list(whole.shape)
        rows[dimension] = whole.shape[dimension] // step + 1
        return np.zeros((*(rows if input.ndim > lead else ()), 0), input.dtype)
    windows = np.lib.stride_tricks.sliding_window_view(
        whole, size, axis=dimension, writeable=input.flags.writeable
    )
    key: Any = (Ellipsis, slice(None, None, step), *(slice(None),) * (-dimension))
    found: Array = windows[key]
    return found if input.ndim > lead else found[..., 0, :]


@kernel(
    "_unfold_backward",
    kind="structural",
    infer=lambda input, shape, dimension, size, step: Type(shape, input.dtype),
    vjp=lambda F, x, y, g, shape, dimension, size, step: (lambda: F.unfold(g, dimension, size, step),),
    batched="loop",
)
def unfold_backward(input: Tensor, shape: Shape, dimension: int, size: int, step: int) -> Array:
    """What windows were taken from: their elements where they came from, added up.

    Smooth everywhere.
    """
    found = np.zeros(shape or (1,), input.dtype)
    if not size:
        return found.reshape(shape)
    moved = np.moveaxis(found, dimension, -1)
    windows = input if len(shape) else input[None]
    own = np.moveaxis(windows, dimension - 1, -2)
    for at in range(size):
        moved[..., at : at + (own.shape[-2] - 1) * step + 1 : step] += own[..., at]
    return found.reshape(shape)


@composite(
    "unflatten",
    samples=lambda make: [
        sample(make(2, 6), 1, (2, 3)),
        sample(make(4), -1, (-1, 2)),
        sample(make(0, 2), 0, (2, 0)),
    ],
    refusals=lambda make: [
        refused("unflatten: Provided sizes [2, 2] don't multiply up to the size of dim 0 (6) in the",
                make(6), 0, (2, 2)),
        refused("unflatten: sizes must be non-empty", make(6), 0, ()),
        refused("Dimension out of range (expected to be in range of [-1, 0], but got 1)", make(6), 1, (2, 3)),
    ],
)  # fmt: skip
def unflatten(F: Any, input: Tensor, dim: Dim, sizes: Shape) -> Any:
    """One dimension seen as several; one of their sizes may be -1.

    Smooth everywhere.
    """
    axis = wrap_dim(dim, input.meta.ndim) + max(input.meta.ndim, 1)
    if not sizes:
        raise RuntimeArgumentError("unflatten: sizes must be non-empty")
    shape = input.meta.shape
    whole = shape[axis] if shape else 1
    free = [each for each in sizes if each == -1]
    known = math.prod(each for each in sizes if each != -1)
    if len(free) > 1:
        raise RuntimeArgumentError("only one dimension can be inferred")
    if known != whole if not free else not known or whole % known:
        raise ShapeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {axis} "
            f"({whole}) in the input tensor"
        )
    given = tuple(whole // known if each == -1 else each for each in sizes)
    return F.view(input, (*shape[:axis], *given, *shape[axis + 1 :]))
