"""Convolutions of sequences, images and volumes, and their transposes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.define import composite
from engine.errors import RuntimeArgumentError
from engine.op import Op, refused, sample
from engine.ops import conv_checks as checks
from engine.ops.convolution import sizes_of
from engine.signature import Shape, Sizes, Tensor
from engine.types import Type

_FLAT = Callable[[Any], list[Any]]


def _same(F: Any, input: Any, weight: Any, stride: Shape, dilation: Shape) -> tuple[Any, Shape]:
    """The input and padding with which the sizes stay: an odd element is padded at the end, as in torch."""
    if any(step != 1 for step in stride):
        raise RuntimeArgumentError("padding='same' is not supported for strided convolutions")
    totals = [gap * (size - 1) for gap, size in zip(dilation, weight.meta.shape[2:], strict=True)]
    left = tuple(total // 2 for total in totals)
    extra = [total - 2 * half for total, half in zip(totals, left, strict=True)]
    if any(extra):
        pads = [number for more in reversed(extra) for number in (0, more)]
        input = F.pad(input, pads)
    return input, left


def _checked(
    name: str, input: Type, weight: Type, bias: Type | None, settings: dict[str, Any], groups: int
) -> None:
    stride, padding, dilation = settings["stride"], settings["padding"], settings["dilation"]
    transposed, more = settings["transposed"], settings["output_padding"]
    checks.check_settings(stride, padding, dilation, more, groups)
    checks.check_weight(weight.shape, groups)
    checks.check_channels(input.shape, weight.shape, bias, groups, transposed)
    if transposed:
        found = sizes_of(input.shape, weight.shape, **settings, groups=groups)
        checks.check_transposed(input.shape[2:], found, more, stride, dilation)
    else:
        checks.check_fits(input.shape[2:], weight.shape, padding, dilation)
    checks.check_dtypes(input, weight, bias)


def _convolve(
    F: Any,
    name: str,
    rank: int,
    operands: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
    more: Any,
) -> Any:
    """One convolution: of a batch, or of one sample as a batch of one."""
    input, weight, bias = operands
    checks.check_rank(name, input.meta, rank)
    alone = input.meta.ndim == rank + 1
    given = max(weight.meta.ndim - 2, 0)
    each: dict[str, Any] = {
        "stride": checks.spread_setting("stride", stride, given),
        "dilation": checks.spread_setting("dilation", dilation, given),
        "transposed": more is not None,
        "output_padding": checks.spread_setting("output_padding", more or 0, given),
    }
    if alone:
        input = F.unsqueeze(input, 0)
    checks.check_weight_rank(weight.meta.shape, input.meta.shape)
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise RuntimeArgumentError(f"Invalid padding string: '{padding}'", actual=padding)
        each["padding"] = (0,) * rank
        if padding == "same":
            input, each["padding"] = _same(F, input, weight, each["stride"], each["dilation"])
    else:
        each["padding"] = checks.spread_setting("padding", padding, given)
    bias_type = None if bias is None else bias.meta
    _checked(name, input.meta, weight.meta, bias_type, each, groups)
    found = F._convolution(input, weight, bias, **each, groups=groups)
    return F.squeeze(found, 0) if alone else found


def _samples(rank: int, transposed: bool) -> _FLAT:
    def samples(make: Any) -> list[Any]:
        size, kernel = (5, 4, 3)[:rank], (2, 3, 2)[:rank]
        channels = (2, 4) if transposed else (4, 2)
        found = [
            sample(make(2, 2, *size), make(2, 2, *kernel), make(2)),
            sample(make(2, *size), make(*((2, 3) if transposed else (3, 2)), *kernel), stride=2, padding=1),
            sample(make(1, 2, *size), make(2, 1, *kernel), make(2), groups=2, padding=1),
            sample(make(0, 2, *size), make(*channels, *kernel)),
        ]
        if transposed:
            found.append(sample(make(1, 2, *size), make(2, 1, *kernel), None, 2, 1, 1, 1, 2))
        else:
            found.append(sample(make(1, 2, *size), make(1, 2, *[3] * rank), None, padding="same"))
            found.append(sample(make(1, 1, *size), make(1, 1, *kernel), None, padding="valid"))
        return found

    return samples


def _refusals(rank: int, transposed: bool) -> _FLAT:
    def refusals(make: Any) -> list[Any]:
        size, kernel = (5, 4, 3)[:rank], (2, 2, 2)[:rank]
        x, w = make(1, 2, *size), make(2, 2, *kernel)
        found = [
            refused(f"Expected {rank + 1}D (unbatched) or {rank + 2}D (batched) input to", make(2), w),
            refused("to have 2 channels, but got 3 channels instead", make(1, 3, *size), w),
            refused("non-positive stride is not supported", x, w, stride=0),
            refused("negative padding is not supported", x, w, padding=-1),
            refused("dilation should be greater than zero", x, w, dilation=0),
            refused("non-positive groups is not supported", x, w, groups=0),
            refused("expected bias to be 1-dimensional with 2 elements", x, w, make(3)),
            refused("expected scalar type Double but found Float", x, w.astype("float32")),
        ]
        if transposed:
            found.append(refused("output padding must be smaller than either", x, w, output_padding=2))
            found.append(refused("Output size is too small", x, w, padding=9))
        else:
            found.append(refused("Kernel size can't be greater", make(1, 2, *[1] * rank), w))
            found.append(refused("padding='same' is not supported for strided", x, w, None, 2, "same"))
            found.append(refused("Invalid padding string: 'full'", x, w, padding="full"))
        return found

    return refusals


def _forward(rank: int) -> Op:
    name = f"conv{rank}d"

    def run(
        F: Any,
        input: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
        stride: Sizes = 1,
        padding: Sizes | str = 0,
        dilation: Sizes = 1,
        groups: int = 1,
    ) -> Any:
        """The convolution of `input` (N, C, …) with `weight` (channels, C / groups, …), plus `bias`.

        Smooth everywhere.

        Unlike torch: a complex one is one node, not real ones put together.
        """
        return _convolve(F, name, rank, (input, weight, bias), stride, padding, dilation, groups, None)

    define = composite(
        f"nn.functional.{name}", samples=_samples(rank, False), refusals=_refusals(rank, False)
    )
    return define(run)


def _transposed(rank: int) -> Op:
    name = f"conv_transpose{rank}d"

    def run(
        F: Any,
        input: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        dilation: Sizes = 1,
    ) -> Any:
        """The adjoint of a convolution with `weight` (C, channels / groups, …), plus `bias`.

        Smooth everywhere.

        Unlike torch: a complex one is one node, not real ones put together.
        """
        more = output_padding or 0
        return _convolve(F, name, rank, (input, weight, bias), stride, padding, dilation, groups, more)

    define = composite(f"nn.functional.{name}", samples=_samples(rank, True), refusals=_refusals(rank, True))
    return define(run)


conv1d, conv2d, conv3d = _forward(1), _forward(2), _forward(3)
conv_transpose1d, conv_transpose2d, conv_transpose3d = _transposed(1), _transposed(2), _transposed(3)
