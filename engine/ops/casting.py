"""Changes of dtype, and of nothing: to, clone, detach and their kin."""

from __future__ import annotations

from typing import Any

from engine import dtypes
from engine.define import composite, kernel, unary
from engine.dtypes import DType
from engine.errors import NotImplementedYet, RuntimeArgumentError
from engine.op import Op, refused, sample
from engine.signature import Array, Number, Tensor
from engine.strides import preserved
from engine.types import Type

_conj = unary(
    "_conj",
    "y = conjugate(input)",
    compute="promote",
    doc="The complex conjugate, of a complex tensor.\n\nSmooth as a map of the real and imaginary parts.",
    vjp=lambda F, x, y, g: F.conj(g),
    grad_fn="ConjBackward0",
    samples=lambda make: [],
)


@composite("conj", samples=lambda make: [sample(make(3)), sample(make(3) + 1j * make(3))])
def conj(F: Any, input: Tensor | Number) -> Any:
    """The complex conjugate; a real tensor is given back as it is.

    Smooth as a map of the real and imaginary parts.
    """
    if not hasattr(input, "meta"):
        return input.conjugate()
    return F._conj(input) if input.meta.dtype.is_complex else input


@kernel(
    "_to_copy",
    kind="structural",
    infer=lambda input, dtype: preserved(input).with_dtype(dtype),
    vjp=lambda F, x, y, g, dtype: (lambda: g,),
    grad_fn="ToCopyBackward0",
)
def to_copy(input: Tensor, dtype: DType) -> Array:
    """`input` with elements of another dtype.

    Smooth everywhere between floating dtypes.
    """
    if input.dtype.kind == "c" and dtype.numpy.kind not in "bc":
        input = input.real
    found: Array = input.astype(dtype.numpy)
    return found


@composite(
    "to",
    aliases=("type", "astype"),
    samples=lambda make: [
        sample(make(3), "float32"),
        sample(make(3), "float64"),
        sample(make(3), "float64", copy=True),
    ],
)
def to(F: Any, input: Tensor, dtype: DType, *, copy: bool = False) -> Any:
    """`input` itself if it has that dtype and no `copy` is asked, else a copy of that dtype.

    Smooth everywhere between floating dtypes. A real `dtype` drops imaginary parts.
    """
    return input if input.meta.dtype is dtype and not copy else F._to_copy(input, dtype)


def _cast(name: str, dtype: DType) -> Op:
    def body(F: Any, input: Tensor) -> Any:
        return F.to(input, dtype)

    note = (
        "Smooth everywhere between floating dtypes."
        if dtype.differentiable
        else "Constant: nothing flows back."
    )
    body.__doc__ = f"`input` as {dtype!r}, or itself if it is.\n\n{note}"
    return composite(name, samples=lambda make: [sample(make(2, 3)), sample(make.ints(3))])(body)


half = _cast("half", dtypes.float16)
float_ = _cast("float", dtypes.float32)
double = _cast("double", dtypes.float64)
bool_ = _cast("bool", dtypes.bool_)
short = _cast("short", dtypes.int16)
int_ = _cast("int", dtypes.int32)
long = _cast("long", dtypes.int64)
cfloat = _cast("cfloat", dtypes.complex64)
cdouble = _cast("cdouble", dtypes.complex128)


@composite("type_as", samples=lambda make: [sample(make(3), make.ints(2)), sample(make(3), make(2))])
def type_as(F: Any, input: Tensor, other: Tensor) -> Any:
    """`input` in the dtype of `other`.

    Smooth everywhere between floating dtypes.
    """
    return F.to(input, other.meta.dtype)


def _is_contiguous_format(memory_format: str | None) -> bool:
    name = (memory_format or "preserve_format").removeprefix("torch.")
    if name in ("channels_last", "channels_last_3d"):
        raise NotImplementedYet(f"memory format {name}")
    if name not in ("contiguous_format", "preserve_format"):
        raise RuntimeArgumentError("unknown memory format, expected contiguous_format or preserve_format")
    return name == "contiguous_format"


def _clone_type(input: Type, memory_format: str | None) -> Type:
    return Type(input.shape, input.dtype) if _is_contiguous_format(memory_format) else preserved(input)


@kernel(
    "clone",
    kind="structural",
    infer=_clone_type,
    vjp=lambda F, x, y, g, memory_format: (lambda: g,),
    samples=lambda make: [sample(make(2, 3)), sample(make(2, 3), memory_format="contiguous_format")],
    refusals=lambda make: [refused("unknown memory format", make(2), memory_format="diagonal")],
)
def clone(input: Tensor, *, memory_format: str | None = None) -> Array:
    """A copy, with the strides of `input` if these fill its memory, or contiguous ones if asked.

    Smooth everywhere.
    """
    found: Array = input.copy(order="C" if _is_contiguous_format(memory_format) else "K")
    return found


@composite("contiguous", samples=lambda make: [sample(make(2, 3))])
def contiguous(F: Any, input: Tensor) -> Any:
    """`input` itself if its elements lie in row-major order, else a copy that does.

    Smooth everywhere.
    """
    return input if input.meta.is_contiguous else F.clone(input, memory_format="contiguous_format")


@kernel("detach", kind="view", infer=lambda input: input, samples=lambda make: [sample(make(2, 3))])
def detach(input: Tensor) -> Array:
    """The same memory, cut off from its history.

    Constant: nothing flows back.
    """
    found: Array = input
    return found


@composite("alias", samples=lambda make: [sample(make(2, 3))])
def alias(F: Any, input: Tensor) -> Any:
    """`input` itself, under another name.

    Smooth everywhere.
    """
    return input
