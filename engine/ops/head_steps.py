"""The steps of multi_head_attention_forward: checks, projections, masks and attention."""

from __future__ import annotations

import math
from typing import Any

from engine.dtypes import BOOL, FLOAT
from engine.errors import AssertedArgumentError, RuntimeArgumentError


def require(holds: bool, text: str) -> None:
    """Refuse what does not hold, as an assertion of torch's does."""
    if not holds:
        raise AssertedArgumentError(text)


def check_ranks(query: Any, key: Any, value: Any, padding: Any, mask: Any) -> bool:
    """Whether the call has a batch; refused where the ranks do not fit."""
    rank, others = query.meta.ndim, (key.meta.ndim, value.meta.ndim)
    if rank not in (2, 3):
        raise AssertedArgumentError(
            f"query should be unbatched 2D or batched 3D tensor but received {rank}-D query tensor"
        )
    what = "For batched (3-D)" if rank == 3 else "For unbatched (2-D)"
    require(
        others == (rank, rank),
        f"{what} `query`, expected `key` and `value` to be {rank}-D but found {others[0]}-D and "
        f"{others[1]}-D tensors respectively",
    )
    if padding is not None:
        found = padding.meta.ndim
        text = f"{what} `query`, expected `key_padding_mask` to be `None` or {rank - 1}-D but found {found}-D"
        require(found == rank - 1, f"{text} tensor instead")
    if mask is not None:
        found = mask.meta.ndim
        text = f"{what} `query`, expected `attn_mask` to be `None`, 2-D or 3-D but found {found}-D tensor"
        require(found in (2, 3), f"{text} instead")
    return bool(rank == 3)


def additive(F: Any, mask: Any, name: str, dtype: Any) -> Any:
    """A mask as what is added to scores."""
    if mask is None or mask.meta.dtype.category == FLOAT:
        return mask
    require(mask.meta.dtype.category == BOOL, f"only bool and floating types of {name} are supported")
    return F.to(F.where(mask, -math.inf, 0.0), dtype)


def _parts(F: Any, tensor: Any, count: int) -> list[Any]:
    if tensor is None:
        return [None] * count
    size = tensor.meta.shape[0] // count
    return [F.narrow(tensor, 0, at * size, size) for at in range(count)]


def packed(F: Any, tensors: tuple[Any, ...], weight: Any, bias: Any) -> list[Any]:
    """Queries, keys and values by one weight; one product for those that are the same tensor."""
    query, key, value = tensors
    if key is value and query is key:
        size = query.meta.shape[-1]
        shape = (*query.meta.shape[:-1], 3, size)
        found = F.unsqueeze(F.reshape(F.linear(query, weight, bias), shape), 0)
        found = F.contiguous(F.squeeze(F.transpose(found, 0, -2), -2))
        return [F.select(found, 0, at) for at in range(3)]
    parts = zip(tensors, _parts(F, weight, 3), _parts(F, bias, 3), strict=True)
    return [F.linear(each, own, shift) for each, own, shift in parts]


def apart(F: Any, tensors: tuple[Any, ...], weights: tuple[Any, ...], bias: Any) -> list[Any]:
    """Queries, keys and values by weights of their own."""
    size = tensors[0].meta.shape[-1]
    for name, each, weight in zip(("query", "key", "value"), tensors, weights, strict=True):
        short = f"{name[0]}_proj_weight"
        require(weight is not None, f"use_separate_proj_weight is True but {short} is None")
        wanted = (size, each.meta.shape[-1])
        found = weight.meta.shape
        text = f"expecting {name} weights shape of {wanted}, but got torch.Size({list(found)})"
        require(found == wanted, text)
    parts = zip(tensors, weights, _parts(F, bias, 3), strict=True)
    return [F.linear(each, weight, shift) for each, weight, shift in parts]


