"""Extremes along several dimensions that share their gradient among ties, and the places of extremes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.define import kernel
from engine.dtypes import int64
from engine.errors import DimError
from engine.leading import flat, whole
from engine.op import refused, sample
from engine.ops.extremes import EMPTY, NO_ELEMENTS, check_elements, refuse_complex, refuse_dtype
from engine.ops.reductions import OUT_OF_RANGE, REPEATED, axes, restored
from engine.signature import Array, Dim, Dims, Tensor
from engine.types import Type, reduced_shape


def _amax_type(name: str) -> Callable[..., Type]:
    def infer(input: Type, dim: tuple[int, ...] | None, keepdim: bool) -> Type:
        check_elements(name, input, dim or ())
        refuse_complex(f"{name[1:]}_values_cpu", input)
        return Type(reduced_shape(input.shape, dim or None, keepdim), input.dtype)

    return infer


def _amax_vjp(F: Any, x: Any, y: Any, g: Any, dim: Any, keepdim: bool) -> Any:
    def rule() -> Any:
        share, value = (restored(F, each, x[0].meta, dim, keepdim) for each in (g, y))
        mask = F.eq(x[0], value)
        ties = F.sum(mask, dim, True) if dim else F.sum(mask)
        return F.div(F.mul(share, mask), ties)

    return (rule,)


def _amax_record(name: str) -> dict[str, Any]:
    return {
        "kind": "reduction",
        "infer": _amax_type(name),
        "vjp": _amax_vjp,
        "saves": ("dim", "keepdim", "result", "self"),
        "samples": lambda make: [
            sample(make(2, 3)),
            sample(make(2, 3), 1),
            sample(make(2, 3, 2), (0, -1), keepdim=True),
            sample(make.ints(3), 0),
            sample(make()),
        ],
        "refusals": lambda make: [
            refused(f"{name}(): {EMPTY}", make(0)),
            refused(f"{name}(): Expected reduction dim 0 to have non-zero size.", make(0, 2), 0),
            refused(f"\"{name[1:]}_values_cpu\" not implemented for 'ComplexDouble'", make(2) + 1j),
            refused(OUT_OF_RANGE, make(3), 2),
            refused(REPEATED, make(2, 3), (0, 0)),
        ],
    }


@kernel("amax", **_amax_record("amax"))
def amax(input: Tensor, dim: Dims | None = (), keepdim: bool = False) -> Array:
    """The largest elements over `dim` (all dimensions if empty).

    Ties share the gradient equally; where an element is nan, the result and the whole derivative are.
    """
    return np.asarray(np.max(input, axis=axes(input, dim), keepdims=keepdim))


@kernel("amin", **_amax_record("amin"))
def amin(input: Tensor, dim: Dims | None = (), keepdim: bool = False) -> Array:
    """The smallest elements over `dim` (all dimensions if empty).

    Ties share the gradient equally; where an element is nan, the result and the whole derivative are.
    """
    return np.asarray(np.min(input, axis=axes(input, dim), keepdims=keepdim))


def _place_type(name: str) -> Callable[..., Type]:
    def infer(input: Type, dim: int | None, keepdim: bool) -> Type:
        refuse_dtype(name, input, bools=True)
        if dim is None and input.numel == 0:
            raise DimError(f"{name}(): {NO_ELEMENTS}")
        check_elements(name, input, () if dim is None else (dim,))
        return Type(reduced_shape(input.shape, None if dim is None else (dim,), keepdim), int64)

    return infer


def _place_record(name: str) -> dict[str, Any]:
    return {
        "kind": "reduction",
        "infer": _place_type(name),
        "samples": lambda make: [
            sample(make(2, 3)),
            sample(make(2, 3), 1),
            sample(make(2, 3), 0, keepdim=True),
            sample(make()),
        ],
        "refusals": lambda make: [
            refused(f"{name}(): {NO_ELEMENTS}", make(0)),
            refused(f"{name}(): does not support complex input", make(2) + 1j),
            refused(OUT_OF_RANGE, make(3), 2),
        ],
    }


def _place(input: Array, find: Callable[..., Any], dim: int | None, keepdim: bool, lead: int) -> Array:
    rank = input.ndim - lead
    if dim is None or not rank:
        found = np.asarray(find(flat(input, lead), axis=whole(lead)))
        return found.reshape((*input.shape[:lead], *(1,) * (rank if keepdim else 0)))
    return np.asarray(find(input, axis=dim, keepdims=keepdim))


@kernel("argmax", **_place_record("argmax"))
def argmax(input: Tensor, dim: Dim | None = None, keepdim: bool = False, *, lead: int) -> Array:
    """Where the largest element is: along `dim`, or in the flattened input.

    Constant: nothing flows back. Of equals the first; nan counts as the largest.
    """
    return _place(input, np.argmax, dim, keepdim, lead)


@kernel("argmin", **_place_record("argmin"))
def argmin(input: Tensor, dim: Dim | None = None, keepdim: bool = False, *, lead: int) -> Array:
    """Where the smallest element is: along `dim`, or in the flattened input.

    Constant: nothing flows back. Of equals the first; nan counts as the smallest.
    """
    return _place(input, np.argmin, dim, keepdim, lead)
