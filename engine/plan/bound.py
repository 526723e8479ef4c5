"""The calls of a group on a tile, bound to the arrays of one thread's scratch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

import numpy as np

from engine.graph import Value
from engine.plan.block import Block
from engine.plan.slots import Call, Slot

Array = np.ndarray[Any, Any]
BLOCK_BYTES = 8 << 20  # of scratch that a thread keeps
LONG = 64  # rows at least, for arrays that are kept along the rows
LINE = 64  # bytes of a line of the cache
APART = 5  # lines

_local = threading.local()


def scratch(size: int) -> Array:
    """Memory of this thread: the same each time, unless it is more than a thread keeps."""
    if size > BLOCK_BYTES:
        return _on_a_line(size)
    found: Array | None = getattr(_local, "scratch", None)
    if found is None:
        found = _local.scratch = _on_a_line(BLOCK_BYTES)
    return found


def _on_a_line(size: int) -> Array:
    """Memory that begins where a line of the cache does: vectors that lie across two take twice as long."""
    found: Array = np.empty(size + LINE, np.uint8)
    return found[-found.ctypes.data % LINE :][:size]


def padded(size: int) -> int:
    """`size` bytes and what is left free behind them: arrays a multiple of 4 KiB apart hinder each other."""
    return (-(-size // LINE) + APART) * LINE


class Bound:
    """The steps of a block for `size` rows, in one piece of memory with `height` rows for every buffer."""

    def __init__(self, block: Block, size: int, height: int, memory: Array) -> None:
        self._block = block
        self._places = {id(slot): at for at, slot in enumerate(block.slots)}
        self._arrays: list[Any] = [slot.constant for slot in block.slots]
        buffers = list(_carved(block.buffers, height, memory))
        for at, slot in enumerate(block.slots):
            if slot.scratch:
                self._arrays[at] = buffers[slot.buffer][:size]
        self._rows = [(self._places[id(each)], at) for at, each in enumerate(block.inputs) if each.rows]
        self._whole = [(self._places[id(each)], at) for at, each in enumerate(block.inputs) if not each.rows]
        targets = [(at, slot.target) for at, slot in enumerate(block.slots) if slot.target is not None]
        self._targets = targets
        self._passing = [
            at for at, slot in enumerate(block.slots) if slot.source or slot.target or slot.fresh
        ]
        self._joins = [self._places[id(each.slot)] for each in block.joins]
        self._steps = [self._step(call, size) for call in block.calls]

    def _step(self, call: Call, size: int) -> tuple[Callable[..., Any], Any, int | None]:
        """A call with its arrays, if they are always the same; else with what takes them from their places,
        and where its result goes."""
        written = () if call.out.fresh else (call.out,)
        used = (*call.args, *written)
        places = [self._places[id(slot)] for slot in used]
        if written and all(slot.scratch or not (slot.rows or slot.source) for slot in used):
            return call.make(size), tuple([self._arrays[at] for at in places]), None
        taken: Any = itemgetter(*places) if len(places) > 1 else itemgetter(slice(places[0], places[0] + 1))
        return call.make(size), taken, self._places[id(call.out)]

    def run(self, given: Sequence[Array], results: Mapping[Value, Array], start: int, stop: int) -> list[Any]:
        """Compute the rows from `start` to `stop`; the parts of the reductions over rows."""
        arrays = self._arrays
        for place, at in self._rows:
            arrays[place] = given[at][start:stop]
        for place, at in self._whole:
            arrays[place] = given[at]
        for place, value in self._targets:
            arrays[place] = results[value][start:stop]
        for function, args, target in self._steps:
            if target is None:
                function(*args)
            else:
                arrays[target] = function(*args(arrays))
        parts = [arrays[place] for place in self._joins]
        for place in self._passing:
            arrays[place] = None  # or they would live as long as the plan
        return parts


def _carved(buffers: Sequence[Slot], height: int, memory: Array) -> Iterator[Array]:
    """An array of `height` rows for each of `buffers`, one behind the other."""
    offset = 0
    for slot in buffers:
        turned = slot.is_narrow and height >= LONG
        shape = (*slot.shape, height) if turned else (height, *slot.shape)
        array: Array = np.ndarray(shape, slot.dtype, memory, offset)
        yield np.moveaxis(array, -1, 0) if turned else array
        offset += padded(array.nbytes)


def needed(block: Block, height: int) -> int:
    """Bytes of memory that `Bound` carves."""
    return sum([padded(slot.row_bytes * height) for slot in block.buffers])
