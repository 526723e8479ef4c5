"""Normalisation of rows and neighbours by their squares, and layer_norm with its statistics."""

from __future__ import annotations

from typing import Any

from engine.define import composite
from engine.errors import NotImplementedYet, RuntimeArgumentError, ShapeError, ValueArgumentError
from engine.op import refused, sample
from engine.signature import Shape, Tensor, as_shape


@composite(
    "native_layer_norm",
    samples=lambda make: [
        sample(make(2, 3), (3,), make(3), make(3), 1e-5),
        sample(make(3), (3,), None, None, 0.5),
    ],
)
def native_layer_norm(
    F: Any,
    input: Tensor,
    normalized_shape: Shape,
    weight: Tensor | None,
    bias: Tensor | None,
    eps: float,
) -> Any:
    """layer_norm, the mean of each row, and the reciprocal of its deviation.

    Smooth everywhere, unless eps and a deviation are 0. No gradient goes to the mean and the deviation.
    """
    found = F._native_layer_norm(input, weight, bias, as_shape(normalized_shape), eps)
    return found[0], F.detach(found[1]), F.detach(found[2])


def _check_rows(input: Any, size: Shape, weight: Any) -> None:
    shown = list(size)
    if not size:
        raise RuntimeArgumentError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, "
            "but "
            "got normalized_shape = []"
        )
    if weight is not None and weight.shape != size:
        raise ShapeError(
            f"Expected weight to be of same shape as normalized_shape, but got weight of shape "
            f"{list(weight.shape)} and normalized_shape = {shown}"
        )
    if input.shape[-len(size) :] != size:
        raise ShapeError(
            f"Given normalized_shape={shown}, expected input with shape [*{', '.join(map(str, size))}], but "
            "got "
            f"input of size{list(input.shape)}"
        )
    if not (input.dtype.is_floating_point or input.dtype.is_complex):
        raise NotImplementedYet(f"\"rms_norm\" not implemented for '{input.dtype.title}'")


_EPSILON = {"float16": 1.1920928955078125e-07, "float32": 1.1920928955078125e-07}


@composite(
    "nn.functional.rms_norm",
    samples=lambda make: [
        sample(make(2, 3), (3,)),
        sample(make(2, 3), (3,), make(3)),
        sample(make(2, 2, 3), (2, 3), make(2, 3), 0.1),
    ],
    refusals=lambda make: [
        refused("expected input with shape [*2], but got input of size[2, 3]", make(2, 3), (2,)),
        refused("Expected weight to be of same shape as normalized_shape", make(2, 3), (3,), make(2)),
        refused("Expected normalized_shape to be at least 1-dimensional", make(2, 3), ()),
        refused("\"rms_norm\" not implemented for 'Long'", make.ints(2, 3), (3,)),
    ],
)
def rms_norm(
    F: Any, input: Tensor, normalized_shape: Shape, weight: Tensor | None = None, eps: float | None = None
) -> Any:
    """Each row of the last dims over the root of its mean square; times weight.

    Smooth everywhere: eps, by default that of the dtype, keeps the root from 0.
    """
    size = as_shape(normalized_shape)
    _check_rows(input.meta, size, None if weight is None else weight.meta)
    given = input.meta.dtype
    found = F.to(input, "float32") if given.name == "float16" else input
    dims = tuple(range(-1, -len(size) - 1, -1))
    epsilon = _EPSILON.get(given.name, 2.220446049250313e-16) if eps is None else eps
    root = F.rsqrt(F.add(F.mean(F.pow(found, 2), dims, True), epsilon))
    found = F.mul(found, root)
    found = F.to(found, given.name) if given.name == "float16" else found
    return found if weight is None else F.mul(found, weight)


@composite(
    "nn.functional.local_response_norm",
    samples=lambda make: [
        sample(make(2, 4, 3), 2),
        sample(make(2, 4, 2, 2), 3, 0.5, 0.5, 2.0),
        sample(make(1, 3, 2, 2, 1), 2, 0.1),
        sample(make(0, 3, 2), 2),
    ],
    refusals=lambda make: [
        refused("Expected 3D or higher dimensionality                          input (got 2", make(3, 2), 2),
        refused("kernel size should be greater than zero, but got kH: 0 kW: 1", make(1, 3, 2), 0),
    ],
)
def local_response_norm(
    F: Any, input: Tensor, size: int, alpha: float = 0.0001, beta: float = 0.75, k: float = 1.0
) -> Any:
    """`input` over a power of k plus alpha times the mean square of `size` channels around.

    Smooth where k plus the squares is positive.
    """
    rank, shape = input.meta.ndim, input.meta.shape
    if rank < 3:
        raise ValueArgumentError(
            f"Expected 3D or higher dimensionality                          input (got {rank} dimensions)"
        )
    if not input.meta.numel:
        return input
    found = F.mul(input, input)
    ends = (size // 2, (size - 1) // 2)
    if rank == 3:
        found = F.pad(F.unsqueeze(found, 1), (0, 0, *ends))
        found = F.squeeze(F.avg_pool2d(found, (size, 1), 1), 1)
    else:
        found = F.view(found, (shape[0], 1, shape[1], shape[2], -1))
        found = F.pad(found, (0, 0, 0, 0, *ends))
        found = F.squeeze(F.avg_pool3d(found, (size, 1, 1), 1), 1)
        found = F.view(found, shape)
    return F.div(input, F.pow(F.add(F.mul(found, alpha), k), beta))
