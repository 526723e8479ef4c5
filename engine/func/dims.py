"""`in_dims` and `out_dims`: which axis of each tensor is that of the samples, with torch's errors."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from engine.eager.tensor import Tensor
from engine.errors import ValueArgumentError
from engine.func import trees


class Places(NamedTuple):
    """The flat arguments of a call: how many samples, and their axis in each (None: it is shared)."""

    size: int
    leaves: Sequence[Any]
    dims: Sequence[int | None]
    structure: trees.Structure


def name_of(func: Callable[..., Any]) -> str:
    """A function's name, as errors show it."""
    if isinstance(func, functools.partial):
        return f"functools.partial({name_of(func.func)}, ...)"
    return getattr(func, "__name__", None) or repr(func)


def in_places(func: Callable[..., Any], in_dims: Any, args: tuple[Any, ...]) -> Places:
    """The samples of `args`; ValueArgumentError if `in_dims` does not fit them."""
    call = f"vmap({name_of(func)}, in_dims={in_dims}, ...)(<inputs>)"
    if not isinstance(in_dims, (int, tuple)):
        raise ValueArgumentError(
            f"{call}: expected `in_dims` to be int or a (potentially nested) tuple matching the structure of "
            f"inputs, got: {type(in_dims)}."
        )
    if not args:
        raise ValueArgumentError(
            f"vmap({name_of(func)})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you are "
            "trying to vmap over a function with no inputs. The latter is unsupported."
        )
    leaves, structure = trees.flatten(args)
    dims = trees.spread(in_dims, structure)
    if dims is None:
        raise ValueArgumentError(
            f"{call}: in_dims is not compatible with the structure of `inputs`. in_dims has structure "
            f"{trees.flatten(in_dims)[1]} but inputs has structure {structure}."
        )
    dims = [_in_dim(call, leaf, dim) for leaf, dim in zip(leaves, dims, strict=True)]
    sizes = [leaf.meta.shape[dim] for leaf, dim in zip(leaves, dims, strict=True) if dim is not None]
    if not sizes:
        raise ValueArgumentError("vmap: Expected at least one Tensor to vmap over")
    if len(set(sizes)) > 1:
        raise ValueArgumentError(
            "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
            f"{sizes} for the mapped dimension"
        )
    return Places(sizes[0], leaves, dims, structure)


def _in_dim(call: str, leaf: Any, dim: Any) -> int | None:
    if dim is None:
        return None
    if not isinstance(dim, int):
        raise ValueArgumentError(
            f"{call}: Got in_dim={dim} for an input but in_dim must be either an integer dimension or None."
        )
    if not isinstance(leaf, Tensor):
        raise ValueArgumentError(
            f"{call}: Got in_dim={dim} for an input but the input is of type {type(leaf)}. We cannot vmap "
            "over non-Tensor arguments, please use None as the respective in_dim"
        )
    if not -leaf.ndim <= dim < leaf.ndim:
        raise ValueArgumentError(
            f"{call}: Got in_dim={dim} for some input, but that input is a Tensor of dimensionality "
            f"{leaf.ndim} so expected in_dim to satisfy -{leaf.ndim} <= in_dim < {leaf.ndim}."
        )
    return dim % leaf.ndim


def check_out_dims(func: Callable[..., Any], out_dims: Any) -> None:
    """`out_dims` is made of ints and None."""
    for each in trees.flatten(out_dims)[0]:
        if each is not None and not isinstance(each, int):
            raise ValueArgumentError(
                f"vmap({name_of(func)}, ..., out_dims={out_dims}): `out_dims` must be an int, None or a "
                "python collection of ints representing where in the outputs the vmapped dimension should "
                "appear."
            )


def out_places(func: Callable[..., Any], out_dims: Any, structure: trees.Structure) -> list[int | None]:
    """The axis of the samples in each result; ValueArgumentError if `out_dims` does not fit them."""
    if structure == trees.LEAF and isinstance(out_dims, tuple) and len(out_dims) == 1:
        return list(out_dims)
    dims = trees.spread(out_dims, structure)
    if dims is None:
        raise ValueArgumentError(
            f"vmap({name_of(func)}, ..., out_dims={out_dims})(<inputs>): out_dims is not compatible with the "
            f"structure of `outputs`. out_dims has structure {trees.flatten(out_dims)[1]} but outputs has "
            f"structure {structure}."
        )
    return dims
