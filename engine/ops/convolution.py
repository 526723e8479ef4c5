"""Convolution and its two adjoints: trilinear in input, weight and cotangent, each rule made of the others.

y = C(x, w); x = I(y, w) and w = W(x, y) are what the inner product <C(x, w), y> has for x and for w. A
transposed convolution is I. Every kernel goes over the taps of the weight, one product of matrices each.
"""

from __future__ import annotations

from typing import Any

from engine.define import kernel
from engine.ops.conv_kernels import convolve, correlate, slide_of, spread
from engine.ops.windows import Slide, inputs, outputs
from engine.signature import Array, Shape, Sizes, Tensor
from engine.types import Type


def _bilinear(own: str) -> Any:
    """The rule of one of the three: the others, in the places of what it is given."""

    def rule(
        F: Any, x: Any, y: Any, g: Any, stride: Any, padding: Any, dilation: Any, groups: int, size: Any
    ) -> Any:
        settings = (stride, padding, dilation, groups)
        first, second = (each.meta.shape for each in x)
        if own == "apply":  # x, w -> y
            return (
                lambda: F._conv_input(g, F.conj(x[1]), *settings, first[2:]),
                lambda: F._conv_weight(F.conj(x[0]), g, *settings, second[2:]),
            )
        if own == "input":  # y, w -> x
            return (
                lambda: F._conv_apply(g, F.conj(x[1]), *settings, first[2:]),
                lambda: F._conv_weight(g, F.conj(x[0]), *settings, second[2:]),
            )
        return (  # x, y -> w
            lambda: F._conv_input(F.conj(x[1]), g, *settings, first[2:]),
            lambda: F._conv_apply(F.conj(x[0]), g, *settings, second[2:]),
        )

    return rule


def _result(shape: Any) -> Any:
    """Inference for one of the three, from the shapes of its operands."""

    def infer(
        input: Type, other: Type, stride: Any, padding: Any, dilation: Any, groups: int, size: Shape
    ) -> Type:
        return Type((*shape(input.shape, other.shape, groups), *size), input.dtype)

    return infer


@kernel(
    "_conv_apply",
    kind="contraction",
    infer=_result(lambda x, w, groups: (x[0], w[0])),
    vjp=_bilinear("apply"),
    saves=("input", "weight"),
)
def _conv_apply(
    input: Tensor,
    weight: Tensor,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
    size: Sizes,
    *,
    lead: int,
) -> Array:
    """The convolution of `input` with `weight`, as many windows as `size` says.

    Smooth everywhere.
    """
    slide = slide_of(weight.shape[lead:], stride, padding, dilation)
    return convolve(input, weight, slide, groups, size, lead).astype(input.dtype, copy=False)


@kernel(
    "_conv_input",
    kind="contraction",
    infer=_result(lambda y, w, groups: (y[0], w[1] * groups)),
    vjp=_bilinear("input"),
    saves=("input", "weight"),
)
def _conv_input(
    input: Tensor,
    weight: Tensor,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
    size: Sizes,
    *,
    lead: int,
) -> Array:
    """The adjoint of a convolution to its input of `size`.

    Smooth everywhere.
    """
    slide = slide_of(weight.shape[lead:], stride, padding, dilation)
    return spread(input, weight, slide, groups, size, lead).astype(input.dtype, copy=False)


@kernel(
    "_conv_weight",
    kind="contraction",
    infer=_result(lambda x, y, groups: (y[1], x[1] // groups)),
    vjp=_bilinear("weight"),
    saves=("input", "weight"),
)
def _conv_weight(
    input: Tensor,
    weight: Tensor,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
    size: Sizes,
    *,
    lead: int,
) -> Array:
    """The adjoint of a convolution of `input` to its weight, for the cotangent `weight`.

    Smooth everywhere.
    """
    slide = Slide(size, stride, padding, dilation)
    return correlate(input, weight, slide, groups, lead).astype(input.dtype, copy=False)


def _convolution_type(input: Type, weight: Type, bias: Any, **settings: Any) -> Type:
    sizes = sizes_of(input.shape, weight.shape, **settings)
    channels = weight.shape[1] * settings["groups"] if settings["transposed"] else weight.shape[0]
    return Type((input.shape[0], channels, *sizes), input.dtype)


def sizes_of(
    input: Shape,
    weight: Shape,
    stride: Shape,
    padding: Shape,
    dilation: Shape,
    transposed: bool,
    output_padding: Shape,
    groups: int,
) -> Shape:
    """The trailing sizes of a convolution."""
    slide = slide_of(weight, stride, padding, dilation)
    return inputs(input[2:], slide, output_padding) if transposed else outputs(input[2:], slide)


def _convolution_rule(
    F: Any,
    x: Any,
    y: Any,
    g: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: bool,
    output_padding: Any,
    groups: int,
) -> Any:
    settings = (stride, padding, dilation, groups)
    sizes, kernel_size = x[0].meta.shape[2:], x[1].meta.shape[2:]
    dims = (0, *range(2, 2 + len(sizes)))
    bias = None if x[2] is None else lambda: F.sum(g, dims)
    if transposed:
        return (
            lambda: F._conv_apply(g, F.conj(x[1]), *settings, sizes),
            lambda: F._conv_weight(g, F.conj(x[0]), *settings, kernel_size),
            bias,
        )
    return (
        lambda: F._conv_input(g, F.conj(x[1]), *settings, sizes),
        lambda: F._conv_weight(F.conj(x[0]), g, *settings, kernel_size),
        bias,
    )


@kernel(
    "_convolution",
    kind="contraction",
    infer=_convolution_type,
    vjp=_convolution_rule,
    grad_fn="ConvolutionBackward0",
    saves=(
        "bias_sym_sizes_opt",
        "dilation",
        "groups",
        "input",
        "output_padding",
        "padding",
        "stride",
        "transposed",
        "weight",
    ),
)
def _convolution(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    transposed: bool,
    output_padding: Sizes,
    groups: int,
    *,
    lead: int,
) -> Array:
    """A convolution, or its adjoint if `transposed`, plus a bias for each channel.

    Smooth everywhere.
    """
    slide = slide_of(weight.shape[lead:], stride, padding, dilation)
    settings = (stride, padding, dilation, transposed, output_padding, groups)
    sizes = sizes_of(input.shape[lead:], weight.shape[lead:], *settings)
    run = spread if transposed else convolve
    found = run(input, weight, slide, groups, sizes, lead)
    if bias is not None:
        found += bias.reshape(*bias.shape[:lead], 1, bias.shape[lead], *(1,) * len(sizes))
    return found.astype(input.dtype, copy=False)
