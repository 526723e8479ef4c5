"""Average pools of sequences, images and volumes, and pools of powers."""

from __future__ import annotations

from typing import Any

from engine.define import composite
from engine.errors import RuntimeArgumentError
from engine.op import Op, refused, sample
from engine.ops.pool_checks import check_dims, check_target, pool_setting, targets
from engine.signature import Data, Number, Sizes, Tensor


def _settings(name: str, rank: int, kernel_size: Any, stride: Any, padding: Any) -> list[Any]:
    stride = () if stride is None or stride == () else pool_setting(name, "stride", stride, rank)
    kernel = pool_setting(name, "kernel_size", kernel_size, rank)
    return [kernel, stride, pool_setting(name, "padding", padding, rank)]


def _samples(rank: int) -> Any:
    def samples(make: Any) -> list[Any]:
        size = (6, 5, 4)[:rank]
        found = [
            sample(make(2, 2, *size), 2),
            sample(make(2, *size), 3, 2, 1),
            sample(make(1, 2, *size), 2, 3, 1, ceil_mode=True),
            sample(make(1, 1, *size), 3, 2, 1, count_include_pad=False),
            sample(make(0, 1, *size), 2),
        ]
        return found if rank == 1 else [*found, sample(make(1, 1, *size), 2, divisor_override=3)]

    return samples


def _refusals(rank: int) -> Any:
    def refusals(make: Any) -> list[Any]:
        x = make(1, 2, *(4, 4, 4)[:rank])
        found = [
            refused("Output size is too small", x, 5),
            refused("pad should be at most half of effective kernel size, but got pad=2", x, 2, padding=2),
            refused("stride should not be zero", x, 2, 0),
        ]
        if rank == 1:
            return [*found, refused("Expected 2 to 3 dimensions, but got 1-dimensional", make(4), 2)]
        return [*found, refused("divisor must be not zero", x, 2, divisor_override=0)]

    return refusals


def avg_pool1d_run(
    F: Any,
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """The mean of each window.

    Smooth everywhere.
    """
    check_dims("avg_pool1d", input.meta, 1)
    kernel, steps, pads = _settings("avg_pool1d", 1, kernel_size, stride, padding)
    wide = ((1, *kernel), (1, *steps) if steps else (), (0, *pads))
    found = F._avg_pool2d(F.unsqueeze(input, -2), *wide, ceil_mode, count_include_pad, None)
    return F.squeeze(found, -2)


avg_pool1d = composite("nn.functional.avg_pool1d", samples=_samples(1), refusals=_refusals(1))(avg_pool1d_run)


def _avg_pool(rank: int) -> Op:
    name = f"avg_pool{rank}d"

    def run(
        F: Any,
        input: Tensor,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: Number | None = None,
    ) -> Any:
        """The mean of each window; with `divisor_override` its sum, over that.

        Smooth everywhere.
        """
        settings = _settings(name, rank, kernel_size, stride, padding)
        return getattr(F, f"_{name}")(input, *settings, ceil_mode, count_include_pad, divisor_override)

    define = composite(f"nn.functional.{name}", samples=_samples(rank), refusals=_refusals(rank))
    return define(run)


avg_pool2d, avg_pool3d = _avg_pool(2), _avg_pool(3)


def _averaged(F: Any, input: Any, size: tuple[int, ...], rank: int) -> Any:
    """torch takes the mean where each plane gives one element."""
    if (
        size
        and all(each == 1 for each in size)
        and len(size) == rank
        and input.meta.ndim in (rank + 1, rank + 2)
        and input.meta.numel
    ):
        return F.mean(input, tuple(range(-1, -rank - 1, -1)), True)
    return getattr(F, f"_adaptive_avg_pool{rank}d")(input, size)


def _adaptive_avg_pool(rank: int) -> Op:
    name = f"adaptive_avg_pool{rank}d"

    def run(F: Any, input: Tensor, output_size: Data) -> Any:
        """The mean of each of `output_size` windows; None keeps the size of a dim.

        Smooth everywhere.
        """
        check_target(input.meta, output_size, rank)
        size = targets(output_size, input.meta.shape, rank)
        if rank > 1:
            return _averaged(F, input, size, rank)
        if len(size) != 1:
            raise RuntimeArgumentError(
                f"{name}() argument 'output_size' should contain one int (got {len(size)})", actual=len(size)
            )
        check_dims(name, input.meta, 1)
        return F.squeeze(_averaged(F, F.unsqueeze(input, -2), (1, *size), 2), -2)

    size = (5, 4, 3)[:rank]
    wrong = "D tensor, but got [4]" if rank > 1 else "Expected 2 to 3 dimensions, but got 1-dimensional"
    define = composite(
        f"nn.functional.{name}",
        samples=lambda make: [
            sample(make(2, 2, *size), 2),
            sample(make(2, *size), (3,) * rank),
            sample(make(2, *size), 1),
            sample(make(1, 2, *size), 7 if rank == 1 else (None, *(2,) * (rank - 1))),
            sample(make(0, 1, *size), 2),
        ],
        refusals=lambda make: [
            refused(wrong, make(4), 2),
            refused("not implemented for 'Long'", make.ints(1, 1, *size), 2),
            refused("must be greater than or equal to 0 but received", make(1, 1, *size), -1),
        ],
    )
    return define(run)


adaptive_avg_pool1d, adaptive_avg_pool2d = _adaptive_avg_pool(1), _adaptive_avg_pool(2)
adaptive_avg_pool3d = _adaptive_avg_pool(3)


def _lp_pool(rank: int) -> Op:
    def run(
        F: Any,
        input: Tensor,
        norm_type: Number,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        ceil_mode: bool = False,
    ) -> Any:
        """The root of the sum of powers of each window.

        The gradient is nan where the sum is 0, unless norm_type is 1.
        """
        kernel = pool_setting(f"lp_pool{rank}d", "kernel_size", kernel_size, rank)
        elements = 1
        for size in kernel:
            elements *= size
        pool = getattr(F, f"avg_pool{rank}d")
        out = pool(F.pow(input, norm_type), kernel, stride, 0, ceil_mode)
        if not norm_type:
            raise RuntimeArgumentError("float division by zero")
        return F.pow(F.mul(F.mul(F.sign(out), F.relu(F.abs(out))), elements), 1.0 / norm_type)

    size = (4, 5, 4)[:rank]
    define = composite(
        f"nn.functional.lp_pool{rank}d",
        samples=lambda make: [
            sample(make(2, 2, *size, low=0.5), 2, 2),
            sample(make(2, *size, low=0.5), 3.0, 2, 1),
            sample(make(1, 1, *size, low=0.5), 1.5, 3, 2, True),
        ],
        refusals=lambda make: [refused("Output size is too small", make(1, 1, *size), 2, 9)],
    )
    return define(run)


lp_pool1d, lp_pool2d, lp_pool3d = _lp_pool(1), _lp_pool(2), _lp_pool(3)
