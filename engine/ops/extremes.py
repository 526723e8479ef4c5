"""The largest and smallest elements: max, min, amax, amin, argmax, argmin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import BOOL, COMPLEX, int64
from engine.errors import ArgumentError, DimError, DTypeError, NotImplementedYet, RuntimeArgumentError
from engine.leading import flat, whole
from engine.op import Op, refused, sample
from engine.ops.reductions import OUT_OF_RANGE
from engine.signature import Array, Dim, Index, Number, Shape, Tensor
from engine.types import Type, reduced_shape

NO_ELEMENTS = "Expected reduction dim to be specified for input.numel() == 0."
EMPTY = f"{NO_ELEMENTS} Specify the reduction dim with the 'dim' argument."


def check_elements(name: str, input: Type, dims: tuple[int, ...]) -> None:
    """Refuse a reduction of no elements, which has no identity."""
    if not dims and input.numel == 0:
        raise RuntimeArgumentError(f"{name}(): {EMPTY}")
    for dim in dims:
        if input.shape and input.shape[dim] == 0:
            raise DimError(f"{name}(): Expected reduction dim {dim + input.ndim} to have non-zero size.")


def refuse_complex(loop: str, input: Type) -> None:
    if input.dtype.category == COMPLEX:
        raise NotImplementedYet(
            f"\"{loop}\" not implemented for '{input.dtype.title}'", actual=input.dtype.name
        )


def refuse_dtype(name: str, input: Type, *, bools: bool) -> None:
    if input.dtype.category == COMPLEX or (input.dtype.category == BOOL and bools):
        kind = "bool" if input.dtype.category == BOOL else "complex"
        raise DTypeError(f"{name}(): does not support {kind} input", actual=input.dtype.name)


# -- over everything: max() and min()


def _whole(name: str, reduce: Callable[..., Any], number: int) -> Op:
    def infer(input: Type) -> Type:
        check_elements(name, input, ())
        refuse_complex(f"{name}_all", input)
        return Type((), input.dtype)

    def vjp(F: Any, x: Any, y: Any, g: Any) -> Any:
        def rule() -> Any:
            mask = F.logical_or(F.eq(x[0], y), F.logical_and(F.isnan(x[0]), F.isnan(y)))
            return F.where(mask, F.div(g, F.sum(mask)), 0)

        return (rule,)

    def run(input: Tensor, *, lead: int) -> Array:
        """The extreme of all elements.

        Ties share the gradient equally.
        """
        return np.asarray(reduce(flat(input, lead), axis=whole(lead)))

    saves = ("result", "self")
    define = kernel(
        f"_{name}_all",
        kind="reduction",
        infer=infer,
        vjp=vjp,
        grad_fn=f"{name.title()}Backward{number}",
        saves=saves,
        samples=lambda make: [],
    )
    return define(run)


_max_all = _whole("max", np.max, 1)
_min_all = _whole("min", np.min, 1)


# -- along one dimension: max(dim) and min(dim), which give (values, indices)


@kernel(
    "_value_selecting_reduction_backward",
    kind="index",
    infer=lambda input, indices, dim, keepdim, size: Type(size, input.dtype),
    vjp=lambda F, x, y, g, dim, keepdim, size: (
        lambda: _selected(F, g, x[1], dim, keepdim),
        None,
    ),
    saves=("indices",),
    samples=lambda make: [],
)
def _value_selecting_reduction_backward(
    input: Tensor, indices: Index, dim: int, keepdim: bool, size: Shape, *, lead: int
) -> Array:
    """Zeros of `size`, with `input` at `indices` along `dim`.

    Smooth everywhere.
    """
    found = np.zeros(size, input.dtype)
    if len(size) == lead:
        return np.array(input)
    if not keepdim:
        input, indices = np.expand_dims(input, dim), np.expand_dims(indices, dim)
    np.put_along_axis(found, indices, input, dim)
    return found


def _selected(F: Any, value: Any, indices: Any, dim: int, keepdim: bool) -> Any:
    at = indices if keepdim or not value.meta.shape else F.unsqueeze(indices, dim)
    found = F.gather(value, dim, at)
    return found if keepdim or not value.meta.shape else F.squeeze(found, dim)


def _along(name: str, find: Callable[..., Any], number: int) -> Op:
    def infer(input: Type, dim: int, keepdim: bool) -> tuple[Type, Type]:
        check_elements(name, input, (dim,))
        refuse_dtype(name, input, bools=False)
        shape = reduced_shape(input.shape, (dim,), keepdim)
        return Type(shape, input.dtype), Type(shape, int64)

    def vjp(F: Any, x: Any, y: Any, g: Any, dim: int, keepdim: bool) -> Any:
        shape = x[0].meta.shape
        return (lambda: F._value_selecting_reduction_backward(g[0], y[1], dim, keepdim, shape),)

    def run(input: Tensor, dim: Dim, keepdim: bool = False) -> Any:
        """The extremes along `dim`, and where they are.

        Of equals the first is taken, and gets the gradient; nan counts as the extreme.
        """
        if not input.ndim:
            return input.copy(), np.zeros((), np.int64)
        at = np.expand_dims(find(input, axis=dim), dim)
        values = np.take_along_axis(input, at, dim)
        return (values, at) if keepdim else (values.squeeze(dim), at.squeeze(dim))

    define = kernel(
        f"_{name}_dim",
        kind="reduction",
        infer=infer,
        vjp=vjp,
        grad_fn=f"{name.title()}Backward{number}",
        saves=("dim", "indices", "keepdim", "self_sym_sizes"),
        outputs=("values", "indices"),
        samples=lambda make: [],
    )
    return define(run)


_max_dim = _along("max", np.argmax, 0)
_min_dim = _along("min", np.argmin, 0)


def _public_samples(make: Any) -> list[Any]:
    return [
        sample(make(2, 3)),
        sample(make(2, 3), 1),
        sample(make(2, 3), dim=0, keepdim=True),
        sample(make(2, 3), make(3)),
        sample(make(2, 3), other=make(2, 1)),
        sample(make.ints(3), 0),
        sample(make()),
        sample(make(), 0),
    ]


def _public_refusals(name: str) -> Callable[[Any], list[Any]]:
    return lambda make: [
        refused(f"{name}(): {EMPTY}", make(0)),
        refused(f"{name}(): Expected reduction dim 0 to have non-zero size.", make(0, 2), 0),
        refused(OUT_OF_RANGE, make(3), 2),
        refused("The size of tensor a (3) must match the size of tensor b (4)", make(2, 3), make(4)),
        refused(f"\"{name}_all\" not implemented for 'ComplexDouble'", make(2) + 1j),
        refused(f"{name}(): argument 'dim' (position 2) must be int, not float", make(2), 0.5),
    ]


def _dispatch(F: Any, name: str, binary: str, input: Any, dim: Any, keepdim: bool, other: Any) -> Any:
    if other is None and hasattr(dim, "meta"):
        dim, other = None, dim
    if other is not None:
        return getattr(F, binary)(input, other)
    if dim is None:
        return getattr(F, f"_{name}_all")(input)
    if type(dim) is not int:
        raise ArgumentError(f"{name}(): argument 'dim' (position 2) must be int, not {type(dim).__name__}")
    return getattr(F, f"_{name}_dim")(input, dim, keepdim)


@composite("max", samples=_public_samples, refusals=_public_refusals("max"))
def max_(
    F: Any,
    input: Tensor,
    dim: Tensor | Number | None = None,
    keepdim: bool = False,
    *,
    other: Tensor | None = None,
) -> Any:
    """The largest element; with `dim` (values, indices) along it; with a second tensor, maximum of both.

    max() shares the gradient equally among ties; along `dim` the first of equals gets it all; maximum halves
    it. nan counts as the largest.
    """
    return _dispatch(F, "max", "maximum", input, dim, keepdim, other)


@composite("min", samples=_public_samples, refusals=_public_refusals("min"))
def min_(
    F: Any,
    input: Tensor,
    dim: Tensor | Number | None = None,
    keepdim: bool = False,
    *,
    other: Tensor | None = None,
) -> Any:
    """The smallest element; with `dim` (values, indices) along it; with a second tensor, minimum of both.

    min() shares the gradient equally among ties; along `dim` the first of equals gets it all; minimum halves
    it. nan counts as the smallest.
    """
    return _dispatch(F, "min", "minimum", input, dim, keepdim, other)
