"""max_unpool: the elements of a max pool's result back at their places."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite
from engine.dtypes import int64
from engine.errors import DTypeError, ShapeError, ValueArgumentError
from engine.op import Op, refused, sample
from engine.ops.pool_checks import pool_setting
from engine.signature import Index, Sizes, Tensor
from engine.types import Shape, Type


def _unpooled(value: Any, sizes: Shape, kernel: Shape, stride: Shape, padding: Shape) -> Shape:
    rank = len(kernel)
    each = zip(sizes, stride, padding, kernel, strict=True)
    usual = tuple((size - 1) * step - 2 * pad + width for size, step, pad, width in each)
    if value is None:
        return usual
    wanted = tuple(value)
    if len(wanted) == rank + 2:
        wanted = wanted[2:]
    if len(wanted) != rank:
        raise ValueArgumentError(
            f"output_size should be a sequence containing {rank} or {rank + 2} elements, but it has a length "
            "of "
            f"'{len(wanted)}'"
        )
    for dim, (want, size, step) in enumerate(zip(wanted, usual, stride, strict=True)):
        if not size - step < want < size + step:
            raise ValueArgumentError(
                f'invalid output_size "{wanted}" (dim {dim} must be between {size - step} and {size + step})'
            )
    return wanted


def _check_unpool(input: Type, indices: Type, rank: int, spatial: int) -> None:
    if indices.dtype is not int64:
        raise DTypeError(
            f"elements in indices should be type int64 but got: {indices.dtype.title}",
            actual=indices.dtype.name,
        )
    if input.ndim not in (rank + 1, rank + 2):
        raise ShapeError(
            f"Input to max_unpooling{rank}d should be a {rank + 1}d or {rank + 2}d Tensor, but got a tensor "
            "with "
            f"{input.ndim} dimensions.",
            actual=input.ndim,
        )
    if input.shape != indices.shape:
        raise ShapeError(
            f"Expected shape of indices to be same as that of the input tensor ({list(input.shape)}) but got "
            f"indices tensor with shape: {list(indices.shape)}"
        )


def _max_unpool(rank: int) -> Op:
    name = f"max_unpool{rank}d"

    def run(
        F: Any,
        input: Tensor,
        indices: Index,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        output_size: Sizes | None = None,
    ) -> Any:
        """Zeros with each element of a max pool's result back at its place.

        Of elements put at one place the last one stays; the gradient goes to all.
        """
        kernel = pool_setting(name, "kernel_size", kernel_size, rank)
        steps = kernel if stride is None else pool_setting(name, "stride", stride, rank)
        pads = pool_setting(name, "padding", padding, rank)
        sizes = input.meta.shape[-rank:]
        if len(sizes) < rank:
            _check_unpool(input.meta, indices.meta, rank, rank)
        out = _unpooled(output_size, sizes, kernel, steps, pads)
        if rank == 1:
            input, indices, out = F.unsqueeze(input, -1), F.unsqueeze(indices, -1), (*out, 1)
        _check_unpool(input.meta, indices.meta, max(rank, 2), rank)
        found = F._plane_put(input, indices, out)
        return F.squeeze(found, -1) if rank == 1 else found

    def places(make: Any, *shape: int) -> Any:
        order = [np.argsort(each) for each in make(2, 2**rank * 2**rank)]
        return np.array([one[: 2**rank] for one in order]).reshape(shape)

    two = (2,) * rank
    define = composite(
        f"nn.functional.{name}",
        samples=lambda make: [
            sample(make(1, 2, *two), places(make, 1, 2, *two), 2),
            sample(make(2, *two), places(make, 2, *two), 2, 2, 0, (4,) * rank),
            sample(make(0, 2, *two), np.zeros((0, 2, *two), np.int64), 2),
        ],
        refusals=lambda make: [
            refused(
                "Found an invalid max index: 99 (output volumes are of size 4x",
                make(1, 1, *two),
                np.full((1, 1, *two), 99),
                2,
            ),
            refused("should be type int64 but got: Double", make(1, 1, *two), make(1, 1, *two), 2),
            refused(
                "invalid output_size", make(1, 1, *two), np.zeros((1, 1, *two), int), 2, None, 0, (9,) * rank
            ),
        ],
    )
    return define(run)


max_unpool1d, max_unpool2d, max_unpool3d = _max_unpool(1), _max_unpool(2), _max_unpool(3)
