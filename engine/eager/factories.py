"""Tensors made from Python: what takes `requires_grad`, a state of the result and no setting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine import dtypes, literals
from engine.dtypes import DType
from engine.eager.tensor import Tensor
from engine.errors import ArgumentError, NotImplementedYet, ValueArgumentError
from engine.grad_checks import check_created
from engine.registry import lookup

_NUMPY_ONLY = ("uint16", "uint32", "uint64")


def required(made: Any, requires_grad: bool) -> Any:
    """`made`, recording from here on if `requires_grad`; GradError for integers."""
    if requires_grad:
        check_created(made.dtype)
        made.requires_grad = True
    return made


def _factory(name: str) -> Callable[..., Any]:
    op = lookup(name)

    def make(*args: Any, requires_grad: bool = False, **settings: Any) -> Any:
        return required(op(*args, **settings), requires_grad)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = op.doc
    return make


zeros = _factory("zeros")
ones = _factory("ones")
full = _factory("full")
arange = _factory("arange")
linspace = _factory("linspace")
eye = _factory("eye")
rand = _factory("rand")
randn = _factory("randn")
randint = _factory("randint")
randperm = _factory("randperm")
zeros_like = _factory("zeros_like")
ones_like = _factory("ones_like")
full_like = _factory("full_like")
rand_like = _factory("rand_like")
randn_like = _factory("randn_like")
randint_like = _factory("randint_like")
fftfreq = _factory("fft.fftfreq")
rfftfreq = _factory("fft.rfftfreq")


def tensor(data: Any, *, dtype: DType | str | None = None, requires_grad: bool = False) -> Tensor:
    """A new leaf from numbers in nested lists, or a copy of a numpy array or Tensor.

    Lists: floats have the default dtype, ints int64, bools bool; arrays keep their dtype and memory order.
    """
    wanted = None if dtype is None else dtypes.dtype(dtype)
    if isinstance(data, (Tensor, np.ndarray)):
        array = data if isinstance(data, np.ndarray) else data.detach().numpy()
        found = wanted or _supported(array)
        if array.dtype.kind == "c" and not found.is_complex:
            array = array.real
        with np.errstate(all="ignore"):
            copied = array.astype(found.numpy, order="K", copy=True)
    else:
        literal = literals.parse(data)
        copied = literal.array(wanted or literal.dtype)
    made: Tensor = required(Tensor(copied), requires_grad)
    return made


def from_numpy(array: np.ndarray[Any, Any], *, requires_grad: bool = False) -> Tensor:
    """A tensor on the memory of `array`: a change of one shows in the other. (`requires_grad` is ours.)"""
    if not isinstance(array, np.ndarray):
        raise ArgumentError(f"expected np.ndarray (got {type(array).__name__})")
    _supported(array)
    if not array.dtype.isnative:
        raise ValueArgumentError(
            "given numpy array has byte order different from the native byte order. Conversion between "
            "byte orders is currently not supported."
        )
    if any(step < 0 for step in array.strides):
        raise ValueArgumentError(
            "At least one stride in the given numpy array is negative, and tensors with negative strides "
            "are not currently supported. (You can probably work around this by making a copy of your "
            "array  with array.copy().) "
        )
    if any(step % array.itemsize for step in array.strides):
        raise ValueArgumentError(
            "given numpy array strides not a multiple of the element byte size. Copy the numpy array to "
            "reallocate the memory."
        )
    made: Tensor = required(Tensor(array), requires_grad)
    return made


def _supported(array: np.ndarray[Any, Any]) -> DType:
    name = array.dtype.name
    if name in _NUMPY_ONLY:
        raise NotImplementedYet(f"dtype '{name}' is not supported")
    if name not in dtypes.DTYPES:
        kind = array.dtype.type.__name__
        raise ArgumentError(
            f"can't convert np.ndarray of type numpy.{kind}. The only supported types are: float64, "
            "float32, float16, complex64, complex128, int64, int32, int16, int8, uint64, uint32, uint16, "
            "uint8, and bool."
        )
    return dtypes.DTYPES[name]


FACTORIES: dict[str, Callable[..., Any]] = {
    made.__name__: made
    for made in (
        zeros, ones, full, arange, linspace, eye, rand, randn, randint, randperm,
        zeros_like, ones_like, full_like, rand_like, randn_like, randint_like, fftfreq, rfftfreq, tensor,
    )
}  # fmt: skip
