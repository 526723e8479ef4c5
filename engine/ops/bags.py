"""embedding_bag's kernel and rule: rows of a table put together bag by bag."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import kernel
from engine.dtypes import int32, int64
from engine.errors import DTypeError, RuntimeArgumentError
from engine.ops.reductions import wide
from engine.signature import Array, Index, Tensor
from engine.types import Type


def _bag_type(
    weight: Type,
    indices: Type,
    offsets: Type,
    per_sample_weights: Any,
    include_last_offset: bool,
    mode: int,
    **_: Any,
) -> tuple[Type, Type, Type, Type]:
    for name, each in (("indices", indices), ("offsets", offsets)):
        if each.dtype not in (int64, int32):
            raise DTypeError(
                f"Expected tensor for argument #1 '{name}' to have one of the following scalar types: Long, "
                "Int; "
                f"but got torch.{each.dtype.title}Tensor instead (while checking arguments for "
                "embedding_bag)",
                actual=each.dtype.name,
            )
    bags = offsets.shape[0] - include_last_offset
    if per_sample_weights is not None and per_sample_weights.dtype is not weight.dtype:
        raise DTypeError(
            "embedding_bag: expected per_sample_weights to have the same type as weight",
            expected=weight.dtype.name,
            actual=per_sample_weights.dtype.name,
        )
    most = (bags, weight.shape[1]) if mode == 2 else (bags,)
    sizes = ((bags, weight.shape[1]), indices.shape, (bags,), most)
    dtypes = (weight.dtype, indices.dtype, indices.dtype, indices.dtype)
    found = [Type(shape, dtype) for shape, dtype in zip(sizes, dtypes, strict=True)]
    return found[0], found[1], found[2], found[3]


def _bag_rule(
    F: Any,
    x: Any,
    y: Any,
    g: Any,
    scale_grad_by_freq: bool,
    mode: int,
    sparse: bool,
    include_last_offset: bool,
    padding_idx: int,
) -> Any:
    weight, indices, _, shares = x
    rows, width = weight.meta.shape
    bag, sizes = y[1], y[2]

    def spread() -> Any:
        """The cotangent of the bag of each row that was looked up."""
        return F._embedding(g[0], bag, -1, False, False)

    def of_weight() -> Any:
        if mode == 2:
            full = F.unsqueeze(F.to(F.gt(sizes, 0), weight.meta.dtype), 1)
            flat = F.add(F.mul(y[3], width), F.arange(width))
            return F._plane_add(F.mul(g[0], full), flat, (rows, width))
        each = spread()
        if mode == 1:
            count = F.index_select(F.clamp(sizes, 1), 0, bag)  # a bag of padding alone has no rows
            each = F.div(each, F.unsqueeze(F.to(count, weight.meta.dtype), 1))
        if shares is not None:
            each = F.mul(each, F.unsqueeze(shares, 1))
        return F._embedding_backward(each, indices, rows, padding_idx, scale_grad_by_freq)

    def of_shares() -> Any:
        found = F.sum(F.mul(spread(), F._embedding(weight, indices, -1, False, False)), (1,))
        return F.mul(found, F.to(F.ne(indices, padding_idx), weight.meta.dtype))

    return of_weight, None, None, None if shares is None else of_shares


def _check_values(weight: Array, indices: Array, offsets: Array) -> None:
    if offsets.size and offsets[0] != 0:
        raise RuntimeArgumentError(
            "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position "
            "0. "
            f"However, got {offsets[0]}"
        )
    if offsets.size and offsets[-1] > indices.size:
        raise RuntimeArgumentError(
            f"offsets[-1] can not be greater than input's length {indices.size} but got offsets[-1] of "
            f"{offsets[-1]}"
        )
    wrong = indices[(indices < 0) | (indices >= len(weight))]
    if wrong.size:
        raise RuntimeArgumentError(
            f"embedding_bag: Expected idx >= 0 && idx < num_embeddings but found idx to be {wrong[0]}"
        )


def _largest(weight: Array, indices: Array, starts: Array, ends: Array, padding: int) -> tuple[Array, Array]:
    """The largest row elements of each bag, the first of equals, and the rows they are from."""
    shape = (len(starts), weight.shape[1])
    best, where = np.zeros(shape, weight.dtype), np.zeros(shape, indices.dtype)
    empty = np.ones(len(starts), bool)
    for at in range(int((ends - starts).max(initial=0))):
        bags = np.flatnonzero(starts + at < ends)
        rows = indices[starts[bags] + at]
        bags, rows = bags[rows != padding], rows[rows != padding]
        found = weight[rows]
        better = (found > best[bags]) | empty[bags][:, None]
        best[bags] = np.where(better, found, best[bags])
        where[bags] = np.where(better, rows[:, None], where[bags])
        empty[bags] = False
    return best, where


@kernel(
    "_embedding_bag",
    kind="index",
    infer=_bag_type,
    vjp=_bag_rule,
    grad_fn="EmbeddingBagBackward0",
    saves=(
        "indices",
        "mode",
        "offsets",
        "padding_idx",
        "per_sample_weights",
        "result1",
        "result2",
        "result3",
        "scale_grad_by_freq",
        "sparse",
        "weight for per_sample_weights",
        "weight_sym_argsize_0",
    ),
    outputs=("result0", "result1", "result2", "result3"),
    batched="loop",
)
def embedding_bag_(
    weight: Tensor,
    indices: Index,
    offsets: Index,
    per_sample_weights: Tensor | None,
    scale_grad_by_freq: bool,
    mode: int,
    sparse: bool,
    include_last_offset: bool,
    padding_idx: int,
) -> Any:
    """The rows of bags put together; the bag of each row, the sizes of bags, and the rows of the largest.

    Of equals the first row of a bag gets the gradient.
    """
    _check_values(weight, indices, offsets)
    starts = offsets[:-1] if include_last_offset else offsets
    ends = np.append(starts[1:], indices.size)
    bag = (np.searchsorted(starts, np.arange(indices.size), "right") - 1).astype(indices.dtype)
    counted = np.bincount(bag[indices != padding_idx], minlength=len(starts)).astype(indices.dtype)
    none = np.zeros(len(starts), indices.dtype)
    if mode == 2:
        best, where = _largest(weight, indices, starts, ends, padding_idx)
        return best, bag, counted, where
    dtype = wide(weight.dtype)
    shares = (indices != padding_idx).astype(dtype)
    if per_sample_weights is not None:
        shares = shares * per_sample_weights
    found = np.zeros((len(starts), weight.shape[1]), dtype)
    np.add.at(found, bag, weight[indices] * shares[:, None])
    if mode == 1:
        found /= np.maximum(counted, 1)[:, None]
        none = counted
    return found.astype(weight.dtype, copy=False), bag, none, none.copy()
