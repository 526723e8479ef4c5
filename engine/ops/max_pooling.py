"""Max pools of sequences, images and volumes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.define import composite
from engine.errors import RuntimeArgumentError, ShapeError
from engine.op import Op, refused, sample
from engine.ops.pool_checks import check_dims, check_target, pool_setting, targets
from engine.signature import Data, Sizes, Tensor
from engine.types import Type


def _pooled(F: Any, name: str, rank: int, input: Any, settings: Sequence[Any], ceil_mode: bool) -> Any:
    names = ("kernel_size", "stride", "padding", "dilation")
    each = [
        () if value is None else pool_setting(name, what, value, rank)
        for what, value in zip(names, settings, strict=True)
    ]
    return getattr(F, f"_{name}_with_indices")(input, *each, ceil_mode)


def _check_planar(input: Type, kernel: int, stride: int, *others: int) -> None:
    """What torch refuses of sequences whose indices it gives; the pool of planes refuses the rest."""
    if input.ndim not in (2, 3) or 0 in input.shape[-2:]:
        raise ShapeError(
            "max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for input, but "
            f"got:{list(input.shape)}",
            actual=input.ndim,
        )
    for what, value in (("kernel_size", kernel), ("stride", stride)):
        if value <= 0:
            raise RuntimeArgumentError(f"max_pool1d() {what} must be greater than zero, but got {value}")


def _check_sequence(input: Type, kernel: int, stride: int, padding: int, dilation: int, ceil: bool) -> None:
    _check_planar(input, kernel, stride)
    if padding < 0:
        raise RuntimeArgumentError(f"max_pool1d() padding must be non-negative, but got {padding}")
    if padding > kernel // 2:
        raise RuntimeArgumentError(
            "max_pool1d() padding should be at most half of kernel size, but got "
            f"padding={padding} and kernel_size={kernel}"
        )
    if dilation <= 0:
        raise RuntimeArgumentError(f"max_pool1d() dilation must be greater than zero, but got {dilation}")
    room = input.shape[-1] + 2 * padding - dilation * (kernel - 1) - 1
    if room < 0 and not ceil:
        raise ShapeError(f"max_pool1d() Invalid computed output size: {room // stride + 1}")


def _samples(rank: int) -> Any:
    def samples(make: Any) -> list[Any]:
        size = (6, 5, 4)[:rank]
        return [
            sample(_apart(make, 2, 2, *size), 2),
            sample(_apart(make, 2, *size), 3, 2, 1, return_indices=True),
            sample(_apart(make, 1, 1, *size), 2, 1, dilation=2),
            sample(_apart(make, 1, 2, *size), 2, 3, 1, ceil_mode=True),
            sample(_apart(make, 0, 1, *size), 2),
        ]

    return samples


def _apart(make: Any, *shape: int) -> Any:
    """Numbers that differ by more than any step of a difference quotient, in some order."""
    order = np.argsort(make(*shape), axis=None).reshape(shape)
    return (order - order.size / 2) * 0.5


def _refusals(rank: int) -> Any:
    def refusals(make: Any) -> list[Any]:
        x = make(1, 2, *(4, 4, 4)[:rank])
        if rank == 1:
            return [
                refused("max_pool1d: Expected 2D or 3D (batch mode) tensor", make(4), 2),
                refused("max_pool1d() Invalid computed output size: 0", x, 5),
                refused("padding should be at most half of kernel size", x, 2, padding=2),
                refused("max_pool1d() stride must be greater than zero, but got 0", x, 2, 0),
            ]
        return [
            refused(f"non-empty {rank + 1}D or {rank + 2}D (batch mode) tensor expected", make(4, 4), 2),
            refused("Output size is too small", x, 5),
            refused("pad should be at most half of effective kernel size, but got pad=2", x, 2, padding=2),
            refused("stride should not be zero", x, 2, 0),
            refused("dilation should be greater than zero", x, 2, dilation=0),
            refused(f"max_pool{rank}d: kernel_size must either be a single int", x, (2,) * (5 - rank)),
            refused("not implemented for 'Bool'", x > 0, 2),
        ]

    return refusals


def _max_pool(rank: int) -> Op:
    name = f"max_pool{rank}d"

    def run(
        F: Any,
        input: Tensor,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Any:
        """The largest element of each window; with `return_indices` also its flat place.

        Of equals the first gets the gradient; nan counts as the largest.
        """
        stride = None if stride == () else stride
        settings = [kernel_size, stride, padding, dilation]
        if rank > 1:
            found = _pooled(F, name, rank, input, settings, ceil_mode)
        else:
            each: list[Any] = [
                None if one is None else pool_setting(name, "setting", one, 1)[0] for one in settings
            ]
            check = _check_planar if return_indices else _check_sequence
            check(input.meta, each[0], each[0] if stride is None else each[1], each[2], each[3], ceil_mode)
            wide = [
                None if one is None else (fill, one) for one, fill in zip(each, (1, 1, 0, 1), strict=True)
            ]
            found = F._max_pool2d_with_indices(
                F.unsqueeze(input, -2), *(one or () for one in wide), ceil_mode
            )
            found = (F.squeeze(found[0], -2), F.squeeze(found[1], -2))
        return (found[0], found[1]) if return_indices else found[0]

    define = composite(f"nn.functional.{name}", samples=_samples(rank), refusals=_refusals(rank))
    return define(run)


def _adaptive_max_pool(rank: int) -> Op:
    name = f"adaptive_max_pool{rank}d"

    def run(F: Any, input: Tensor, output_size: Data, return_indices: bool = False) -> Any:
        """The largest element of each of `output_size` windows; with `return_indices` also its flat place.

        Of equals the first gets the gradient; nan counts as the largest.
        """
        if rank == 1:
            check_dims(name, input.meta, 1)
            each = targets(output_size, input.meta.shape, 1)
            if len(each) != 1:
                raise RuntimeArgumentError(
                    f"{name}() argument 'output_size' should contain one int (got {len(each)})"
                )
            pair = F._adaptive_max_pool2d(F.unsqueeze(input, -2), (1, *each))
            found = (F.squeeze(pair[0], -2), F.squeeze(pair[1], -2))
        else:
            check_target(input.meta, output_size, rank)
            found = getattr(F, f"_{name}")(input, targets(output_size, input.meta.shape, rank))
        return (found[0], found[1]) if return_indices else found[0]

    size = (5, 4, 3)[:rank]
    define = composite(
        f"nn.functional.{name}",
        samples=lambda make: [
            sample(_apart(make, 2, 2, *size), 2),
            sample(_apart(make, 2, *size), (3,) * rank, return_indices=True),
            sample(_apart(make, 1, 2, *size), 1 if rank == 1 else (None, *(2,) * (rank - 1))),
            sample(_apart(make, 0, 1, *size), 2),
        ],
        refusals=lambda make: [
            refused("D tensor, but got: [4]" if rank > 1 else "Expected 2 to 3 dimensions", make(4), 2),
            refused("not implemented for 'Long'", make.ints(1, 1, *size), 2),
            refused("Trying to create tensor with negative dimension -1", make(1, 1, *size), -1),
        ],
    )
    return define(run)


max_pool1d, max_pool2d, max_pool3d = _max_pool(1), _max_pool(2), _max_pool(3)
adaptive_max_pool1d, adaptive_max_pool2d = _adaptive_max_pool(1), _adaptive_max_pool(2)
adaptive_max_pool3d = _adaptive_max_pool(3)
