"""torch's upsamplings, each a record with the settings that its node shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.define import kernel
from engine.dtypes import FLOAT, uint8
from engine.errors import ShapeError
from engine.op import Op
from engine.ops.dtype_checks import no_kernel
from engine.ops.resampling import optional, resampled
from engine.signature import Array, Shape, Sizes, Tensor
from engine.types import Type

Body = Callable[..., Array]
_SCALES = {1: ("scales",), 2: ("scales_h", "scales_w"), 3: ("scales_d", "scales_h", "scales_w")}


def _check(name: str, input: Type, size: Shape) -> None:
    rank = len(size)
    sizes = input.shape[2:]
    if input.ndim == rank + 2 and min(*sizes, *size) <= 0:
        names = "DHW"[-rank:]
        shown = [
            ", ".join(f"{letter}: {each}" for letter, each in zip(names, part, strict=True))
            for part in (sizes, size)
        ]
        joint = " and output" if rank == 1 else " output"
        raise ShapeError(
            f"Input and output sizes should be greater than 0, but got input ({shown[0]}){joint} ({shown[1]})"
        )
    if input.ndim != rank + 2 or 0 in input.shape[1:]:
        raise ShapeError(
            f"Non-empty {rank + 2}D data tensor expected but got a tensor with sizes {list(input.shape)}",
            actual=list(input.shape),
        )


def _nearest_1d(run: Body) -> Body:
    def body(input: Tensor, output_size: Sizes, scales: float | None) -> Array:
        return run(input, output_size, scales=scales)

    return body


def _nearest_2d(run: Body) -> Body:
    def body(input: Tensor, output_size: Sizes, scales_h: float | None, scales_w: float | None) -> Array:
        return run(input, output_size, scales_h=scales_h, scales_w=scales_w)

    return body


def _nearest_3d(run: Body) -> Body:
    def body(
        input: Tensor,
        output_size: Sizes,
        scales_d: float | None,
        scales_h: float | None,
        scales_w: float | None,
    ) -> Array:
        return run(input, output_size, scales_d=scales_d, scales_h=scales_h, scales_w=scales_w)

    return body


def _aligned_1d(run: Body) -> Body:
    def body(input: Tensor, output_size: Sizes, align_corners: bool, scales: float | None) -> Array:
        return run(input, output_size, align_corners=align_corners, scales=scales)

    return body


def _aligned_2d(run: Body) -> Body:
    def body(
        input: Tensor,
        output_size: Sizes,
        align_corners: bool,
        scales_h: float | None,
        scales_w: float | None,
    ) -> Array:
        return run(input, output_size, align_corners=align_corners, scales_h=scales_h, scales_w=scales_w)

    return body


def _aligned_3d(run: Body) -> Body:
    def body(
        input: Tensor,
        output_size: Sizes,
        align_corners: bool,
        scales_d: float | None,
        scales_h: float | None,
        scales_w: float | None,
    ) -> Array:
        scales = {"scales_d": scales_d, "scales_h": scales_h, "scales_w": scales_w}
        return run(input, output_size, align_corners=align_corners, **scales)

    return body


_BODIES = {
    (1, False): _nearest_1d,
    (2, False): _nearest_2d,
    (3, False): _nearest_3d,
    (1, True): _aligned_1d,
    (2, True): _aligned_2d,
    (3, True): _aligned_3d,
}


def _declared(name: str, mode: str, rank: int, node: str) -> Op:
    aligned = not mode.startswith("nearest")
    scales = _SCALES[rank]
    title = f"upsample_{name}{rank}d"

    def split(settings: dict[str, Any]) -> tuple[bool, tuple[float, ...]]:
        given = tuple(float(settings[each] or 0) for each in scales)
        return bool(settings.get("align_corners", False)), given

    def infer(input: Type, output_size: Shape, **settings: Any) -> Type:
        _check(title, input, output_size)
        if input.dtype.category != FLOAT and (input.dtype is not uint8 or rank == 1):
            last = "_channels_last" if rank > 1 else ""
            raise no_kernel(f"{title}{last}", input.dtype)
        return Type((*input.shape[:2], *output_size), input.dtype)

    def rule(F: Any, x: Any, y: Any, g: Any, output_size: Any, **settings: Any) -> Any:
        return (lambda: F._upsample_backward(g, mode, x[0].meta.shape[2:], *split(settings)),)

    def resample(input: Array, output_size: Shape, **settings: Any) -> Array:
        align, given = split(settings)
        return resampled(input, mode, output_size, align, optional(given), False)

    run = _BODIES[rank, aligned](resample)
    run.__doc__ = "Planes at another size.\n\nSmooth everywhere."
    define = kernel(
        f"_{title}",
        kind="structural",
        infer=infer,
        vjp=rule,
        grad_fn=f"{node}{rank}DBackward0",
        saves=(*(("align_corners",) if aligned else ()), "output_size", *scales, "self_sym_sizes"),
    )
    return define(run)


for _rank in (1, 2, 3):
    _declared("nearest", "nearest", _rank, "UpsampleNearest")
    _declared("nearest_exact", "nearest_exact", _rank, "UpsampleNearestExact")
_declared("linear", "linear", 1, "UpsampleLinear")
_declared("bilinear", "linear", 2, "UpsampleBilinear")
_declared("trilinear", "linear", 3, "UpsampleTrilinear")
_declared("bicubic", "cubic", 2, "UpsampleBicubic")
