"""`argnums`: which of a function's arguments a transform is about, and what else it is given or gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.eager.tensor import Tensor
from engine.eager.tracking import Transform
from engine.errors import RuntimeArgumentError
from engine.func import trees

Argnums = int | tuple[int, ...]


def chosen(argnums: Any, count: int) -> tuple[int, ...]:
    """The places, of `count` arguments, that `argnums` names."""
    if not isinstance(argnums, (int, tuple)):
        raise RuntimeArgumentError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    places = tuple(_place(each, count) for each in (argnums if isinstance(argnums, tuple) else (argnums,)))
    if not places:
        raise RuntimeArgumentError("argnums must be non-empty")
    if len(set(places)) != len(places):
        raise RuntimeArgumentError(f"argnums elements must be unique, got {places}")
    return places


def _place(argnum: Any, count: int) -> int:
    if not isinstance(argnum, int):
        raise RuntimeArgumentError(f"argnum must be int, got: {type(argnum)}")
    if not -count <= argnum < count:
        raise RuntimeArgumentError(f"Got argnum={argnum}, but only {count} positional inputs")
    return argnum % count


def replaced(args: Sequence[Any], places: Sequence[int], new: Sequence[Any]) -> list[Any]:
    """The arguments with those at `places` replaced."""
    found = list(args)
    for place, value in zip(places, new, strict=True):
        found[place] = value
    return found


def without_aux(output: Any, has_aux: bool, caller: str) -> tuple[Any, Any]:
    """A function's output and what it gives beside it, if it `has_aux`."""
    if not has_aux:
        return output, None
    if not (isinstance(output, tuple) and len(output) == 2):
        raise RuntimeArgumentError(
            f"{caller}: output of function f should be a tuple: (output, aux) if has_aux is True"
        )
    return output


def released(transform: Transform, tree: Any) -> Any:
    """A tree of tensors as it is outside the transform."""

    def release(leaf: Any) -> Any:
        if not isinstance(leaf, Tensor):
            raise RuntimeArgumentError(f"Expected tensors, got unsupported type {type(leaf)}")
        return transform.release(leaf)

    return trees.mapped(release, tree)


def check_outputs(outputs: Sequence[Any], caller: str) -> None:
    """A function differentiated by `caller` gives tensors, at least one."""
    if not outputs or (len(outputs) == 1 and outputs[0] is None):
        raise RuntimeArgumentError(
            f"{caller}: Expected f to be a function that has non-empty output (got output = {list(outputs)})"
        )
    for each in outputs:
        if not isinstance(each, Tensor):
            raise RuntimeArgumentError(
                f"{caller}: expected f(*primals) to return only tensors, got unsupported type {type(each)}"
            )


def check_real(caller: str, tree: Any, side: str) -> None:
    """Jacobians are made of real tensors."""
    for index, leaf in enumerate(trees.flatten(tree)[0]):
        if isinstance(leaf, Tensor) and leaf.dtype.is_complex:
            raise RuntimeArgumentError(
                f"{caller}: Expected all {side} to be real but received complex tensor at flattened input "
                f"idx: {index}"
            )
