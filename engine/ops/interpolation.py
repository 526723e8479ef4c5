"""interpolate: sequences, images and volumes at another size, by neighbours, lines, cubics or areas."""

from __future__ import annotations

import math
from typing import Any

from engine.define import composite
from engine.errors import NotImplementedYet, ValueArgumentError
from engine.op import refused, sample
from engine.signature import Data, Tensor
from engine.types import Shape

_ALIGNED = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}
_MODES = "nearest | linear | bilinear | bicubic | trilinear | lanczos | area | nearest-exact"


def _sizes(shape: Shape, size: Any) -> Shape:
    spatial = shape[2:]
    if isinstance(size, (tuple, list)):
        if len(size) != len(spatial):
            raise ValueArgumentError(
                "Input and output must have the same number of spatial dimensions, but got input with "
                "spatial "
                f"dimensions of {list(spatial)} and output size of {size}. Please provide input tensor in "
                "(N, C, "
                "d1, d2, ...,dK) format and output size in (o1, o2, ...,oK) format."
            )
        return tuple(size)
    return (size,) * len(spatial)


def _factors(shape: Shape, scale: Any) -> tuple[float, ...]:
    spatial = shape[2:]
    if isinstance(scale, (tuple, list)):
        if len(scale) != len(spatial):
            raise ValueArgumentError(
                "Input and scale_factor must have the same number of spatial dimensions, but got input with "
                f"spatial dimensions of {list(spatial)} and scale_factor of shape {scale}. Please provide "
                "input "
                "tensor in (N, C, d1, d2, ...,dK) format and scale_factor in (s1, s2, ...,sK) format."
            )
        return tuple(float(each) for each in scale)
    return (float(scale),) * len(spatial)


def _target(shape: Shape, size: Any, scale: Any, recompute: bool | None) -> tuple[Shape, Any]:
    """The sizes of the result, and the factors that places are computed with if they are not its sizes'."""
    if size is not None and scale is not None:
        raise ValueArgumentError("only one of size or scale_factor should be defined")
    if size is None and scale is None:
        raise ValueArgumentError("either size or scale_factor should be defined")
    if size is not None:
        if recompute:
            raise ValueArgumentError("recompute_scale_factor is not meaningful with an explicit size.")
        return _sizes(shape, size), None
    factors = _factors(shape, scale)
    sizes = tuple(math.floor(float(each) * by) for each, by in zip(shape[2:], factors, strict=True))
    return sizes, None if recompute else factors


def _check_mode(mode: str, ndim: int, align_corners: bool | None, antialias: bool) -> None:
    if mode in ("nearest", "area", "nearest-exact") and align_corners is not None:
        raise ValueArgumentError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic "
            "| trilinear"
        )
    if antialias:
        if mode not in ("bilinear", "bicubic", "lanczos") or ndim != 4:
            raise ValueArgumentError(
                "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a 4-D "
                "tensor as input"
            )
        raise NotImplementedYet("interpolate(): antialias is not implemented", actual="antialias")


def _refuse_mode(mode: str, ndim: int) -> None:
    """The sentence for a mode that a tensor of `ndim` dims does not have."""
    wanted = _ALIGNED.get(mode)
    if wanted and mode != "bicubic" and ndim in (3, 4, 5):
        raise NotImplementedYet(f"Got {ndim}D input, but {mode} mode needs {wanted + 2}D input")
    raise NotImplementedYet(
        f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {ndim}D) for the modes: {_MODES} (got "
        f"{mode})"
    )


@composite(
    "nn.functional.interpolate",
    samples=lambda make: [
        sample(make(1, 2, 4), 6),
        sample(make(2, 1, 3, 4), scale_factor=2.0),
        sample(make(1, 1, 4), 7, None, "nearest-exact"),
        sample(make(1, 1, 2, 3, 2), scale_factor=1.5),
        sample(make(1, 2, 4), 3, None, "linear"),
        sample(make(1, 1, 4, 3), (5, 5), None, "bilinear", True),
        sample(make(1, 2, 4, 3), scale_factor=(1.6, 0.7), mode="bilinear"),
        sample(make(1, 1, 4, 5), (6, 3), mode="bicubic"),
        sample(make(1, 1, 4, 5), 6, mode="bicubic", align_corners=True),
        sample(make(1, 1, 3, 2, 4), (2, 3, 5), mode="trilinear"),
        sample(make(1, 1, 4, 5), (2, 3), mode="area"),
        sample(make(1, 1, 5), scale_factor=1.7, recompute_scale_factor=True),
        sample(make(0, 2, 4), 6),
    ],
    refusals=lambda make: [
        refused("either size or scale_factor should be defined", make(1, 1, 4)),
        refused("only one of size or scale_factor should be defined", make(1, 1, 4), 2, 2.0),
        refused("Input and output must have the same number of spatial dimensions", make(1, 1, 4), (2, 2)),
        refused("Got 3D input, but bilinear mode needs 4D input", make(1, 1, 4), 2, None, "bilinear"),
        refused("Only 3D, 4D and 5D input Tensors supported (got 2D)", make(4, 4), 2),
        refused("align_corners option can only be set", make(1, 1, 4), 2, None, "nearest", True),
        refused("Input and output sizes should be greater than 0", make(1, 1, 4, 4), 0),
        refused("recompute_scale_factor is not meaningful", make(1, 1, 4), 2, recompute_scale_factor=True),
        refused(
            "interpolate(): antialias is not implemented",
            make(1, 1, 4, 4),
            2,
            mode="bilinear",
            antialias=True,
        ),
    ],
)
def interpolate(
    F: Any,
    input: Tensor,
    size: Data | None = None,
    scale_factor: Data | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Any:
    """`input` (N, C, …) at another size, by neighbours, lines, cubics or areas.

    Smooth everywhere.

    Unlike torch: `antialias` is refused.
    """
    ndim = input.meta.ndim
    rank = ndim - 2
    _check_mode(mode, ndim, align_corners, False)
    sizes, factors = _target(input.meta.shape, size, scale_factor, recompute_scale_factor)
    _check_mode(mode, ndim, align_corners, antialias)
    scales = factors or (None,) * len(sizes)
    known = mode in ("nearest", "area", "nearest-exact") or _ALIGNED.get(mode) == rank
    if rank not in (1, 2, 3) or not known:
        _refuse_mode(mode, ndim)
    if mode == "area":
        return getattr(F, f"adaptive_avg_pool{rank}d")(input, sizes)
    name = f"_upsample_{mode.replace('-', '_')}{rank}d"
    aligned = (bool(align_corners),) if mode in _ALIGNED else ()
    return getattr(F, name)(input, sizes, *aligned, *scales)


@composite(
    "nn.functional.upsample_nearest",
    samples=lambda make: [sample(make(1, 2, 4), 6), sample(make(1, 1, 2, 3), scale_factor=2.0)],
)
def upsample_nearest(
    F: Any, input: Tensor, size: Data | None = None, scale_factor: Data | None = None
) -> Any:
    """`input` at another size by its nearest neighbours.

    Smooth everywhere.
    """
    return F.interpolate(input, size, scale_factor, "nearest")


@composite(
    "nn.functional.upsample_bilinear",
    samples=lambda make: [sample(make(1, 2, 4, 3), (6, 2)), sample(make(1, 1, 2, 3), scale_factor=2.0)],
)
def upsample_bilinear(
    F: Any, input: Tensor, size: Data | None = None, scale_factor: Data | None = None
) -> Any:
    """Images at another size by lines in both dims, the corners kept.

    Smooth everywhere.
    """
    return F.interpolate(input, size, scale_factor, "bilinear", True)
