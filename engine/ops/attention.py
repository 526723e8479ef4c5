"""scaled_dot_product_attention."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.define import composite
from engine.dtypes import BOOL, FLOAT
from engine.errors import DTypeError, RuntimeArgumentError, ShapeError, ValueArgumentError
from engine.op import refused, sample
from engine.signature import Tensor

_NAMES = ("query", "key", "value")
_CPP = {"float32": "float", "float64": "double", "float16": "c10::Half", "int64": "long int", "bool": "bool"}


def _cpp(each: Any) -> str:
    name: str = each.meta.dtype.name
    return _CPP.get(name, name)


def _said(what: str, values: list[Any]) -> str:
    first, second, third = [f"{name}.{what}: {each}" for name, each in zip(_NAMES, values, strict=True)]
    return f"{first} {second} and {third} instead."


def _check(tensors: tuple[Any, ...], mask: Any, p: float) -> None:
    if len({each.meta.dtype for each in tensors}) > 1:
        said = _said("dtype", [_cpp(each) for each in tensors])
        raise DTypeError(f"Expected query, key, and value to have the same dtype, but got {said}")
    if any(each.meta.ndim < 2 for each in tensors):
        said = _said("dim", [each.meta.ndim for each in tensors])
        raise ShapeError(f"Expected query, key, and value to all be  at least 2 dimensional, but got {said}")
    dtype = tensors[0].meta.dtype
    if mask is not None and mask.meta.dtype.category != BOOL and mask.meta.dtype is not dtype:
        raise DTypeError(
            "Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: "
            f"{_cpp(mask)} and  query.dtype: {_cpp(tensors[0])} instead."
        )
    if not 0 <= p <= 1:
        raise ValueArgumentError(f"dropout probability has to be between 0 and 1, but got {p}")
    if dtype.category != FLOAT:
        raise DTypeError(f"expected scalar type Float but found {dtype.title}")


def _in_one_step(tensors: tuple[Any, ...], mask: Any, p: float) -> bool:
    """Whether torch has a kernel for a call: batches of heads of one size, and a mask without gradient."""
    query, key, value = (each.meta.shape for each in tensors)
    same = query[-1] == key[-1] == value[-1] and query[:2] == key[:2] == value[:2] and key[2:3] == value[2:3]
    if p or not len(query) == len(key) == len(value) == 4 or not same or 0 in (*query, *key):
        return False
    if mask is None:
        return True
    full = (*query[:3], key[2])
    fits = zip(reversed(mask.meta.shape), reversed(full), strict=False)
    ranked = mask.meta.ndim in (2, 4) and all(own in (1, size) for own, size in fits)
    return ranked and not getattr(mask, "requires_grad", False)


def _causal(F: Any, tensors: tuple[Any, ...]) -> Any:
    """A mask of the keys that stand before each query, or with it."""
    rows, columns = tensors[0].meta.shape[-2], tensors[1].meta.shape[-2]
    return F.ge(F.reshape(F.arange(rows), (rows, 1)), F.arange(columns))


def _stepwise(F: Any, tensors: tuple[Any, ...], mask: Any, p: float, scale: float | None) -> Any:
    query, key, value = tensors
    factor = 1 / math.sqrt(query.meta.shape[-1]) if scale is None else scale
    root = math.sqrt(abs(factor))
    scaled = F.mul(query, math.copysign(root, factor))
    scores = F.matmul(scaled, F.mul(F.transpose(key, -2, -1), root))
    if mask is not None:
        scores = F.add(scores, mask)
    weights = F._safe_softmax(scores, -1)
    return F.matmul(F.dropout(weights, p) if p else weights, value)


def _grouped(F: Any, tensors: tuple[Any, ...]) -> tuple[Any, ...]:
    """Keys and values repeated, so that each head of the queries has one."""
    heads = tensors[0].meta.shape[-3]
    found = [tensors[0]]
    for each in tensors[1:]:
        shape = each.meta.shape
        if not shape[-3] or heads % shape[-3]:
            raise ShapeError("Number of heads in key and value must divide the number of heads in query")
        spread = F.unsqueeze(each, -3)
        wide = (*shape[:-2], heads // shape[-3], *shape[-2:])
        found.append(F.reshape(F.expand(spread, wide), (*shape[:-3], heads, *shape[-2:])))
    return tuple(found)


@composite(
    "nn.functional.scaled_dot_product_attention",
    samples=lambda make: [
        sample(make(1, 2, 3, 2), make(1, 2, 4, 2), make(1, 2, 4, 2)),
        sample(make(1, 1, 3, 2), make(1, 1, 3, 2), make(1, 1, 3, 2), is_causal=True),
        sample(make(2, 3, 2), make(2, 4, 2), make(2, 4, 3), make(3, 4)),
        sample(make(3, 2), make(3, 2), make(3, 2), is_causal=True, scale=0.3),
        sample(make(1, 1, 2, 2), make(1, 1, 2, 2), make(1, 1, 2, 2), np.array([[True, False], [True, True]])),
        sample(make(1, 2, 3, 2), make(1, 1, 3, 2), make(1, 1, 3, 2), enable_gqa=True),
    ],
    refusals=lambda make: [
        refused(
            "Expected query, key, and value to have the same dtype, but got query.dtype: double key.dtype: "
            "long int and value.dtype: double instead.",
            make(2, 2),
            make.ints(2, 2),
            make(2, 2),
        ),
        refused("at least 2 dimensional, but got query.dim: 1 key.dim: 2", make(2), make(2, 2), make(2, 2)),
        refused(
            "Explicit attn_mask should not be set when is_causal=True", *_three(make), make(2, 2), 0.0, True
        ),
    ],
)
def scaled_dot_product_attention(
    F: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """The mean of `value` weighed by softmax(query keyᵀ * scale + attn_mask), scale 1 / sqrt(size) if None.

    Smooth everywhere; where a query may see no key the result is 0.

    Unlike torch: there are second derivatives, also where its kernel has none; one for queries that share
    keys (`enable_gqa`) shows the steps that repeat these.
    """
    tensors = (query, key, value)
    _check(tensors, attn_mask, dropout_p)
    tensors = _grouped(F, tensors) if enable_gqa else tensors
    mask, step = attn_mask, _in_one_step(tensors, attn_mask, dropout_p)
    if is_causal and attn_mask is not None and not step:
        raise RuntimeArgumentError(
            "_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True"
        )
    if is_causal and not step:
        mask = _causal(F, tensors)
    if mask is not None and mask.meta.dtype.category == BOOL:
        mask = F.to(F.where(mask, 0.0, -math.inf), query.meta.dtype)
    if not step:
        return _stepwise(F, tensors, mask, dropout_p, scale)
    return F._flash_attention(*tensors, mask, dropout_p, is_causal, scale)[0]


def _three(make: Any) -> tuple[Any, ...]:
    return make(2, 2), make(2, 2), make(2, 2)
