"""Channels and places of images exchanged: pixel_shuffle, pixel_unshuffle, channel_shuffle."""

from __future__ import annotations

import numpy as np

from engine.define import kernel
from engine.errors import RuntimeArgumentError, ShapeError
from engine.op import refused, sample
from engine.signature import Array, Tensor
from engine.types import Type


def _check_rank(name: str, input: Type) -> None:
    if input.ndim < 3:
        raise ShapeError(
            f"{name} expects input to have at least 3 dimensions, but got input with {input.ndim} "
            "dimension(s)",
            actual=input.ndim,
        )


def _shuffled_type(input: Type, upscale_factor: int) -> Type:
    _check_rank("pixel_shuffle", input)
    if upscale_factor <= 0:
        raise RuntimeArgumentError(
            f"pixel_shuffle expects a positive upscale_factor, but got {upscale_factor}"
        )
    channels, height, width = input.shape[-3:]
    square = upscale_factor * upscale_factor
    if channels % square:
        raise ShapeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of "
            f"upscale_factor, but input.size(-3)={channels} is not divisible by {square}"
        )
    sizes = (channels // square, height * upscale_factor, width * upscale_factor)
    return Type((*input.shape[:-3], *sizes), input.dtype)


@kernel(
    "nn.functional.pixel_shuffle",
    kind="structural",
    infer=_shuffled_type,
    vjp=lambda F, x, y, g, upscale_factor: (lambda: F.pixel_unshuffle(g, upscale_factor),),
    grad_fn="PixelShuffleBackward0",
    saves=("upscale_factor",),
    samples=lambda make: [
        sample(make(1, 4, 2, 3), 2),
        sample(make(9, 1, 2), 3),
        sample(make(2, 3, 2, 2), 1),
        sample(make(0, 4, 2, 2), 2),
    ],
    refusals=lambda make: [
        refused(
            "pixel_shuffle expects input to have at least 3 dimensions, but got input with 1", make(3), 2
        ),
        refused("input.size(-3)=3 is not divisible by 4", make(3, 2, 2), 2),
        refused("pixel_shuffle expects a positive upscale_factor, but got 0", make(4, 2, 2), 0),
    ],
)
def pixel_shuffle(input: Tensor, upscale_factor: int) -> Array:
    """Groups of r * r channels as squares of r by r pixels: (C r^2, H, W) becomes (C, H r, W r).

    Smooth everywhere.
    """
    front, (channels, height, width), r = input.shape[:-3], input.shape[-3:], upscale_factor
    apart = input.reshape(*front, channels // (r * r), r, r, height, width)
    moved = np.moveaxis(apart, (-4, -3), (-3, -1))
    found: Array = moved.reshape(*front, channels // (r * r), height * r, width * r)
    return found


def _unshuffled_type(input: Type, downscale_factor: int) -> Type:
    _check_rank("pixel_unshuffle", input)
    if downscale_factor <= 0:
        raise RuntimeArgumentError(
            f"pixel_unshuffle expects a positive downscale_factor, but got {downscale_factor}"
        )
    for what, dim in (("height", -2), ("width", -1)):
        if input.shape[dim] % downscale_factor:
            raise ShapeError(
                f"pixel_unshuffle expects {what} to be divisible by downscale_factor, but input.size({dim})="
                f"{input.shape[dim]} is not divisible by {downscale_factor}"
            )
    channels, height, width = input.shape[-3:]
    sizes = (channels * downscale_factor**2, height // downscale_factor, width // downscale_factor)
    return Type((*input.shape[:-3], *sizes), input.dtype)


@kernel(
    "nn.functional.pixel_unshuffle",
    kind="structural",
    infer=_unshuffled_type,
    vjp=lambda F, x, y, g, downscale_factor: (lambda: F.pixel_shuffle(g, downscale_factor),),
    grad_fn="PixelUnshuffleBackward0",
    saves=("downscale_factor",),
    samples=lambda make: [
        sample(make(1, 1, 4, 6), 2),
        sample(make(1, 3, 6), 3),
        sample(make(2, 3, 2, 2), 1),
        sample(make(0, 1, 2, 2), 2),
    ],
    refusals=lambda make: [
        refused("pixel_unshuffle expects input to have at least 3 dimensions", make(3), 2),
        refused("expects height to be divisible by downscale_factor, but input.size(-2)=3", make(1, 3, 2), 2),
        refused("expects width to be divisible by downscale_factor, but input.size(-1)=3", make(1, 2, 3), 2),
        refused("pixel_unshuffle expects a positive downscale_factor, but got 0", make(1, 2, 2), 0),
    ],
)
def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Array:
    """Squares of r by r pixels as r * r channels: (C, H r, W r) becomes (C r^2, H, W).

    Smooth everywhere.
    """
    front, (channels, height, width), r = input.shape[:-3], input.shape[-3:], downscale_factor
    apart = input.reshape(*front, channels, height // r, r, width // r, r)
    moved = np.moveaxis(apart, (-3, -1), (-4, -3))
    found: Array = moved.reshape(*front, channels * r * r, height // r, width // r)
    return found


def _channels_type(input: Type, groups: int) -> Type:
    if input.ndim <= 2:
        raise ShapeError(
            f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(input.shape)}",
            actual=input.ndim,
        )
    if groups <= 0:
        raise RuntimeArgumentError(
            f"Number of groups to divide channels in must be positive. Value of groups:{groups}"
        )
    if input.shape[1] % groups:
        raise ShapeError(
            f"Number of channels must be divisible by groups. Got {input.shape[1]} channels and {groups} "
            "groups."
        )
    return Type(input.shape, input.dtype)


@kernel(
    "nn.functional.channel_shuffle",
    kind="structural",
    infer=_channels_type,
    vjp=lambda F, x, y, g, groups: (
        lambda: F.channel_shuffle(g, x[0].meta.shape[1] // groups if x[0].meta.shape[1] else groups),
    ),
    grad_fn="ChannelShuffleBackward0",
    saves=("groups",),
    samples=lambda make: [
        sample(make(1, 4, 2, 3), 2),
        sample(make(2, 6, 2), 3),
        sample(make(0, 4, 2), 2),
    ],
    refusals=lambda make: [
        refused(
            "channel_shuffle expects input with > 2 dims, but got input with sizes [2, 2]", make(2, 2), 2
        ),
        refused("Number of channels must be divisible by groups. Got 3 channels", make(1, 3, 2), 2),
        refused("must be positive. Value of groups:0", make(1, 3, 2), 0),
    ],
)
def channel_shuffle(input: Tensor, groups: int, *, lead: int) -> Array:
    """The channels of each group dealt out in turn.

    Smooth everywhere.
    """
    front, channels, rest = input.shape[: lead + 1], input.shape[lead + 1], input.shape[lead + 2 :]
    apart = input.reshape(*front, groups, channels // groups, *rest)
    found: Array = np.swapaxes(apart, lead + 1, lead + 2).reshape(input.shape)
    return found
