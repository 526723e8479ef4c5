"""What the convolutions refuse, in torch's words and order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.errors import DTypeError, RuntimeArgumentError, ShapeError
from engine.ops.windows import each_dim
from engine.types import Shape, Type

_SCALARS = {
    "bool": "Bool",
    "uint8": "Byte",
    "int8": "Char",
    "int16": "Short",
    "int32": "Int",
    "int64": "Long",
}
_SCALARS |= {"float16": "Half", "float32": "Float", "float64": "Double"}
_SCALARS |= {"complex64": "ComplexFloat", "complex128": "ComplexDouble"}
_LOWER = {
    "float16": "c10::Half",
    "float32": "float",
    "float64": "double",
    "int64": "long int",
    "int32": "int",
    "complex64": "c10::complex<float>",
    "complex128": "c10::complex<double>",
}
NAMES = ("depth", "height", "width")


def spread_setting(name: str, value: Any, rank: int) -> Shape:
    """A setting with one number for each spatial dim."""
    found = each_dim(value, rank)
    if len(found) != rank:
        raise ShapeError(
            f"expected {name} to be a single integer value or a list of {rank} values to match the "
            "convolution "
            f"dimensions, but got {name}={list(found)}",
            expected=rank,
            actual=len(found),
        )
    return found


def check_rank(name: str, input: Type, rank: int) -> None:
    """Refuse an input that is neither one sample nor a batch of them."""
    if input.ndim not in (rank + 1, rank + 2):
        raise ShapeError(
            f"Expected {rank + 1}D (unbatched) or {rank + 2}D (batched) input to {name}, but got input of "
            "size: "
            f"{list(input.shape)}",
            actual=input.ndim,
        )


def check_weight_rank(weight: Shape, input: Shape) -> None:
    """Refuse a weight of another rank than that of the batch of inputs."""
    if len(weight) < 3:
        raise ShapeError("weight should have at least three dimensions", actual=len(weight))
    if len(weight) != len(input):
        raise ShapeError(
            f"Expected {len(weight)}-dimensional input for {len(weight)}-dimensional weight{list(weight)}, "
            f"but got {len(input)}-dimensional input of size {list(input)} instead",
            expected=len(weight),
            actual=len(input),
        )


def named_sizes(what: str, sizes: Shape) -> str:
    """`what_height: 2 what_width: 2`."""
    names = NAMES[-len(sizes) :]
    return " ".join(f"{what}_{name}: {size}" for name, size in zip(names, sizes, strict=True))


def check_settings(
    stride: Shape, padding: Shape, dilation: Shape, output_padding: Shape, groups: int
) -> None:
    """Refuse numbers that no convolution has."""
    if min(padding) < 0:
        raise RuntimeArgumentError("negative padding is not supported", actual=list(padding))
    if output_padding and min(output_padding) < 0:
        raise RuntimeArgumentError("negative output_padding is not supported", actual=list(output_padding))
    if min(stride) <= 0:
        raise RuntimeArgumentError("non-positive stride is not supported", actual=list(stride))
    if min(dilation) <= 0:
        raise RuntimeArgumentError(f"dilation should be greater than zero, but got {list(dilation)}")
    if groups <= 0:
        raise RuntimeArgumentError("non-positive groups is not supported", actual=groups)


def check_weight(weight: Shape, groups: int) -> None:
    """Refuse a weight that the groups do not divide."""
    if weight[0] < groups:
        raise ShapeError(
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, but got weight "
            "of "
            f"size {list(weight)} instead"
        )
    if weight[0] % groups:
        raise ShapeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got "
            "weight "
            f"of size [{list(weight)}] instead"
        )


def check_channels(input: Shape, weight: Shape, bias: Type | None, groups: int, transposed: bool) -> None:
    """Refuse channels of input and bias that are not the weight's."""
    wanted = weight[0] if transposed else weight[1] * groups
    given = f"transposed={1}" if transposed else f"groups={groups}"
    if input[1] != wanted:
        raise ShapeError(
            f"Given {given}, weight of size {list(weight)}, expected input{list(input)} to have {wanted} "
            f"channels, but got {input[1]} channels instead",
            expected=wanted,
            actual=input[1],
        )
    made = weight[1] * groups if transposed else weight[0]
    if bias is not None and bias.shape != (made,):
        start = f"Given {given}, weight" if transposed else "Given weight"
        raise ShapeError(
            f"{start} of size {list(weight)}, expected bias to be 1-dimensional with {made} elements, but "
            "got "
            f"bias of size {list(bias.shape)} instead",
            expected=[made],
            actual=list(bias.shape),
        )


def _by(sizes: Sequence[int]) -> str:
    return f"({' x '.join(map(str, sizes))})"


def check_fits(sizes: Shape, weight: Shape, padding: Shape, dilation: Shape) -> None:
    """Refuse a kernel that is larger than the padded input."""
    padded = [size + 2 * more for size, more in zip(sizes, padding, strict=True)]
    kernel = [gap * (size - 1) + 1 for size, gap in zip(weight[2:], dilation, strict=True)]
    if min(weight[2:]) <= 0:
        raise RuntimeArgumentError(
            f"kernel size should be greater than zero, but got {named_sizes('kernel', weight[2:])}"
        )
    if any(one < other for one, other in zip(padded, kernel, strict=True)):
        raise ShapeError(
            f"Calculated padded input size per channel: {_by(padded)}. Kernel size: {_by(kernel)}. Kernel "
            "size "
            "can't be greater than actual input size",
            expected=padded,
            actual=kernel,
        )


def check_transposed(
    sizes: Shape, found: Shape, output_padding: Shape, stride: Shape, dilation: Shape
) -> None:
    """Refuse what a transposed convolution cannot give."""
    triples = zip(output_padding, stride, dilation, strict=True)
    if any(more >= step and more >= gap for more, step, gap in triples):
        raise RuntimeArgumentError(
            "output padding must be smaller than either stride or dilation, but got "
            f"{named_sizes('output_padding', output_padding)} {named_sizes('stride', stride)} "
            f"{named_sizes('dilation', dilation)}"
        )
    if min(found) < 1:
        raise ShapeError(
            f"Given input size per channel: {_by(sizes)}. Calculated output size per channel: {_by(found)}. "
            "Output size is too small",
            actual=list(found),
        )


def check_dtypes(input: Type, weight: Type, bias: Type | None) -> None:
    """Refuse operands of different dtypes: nothing is promoted."""
    if weight.dtype is not input.dtype:
        raise DTypeError(
            f"expected scalar type {_SCALARS[input.dtype.name]} but found {_SCALARS[weight.dtype.name]}",
            expected=input.dtype.name,
            actual=weight.dtype.name,
        )
    if bias is not None and bias.dtype is not input.dtype:
        left, right = (_LOWER.get(each.dtype.name, each.dtype.title) for each in (input, bias))
        raise DTypeError(
            f"Input type ({left}) and bias type ({right}) should be the same",
            expected=input.dtype.name,
            actual=bias.dtype.name,
        )
