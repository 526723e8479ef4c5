"""Arguments and results in nested containers, taken apart and put together again.

A tree is a tensor, or a tuple, list, dict, named tuple or OrderedDict of trees; anything else is a leaf, None
too. A `Structure` prints as PyTorch's TreeSpec, which the sentences of errors repeat.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

_SEQUENCES = (tuple, list)
_MAPPINGS = (dict, OrderedDict)


class Structure(NamedTuple):
    """A container's type and those inside it; `kind` None is a leaf. `context` has a mapping's keys, or the
    class of a named tuple."""

    kind: type | None
    context: Any
    children: tuple[Structure, ...]

    @property
    def leaves(self) -> int:
        """How many leaves a tree of this structure has."""
        return 1 if self.kind is None else sum(child.leaves for child in self.children)

    def show(self, indent: int = 0) -> str:
        """The structure in lines, as PyTorch prints it; `indent` is that of the line it stands on."""
        if self.kind is None:
            return "*"
        indent += 2
        inner = f",\n{' ' * indent}".join(child.show(indent) for child in self.children)
        name = "namedtuple" if _is_named(self.kind) else self.kind.__name__
        return f"TreeSpec({name}, {self.context}, [{inner}])"

    def __str__(self) -> str:
        return self.show()


LEAF = Structure(None, None, ())


class _Star:
    def __repr__(self) -> str:
        return "*"


def _is_named(kind: type) -> bool:
    return issubclass(kind, tuple) and hasattr(kind, "_fields")


def _children(tree: Any) -> tuple[Sequence[Any], Any] | None:
    """What a container holds, and the context of its structure; None for a leaf."""
    kind = type(tree)
    if kind in _SEQUENCES:
        return tree, None
    if kind in _MAPPINGS:
        return list(tree.values()), list(tree)
    return (tree, kind) if _is_named(kind) else None


def flatten(tree: Any) -> tuple[list[Any], Structure]:
    """The leaves of a tree in order, and its structure."""
    found = _children(tree)
    if found is None:
        return [tree], LEAF
    leaves: list[Any] = []
    structures = []
    for child in found[0]:
        inner, structure = flatten(child)
        leaves += inner
        structures.append(structure)
    return leaves, Structure(type(tree), found[1], tuple(structures))


def unflatten(leaves: Sequence[Any], structure: Structure) -> Any:
    """The tree of that structure with those leaves."""
    return _build(iter(leaves), structure)


def _build(leaves: Iterator[Any], structure: Structure) -> Any:
    kind = structure.kind
    if kind is None:
        return next(leaves)
    children = [_build(leaves, child) for child in structure.children]
    if kind in _MAPPINGS:
        return kind(zip(structure.context, children, strict=True))
    return kind(*children) if _is_named(kind) else kind(children)


def mapped(change: Callable[[Any], Any], tree: Any) -> Any:
    """The tree with each leaf changed."""
    leaves, structure = flatten(tree)
    return unflatten([change(leaf) for leaf in leaves], structure)


def outline(structure: Structure) -> str:
    """The containers with a star for each leaf: `(*, [*])`."""
    return repr(unflatten([_Star()] * structure.leaves, structure))


def spread(prefix: Any, structure: Structure) -> list[Any] | None:
    """A leaf of `prefix` for each leaf of the structure: one that stands where the structure has a container
    counts for all in it. None where the two do not fit."""
    found = _children(prefix)
    if found is None:
        return [prefix] * structure.leaves
    children, context = found
    if not _alike(type(prefix), structure.kind) or len(children) != len(structure.children):
        return None
    if type(prefix) in _MAPPINGS:
        if set(context) != set(structure.context):
            return None
        children = [prefix[key] for key in structure.context]
    result: list[Any] = []
    for child, inner in zip(children, structure.children, strict=True):
        part = spread(child, inner)
        if part is None:
            return None
        result += part
    return result


def _alike(kind: type, other: type | None) -> bool:
    return kind is other or (kind in _MAPPINGS and other in _MAPPINGS)
