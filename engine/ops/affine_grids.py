"""affine_grid: the places at which an affine map reads an image."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.errors import NotImplementedYet, ShapeError, ValueArgumentError
from engine.op import refused, sample
from engine.signature import Array, Sizes, Tensor
from engine.types import Type


def _base(size: Any, align: bool, dtype: Any) -> Array:
    """The homogeneous coordinates of each place of an image, the last dim first."""
    lines = []
    for each in size[2:]:
        line = np.linspace(-1, 1, each) if each > 1 else np.zeros(1)
        lines.append(line if align else line * (each - 1) / each)
    places = np.meshgrid(*lines, indexing="ij")
    found = np.stack([*places[::-1], np.ones_like(places[0])], -1)
    return found.reshape(-1, found.shape[-1]).astype(dtype)


@kernel(
    "_affine_grid_generator",
    kind="contraction",
    infer=lambda theta, size, align_corners: Type((size[0], *size[2:], len(size) - 2), theta.dtype),
    vjp=lambda F, x, y, g, size, align_corners: (
        lambda: F._affine_grid_generator_backward(g, size, align_corners),
    ),
    grad_fn="AffineGridGeneratorBackward0",
    saves=("align_corners", "size"),
)
def affine_grid_generator(theta: Tensor, size: Sizes, align_corners: bool) -> Array:
    """The grid of an affine map.

    Smooth everywhere.
    """
    base = _base(size, align_corners, theta.dtype)
    found = base @ np.ascontiguousarray(np.swapaxes(theta, -1, -2))
    places: Array = found.reshape(*theta.shape[:-2], *size[2:], len(size) - 2)
    return places


@kernel(
    "_affine_grid_generator_backward",
    kind="contraction",
    infer=lambda input, size, align_corners: Type((size[0], len(size) - 2, len(size) - 1), input.dtype),
    vjp=lambda F, x, y, g, size, align_corners: (lambda: F._affine_grid_generator(g, size, align_corners),),
)
def affine_grid_generator_backward(input: Tensor, size: Sizes, align_corners: bool) -> Array:
    """The adjoint of making a grid.

    Smooth everywhere.
    """
    rank = len(size) - 2
    base = _base(size, align_corners, input.dtype)
    flat = np.ascontiguousarray(input).reshape(*input.shape[: input.ndim - rank - 1], len(base), rank)
    return np.ascontiguousarray(np.swapaxes(flat, -1, -2)) @ base


@composite(
    "nn.functional.affine_grid",
    samples=lambda make: [
        sample(make(2, 2, 3), (2, 1, 3, 2)),
        sample(make(1, 2, 3), (1, 1, 1, 4), True),
        sample(make(1, 3, 4), (1, 2, 2, 1, 3)),
    ],
    refusals=lambda make: [
        refused("Expected a batch of 2D affine matrices of shape Nx2x3", make(1, 2, 2), (1, 1, 2, 2)),
        refused("affine_grid only supports 4D and 5D sizes", make(1, 2, 3), (1, 1, 2)),
        refused("Expected non-zero, positive output size. Got (1, 1, 0, 2)", make(1, 2, 3), (1, 1, 0, 2)),
        refused("Expected theta to have floating point type", make.ints(1, 2, 3), (1, 1, 2, 2)),
        refused("batch2 tensor to be: [2, 3] but got: [1, 3]", make(1, 2, 3), (2, 1, 2, 2)),
    ],
)
def affine_grid(F: Any, theta: Tensor, size: Sizes, align_corners: bool | None = None) -> Any:
    """The grid at which grid_sample reads an image of `size` through the affine map `theta`.

    Smooth everywhere.
    """
    meta, sizes = theta.meta, tuple(size)
    shown = f"torch.Size({list(meta.shape)})"
    if not meta.dtype.is_floating_point:
        raise ValueArgumentError(
            f"Expected theta to have floating point type, but got torch.{meta.dtype.name}"
        )
    if len(sizes) not in (4, 5):
        raise NotImplementedYet(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. Got "
            "size "
            f"{sizes}."
        )
    rank = len(sizes) - 2
    if meta.ndim != 3 or meta.shape[-2:] != (rank, rank + 1):
        raise ValueArgumentError(
            f"Expected a batch of {rank}D affine matrices of shape Nx{rank}x{rank + 1} for size {sizes}. Got "
            f"{shown}."
        )
    if min(sizes) <= 0:
        raise ValueArgumentError(f"Expected non-zero, positive output size. Got {sizes}")
    if meta.shape[0] != sizes[0]:
        raise ShapeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{sizes[0]}, {rank + 1}] but "
            "got: "
            f"[{meta.shape[0]}, {rank + 1}]."
        )
    return F._affine_grid_generator(theta, sizes, bool(align_corners))
