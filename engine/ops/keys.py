"""Reading and writing at index tensors, also where batch axes stand in front of the tensor and of them.

numpy's index of a batch has one array for each batch axis beside those that are given; where all samples have
the same indices, a slice does. numpy then puts the dims that are gathered elsewhere than for one sample: it
keeps them in place only if all arrays stand next to each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from engine.leading import behind, positions, shared
from engine.ops.places import is_mask, numpy_key, out_of_bounds, spread, written_elsewhere
from engine.signature import Array
from engine.types import Shape


class Key(NamedTuple):
    """A numpy index. The `gathered` dims begin at `source`, and belong at `target`."""

    places: tuple[Any, ...]
    gathered: int = 0
    source: int = 0
    target: int = 0

    def read(self, array: Array) -> Array:
        """What the index gives, in the order of one sample's."""
        found: Array = array[self.places]
        return np.moveaxis(found, self._axes(self.source), self._axes(self.target)) if self.moves else found

    def ordered(self, values: Array, rank: int, lead: int) -> Array:
        """Values for samples of `rank` dims, in the order of the index."""
        values = behind(values, lead, rank)
        return np.moveaxis(values, self._axes(self.target), self._axes(self.source)) if self.moves else values

    @property
    def moves(self) -> bool:
        """Whether numpy puts the dims elsewhere."""
        return self.source != self.target

    def _axes(self, start: int) -> list[int]:
        return list(range(start, start + self.gathered))


def read(input: Array, indices: Sequence[Array | None], lead: int) -> Array:
    """The elements of `input` at `indices`."""
    try:
        if _masks_differ(indices, lead):
            each = [input[at][numpy_key(own)] for at, own in _samples(indices, input.shape[:lead])]
            return np.stack(each).reshape((*input.shape[:lead], *each[0].shape))
        return key_of(indices, input.shape[:lead]).read(input)
    except IndexError:
        raise out_of_bounds(input.shape[lead:], indices, lead) from None


def taken(input: Array, index: Array, dim: int, lead: int) -> Array:
    """The slices of `input` at `index`, one dim, along `dim`."""
    same = shared(index, lead)
    if same is not None:
        found: Array = np.take(input, same, axis=dim)
        return found
    shape = [*input.shape[:lead], *(1,) * (input.ndim - lead)]
    shape[dim] = index.shape[-1]
    return np.take_along_axis(input, index.reshape(shape), dim)


def write(input: Array, indices: Sequence[Array | None], values: Array, accumulate: bool, lead: int) -> Array:
    """`input` with `values` written at `indices`, or added there."""
    found: Array = input.copy(order="C" if lead else "K")
    try:
        if _masks_differ(indices, lead):
            for at, own in _samples(indices, input.shape[:lead]):
                _put(found[at], numpy_key(own), values[at], accumulate)
        else:
            key = key_of(indices, input.shape[:lead])
            taken = sum(each is not None for each in spread(indices, lead))
            values = key.ordered(values, input.ndim - lead - taken + key.gathered, lead)
            _put(found, key.places, values, accumulate)
    except IndexError:
        raise out_of_bounds(input.shape[lead:], indices, lead) from None
    return found


def _put(array: Array, key: tuple[Any, ...], values: Array, accumulate: bool) -> None:
    values = values.reshape(()) if values.size == 1 else values  # where a mask selects, of any shape
    try:
        if accumulate:
            np.add.at(array, key, values)
        else:
            array[key] = values
    except (TypeError, ValueError):  # a mask selects more or fewer: nobody knew before
        raise written_elsewhere(values.shape, array[key].shape) from None


def _masks_differ(indices: Sequence[Array | None], lead: int) -> bool:
    """Whether each sample has a mask of its own; then the samples may take unlike places."""
    return lead > 0 and any(
        each is not None and is_mask(each) and shared(each, lead) is None for each in indices
    )


def _samples(indices: Sequence[Array | None], batch: Shape) -> Iterator[tuple[Shape, list[Array | None]]]:
    """Each sample's place and indices."""
    for at in np.ndindex(*batch):
        yield at, [None if each is None else each[at] for each in indices]


def key_of(indices: Sequence[Array | None], batch: Shape) -> Key:
    """The index for tensors with the axes `batch` in front; masks are those of all samples."""
    lead = len(batch)
    if not lead:
        return Key(numpy_key(indices))
    own = [None if each is None else shared(each, lead) for each in indices]
    places = [at for at, each in enumerate(spread(indices, lead)) if each is not None]
    if not places:
        return Key((slice(None),) * (lead + len(indices)))
    together = places == list(range(places[0], places[-1] + 1))
    count = max(1 if is_mask(each) else each.ndim - lead for each in indices if each is not None)
    if all(each is None or mine is not None for each, mine in zip(indices, own, strict=True)):
        return Key((*(slice(None),) * lead, *numpy_key(own)), count, 0, 0 if together else lead)
    apart: list[Any] = []
    for each, mine in zip(indices, own, strict=True):
        if mine is not None and is_mask(mine):
            apart += np.nonzero(mine)
        else:
            apart.append(slice(None) if each is None else behind(each, lead, count))
    return Key((*positions(batch, count), *apart), count, lead, lead + (places[0] if together else 0))