def mask_of(F: Any, mask: Any, padding: Any, heads: int, sizes: tuple[int, int, int]) -> Any:
    """What is added to the scores (batch * heads, queries, keys)."""
    batch, queries, keys = sizes
    if mask is not None:
        shape = mask.meta.shape
        wanted = (queries, keys) if len(shape) == 2 else (batch * heads, queries, keys)
        if shape != wanted:
            raise RuntimeArgumentError(
                f"The shape of the {len(shape)}D attn_mask is torch.Size({list(shape)}), but should be "
                f"{wanted}."
            )
        mask = F.unsqueeze(mask, 0) if len(shape) == 2 else mask
    if padding is None:
        return mask
    found = padding.meta.shape
    require(found[0] == batch, f"Expected key_padded_mask.shape[0] to be {batch}, but got {found[0]}")
    require(found[1] == keys, f"Expected key_padded_mask.shape[1] to be {keys}, but got {found[1]}")
    spread = F.expand(F.reshape(padding, (batch, 1, 1, keys)), (batch, heads, 1, keys))
    spread = F.reshape(spread, (batch * heads, 1, keys))
    return spread if mask is None else F.add(mask, spread)


def by_head(F: Any, each: Any, heads: int) -> Any:
    """(length, batch, size) as (batch * heads, length, size of a head)."""
    length, batch, size = each.meta.shape
    return F.transpose(F.reshape(each, (length, batch * heads, size // heads)), 0, 1)


def with_batch(F: Any, tensors: tuple[Any, ...], batched: bool) -> tuple[Any, ...]:
    """The tensors with a batch of one, the same tensor staying the same."""
    if batched:
        return tensors
    made: dict[int, Any] = {}
    for each in tensors:
        if id(each) not in made:
            made[id(each)] = F.unsqueeze(each, 1)
    return tuple(made[id(each)] for each in tensors)


def check_heads(size: int, wanted: int, heads: int, causal: bool, mask: Any) -> None:
    """Refuse sizes that do not fit, and a hint without its mask."""
    if causal and mask is None:
        raise RuntimeArgumentError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module method "
            "`generate_square_subsequent_mask` to create this mask."
        )
    require(size == wanted, f"was expecting embedding dimension of {wanted}, but got {size}")
    require(size % heads == 0, f"embed_dim {size} not divisible by num_heads {heads}")


def _widened(F: Any, mask: Any) -> Any:
    """A mask with a key more, which may be seen."""
    if mask is None:
        return None
    return F.cat([mask, F.zeros((*mask.meta.shape[:-1], 1), dtype=mask.meta.dtype)], -1)


def appended(
    F: Any, projected: list[Any], biases: tuple[Any, Any], mask: Any, padding: Any, zero: bool
) -> tuple[list[Any], Any, Any]:
    """Keys and values with a learned one behind them, and a zero one, and masks that have room for these."""
    query, key, value = projected
    batch, size = key.meta.shape[1:]
    if (biases[0] is None) != (biases[1] is None):
        which = "kv" if biases[1] is None else "vk"
        raise AssertedArgumentError(f"bias_{which[0]} is set but bias_{which[1]} is None")
    if biases[0] is not None:
        spread = [F.expand(each, (1, batch, size)) for each in biases]
        key, value = F.cat([key, spread[0]], 0), F.cat([value, spread[1]], 0)
        mask, padding = _widened(F, mask), _widened(F, padding)
    if zero:
        zeros = F.zeros((1, batch, size), dtype=key.meta.dtype)
        key, value = F.cat([key, zeros], 0), F.cat([value, zeros], 0)
        mask, padding = _widened(F, mask), _widened(F, padding)
    return [query, key, value], mask, padding


def attended(
    F: Any, heads: list[Any], mask: Any, p: float, count: int, sizes: tuple[int, int, int], weighed: bool
) -> tuple[Any, Any]:
    """The heads' results side by side, (queries * batch, size), and their weights by head."""
    query, key, value = heads
    batch, queries, keys = sizes
    size = query.meta.shape[-1]
    if not weighed:
        shaped = [F.view(each, (batch, count, each.meta.shape[1], size)) for each in heads]
        if mask is not None:
            one = mask.meta.shape[0] == 1
            mask = F.unsqueeze(mask, 0) if one else F.reshape(mask, (batch, count, -1, keys))
        found = F.scaled_dot_product_attention(*shaped, mask, p)
        return F.reshape(F.permute(found, (2, 0, 1, 3)), (queries * batch, count * size)), None
    scaled = F.mul(query, math.sqrt(1.0 / size))
    scores = F.bmm(scaled, F.transpose(key, -2, -1))
    weights = F.softmax(scores if mask is None else F.add(scores, mask), -1)
    weights = F.dropout(weights, p) if p > 0 else weights
    found = F.reshape(F.transpose(F.bmm(weights, value), 0, 1), (queries * batch, count * size))
    return found, F.view(weights, (batch, count, queries, keys))
