"""vmap: a function written for one sample, run on all of them at once."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from engine import levels
from engine.eager.active import Batch
from engine.eager.builder import F
from engine.eager.tensor import Tensor
from engine.errors import RuntimeArgumentError, ValueArgumentError
from engine.func import trees
from engine.func.chunks import in_chunks
from engine.func.dims import Places, check_out_dims, in_places, name_of, out_places
from engine.levels import Level

_RANDOMNESS = ("error", "different", "same")


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that runs `func` for every sample of its arguments, and stacks what it gives.

    `in_dims` tells the axis of the samples: for every tensor, or in the structure of the arguments, None for
    a tensor that all samples share. `out_dims` tells where it is in the results. Random ops are refused,
    draw the "same" numbers for all samples, or "different" ones. `chunk_size` samples are run at once.
    """
    if randomness not in _RANDOMNESS:
        raise RuntimeArgumentError(
            f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}"
        )
    if chunk_size is not None and chunk_size <= 0:
        raise ValueArgumentError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")

    @functools.wraps(func)
    def batched(*args: Any, **kwargs: Any) -> Any:
        check_out_dims(func, out_dims)
        places = in_places(func, in_dims, args)

        def run(leaves: Sequence[Any], size: int) -> Any:
            return _run(
                func, Places(size, leaves, places.dims, places.structure), out_dims, randomness, kwargs
            )

        if chunk_size is None or places.size == 0:
            return run(places.leaves, places.size)
        return in_chunks(run, places, out_dims, chunk_size, replay=randomness == "same")

    return batched


def _run(
    func: Callable[..., Any], places: Places, out_dims: Any, randomness: str, kwargs: dict[str, Any]
) -> Any:
    """All samples at once."""
    with Batch(places.size, randomness) as batch:
        inside = [
            leaf if dim is None else levels.into(F, leaf, batch.level, dim)
            for leaf, dim in zip(places.leaves, places.dims, strict=True)
        ]
        outputs, structure = trees.flatten(func(*trees.unflatten(inside, places.structure), **kwargs))
        dims = out_places(func, out_dims, structure)
        name = name_of(func)
        found = [_outside(name, *pair, batch.level) for pair in zip(outputs, dims, strict=True)]
    return trees.unflatten(found, structure)


def _outside(name: str, output: Any, dim: int | None, level: Level) -> Any:
    """One result with its samples as an axis."""
    if dim is None:
        if isinstance(output, Tensor) and level in output.levels:
            raise ValueArgumentError(
                f"vmap({name}, ...): `{name}` can not return a BatchedTensor when out_dim is None"
            )
        return output
    if not isinstance(output, Tensor):
        raise ValueArgumentError(
            f"vmap({name}, ...): `{name}` must only return Tensors, got type {type(output)}. Did you mean to "
            "set out_dims= to None for output?"
        )
    return levels.out_of(F, output, level, dim)
