"""An op's parameters, read once from its declaration, and the binding of calls to them.

The annotation of a parameter is its kind. Kinds of operand:

    Tensor           a differentiable slot; a Python scalar there is wrapped (and keeps its slot in
                     next_functions)
    Tensor | Number  the same, but a Python scalar takes torch's Scalar overload: no slot
    Tensors          a list of differentiable tensors
    Index, Mask, Fixed   a tensor that carries no derivative: integer, bool, any
    Indices          a list of Index, Mask or None

Everything else is a setting: Number, int, float, bool, str, Number | str, DType; Dim, NewDim, Dims and Order
are wrapped to negative numbers (NewDim against one more dimension; Order may name a dim twice), Shape is a
tuple of ints, Sizes an int or a tuple of ints, Keys the positions of an index, Data a number or nested
lists of numbers, Level a batch level.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

# What the annotations mean to a type checker: the bodies of kernels see numpy arrays.
Array = np.ndarray[Any, Any]
Number = bool | int | float | complex
Tensor = Any  # an array in a kernel, the builder's value in a body over F
Tensors = Sequence[Any]
Index = Any
Indices = Sequence[Any]
Mask = Any
Fixed = Any
Dim = int
NewDim = int
Dims = Any
Order = Any
Data = Any
Shape = tuple[int, ...]
Sizes = Any
Keys = tuple[Any, ...]

MISSING: Any = inspect.Parameter.empty


class _Omitted:
    """The default of a setting whose absence torch tells from None: an overload of its own."""

    def __repr__(self) -> str:
        return "None"


OMITTED: Any = _Omitted()
SLOTS = frozenset({"Tensor", "Tensor | Number", "Tensors"})
OPERANDS = SLOTS | {"Index", "Mask", "Fixed", "Indices"}
LISTS = frozenset({"Tensors", "Indices"})
_KINDS = OPERANDS | {"Number | str", "Sizes | str"}
_KINDS |= set("Number int float bool str DType Dim NewDim Dims Order Shape Sizes Keys Data Level".split())


class Param(NamedTuple):
    """One parameter: its kind, whether None is allowed, its default (MISSING where it must be given)."""

    name: str
    kind: str
    optional: bool
    default: Any
    keyword_only: bool

    @property
    def is_operand(self) -> bool:
        return self.kind in OPERANDS


class Bound(NamedTuple):
    """A call split into flat operands and settings; `given` has the settings as the caller wrote them, a lone
    int for several as a tuple."""

    operands: tuple[Any, ...]
    attrs: dict[str, Any]
    given: dict[str, Any]


def read_params(declaration: Callable[..., Any], *, skip: int = 0) -> tuple[Param, ...]:
    """The parameters of a declaration; `skip` leading ones (the builder) are not the op's."""
    params = []
    names, count = parameters(declaration), declaration.__code__.co_argcount
    given = declaration.__defaults__ or ()
    defaults = dict(zip(names[count - len(given) : count], given, strict=True))
    defaults |= declaration.__kwdefaults__ or {}
    for at, name in enumerate(names[skip:], skip):
        if name in ("meta", "lead", "out"):
            continue  # the inferred Type, how many batch axes there are, or memory for the result
        text = str(declaration.__annotations__.get(name))
        kind = text.removesuffix(" | None")
        if kind not in _KINDS:
            raise TypeError(f"{declaration.__name__}: parameter {name} has unknown kind {text!r}")
        params.append(Param(name, kind, text != kind, defaults.get(name, MISSING), at >= count))
    return tuple(params)


def parameters(function: object) -> tuple[str, ...]:
    """The names of a Python function's parameters, `inspect.signature` takes ten times as long; none of what
    is no such function."""
    code = getattr(function, "__code__", None)
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] if code else ()


def is_number(value: object) -> bool:
    """Whether `value` is a Python scalar, as torch's promotion understands it."""
    return isinstance(value, (bool, int, float, complex)) and not isinstance(value, np.generic)


def as_shape(value: Any) -> Shape:
    """A composite's Shape argument, which may be one int, as a tuple."""
    return (value,) if isinstance(value, int) else tuple(value)
