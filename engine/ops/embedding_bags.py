"""embedding_bag: rows of a table by their numbers, put together bag by bag."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite
from engine.errors import NotImplementedYet, RuntimeArgumentError, ValueArgumentError
from engine.op import refused, sample
from engine.signature import Index, Tensor
from engine.types import Type

_MODES = {"sum": 0, "mean": 1, "max": 2}


def _check_call(
    input: Type, weight: Type, offsets: Any, mode: str, scale: bool, sparse: bool, shares: Any
) -> None:
    if shares is not None and shares.shape != input.shape:
        raise ValueArgumentError(
            f"embedding_bag: If per_sample_weights (torch.Size({list(shares.shape)})) is not None, then it "
            "must "
            f"have the same shape as the input (torch.Size({list(input.shape)}))"
        )
    if weight.ndim != 2:
        raise ValueArgumentError(f"weight has to be a 2D Tensor, but got Tensor of dimension {weight.ndim}")
    if input.ndim == 2 and offsets is not None:
        raise ValueArgumentError(
            "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed "
            "length "
            "sequences. However, found offsets of type <class 'torch.Tensor'>"
        )
    if input.ndim == 1 and offsets is None:
        raise ValueArgumentError("offsets has to be a 1D Tensor but got None")
    if input.ndim == 1 and offsets.ndim != 1:
        raise ValueArgumentError("offsets has to be a 1D Tensor")
    if input.ndim not in (1, 2):
        raise ValueArgumentError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.ndim}")
    if mode not in _MODES:
        raise ValueArgumentError("mode has to be one of sum, mean or max")
    if mode == "max" and scale:
        raise ValueArgumentError("max mode does not support scaling the gradient by the frequency")
    if sparse:
        raise NotImplementedYet("embedding_bag(): sparse is not implemented", actual="sparse")
    if shares is not None and mode != "sum":
        raise NotImplementedYet(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for "
            "mode='sum' "
            f"(got mode='{mode}'). Please open a feature request on GitHub."
        )


@composite(
    "nn.functional.embedding_bag",
    samples=lambda make: [
        sample(np.array([[0, 2], [1, 1]]), make(3, 2)),
        sample(np.array([[0, 2, 1]]), make(3, 2), mode="sum", per_sample_weights=make(1, 3)),
        sample(np.array([0, 2, 1, 2]), make(3, 2), np.array([0]), mode="max"),
        sample(np.array([0, 2, 2]), make(3, 2), np.array([0, 0]), mode="sum", padding_idx=0),
        sample(np.array([0, 2, 2]), make(3, 2), np.array([0, 0]), include_last_offset=True),
        sample(np.array([[0, 2], [1, 3]]), make(4, 2), mode="sum", scale_grad_by_freq=True),
    ],
    refusals=lambda make: [
        refused("if input is 2D, then offsets has to be None", np.array([[0]]), make(3, 2), np.array([0])),
        refused("offsets has to be a 1D Tensor but got None", np.array([0]), make(3, 2)),
        refused("num_embeddings but found idx to be 5", np.array([5]), make(3, 2), np.array([0])),
        refused("However, got 1", np.array([0]), make(3, 2), np.array([1])),
        refused("but got offsets[-1] of 5", np.array([0, 1]), make(3, 2), np.array([0, 5])),
        refused("mode has to be one of sum, mean or max", np.array([[0]]), make(3, 2), mode="x"),
        refused("weight has to be a 2D Tensor, but got Tensor of dim", np.array([0]), make(3), np.array([0])),
        refused("embedding_bag(): max_norm is not implemented", np.array([[0]]), make(3, 2), max_norm=1.0),
        refused("embedding_bag(): sparse is not implemented", np.array([[0]]), make(3, 2), sparse=True),
    ],
)
def embedding_bag(
    F: Any,
    input: Index,
    weight: Tensor,
    offsets: Index | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Any:
    """The sum, mean or maximum of the rows of `weight` that each bag of `input` names.

    Of equals the first row of a bag gets the gradient. The row `padding_idx` is left out.

    Unlike torch: `max_norm` and `sparse` are refused; there is a second derivative.
    """
    metas = [None if each is None else each.meta for each in (offsets, per_sample_weights)]
    _check_call(input.meta, weight.meta, metas[0], mode, scale_grad_by_freq, sparse, metas[1])
    if max_norm is not None:
        raise NotImplementedYet("embedding_bag(): max_norm is not implemented", actual="max_norm")
    if input.meta.ndim == 2:
        offsets = F.arange(0, input.meta.numel, max(input.meta.shape[1], 1))
        input = F.reshape(input, (-1,))
        per_sample_weights = None if per_sample_weights is None else F.reshape(per_sample_weights, (-1,))
    rows = weight.meta.shape[0]
    if padding_idx is not None and not -rows <= padding_idx < rows:
        raise RuntimeArgumentError(
            f"padding_idx must be within the number of embeddings, -{rows} through {rows - 1}, but got "
            f"{padding_idx}"
        )
    left_out = -1 if padding_idx is None else padding_idx % rows
    settings = (scale_grad_by_freq, _MODES[mode], sparse, include_last_offset, left_out)
    return F._embedding_bag(weight, input, offsets, per_sample_weights, *settings)[0]
