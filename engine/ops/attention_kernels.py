"""The kernels of attention: a softmax for rows that are masked wholly, and attention in one step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.define import kernel
from engine.dtypes import FLOAT, DType
from engine.op import sample
from engine.ops.dtype_checks import no_kernel
from engine.signature import Array, Dim, Fixed, Tensor
from engine.types import Type


def _safe_type(input: Type, dim: int, dtype: DType | None) -> Type:
    wanted = dtype or input.dtype
    if wanted.category != FLOAT:
        raise no_kernel("softmax_lastdim_kernel_impl", wanted)
    return Type(input.shape, wanted)


@kernel(
    "_safe_softmax",
    kind="normalisation",
    infer=_safe_type,
    vjp=lambda F, x, y, g, dim, dtype: (lambda: _pulled(F, y, F.mul(g, y), dim),),
    grad_fn="SafeSoftmaxBackward0",
    saves=("dim", "result"),
    samples=lambda make: [sample(make(2, 3), 1), sample(make(), 0), sample(make(3), 0, dtype="float64")],
)
def safe_softmax(input: Tensor, dim: Dim, dtype: DType | None = None, *, meta: Any) -> Array:
    """`softmax`, which is 0 where all are -inf.

    Smooth everywhere.
    """
    axis = dim if input.ndim else None
    wide = input.astype(np.promote_types(meta.dtype.numpy, np.float32), copy=False)
    largest = np.max(wide, axis=axis, keepdims=True, initial=-np.inf)
    powers = np.exp(wide - np.where(np.isneginf(largest), 0, largest))
    total = np.sum(powers, axis=axis, keepdims=True)
    found: Array = np.asarray(powers / np.where(total == 0, 1, total))
    return found.astype(meta.dtype.numpy, copy=False)


def _pulled(F: Any, y: Any, weighted: Any, dim: int) -> Any:
    return F.sub(weighted, F.mul(y, F.sum(weighted, dim, True)))


def _scores(query: Array, key: Array, mask: Array | None, is_causal: bool, scale: float) -> Array:
    """The scores of each query against each key, masked."""
    scores: Array = np.matmul(query, np.swapaxes(key, -1, -2)) * query.dtype.type(scale)
    if is_causal:
        scores[..., np.tri(*scores.shape[-2:]) == 0] = -np.inf
    if mask is not None:
        scores += mask
    return scores


def _scale(query: Any, scale: float | None) -> float:
    return 1 / math.sqrt(query.shape[-1]) if scale is None else scale


def _flash_type(query: Type, key: Type, value: Type, mask: Any, *settings: Any, **named: Any) -> Any:
    return Type(query.shape, query.dtype), Type(query.shape[:-1], query.dtype)


def _flash_vjp(F: Any, x: Any, y: Any, g: Any, dropout_p: float, is_causal: bool, scale: float | None) -> Any:
    query, key, value, mask = x

    def weights() -> Any:
        scores = F.mul(F.matmul(query, F.transpose(key, -2, -1)), _scale(query.meta, scale))
        if mask is not None:
            scores = F.add(scores, mask)
        if is_causal:
            shape = scores.meta.shape[-2:]
            rows, columns = F.reshape(F.arange(shape[0]), (-1, 1)), F.arange(shape[1])
            scores = F.where(F.ge(rows, columns), scores, -math.inf)
        return F._safe_softmax(scores, -1)

    def of_scores() -> Any:
        each = weights()
        pulled = F.mul(F.matmul(g[0], F.transpose(value, -2, -1)), each)
        return F.mul(_pulled(F, each, pulled, -1), _scale(query.meta, scale))

    return (
        lambda: None if g[0] is None else F.matmul(of_scores(), key),
        lambda: None if g[0] is None else F.matmul(F.transpose(of_scores(), -2, -1), query),
        lambda: None if g[0] is None else F.matmul(F.transpose(weights(), -2, -1), g[0]),
        None,
    )


@kernel(
    "_flash_attention",
    kind="contraction",
    infer=_flash_type,
    vjp=_flash_vjp,
    grad_fn="ScaledDotProductFlashAttentionForCpuBackward0",
    saves=(
        "attn_mask", "dropout_p", "is_causal", "key", "logsumexp", "output", "query", "scale", "value",
    ),
    outputs=("output", "logsumexp"),
    samples=lambda make: [],
)  # fmt: skip
def _flash_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Fixed | None,
    dropout_p: float,
    is_causal: bool,
    scale: float | None,
    *,
    lead: int,
) -> Any:
    """`scaled_dot_product_attention` of batches of heads, and the logsumexp of the scores.

    Smooth everywhere.
    """
    mask = attn_mask
    if mask is not None and lead:
        missing = query.ndim - mask.ndim
        mask = mask.reshape((*mask.shape[:lead], *(1,) * missing, *mask.shape[lead:]))
    scores = _scores(query, key, mask, is_causal, _scale(query, scale))
    largest = np.max(scores, axis=-1, keepdims=True, initial=-np.inf)
    safe = np.where(np.isneginf(largest), 0, largest)
    powers = np.exp(scores - safe)
    total = np.sum(powers, axis=-1, keepdims=True)
    found = np.matmul(powers / np.where(total == 0, 1, total), value)
    return found.astype(query.dtype, copy=False), (np.log(total) + safe)[..., 0].astype(
        query.dtype, copy=False
    )
