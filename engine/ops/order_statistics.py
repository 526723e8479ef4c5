"""One element by its rank or how often it occurs: median, nanmedian, kthvalue, mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import BOOL, COMPLEX, int64
from engine.errors import DimError, NotImplementedYet, RuntimeArgumentError
from engine.leading import flat
from engine.op import Op, refused, sample
from engine.ops.reductions import OUT_OF_RANGE
from engine.signature import OMITTED, Array, Dim, Tensor
from engine.types import Type, reduced_shape


def _check(name: str, loop: str, input: Type, dim: int | None, *, bools: bool = False) -> None:
    if dim is not None and input.shape and input.shape[dim] == 0:
        raise DimError(f"{name}(): Expected reduction dim {dim + input.ndim} to have non-zero size.")
    if input.dtype.category == COMPLEX or (input.dtype.category == BOOL and not bools):
        raise NotImplementedYet(
            f"\"{loop}\" not implemented for '{input.dtype.title}'", actual=input.dtype.name
        )


def _selected_type(name: str, loop: str, input: Type, dim: int, keepdim: bool, **how: bool) -> Any:
    _check(name, loop, input, dim, **how)
    shape = reduced_shape(input.shape, (dim,), keepdim)
    return Type(shape, input.dtype), Type(shape, int64)


def _selected_vjp(F: Any, x: Any, y: Any, g: Any, dim: int, keepdim: bool, **_: Any) -> Any:
    shape = x[0].meta.shape
    return (lambda: F._value_selecting_reduction_backward(g[0], y[1], dim, keepdim, shape),)


def _taken(input: Array, at: Array, dim: int, keepdim: bool) -> Any:
    """The values at `at`, which keeps `dim`, and `at`."""
    values = np.take_along_axis(input, at, dim)
    return (values, at) if keepdim else (values.squeeze(dim), at.squeeze(dim))


def _middle(input: Array, dim: int, skips: bool) -> Array:
    """Where the lower middle element along `dim` is. With a nan it is the first, unless nans are skipped."""
    ranked = np.argsort(input, axis=dim, kind="stable")
    missing = np.isnan(input) if input.dtype.kind == "f" else np.zeros(input.shape, bool)
    known = input.shape[dim] - np.count_nonzero(missing, axis=dim, keepdims=True)
    at = np.take_along_axis(ranked, np.maximum(known - 1, 0) // 2, dim)
    if skips:
        return at
    first = np.expand_dims(np.argmax(missing, axis=dim), dim)
    return np.where(np.any(missing, axis=dim, keepdims=True), first, at)


def _median(name: str) -> tuple[Op, Op]:
    skips = name == "nanmedian"

    def whole_type(input: Type) -> Type:
        _check(name, "median_cpu", input, None)
        return Type((), input.dtype)

    def whole_vjp(F: Any, x: Any, y: Any, g: Any) -> Any:
        def rule() -> Any:
            mask = F.logical_or(F.eq(x[0], y), F.logical_and(F.isnan(x[0]), F.isnan(y)))
            return F.where(mask, F.div(g, F.sum(mask)), 0)

        return (rule,)

    def whole(input: Tensor, *, lead: int) -> Array:
        """The lower middle element of all.

        Ties share the gradient equally.
        """
        each = flat(input, lead) if lead else input.reshape(-1)
        if each.shape[-1] == 0:
            lost = np.nan if input.dtype.kind == "f" else np.iinfo(input.dtype).min
            return np.full(each.shape[:-1], lost, input.dtype)
        return np.asarray(_taken(each, _middle(each, -1, skips), -1, False)[0])

    def along(input: Tensor, dim: Dim, keepdim: bool = False, *, lead: int) -> Any:
        """The lower middle elements along `dim`, and where they are.

        The gradient goes to that place.
        """
        if input.ndim == lead:
            return input.copy(), np.zeros(input.shape, np.int64)
        return _taken(input, _middle(input, dim, skips), dim, keepdim)

    first = kernel(
        f"_{name}_all",
        kind="reduction",
        infer=whole_type,
        vjp=whole_vjp,
        grad_fn=f"{name.title()}Backward0",
        saves=("result", "self"),
    )
    second = kernel(
        f"_{name}_dim",
        kind="reduction",
        infer=lambda input, dim, keepdim: _selected_type(name, "median_out", input, dim, keepdim),
        vjp=_selected_vjp,
        grad_fn=f"{name.title()}Backward1",
        saves=("dim", "indices", "keepdim", "self_sym_sizes"),
        outputs=("values", "indices"),
    )
    return first(whole), second(along)


_median_all, _median_dim = _median("median")
_nanmedian_all, _nanmedian_dim = _median("nanmedian")


def _median_samples(make: Any) -> list[Any]:
    return [
        sample(make(2, 3)),
        sample(make(2, 4), 1),
        sample(make(4, 2, 2), 0, keepdim=True),
        sample(make.ints(5), 0),
        sample(make()),
        sample(make(), 0),
    ]


def _median_refusals(name: str) -> Callable[[Any], list[Any]]:
    return lambda make: [
        refused(OUT_OF_RANGE, make(3), 2),
        refused(f"{name}(): Expected reduction dim 0 to have non-zero size.", make(0, 2), 0),
        refused("\"median_cpu\" not implemented for 'Bool'", make.bools(3)),
        refused("\"median_cpu\" not implemented for 'ComplexDouble'", make(3) + 1j),
    ]


@composite("median", samples=_median_samples, refusals=_median_refusals("median"))
def median(F: Any, input: Tensor, dim: Dim = OMITTED, keepdim: bool = False) -> Any:
    """The middle element in order, of an even number the lower; with `dim` (values, indices) along it.

    median() shares the gradient equally among ties; along `dim` the place of `indices` gets it. nan if there
    is one.
    """
    return F._median_all(input) if dim is OMITTED else F._median_dim(input, dim, keepdim)


@composite("nanmedian", samples=_median_samples, refusals=_median_refusals("nanmedian"))
def nanmedian(F: Any, input: Tensor, dim: Dim = OMITTED, keepdim: bool = False) -> Any:
    """The median of the elements that are not nan; with `dim` (values, indices) along it.

    nanmedian() shares the gradient equally among ties; along `dim` the place of `indices` gets it. nan if
    there is no other element.
    """
    return F._nanmedian_all(input) if dim is OMITTED else F._nanmedian_dim(input, dim, keepdim)


def _kth_type(input: Type, k: int, dim: int, keepdim: bool) -> Any:
    found = _selected_type("kthvalue", "kthvalue_cpu", input, dim, keepdim)
    size = input.shape[dim] if input.shape else 1
    if not 1 <= k <= size:
        axis = dim + max(input.ndim, 1)
        raise RuntimeArgumentError(f"kthvalue(): selected number k out of range for dimension {axis}")
    return found


@kernel(
    "kthvalue",
    kind="reduction",
    infer=_kth_type,
    vjp=_selected_vjp,
    saves=("dim", "indices", "keepdim", "self_sym_sizes"),
    outputs=("values", "indices"),
    samples=lambda make: [
        sample(make(2, 4), 2),
        sample(make(4, 2, 2), 3, 0, True),
        sample(make.ints(5), 5, 0),
        sample(make(), 1),
    ],
    refusals=lambda make: [
        refused("kthvalue(): selected number k out of range for dimension 0", make(3), 4),
        refused("kthvalue(): Expected reduction dim 0 to have non-zero size.", make(0, 2), 1, 0),
        refused("\"kthvalue_cpu\" not implemented for 'Bool'", make.bools(3), 1),
        refused(OUT_OF_RANGE, make(3), 1, 2),
    ],
)
def kthvalue(input: Tensor, k: int, dim: Dim = -1, keepdim: bool = False, *, lead: int) -> Any:
    """The k-th smallest element along `dim`, and where it is.

    The gradient goes to that place. nan counts as the largest.

    Unlike torch: equals count in their order; which of them torch takes is not promised.
    """
    if input.ndim == lead:
        return input.copy(), np.zeros(input.shape, np.int64)
    ranked = np.argsort(input, axis=dim, kind="stable")
    return _taken(input, np.take(ranked, [k - 1], axis=dim), dim, keepdim)


@kernel(
    "mode",
    kind="reduction",
    infer=lambda input, dim, keepdim: _selected_type("mode", "mode_cpu", input, dim, keepdim, bools=True),
    vjp=_selected_vjp,
    saves=("dim", "indices", "keepdim", "self_sym_sizes"),
    outputs=("values", "indices"),
    samples=lambda make: [
        sample(make(2, 4)),
        sample(make(4, 2, 2), 0, True),
        sample(np.array([3, 1, 2, 1, 3])),
        sample(make.ints(2, 5, high=3), 1),
        sample(make.bools(3)),
        sample(make()),
    ],
    refusals=lambda make: [
        refused("mode(): Expected reduction dim 0 to have non-zero size.", make(0)),
        refused("\"mode_cpu\" not implemented for 'ComplexDouble'", make(3) + 1j),
        refused(OUT_OF_RANGE, make(3), 2),
    ],
)
def mode(input: Tensor, dim: Dim = -1, keepdim: bool = False, *, lead: int) -> Any:
    """The most frequent element along `dim`, of several the smallest, and where it is last.

    The gradient goes to that place.
    """
    if input.ndim == lead:
        return input.copy(), np.zeros(input.shape, np.int64)
    ranked = np.argsort(input, axis=dim, kind="stable")
    ordered = np.moveaxis(np.take_along_axis(input, ranked, dim), dim, -1)
    places = np.arange(ordered.shape[-1])
    starts = np.ones(ordered.shape, bool)
    starts[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    run = places - np.maximum.accumulate(np.where(starts, places, 0), axis=-1)
    last = np.moveaxis(np.argmax(run, axis=-1, keepdims=True), -1, dim)
    return _taken(input, np.take_along_axis(ranked, last, dim), dim, keepdim)
