"""multi_head_attention_forward: projections, attention of several heads, and their projection."""

from __future__ import annotations

from typing import Any

from engine.define import composite
from engine.op import refused, sample
from engine.ops.head_steps import (
    additive,
    apart,
    appended,
    attended,
    by_head,
    check_heads,
    check_ranks,
    mask_of,
    packed,
    require,
    with_batch,
)
from engine.signature import Tensor


def _samples(make: Any) -> list[Any]:
    weights = (make(12, 4), make(12), None, None, False, 0.0, make(4, 4), make(4))
    return [
        sample(make(3, 2, 4), make(2, 2, 4), make(2, 2, 4), 4, 2, *weights),
        sample(make(3, 4), make(3, 4), make(3, 4), 4, 1, *weights, attn_mask=make(3, 3)),
        sample(make(3, 2, 4), make(2, 2, 4), make(2, 2, 4), 4, 2, *weights, need_weights=False),
        sample(make(3, 2, 4), make(2, 2, 4), make(2, 2, 4), 4, 2, *weights, average_attn_weights=False),
    ]


@composite(
    "nn.functional.multi_head_attention_forward",
    samples=_samples,
    refusals=lambda make: [
        refused(
            "query should be unbatched 2D or batched 3D tensor but received 1-D query tensor",
            *(make(4), make(3, 4), make(3, 4), 4, 2),
            *(make(12, 4), make(12), None, None, False, 0.0, make(4, 4), make(4)),
        ),
        refused(
            "was expecting embedding dimension of 5, but got 4",
            *(make(3, 4), make(3, 4), make(3, 4), 5, 2),
            *(make(12, 4), make(12), None, None, False, 0.0, make(4, 4), make(4)),
        ),
        refused(
            "embed_dim 4 not divisible by num_heads 3",
            *(make(3, 4), make(3, 4), make(3, 4), 4, 3),
            *(make(12, 4), make(12), None, None, False, 0.0, make(4, 4), make(4)),
        ),
    ],
)
def multi_head_attention_forward(
    F: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> Any:
    """Attention of several heads, projected; and its weights (0-dim zero without `need_weights`).

    Smooth everywhere.

    Unlike torch: no static_k and static_v; without `need_weights` the second result is 0, not None.
    """
    batched = check_ranks(query, key, value, key_padding_mask, attn_mask)
    inputs = with_batch(F, (query, key, value), batched)
    padding = key_padding_mask
    padding = F.unsqueeze(padding, 0) if padding is not None and not batched else padding
    dtype = query.meta.dtype
    padding = additive(F, padding, "key_padding_mask", dtype)
    mask = additive(F, attn_mask, "attn_mask", dtype)
    check_heads(inputs[0].meta.shape[-1], embed_dim_to_check, num_heads, is_causal, attn_mask)
    if use_separate_proj_weight:
        projected = apart(F, inputs, (q_proj_weight, k_proj_weight, v_proj_weight), in_proj_bias)
    else:
        require(in_proj_weight is not None, "use_separate_proj_weight is False but in_proj_weight is None")
        projected = packed(F, inputs, in_proj_weight, in_proj_bias)
    projected, mask, padding = appended(F, projected, (bias_k, bias_v), mask, padding, add_zero_attn)
    sizes = (inputs[0].meta.shape[1], inputs[0].meta.shape[0], projected[1].meta.shape[0])
    mask = mask_of(F, mask, padding, num_heads, sizes)
    heads = [by_head(F, each, num_heads) for each in projected]
    p = dropout_p if training else 0.0
    found, weights = attended(F, heads, mask, p, num_heads, sizes, need_weights)
    found = F.linear(found, out_proj_weight, out_proj_bias)
    found = F.view(found, (sizes[1], sizes[0], found.meta.shape[1]))
    if weights is not None and average_attn_weights:
        weights = F.mean(weights, 1)
    if not batched:
        found, weights = F.squeeze(found, 1), None if weights is None else F.squeeze(weights, 0)
    return found, F.zeros((), dtype=dtype) if weights is None else weights
