"""grid_sample: images read at the places of a grid."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import FLOAT
from engine.errors import DimError, DTypeError, RuntimeArgumentError, ShapeError, ValueArgumentError
from engine.op import Op, refused, sample
from engine.ops.dtype_checks import no_kernel
from engine.ops.reductions import wide
from engine.ops.sampling_taps import OnArrays, taps_of, weight
from engine.signature import Array, Index, Sizes, Tensor
from engine.types import Type

_MODES = {"bilinear": 0, "nearest": 1, "bicubic": 2}
_PADDINGS = {"zeros": 0, "border": 1, "reflection": 2}


@kernel(
    "_sample_planes",
    kind="index",
    infer=lambda input, indices: Type((*input.shape[:2], *indices.shape[1:]), input.dtype),
    vjp=lambda F, x, y, g: (lambda: F._unsample_planes(g, x[1], x[0].meta.shape[2:]), None),
    saves=("indices",),
)
def sample_planes(input: Tensor, indices: Index, *, lead: int) -> Array:
    """The elements of all channels at the flat `indices` of their sample.

    Smooth everywhere.
    """
    front = input.shape[: lead + 2]
    planes = input.reshape(*front, math.prod(input.shape[lead + 2 :]))
    places = indices.reshape(*indices.shape[: lead + 1], 1, math.prod(indices.shape[lead + 1 :]))
    found = np.take_along_axis(planes, np.broadcast_to(places, (*front, places.shape[-1])), -1)
    return found.reshape(*front, *indices.shape[lead + 1 :])


@kernel(
    "_unsample_planes",
    kind="index",
    infer=lambda input, indices, sizes: Type((*input.shape[:2], *sizes), input.dtype),
    vjp=lambda F, x, y, g, sizes: (lambda: F._sample_planes(g, x[1]), None),
    saves=("indices",),
)
def unsample_planes(input: Tensor, indices: Index, sizes: Sizes, *, lead: int) -> Array:
    """Planes of zeros with `input` added at flat `indices`: the adjoint of reading there.

    Smooth everywhere.
    """
    front, count = input.shape[: lead + 2], math.prod(sizes)
    places = indices.reshape(*indices.shape[: lead + 1], 1, math.prod(indices.shape[lead + 1 :]))
    first = np.arange(math.prod(front)).reshape(*front, 1) * count
    found = np.zeros(math.prod(front) * count, wide(input.dtype))
    np.add.at(found, (first + places).reshape(-1), input.reshape(-1))
    return found.reshape(*front, *sizes).astype(input.dtype, copy=False)


def _check_grid(input: Type, grid: Type, mode: int) -> None:
    sizes = f"input with sizes {list(input.shape)} and grid with sizes {list(grid.shape)}"
    if not (input.ndim and grid.ndim):
        raise DimError("Dimension specified as 0 but tensor has no dimensions")
    if input.shape[0] != grid.shape[0]:
        raise ShapeError(f"grid_sampler(): expected grid and input to have same batch size, but got {sizes}")
    if grid.shape[-1] != input.ndim - 2:
        raise ShapeError(
            f"grid_sampler(): expected grid to have size {input.ndim - 2} in last dimension, but got grid "
            "with "
            f"sizes {list(grid.shape)}"
        )
    for axis in range(2, input.ndim):
        if not input.shape[axis]:
            raise ShapeError(
                "grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes "
                f"{list(input.shape)} with dimension {axis} being empty"
            )
    if input.ndim not in (4, 5) or input.ndim != grid.ndim:
        raise ShapeError(
            "grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but got "
            f"{sizes}"
        )
    if input.ndim == 5 and mode == 2:
        raise RuntimeArgumentError("grid_sampler(): bicubic interpolation only supports 4D input")


def _sampled_type(
    input: Type, grid: Type, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Type:
    _check_grid(input, grid, interpolation_mode)
    if input.dtype.category != FLOAT:
        raise no_kernel(f"grid_sampler_{input.ndim - 2}d_cpu", input.dtype)
    if grid.dtype is not input.dtype:
        names = [each.dtype.title for each in (input, grid)]
        raise DTypeError(f"expected scalar type {names[0]} but found {names[1]}")
    return Type((*input.shape[:2], *grid.shape[1:-1]), input.dtype)


def _sampled_rule(
    F: Any, x: Any, y: Any, g: Any, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Any:
    input, grid = x
    sizes = input.meta.shape[2:]
    taps = list(taps_of(F, grid, sizes, interpolation_mode, padding_mode, align_corners))

    def of_input() -> Any:
        found: Any = None
        for tap in taps:
            part = F._unsample_planes(F.mul(g, F.unsqueeze(weight(F, tap), 1)), tap.at, sizes)
            found = part if found is None else F.add(found, part)
        return found

    def of_grid() -> Any:
        found: list[Any] = [None] * len(sizes)
        for tap in taps:
            meets = F.sum(F.mul(g, F._sample_planes(input, tap.at)), (1,))
            for dim in range(len(sizes)):
                part = F.mul(meets, weight(F, tap, dim))
                found[dim] = part if found[dim] is None else F.add(found[dim], part)
        return F.stack(found[::-1], -1)

    return of_input, of_grid


def _sampler(rank: int) -> Op:
    def run(
        input: Tensor,
        grid: Tensor,
        interpolation_mode: int,
        padding_mode: int,
        align_corners: bool,
        *,
        lead: int,
    ) -> Array:
        """The numbers of images at the places of a grid.

        Piecewise smooth: the slope is that of the cell, of the border 0.
        """
        dtype = wide(input.dtype)
        sizes = input.shape[lead + 2 :]
        places = grid.astype(dtype, copy=False)
        taps = taps_of(OnArrays, places, sizes, interpolation_mode, padding_mode, align_corners)
        found = np.zeros((*input.shape[: lead + 2], *grid.shape[lead + 1 : -1]), dtype)
        for tap in taps:
            share = np.expand_dims(weight(OnArrays, tap), lead + 1).astype(dtype, copy=False)
            found += sample_planes.run(input, tap.at, lead=lead) * share  # type: ignore[operator]
        return found.astype(input.dtype, copy=False)

    define = kernel(
        f"grid_sampler_{rank}d",
        kind="index",
        infer=_sampled_type,
        vjp=_sampled_rule,
        grad_fn=f"GridSampler{rank}DBackward0",
        saves=("align_corners", "grid", "input", "interpolation_mode", "padding_mode"),
        samples=lambda make: [
            sample(
                make(1, 2, *(3, 4, 2)[:rank]), make(1, *(2,) * rank, rank, low=-0.9, high=0.9), 0, 0, False
            ),
            sample(
                make(2, 1, *(3, 2, 2)[:rank]), make(2, *(1,) * rank, rank, low=-1.4, high=1.4), 0, 1, True
            ),
        ],
        refusals=lambda make: [
            refused(
                "expected grid and input to have same batch size",
                make(1, 1, *(2,) * rank),
                make(2, *(1,) * rank, rank),
                0,
                0,
                False,
            ),
        ],
    )
    return define(run)


grid_sampler_2d, grid_sampler_3d = _sampler(2), _sampler(3)


@composite(
    "nn.functional.grid_sample",
    samples=lambda make: [
        sample(make(1, 2, 3, 4), make(1, 2, 2, 2, low=-0.9, high=0.9), align_corners=False),
        sample(
            make(2, 1, 3, 3), make(2, 2, 1, 2, low=-1.4, high=1.4), padding_mode="border", align_corners=True
        ),
        sample(make(1, 1, 3, 4), make(1, 1, 3, 2, low=-1.6, high=1.6), "bilinear", "reflection", False),
        sample(make(1, 1, 4, 4), make(1, 2, 2, 2, low=-0.9, high=0.9), "bicubic", "zeros", False),
        sample(make(1, 2, 3, 4), make(1, 2, 2, 2, low=-0.9, high=0.9), "nearest", align_corners=True),
        sample(make(1, 1, 2, 3, 2), make(1, 1, 2, 1, 3, low=-0.9, high=0.9), align_corners=True),
        sample(make(0, 2, 3, 4), make(0, 2, 2, 2)),
    ],
    refusals=lambda make: [
        refused("expected grid and input to have same batch size", make(1, 1, 2, 2), make(2, 1, 1, 2)),
        refused("expected grid to have size 2 in last dimension", make(1, 1, 2, 2), make(1, 1, 1, 3)),
        refused("expected mode to be 'bilinear', 'nearest' or", make(1, 1, 2, 2), make(1, 1, 1, 2), "x"),
        refused("expected padding_mode to be 'zeros',", make(1, 1, 2, 2), make(1, 1, 1, 2), "nearest", "x"),
        refused(
            "bicubic interpolation only supports 4D", make(1, 1, 2, 2, 2), make(1, 1, 1, 1, 3), "bicubic"
        ),
        refused(
            "expected scalar type Double but found Float", make(1, 1, 2, 2), make(1, 1, 1, 2).astype("f4")
        ),
    ],
)
def grid_sample(
    F: Any,
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Any:
    """The numbers of images at the places of a grid, whose corners are -1 and 1.

    Piecewise smooth: the slope is that of the cell, and 0 at and beyond a border that is kept.
    """
    if mode not in _MODES:
        raise ValueArgumentError(
            "nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: "
            f"'{mode}'"
        )
    if padding_mode not in _PADDINGS:
        raise ValueArgumentError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', "
            "but "
            f"got: '{padding_mode}'"
        )
    run = F.grid_sampler_2d if input.meta.ndim == 4 else F.grid_sampler_3d
    return run(input, grid, _MODES[mode], _PADDINGS[padding_mode], bool(align_corners))
