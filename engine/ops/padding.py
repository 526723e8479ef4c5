"""Tensors made larger at the ends of their last dimensions: nn.functional.pad in all its modes."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import literals
from engine.define import composite, kernel
from engine.errors import RuntimeArgumentError, ShapeError, UnsupportedDType
from engine.op import refused, sample
from engine.signature import Array, Number, Shape, Tensor
from engine.types import Type

_MODES = {"reflect": "_reflection_pad", "replicate": "_replication_pad", "circular": "_circular_pad"}


def _pairs(pad: Shape) -> list[tuple[int, int, int]]:
    """Each padded dim, negative, with what is added in front and behind."""
    return [(-1 - at, pad[2 * at], pad[2 * at + 1]) for at in range(len(pad) // 2)]


def _padded_shape(shape: Shape, pad: Shape) -> Shape:
    found = list(shape)
    for dim, before, behind in _pairs(pad):
        found[dim] += before + behind
    return tuple(found)


def _check_length(input: Type, pad: Shape) -> None:
    if len(pad) % 2:
        raise RuntimeArgumentError("Padding length must be divisible by 2", actual=len(pad))
    if len(pad) > 2 * input.ndim:
        raise RuntimeArgumentError(
            "Padding length should be less than or equal to two times the input dimension but got padding "
            f"length {len(pad)} and input of dimension {input.ndim}"
        )


def _constant_type(input: Type, pad: Shape, value: Number) -> Type:
    if len(pad) % 2:
        raise RuntimeArgumentError(f"Length of pad must be even but instead it equals {len(pad)}")
    if len(pad) > 2 * input.ndim:
        raise RuntimeArgumentError(
            "Length of pad should be no more than twice the number of dimensions of the input. Pad length is "
            f"{len(pad)}while the input has {input.ndim}dimensions."
        )
    for dim, before, behind in _pairs(pad):
        if input.shape[dim] + min(before, 0) + min(behind, 0) < 0:
            raise RuntimeArgumentError("narrow(): length must be non-negative.")
    literals.fill_value(value, input.dtype)
    return Type(_padded_shape(input.shape, pad), input.dtype)


@kernel(
    "constant_pad_nd",
    kind="structural",
    infer=_constant_type,
    vjp=lambda F, x, y, g, pad, value: (lambda: F.constant_pad_nd(g, tuple(-each for each in pad)),),
    saves=("pad",),
    samples=lambda make: [
        sample(make(2, 3), (1, 2)),
        sample(make(2, 3), (1, 0, 0, 2), 1.5),
        sample(make(4), (-1, 2)),
        sample(make(4), (-1, -2)),
        sample(make(0, 2), (0, 0, 1, 1)),
    ],
    refusals=lambda make: [
        refused("Length of pad must be even but instead it equals 1", make(2), (1,)),
        refused("Length of pad should be no more than twice the number of dim", make(2), (1, 1, 1, 1)),
        refused("narrow(): length must be non-negative.", make(3), (-2, -2)),
    ],
)
def constant_pad_nd(input: Tensor, pad: Shape, value: Number = 0, *, meta: Type) -> Array:
    """`input` with `value` before and behind its last dimensions; negative padding cuts off.

    Smooth everywhere.
    """
    found = np.full(meta.shape, literals.fill_value(value, meta.dtype), input.dtype)
    source: list[Any] = [slice(None)] * input.ndim
    target: list[Any] = [slice(None)] * input.ndim
    for dim, before, behind in _pairs(pad):
        size = input.shape[dim]
        source[dim] = slice(max(-before, 0), size - max(-behind, 0))
        target[dim] = slice(max(before, 0), meta.shape[dim] - max(behind, 0))
    found[tuple(target)] = input[tuple(source)]
    return found


def _sources(mode: str, size: int, before: int, behind: int) -> Any:
    """Where each place of a padded dim is taken from."""
    at = np.arange(size + before + behind) - before
    if mode == "reflect":
        at = np.abs(at)
        return np.where(at >= size, 2 * (size - 1) - at, at)
    if mode == "replicate":
        return np.clip(at, 0, size - 1)
    first = max(-before, 0)
    kept = size - first - max(-behind, 0)
    return first + (at - first) % max(kept, 1)


def _filled(input: Array, pad: Shape, mode: str) -> Array:
    for dim, before, behind in _pairs(pad):
        input = np.take(input, _sources(mode, input.shape[dim], before, behind), axis=dim)
    found: Array = input
    return found


@kernel(
    "_pad_backward",
    kind="structural",
    infer=lambda input, size, pad, mode: Type(size, input.dtype),
    vjp=lambda F, x, y, g, size, pad, mode: (lambda: getattr(F, _MODES[mode])(g, pad),),
    grad_fn=lambda operands, given: _node(given["mode"], given["pad"], "BackwardBackward0"),
)
def pad_backward(input: Tensor, size: Shape, pad: Shape, mode: str) -> Array:
    """The gradient of a padding: each element where it came from, added up.

    Smooth everywhere.
    """
    for dim, before, behind in reversed(_pairs(pad)):
        found = np.zeros((*input.shape[: input.ndim + dim], size[dim], *input.shape[input.ndim + dim + 1 :]),
                         input.dtype)  # fmt: skip
        sources = _sources(mode, size[dim], before, behind)
        np.add.at(np.moveaxis(found, dim, 0), sources, np.moveaxis(input, dim, 0))
        input = found
    return np.asarray(input)


def _node(mode: str, pad: Shape, suffix: str = "Backward0") -> str:
    if mode == "circular":
        return "torch::autograd::CopySlices"
    kind = "Reflection" if mode == "reflect" else "Replication"
    return f"{kind}Pad{len(pad) // 2}D{suffix}"


def _check_batch(input: Type, padding: Shape) -> None:
    count = len(padding) // 2
    sizes = input.shape[1:] if input.ndim == count + 2 else input.shape
    if 0 in sizes:
        raise ShapeError(
            f"Expected {count + 1}D or {count + 2}D (batch mode) tensor with possibly 0 batch size and other "
            f"non-zero dimensions for input, but got: {list(input.shape)}"
        )


def _reflection_type(input: Type, padding: Shape) -> Type:
    _check_batch(input, padding)
    for at, (dim, before, behind) in enumerate(_pairs(padding)):
        if before >= input.shape[dim] or behind >= input.shape[dim]:
            raise ShapeError(
                f"Argument #{4 + 2 * at}: Padding size should be less than the corresponding input "
                f"dimension, but got: padding ({before}, {behind}) at dimension {dim + input.ndim} of input "
                f"{list(input.shape)}"
            )
    return _checked(input, padding)


def _replication_type(input: Type, padding: Shape) -> Type:
    _check_batch(input, padding)
    return _checked(input, padding)


def _checked(input: Type, padding: Shape) -> Type:
    shape = _padded_shape(input.shape, padding)
    if len(padding) == 2 and shape[-1] < 1:
        raise ShapeError(
            f"input (W: {input.shape[-1]}) is too small. Calculated output W: {shape[-1]}",
            actual=input.shape[-1],
        )
    if min(shape) < 0:
        raise RuntimeArgumentError(
            f"Trying to create tensor with negative dimension {min(shape)}: {list(shape)}"
        )
    return Type(shape, input.dtype)


def _circular_type(input: Type, padding: Shape) -> Type:
    shape = _padded_shape(input.shape, padding)
    for dim, before, behind in _pairs(padding):
        if before > input.shape[dim] or behind > input.shape[dim]:
            raise ShapeError("Padding value causes wrapping around more than once.")
        if shape[dim] < 0:
            raise ShapeError("Negative padding value is resulting in an empty dimension")
    return Type(shape, input.dtype)


def _pad_rule(mode: str) -> Any:
    return lambda F, x, y, g, padding: (lambda: F._pad_backward(g, x[0].meta.shape, padding, mode),)


@kernel(
    "_reflection_pad",
    kind="structural",
    infer=_reflection_type,
    vjp=_pad_rule("reflect"),
    grad_fn=lambda operands, given: _node("reflect", given["padding"]),
    saves=("padding", "self"),
)
def reflection_pad(input: Tensor, padding: Shape) -> Array:
    """`input` with its mirror image at the ends, the end itself not repeated.

    Smooth everywhere.
    """
    return _filled(input, padding, "reflect")


@kernel(
    "_replication_pad",
    kind="structural",
    infer=_replication_type,
    vjp=_pad_rule("replicate"),
    grad_fn=lambda operands, given: _node("replicate", given["padding"]),
    saves=("padding", "self"),
)
def replication_pad(input: Tensor, padding: Shape) -> Array:
    """`input` with its ends repeated.

    Smooth everywhere.
    """
    return _filled(input, padding, "replicate")


@kernel(
    "_circular_pad",
    kind="structural",
    infer=_circular_type,
    vjp=_pad_rule("circular"),
    grad_fn=lambda operands, given: _node("circular", given["padding"]),
)
def circular_pad(input: Tensor, padding: Shape) -> Array:
    """`input` with its other end at each end.

    Smooth everywhere.
    """
    return _filled(input, padding, "circular")


@composite(
    "nn.functional.pad",
    samples=lambda make: [
        sample(make(2, 3), (1, 2)),
        sample(make(1, 4), (1, 2), "reflect"),
        sample(make(1, 2, 3), (1, 1, 1, 0), "reflect"),
        sample(make(1, 3), (2, 1), "replicate"),
        sample(make(1, 2, 3), (1, 1, -1, 2), "replicate"),
        sample(make(1, 3), (2, 3), "circular"),
        sample(make(1, 3, 3), (-1, 1, 1, 2), "circular"),
    ],
    refusals=lambda make: [
        refused("Padding length must be divisible by 2", make(3), (1,)),
        refused("Padding length should be less than or equal to two times the", make(3), (1,) * 4),
        refused("Argument #4: Padding size should be less than the", make(2, 3), (3, 1), "reflect"),
        refused("Unrecognised padding mode foo", make(2, 3), (1, 1), "foo"),
        refused('Padding mode "reflect" doesn\'t take in value argument', make(2, 3), (1, 1), "reflect", 1),
        refused("Padding size 2 is not supported for 1D input tensor.", make(3), (1, 1), "reflect"),
        refused("Padding value causes wrapping around more than once.", make(2, 3), (4, 1), "circular"),
        refused("input (W: 3) is too small. Calculated output W: 0", make(2, 3), (-4, 1), "replicate"),
    ],
)
def pad(F: Any, input: Tensor, pad: Shape, mode: str = "constant", value: float | None = None) -> Any:
    """`input` made larger at the ends of its last dimensions: a constant, a reflection, its ends, or around.

    Smooth everywhere.

    Unlike torch: "circular" is one node in the trace, called as torch's last of several copies.
    """
    _check_length(input.meta, pad)
    if mode == "constant":
        return F.constant_pad_nd(input, pad, 0 if value is None else value)
    if value not in (None, 0):
        raise RuntimeArgumentError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if len(pad) // 2 not in (1, 2, 3) or input.meta.ndim - len(pad) // 2 not in (1, 2):
        raise UnsupportedDType(
            f"Padding size {len(pad)} is not supported for {input.meta.ndim}D input tensor."
        )
    if mode not in _MODES:
        raise UnsupportedDType(f"Unrecognised padding mode {mode}")
    return getattr(F, _MODES[mode])(input, pad)
