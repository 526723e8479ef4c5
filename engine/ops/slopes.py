"""The gradient of a function given by samples, from central differences."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite
from engine.dtypes import uint8
from engine.errors import RuntimeArgumentError
from engine.op import refused, sample
from engine.signature import Data, Dims, Tensor, is_number
from engine.types import wrap_dims

SHORT = "torch.gradient expected each dimension size to be at least edge_order+1"


def _axes(input: Any, spacing: Any, dim: Any, edge_order: int) -> tuple[Any, ...]:
    """The dims to go along, after torch's checks."""
    meta = input.meta
    listed = isinstance(spacing, (tuple, list))
    if meta.dtype is uint8:
        raise RuntimeArgumentError("torch.gradient does not support uint8 input.")
    dims = None if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    if listed and dims is None and len(spacing) != meta.ndim:
        raise RuntimeArgumentError(
            "torch.gradient expected spacing to be unspecified, a scalar, or a list of length equal to "
            f"'self.dim() = {meta.ndim}', since dim argument was not given, but got a list of length "
            f"{len(spacing)}"
        )
    if listed and dims is not None and len(spacing) != len(dims):
        raise RuntimeArgumentError(
            "torch.gradient expected spacing to be unspecified, a scalar or it's spacing and dim arguments "
            f"to have the same length, but got a spacing argument of length {len(spacing)} and a dim "
            f"argument of length {len(dims)}."
        )
    if edge_order not in (1, 2):
        raise RuntimeArgumentError("torch.gradient only supports edge_order=1 and edge_order=2.")
    if dims is not None:
        wrap_dims(dims, meta.ndim)
    found = tuple(range(meta.ndim)) if dims is None else dims
    if any(meta.shape[at] < edge_order + 1 for at in found if meta.ndim):
        raise RuntimeArgumentError(SHORT)
    return tuple(at + meta.ndim if at < 0 else at for at in found)


def _even(F: Any, part: Any, step: Any, edge_order: int) -> tuple[Any, Any, Any]:
    """The edges and the middle, of samples one `step` apart; `part(a, b)` are those from a to b."""
    middle = F.div(F.div(F.sub(part(2, None), part(0, -2)), step), 2)
    if edge_order == 1:
        first = F.sub(part(1, 2), part(0, 1))
        last = F.sub(part(-1, None), part(-2, -1))
    else:
        first = F.sub(F.add(F.mul(part(0, 1), -1.5), F.mul(part(1, 2), 2)), F.mul(part(2, 3), 0.5))
        last = F.add(F.sub(F.mul(part(-3, -2), 0.5), F.mul(part(-2, -1), 2)), F.mul(part(-1, None), 1.5))
    return F.div(first, step), middle, F.div(last, step)


def _weighted(F: Any, weights: Any, parts: Any) -> Any:
    one, two, three = (F.mul(weight, part) for weight, part in zip(weights, parts, strict=True))
    return F.add(F.add(one, two), three)


def _uneven(F: Any, part: Any, step: Any, shape: tuple[int, ...], edge_order: int) -> tuple[Any, Any, Any]:
    """The same at points that are `step`, a vector, apart."""
    one, two = F.slice(step, 0, 0, -1), F.slice(step, 0, 1)
    both = F.add(one, two)
    weights = (
        F.div(F.neg(two), F.mul(one, both)),
        F.div(F.sub(two, one), F.mul(one, two)),
        F.div(one, F.mul(two, both)),
    )
    placed = [F.reshape(each, shape) for each in weights]
    middle = _weighted(F, placed, (part(0, -2), part(1, -1), part(2, None)))
    start, end = F.select(step, 0, 0), F.select(step, 0, -1)
    if edge_order == 1:
        first = F.div(F.sub(part(1, 2), part(0, 1)), start)
        return first, middle, F.div(F.sub(part(-1, None), part(-2, -1)), end)
    near, far = F.select(step, 0, 1), F.select(step, 0, -2)
    begin, finish = F.add(start, near), F.add(end, far)
    weights = (
        F.div(F.neg(F.add(F.mul(start, 2.0), near)), F.mul(start, begin)),
        F.div(begin, F.mul(start, near)),
        F.div(F.neg(start), F.mul(near, begin)),
    )
    first = _weighted(F, weights, (part(0, 1), part(1, 2), part(2, 3)))
    weights = (
        F.div(end, F.mul(far, finish)),
        F.div(F.neg(finish), F.mul(end, far)),
        F.div(F.add(F.mul(end, 2), far), F.mul(end, finish)),
    )
    return first, middle, _weighted(F, weights, (part(-3, -2), part(-2, -1), part(-1, None)))


@composite(
    "gradient",
    outputs=(),
    samples=lambda make: [
        sample(make(4)),
        sample(make(3, 4), spacing=2.0),
        sample(make(3, 4), spacing=[0.5, 2.0], edge_order=2),
        sample(make(3, 4), dim=1, edge_order=2),
        sample(make(3, 4), spacing=[np.array([0.0, 1.0, 3.0]), np.array([0.0, 0.5, 2.0, 2.5])]),
        sample(make(4), spacing=[np.array([0.0, 0.5, 2.0, 2.5])], edge_order=2),
        sample(make(3, 4), spacing=[2.0], dim=(0,)),
    ],
    refusals=lambda make: [
        refused("since dim argument was not given, but got a list of length 1", make(3, 3), spacing=[1.0]),
        refused("to have the same length, but got a spacing", make(3, 3), spacing=[1.0], dim=(0, 1)),
        refused("torch.gradient only supports edge_order=1 and edge_order=2.", make(3), edge_order=3),
        refused(SHORT, make(1)),
        refused(SHORT, make(2), edge_order=2),
        refused("dim 0 appears multiple times in the list of dims", make(3), dim=(0, 0)),
        refused("each element of spacing to have one dimension, but got", make(3), spacing=[make(3, 3)]),
    ],
)
def gradient(
    F: Any, input: Tensor, *, spacing: Data | None = None, dim: Dims | None = None, edge_order: int = 1
) -> Any:
    """The derivative along each of `dim` (all by default) of a function given by samples.

    Smooth everywhere. `spacing` is their distance: a number for all, or for each dim a number or the points;
    at the edges the differences are of order `edge_order`.
    """
    dims = _axes(input, spacing, dim, edge_order)
    each: Any = spacing
    several = isinstance(spacing, (tuple, list))
    found = []
    for number, at in enumerate(dims):
        step: Any = each[number] if several else 1.0 if each is None else each

        def part(start: int, end: int | None, at: int = at) -> Any:
            return F.slice(input, at, start, end)

        if is_number(step) or (not several and not step.meta.ndim):
            pieces = _even(F, part, float(step) if isinstance(step, int) else step, edge_order)
        else:
            if step.meta.ndim != 1:
                raise RuntimeArgumentError(
                    "torch.gradient expected each element of spacing to have one dimension, but got an "
                    f"element with {step.meta.ndim} dimensions!"
                )
            shape = tuple(-1 if axis == at else 1 for axis in range(input.meta.ndim))
            pieces = _uneven(F, part, F.diff(step), shape, edge_order)
        found.append(F.cat(pieces, at))
    return tuple(found)
