"""A tensor out of the engine: as Python scalars, lists and arrays, as a sequence, and printed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from engine import dtypes as dt
from engine.eager import printing
from engine.errors import ArgumentError, GradError, RuntimeArgumentError, ValueArgumentError
from engine.levels import Levels
from engine.types import Type

if TYPE_CHECKING:
    from engine.eager.node import Node

_NO_BRANCH = (
    "vmap: It looks like you're attempting to use a Tensor in some data-dependent control flow. We don't "
    "support that yet, please file an issue at https://github.com/pytorch/pytorch/issues ."
)
_NO_ITEM = (
    "vmap: It looks like you're calling .item() on a Tensor. We don't support vmap over calling .item() on a "
    "Tensor, please try to rewrite what you're doing with other operations. If error is occurring somewhere "
    "inside PyTorch internals, please file a bug report."
)
_NO_MEMORY = "Cannot access data pointer of Tensor that doesn't have storage"


class Conversions:
    """What a Tensor is for Python; `array` and `meta` are the Tensor's."""

    array: np.ndarray[Any, Any]
    meta: Type
    levels: Levels

    if TYPE_CHECKING:

        @property
        def requires_grad(self) -> bool: ...

        @property
        def grad_fn(self) -> Node | None: ...

    def numpy(self) -> np.ndarray[Any, Any]:
        """The array behind it; GradError if it requires grad."""
        if self.requires_grad:
            raise GradError(
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
            )
        self._check_one_sample(_NO_MEMORY)
        return self.array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def item(self) -> Any:
        """Its one element as a Python scalar."""
        self._check_one_sample(_NO_ITEM)
        if self.meta.numel != 1:
            raise RuntimeArgumentError(
                f"a Tensor with {self.meta.numel} elements cannot be converted to Scalar"
            )
        return self.array.item()

    def tolist(self) -> Any:
        """Its elements as (nested lists of) Python scalars."""
        self._check_one_sample(_NO_MEMORY)
        return self.array.tolist()

    def _check_one_sample(self, message: str) -> None:
        if self.levels:
            raise RuntimeArgumentError(message)

    def __bool__(self) -> bool:
        self._check_one_sample(_NO_BRANCH)
        if self.meta.numel != 1:
            amount = "no values" if self.meta.numel == 0 else "more than one value"
            raise RuntimeArgumentError(f"Boolean value of Tensor with {amount} is ambiguous")
        return bool(self.array.item())

    def _scalar(self) -> Any:
        self._check_one_sample(_NO_ITEM)
        if self.meta.numel != 1:
            raise ValueArgumentError("only one element tensors can be converted to Python scalars")
        return self.array.item()

    def __float__(self) -> float:
        return float(_real(self._scalar(), "double"))

    def __int__(self) -> int:
        return int(_real(self._scalar(), "int64_t"))

    def __index__(self) -> int:
        if self.meta.dtype.category > dt.INTEGER or self.meta.numel != 1:
            raise ArgumentError("only integer tensors of a single element can be converted to an index")
        return int(self.item())

    def __complex__(self) -> complex:
        return complex(self._scalar())

    def __len__(self) -> int:
        if not self.meta.shape:
            raise ArgumentError("len() of a 0-d tensor")
        return self.meta.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if not self.meta.shape:
            raise ArgumentError("iteration over a 0-d tensor")
        rows: Any = self
        return iter(rows.unbind())

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        name = self.grad_fn.name() if self.grad_fn else None
        text = printing.format_tensor(
            self.array,
            requires_grad=self.requires_grad,
            grad_fn=name,
            default_dtype=dt.get_default_dtype().numpy,
        )
        return printing.format_batched(text, len(self.levels))

    def __format__(self, spec: str) -> str:
        return printing.format_scalar(self.array, spec) if spec or not self.meta.shape else repr(self)


def _real(value: Any, kind: str) -> Any:
    """`value` without an imaginary part of zero."""
    if isinstance(value, complex):
        if value.imag:
            raise RuntimeArgumentError(f"value cannot be converted to type {kind} without overflow")
        return value.real
    return value
