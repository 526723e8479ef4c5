"""unfold and fold: images as columns of their patches, and columns added up to images."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import BOOL, COMPLEX, FLOAT
from engine.errors import DimError, RuntimeArgumentError, ShapeError
from engine.op import refused, sample
from engine.ops.conv_checks import named_sizes
from engine.ops.dtype_checks import no_kernel
from engine.ops.reductions import wide
from engine.ops.windows import Slide, each_dim, outputs, taps
from engine.signature import Array, Shape, Sizes, Tensor
from engine.types import Type


def _check_settings(kernel_size: Shape, dilation: Shape, padding: Shape, stride: Shape) -> None:
    named = (("kernel size", "kernel", kernel_size), ("dilation", "dilation", dilation))
    for what, name, value in (*named, ("stride", "stride", stride)):
        if min(value) <= 0:
            raise RuntimeArgumentError(
                f"{what} should be greater than zero, but got {named_sizes(name, value)}"
            )
        if name == "dilation" and min(padding) < 0:
            raise RuntimeArgumentError(
                f"padding should be non-negative, but got {named_sizes('pad', padding)}"
            )


def _im2col_type(input: Type, kernel_size: Shape, dilation: Shape, padding: Shape, stride: Shape) -> Type:
    _check_settings(kernel_size, dilation, padding, stride)
    slide = Slide(kernel_size, stride, padding, dilation)
    if input.ndim not in (3, 4) or 0 in input.shape[-3:]:
        raise ShapeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions "
            "for "
            f"input, but got: {list(input.shape)}",
            actual=list(input.shape),
        )
    sizes = input.shape[-2:]
    blocks = outputs(sizes, slide)
    if min(blocks) < 1:
        raise ShapeError(
            f"Given input with spatial size {sizes}, kernel_size={kernel_size}, dilation={dilation}, "
            f"padding={padding}, calculated shape of the array of sliding blocks as {blocks}, but its "
            "components "
            "must be at least one."
        )
    if input.dtype.category not in (FLOAT, BOOL, COMPLEX):
        raise no_kernel("im2col_out_cpu", input.dtype)
    rows = input.shape[-3] * kernel_size[0] * kernel_size[1]
    return Type((*input.shape[:-3], rows, blocks[0] * blocks[1]), input.dtype)


@kernel(
    "_im2col",
    kind="structural",
    infer=_im2col_type,
    vjp=lambda F, x, y, g, **settings: (lambda: F._col2im(g, x[0].meta.shape[-2:], *settings.values()),),
    grad_fn="Im2ColBackward0",
    saves=("dilation", "kernel_size", "padding", "self_sym_argsize_minus_1", "stride"),
)
def im2col(input: Tensor, kernel_size: Sizes, dilation: Sizes, padding: Sizes, stride: Sizes) -> Array:
    """The patches of each image as columns.

    Smooth everywhere.
    """
    slide = Slide(kernel_size, stride, padding, dilation)
    sizes = input.shape[-2:]
    blocks = outputs(sizes, slide)
    found = np.zeros((*input.shape[:-2], *kernel_size, *blocks), input.dtype)
    for (row, column), windows, places in taps(sizes, blocks, slide):
        found[..., row, column, :, :][windows] = input[places]
    count = input.shape[-3] * kernel_size[0] * kernel_size[1]
    return found.reshape(*input.shape[:-3], count, blocks[0] * blocks[1])


def _col2im_type(
    input: Type, output_size: Shape, kernel_size: Shape, dilation: Shape, padding: Shape, stride: Shape
) -> Type:
    _check_settings(kernel_size, dilation, padding, stride)
    taps_ = kernel_size[0] * kernel_size[1]
    if input.ndim not in (2, 3) or 0 in input.shape[-2:]:
        raise ShapeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero "
            "dimensions "
            f"for input, but got: {list(input.shape)}",
            actual=list(input.shape),
        )
    if input.shape[-2] % taps_:
        raise ShapeError(
            f"Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
            f"input.size(1)={input.shape[-2]} and kernel_size={kernel_size}."
        )
    blocks = outputs(output_size, Slide(kernel_size, stride, padding, dilation))
    if input.shape[-1] != blocks[0] * blocks[1]:
        raise ShapeError(
            f"Given output_size={output_size}, kernel_size={kernel_size}, dilation={dilation}, "
            f"padding={padding}, stride={stride}, expected size of input's dimension 2 to match the "
            "calculated "
            f"number of sliding blocks {blocks[0]} * {blocks[1]} = {blocks[0] * blocks[1]}, but got "
            f"input.size(2)={input.shape[-1]}."
        )
    if min(output_size) < 1:
        raise ShapeError(f"Expected output spatial size to be positive, but got: output_size={output_size}.")
    if input.dtype.category not in (FLOAT, BOOL, COMPLEX):
        raise no_kernel("col2im_out_cpu", input.dtype)
    return Type((*input.shape[:-2], input.shape[-2] // taps_, *output_size), input.dtype)


@kernel(
    "_col2im",
    kind="structural",
    infer=_col2im_type,
    vjp=lambda F, x, y, g, output_size, **settings: (lambda: F._im2col(g, *settings.values()),),
    grad_fn="Col2ImBackward0",
    saves=("dilation", "kernel_size", "padding", "stride"),
)
def col2im(
    input: Tensor, output_size: Sizes, kernel_size: Sizes, dilation: Sizes, padding: Sizes, stride: Sizes
) -> Array:
    """Columns of patches added up to images.

    Smooth everywhere.
    """
    slide = Slide(kernel_size, stride, padding, dilation)
    blocks = outputs(output_size, slide)
    channels = input.shape[-2] // (kernel_size[0] * kernel_size[1])
    columns = input.reshape(*input.shape[:-2], channels, *kernel_size, *blocks)
    found = np.zeros((*input.shape[:-2], channels, *output_size), wide(input.dtype))
    for (row, column), windows, places in taps(output_size, blocks, slide):
        found[places] += columns[..., row, column, :, :][windows]
    return found.astype(input.dtype, copy=False)


def _pairs(**settings: Any) -> list[Shape]:
    """Each setting as two numbers."""
    found: list[Shape] = []
    for name, value in settings.items():
        pair = each_dim(value, 2)
        if len(pair) != 2:
            raise RuntimeArgumentError(f"It is expected {name} equals to 2, but got size {len(pair)}")
        found.append(pair)
    return found


@composite(
    "nn.functional.unfold",
    samples=lambda make: [
        sample(make(2, 2, 3, 4), 2),
        sample(make(2, 4, 3), (2, 3), padding=1, stride=(2, 1)),
        sample(make(1, 1, 5, 5), 2, 2, 1, 2),
        sample(make(0, 1, 3, 3), 2),
    ],
    refusals=lambda make: [
        refused("calculated shape of the array of sliding blocks as (0, 0)", make(1, 1, 3, 3), 4),
        refused("kernel size should be greater than zero, but got kernel_height: 0", make(1, 1, 3, 3), 0),
        refused("stride should be greater than zero", make(1, 1, 3, 3), 2, stride=0),
        refused("padding should be non-negative", make(1, 1, 3, 3), 2, padding=-1),
        refused("It is expected kernel_size equals to 2, but got size 3", make(1, 1, 3, 3), (2, 2, 2)),
        refused("Dimension out of range", make(3, 3), 2),
        refused("\"im2col_out_cpu\" not implemented for 'Long'", make.ints(1, 1, 3, 3), 2),
    ],
)
def unfold(
    F: Any, input: Tensor, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1
) -> Any:
    """The patches of images (N, C, H, W) as columns (N, C * kernel, patches).

    Smooth everywhere.
    """
    if input.meta.ndim < 3:
        bound = max(input.meta.ndim, 1)
        raise DimError(
            f"Dimension out of range (expected to be in range of [{-bound}, {bound - 1}], but got {bound})"
        )
    settings = _pairs(kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride)
    return F._im2col(input, *settings)


@composite(
    "nn.functional.fold",
    samples=lambda make: [
        sample(make(2, 8, 6), (3, 4), 2),
        sample(make(4, 4), (3, 3), 2),
        sample(make(1, 4, 9), (5, 5), 2, 2, 1, 2),
        sample(make(0, 4, 4), (3, 3), 2),
    ],
    refusals=lambda make: [
        refused("to be divisible by the product of kernel_size", make(1, 3, 4), (3, 3), 2),
        refused("number of sliding blocks 2 * 2 = 4, but got input.size(2)=3", make(1, 4, 3), (3, 3), 2),
        refused("Expected 2D or 3D (batch mode) tensor for input", make(4), (3, 3), 2),
        refused("It is expected output_size equals to 2, but got size 3", make(1, 4, 4), (3, 3, 3), 2),
        refused("\"col2im_out_cpu\" not implemented for 'Long'", make.ints(1, 4, 4), (3, 3), 2),
    ],
)
def fold(
    F: Any,
    input: Tensor,
    output_size: Sizes,
    kernel_size: Sizes,
    dilation: Sizes = 1,
    padding: Sizes = 0,
    stride: Sizes = 1,
) -> Any:
    """Columns of patches (N, C * kernel, patches) added up to images of `output_size`.

    Smooth everywhere.
    """
    (sizes,) = _pairs(output_size=output_size)
    settings = _pairs(kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride)
    return F._col2im(input, sizes, *settings)
