"""What pools refuse, in torch's words, and the sizes of what they give."""

from __future__ import annotations

from typing import Any

from engine.errors import DimError, RuntimeArgumentError, ShapeError, ValueArgumentError
from engine.ops.windows import each_dim, pooled
from engine.types import Shape, Type

_COUNT = {2: "two", 3: "three"}


def pool_setting(op: str, name: str, value: Any, rank: int) -> Shape:
    """A setting with one number for each dim that is pooled."""
    found = each_dim(value, rank)
    if len(found) != rank:
        kinds = "either be" if name != "stride" else "either be omitted,"
        raise ShapeError(
            f"{op}: {name} must {kinds} a single int, or a tuple of {_COUNT.get(rank, rank)} ints",
            expected=rank,
            actual=len(found),
        )
    return found


def _shown(sizes: Shape) -> str:
    return f"({'x'.join(map(str, sizes))})"


def check_pool(input: Type, kernel: Shape, stride: Shape, padding: Shape, dilation: Shape) -> None:
    """Refuse numbers that no pool has."""
    names = "DHW"[-len(kernel) :] if len(kernel) == 2 else "THW"[-len(kernel) :]
    if 0 in stride:
        raise RuntimeArgumentError("stride should not be zero")
    for what, sizes, prefix in (("kernel size", kernel, "k"), ("stride", stride, "d")):
        if min(sizes) <= 0:
            shown = " ".join(f"{prefix}{name}: {size}" for name, size in zip(names, sizes, strict=True))
            raise RuntimeArgumentError(f"{what} should be greater than zero, but got {shown}")
    if min(dilation) <= 0:
        shown = " ".join(f"dilation{name}: {size}" for name, size in zip(names, dilation, strict=True))
        raise RuntimeArgumentError(f"dilation should be greater than zero, but got {shown}")
    for pad, size, gap in zip(padding, kernel, dilation, strict=True):
        if pad < 0:
            raise RuntimeArgumentError(f"pad must be non-negative, but got pad: {pad}", actual=pad)
        if pad > ((size - 1) * gap + 1) // 2:
            raise RuntimeArgumentError(
                f"pad should be at most half of effective kernel size, but got pad={pad}, kernel_size={size} "
                f"and dilation={gap}"
            )


def check_planes(input: Type, rank: int, late: bool = False) -> None:
    """Refuse an input that has no planes of `rank` dims: a channel, and perhaps a batch, come first."""
    if rank == 2 and late and input.ndim < 3:
        raise DimError(
            f"Dimension out of range (expected to be in range of [{-input.ndim}, {input.ndim - 1}], but got "
            "-3)"
        )
    if input.ndim not in (rank + 1, rank + 2):
        raise ShapeError(
            f"non-empty {rank + 1}D or {rank + 2}D (batch mode) tensor expected for input", actual=input.ndim
        )
    if rank == 3 and 0 in input.shape[-4:] and not late:
        raise ShapeError(
            "max_pool3d_with_indices_out_cpu_template(): Expected input's non-batch dimensions to have "
            f"positive length, but input has a shape of {list(input.shape)} and non-batch dimension 0 has "
            "length zero!"
        )
    if 0 in input.shape[-rank - 1 :]:
        raise ShapeError(
            f"Expected {rank + 1}D or {rank + 2}D (batch mode) tensor with optional 0 dim batch size for "
            "input, "
            f"but got:{list(input.shape)}",
            actual=list(input.shape),
        )


def pool_sizes(
    input: Type, kernel: Shape, stride: Shape, padding: Shape, dilation: Shape, ceil_mode: bool
) -> Shape:
    """The sizes of the pooled dims; those that would be empty are refused."""
    rank = len(kernel)
    sizes = input.shape[-rank:]
    each = zip(sizes, kernel, stride, padding, dilation, strict=True)
    found = tuple(pooled(*dim, ceil_mode) for dim in each)
    if min(found) < 1:
        channels = input.shape[-rank - 1]
        raise ShapeError(
            f"Given input size: {_shown((channels, *sizes))}. Calculated output size: "
            f"{_shown((channels, *found))}. Output size is too small",
            actual=list(found),
        )
    return found


def check_dims(name: str, input: Type, rank: int) -> None:
    """Refuse an input that a pool of sequences does not take."""
    if input.ndim not in (rank + 1, rank + 2):
        raise ShapeError(
            f"Expected {rank + 1} to {rank + 2} dimensions, but got {input.ndim}-dimensional tensor for "
            "argument "
            f"#1 'self' (while checking arguments for {name})",
            actual=input.ndim,
        )


def check_target(input: Type, value: Any, rank: int) -> None:
    """Refuse a planes' size for an input that has no planes, as torch's own Python does."""
    if isinstance(value, (tuple, list)) and rank > 1 and input.ndim <= len(value):
        raise ValueArgumentError(f"Input dimension should be at least {len(value) + 1}")


def check_adaptive(name: str, input: Type, rank: int, colon: str) -> None:
    """Refuse an input whose planes are empty, or that has none."""
    if input.ndim not in (rank + 1, rank + 2):
        raise ShapeError(
            f"{name}(): Expected {rank + 1}D or {rank + 2}D tensor, but got{colon} {list(input.shape)}",
            actual=input.ndim,
        )
    for axis in range(1 if input.ndim == rank + 2 else 0, input.ndim):
        if not input.shape[axis] and axis >= input.ndim - rank:
            raise ShapeError(
                f"{name}(): Expected input to have non-zero size for non-batch dimensions, but input has "
                "sizes "
                f"{list(input.shape)} with dimension {axis} being empty"
            )


def targets(value: Any, shape: Shape, rank: int) -> Shape:
    """The sizes of an adaptive pool: one for all dims, or one each, where None keeps the input's."""
    found = (value,) * rank if isinstance(value, int) or value is None else tuple(value)
    if len(found) != rank or len(shape) < rank:
        return tuple(each or 0 for each in found)
    return tuple(size if want is None else want for want, size in zip(found, shape[-rank:], strict=True))
