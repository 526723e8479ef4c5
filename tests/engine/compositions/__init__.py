"""Derivatives of derivatives, and of batches, as small functions that run on torch and on the engine alike.

A composition is a function of a torch, or of the engine in its place, and gives tensors in (nested) dicts,
tuples and lists. `python -m tests.oracle.compositions` stores what torch 2.13 computes, in all digits; the
tests compose the same with the engine.
"""

import importlib
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

MODULES = ("scalars", "models", "batches", "jacobians", "functional", "loops", "nested")

Composition = Callable[[Any], Any]


def compositions(module: str) -> Iterator[tuple[str, Composition]]:
    """The compositions of a module by name, in the order in which they stand."""
    loaded = importlib.import_module(f"{__name__}.{module}")
    for name, found in list(vars(loaded).items()):
        if inspect.isfunction(found) and found.__module__ == loaded.__name__ and not name.startswith("_"):
            yield name, found


def names(*modules: str) -> list[tuple[str, str]]:
    """(module, composition) of every composition of these modules."""
    return [(module, name) for module in modules for name, _ in compositions(module)]


def compose(module: str, name: str, torch: Any) -> dict[str, Any]:
    """What a composition gives: its tensors, each by its place."""
    return dict(_leaves("", dict(compositions(module))[name](torch)))


def _leaves(place: str, tree: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(tree, dict):
        children = list(tree.items())
    elif isinstance(tree, (tuple, list)):
        children = list(enumerate(tree))
    else:
        yield place, tree
        return
    for key, child in children:
        yield from _leaves(f"{place}.{key}" if place else str(key), child)


def numbers(t: Any, *shape: int, seed: int, grad: bool = False) -> Any:
    """A float64 tensor of numbers between -1 and 1, three digits each."""
    drawn = np.random.RandomState(seed).uniform(-1, 1, shape).round(3)
    return t.tensor(drawn.tolist(), dtype=t.float64, requires_grad=grad)
