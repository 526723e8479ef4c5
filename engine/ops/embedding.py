"""Rows of a table by their numbers: embedding."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import int32, int64
from engine.errors import AssertedArgumentError, DimError, DTypeError, NotImplementedYet, ShapeError
from engine.leading import shared
from engine.op import refused, sample
from engine.ops.keys import read
from engine.ops.reductions import wide
from engine.signature import Array, Index, Tensor
from engine.types import Type


def _embedding_type(weight: Type, indices: Type, **settings: Any) -> Type:
    if weight.ndim != 2:
        raise ShapeError("'weight' must be 2-D", expected=2, actual=weight.ndim)
    if indices.dtype not in (int64, int32):
        title = f"torch.{indices.dtype.title}Tensor" if indices.dtype.name != "bool" else "CPUBoolType"
        raise DTypeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, "
            f"Int; but got {title} instead (while checking arguments for embedding)",
            actual=indices.dtype.name,
        )
    return Type((*indices.shape, weight.shape[1]), weight.dtype)


def _embedding_vjp(
    F: Any, x: Any, y: Any, g: Any, padding_idx: int, scale_grad_by_freq: bool, sparse: bool = False
) -> Any:
    rows = x[0].meta.shape[0]
    return lambda: F._embedding_backward(g, x[1], rows, padding_idx, scale_grad_by_freq), None


@kernel(
    "_embedding",
    kind="index",
    infer=_embedding_type,
    vjp=_embedding_vjp,
    grad_fn="EmbeddingBackward0",
    saves=("indices", "padding_idx", "scale_grad_by_freq", "sparse", "weight_sym_argsize_0"),
    samples=lambda make: [],
)
def _embedding(
    weight: Tensor, indices: Index, padding_idx: int, scale_grad_by_freq: bool, sparse: bool, *, lead: int
) -> Array:
    """The rows of `weight` that `indices` name.

    Smooth everywhere.
    """
    if indices.size and (indices.min() < 0 or indices.max() >= weight.shape[-2]):
        raise DimError("index out of range in self")
    return _looked_up(weight, indices, lead)


def _looked_up(weight: Array, indices: Array, lead: int) -> Array:
    table = shared(weight, lead)
    return read(weight, [indices], lead) if table is None else np.asarray(table[indices])


def _numbered(indices: Array, rows: int, lead: int) -> Array:
    """Indices into one table that has the rows of all samples, one sample's behind another's."""
    if not lead:
        return indices
    batch = indices.shape[:lead]
    first = np.arange(math.prod(batch)).reshape((*batch, *(1,) * (indices.ndim - lead))) * rows
    return np.asarray(indices + first)


def _shares(indices: Array, numbered: Array, padding_idx: int, scale_grad_by_freq: bool, dtype: Any) -> Array:
    """What part of the cotangent of each row looked up reaches the table."""
    found: Array = (indices != padding_idx).astype(dtype)
    if scale_grad_by_freq and indices.size:
        _, inverse, counts = np.unique(numbered, return_inverse=True, return_counts=True)
        found = found / counts[inverse.reshape(indices.shape)].astype(dtype)
    return found


@kernel(
    "_embedding_shared",
    kind="index",
    infer=_embedding_type,
    vjp=_embedding_vjp,
    saves=("indices",),
    samples=lambda make: [],
)
def _embedding_shared(
    weight: Tensor, indices: Index, padding_idx: int, scale_grad_by_freq: bool, *, lead: int
) -> Array:
    """The rows of `weight` that `indices` name, times their shares: the adjoint of the backward.

    Smooth everywhere.
    """
    numbered = _numbered(indices, weight.shape[-2], lead)
    shares = _shares(indices, numbered, padding_idx, scale_grad_by_freq, weight.dtype)
    return np.asarray(_looked_up(weight, indices, lead) * shares[..., None])


@kernel(
    "_embedding_backward",
    kind="index",
    infer=lambda input, indices, rows, padding_idx, scale_grad_by_freq: Type(
        (rows, input.shape[-1]), input.dtype
    ),
    vjp=lambda F, x, y, g, rows, padding_idx, scale_grad_by_freq: (
        lambda: F._embedding_shared(g, x[1], padding_idx, scale_grad_by_freq),
        None,
    ),
    saves=("indices",),
    samples=lambda make: [],
)
def _embedding_backward(
    input: Tensor, indices: Index, rows: int, padding_idx: int, scale_grad_by_freq: bool, *, lead: int
) -> Array:
    """The sums of the cotangents of equal rows.

    Smooth everywhere.
    """
    batch = input.shape[:lead]
    found = np.zeros((math.prod(batch) * rows, input.shape[-1]), input.dtype)
    if indices.size:
        numbered = _numbered(indices, rows, lead).reshape(-1)
        shares = _shares(indices.reshape(-1), numbered, padding_idx, scale_grad_by_freq, input.dtype)
        each = input.reshape(numbered.size, -1) * shares[:, None]
        order = np.argsort(numbered, kind="stable")
        starts = np.flatnonzero(np.diff(numbered[order], prepend=-1))
        sums = np.add.reduceat(each[order], starts, axis=0, dtype=wide(each.dtype))
        found[numbered[order][starts]] = sums
    return found.reshape((*batch, rows, input.shape[-1]))


@composite(
    "nn.functional.embedding",
    samples=lambda make: [
        sample(make.ints(4, high=3), make(3, 2)),
        sample(make.ints(2, 2, high=2), make(3, 2), 2),
        sample(make.ints(high=3), make(3, 2), scale_grad_by_freq=True),
        sample(make.ints(high=3), make(3, 2)),
    ],
    refusals=lambda make: [
        refused("index out of range in self", make.ints(2, low=3), make(3, 2)),
        refused(
            "to have one of the following scalar types: Long, Int; but got torch.DoubleTensor",
            make(1),
            make(3, 2),
        ),
        refused("Padding_idx must be within num_embeddings", make.ints(2, high=3), make(3, 2), 3),
        refused("'weight' must be 2-D", make.ints(2, high=3), make(3)),
        refused("embedding(): max_norm is not implemented", make.ints(2, high=3), make(3, 2), max_norm=1.0),
        refused("embedding(): sparse is not implemented", make.ints(2, high=3), make(3, 2), sparse=True),
    ],
)
def embedding(
    F: Any,
    input: Index,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """The rows of `weight` that the integers in `input` name; a row named twice gets both gradients.

    Smooth everywhere. The row `padding_idx` gets no gradient.
    """
    for name, asked in (("max_norm", max_norm is not None), ("sparse", sparse)):
        if asked:
            raise NotImplementedYet(f"embedding(): {name} is not implemented", actual=name)
    if padding_idx is not None and weight.meta.shape:
        rows = weight.meta.shape[0]
        if not -rows <= padding_idx < rows:
            raise AssertedArgumentError("Padding_idx must be within num_embeddings", actual=padding_idx)
        padding_idx %= rows
    return F._embedding(weight, input, -1 if padding_idx is None else padding_idx, scale_grad_by_freq, sparse)
