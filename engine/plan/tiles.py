"""A group of calls as one kernel: numpy ufuncs on a tile of rows, tile after tile, on several threads.

What only the group reads lives in scratch of a tile's size, which stays in the cache; results are written
straight into their arrays. Rows of few elements are kept side by side in scratch, so that numpy's inner loop
runs along the rows and what is broadcast over them is one number.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.dtypes import default_dtype, get_default_dtype
from engine.graph import Value
from engine.plan.arena import empty
from engine.plan.block import Block
from engine.plan.bound import BLOCK_BYTES, Bound, needed, scratch
from engine.plan.grouping import Group
from engine.plan.identities import uniform
from engine.plan.rows import full_shape
from engine.plan.slots import Slot
from engine.threads import get_num_threads, spread

MAX_BYTES = 8 << 20  # of all that a tile reads and writes
MIN_TILE = (
    1 << 17
)  # elements of a call, where there are so many: with fewer, threads wait for the interpreter
STEP = 64  # rows of a tile are a multiple of it, so that tiles begin on lines of the cache
MAX_BOUND = 16

Array = np.ndarray[Any, Any]


class Tiles:
    """The kernel of a group: called with the arrays of its `operands`, it gives those of its `outputs`."""

    def __init__(self, group: Group) -> None:
        self.members, self.outputs = group.members, group.outputs
        self.flat = is_flat(group)
        self.block = block = Block(group, self.flat)
        self.operands = list(dict.fromkeys([slot.source for slot in block.inputs if slot.source]))
        self.rows = self._all_rows(group)
        self.height = self._height()
        self.count = -(-self.rows // self.height)
        self.scratch_bytes = needed(block, self.height)
        self._joined = {each.value for each in block.joins}
        self._sources = [self.operands.index(slot.source) for slot in block.inputs if slot.source]
        self._default = get_default_dtype()
        self._bound: dict[tuple[int, int], Bound] = {}  # by the scratch's identity and the number of rows

    def _all_rows(self, group: Group) -> int:
        rows = group.uses[0].rows
        if not self.flat:
            return rows
        shapes = (
            full_shape(x)
            for each in group.members
            for x in (*each.operands, *each.outputs)
            if isinstance(x, Value)
        )
        return next(math.prod(shape) for shape in shapes if shape and shape[0] == rows)

    def _height(self) -> int:
        """The rows of a tile. It does not depend on the threads: sums of parts have the same bits on all
        machines."""
        widest = max([slot.elements for slot in self.block.slots if slot.rows], default=1)
        least = -(-MIN_TILE // max(widest, 1))
        most = MAX_BYTES // max(self.block.row_bytes, 1)
        height = max(1, min(self.rows, least, most))
        even = -(-self.rows // max(1, round(self.rows / height)))
        return min(self.rows, -(-even // STEP) * STEP if even > STEP else even)

    @property
    def workspace(self) -> int:
        """Bytes beside operands and results: scratch for each thread, and the parts of what is joined."""
        parts = sum([each.value.nbytes for each in self.block.joins]) * self.count
        each = self.scratch_bytes + self.block.allocated * self.height
        return each * min(get_num_threads(), self.count) + 2 * parts

    def __call__(self, *arrays: Array) -> tuple[Any, ...]:
        given = [
            self._entered(slot, arrays[at]) for slot, at in zip(self.block.inputs, self._sources, strict=True)
        ]
        results = {y: empty(full_shape(y), y.dtype.numpy) for y in self.outputs if y not in self._joined}
        targets = {y: array.reshape(-1) for y, array in results.items()} if self.flat else results
        parts: list[list[Any]] = [[] for _ in range(self.count)]

        def tile(number: int) -> None:
            start = number * self.height
            stop = min(start + self.height, self.rows)
            parts[number] = self._bound_to(stop - start).run(given, targets, start, stop)

        spread(tile, self.count)
        for join, of_tiles in zip(self.block.joins, zip(*parts, strict=True), strict=True):
            results[join.value] = join(of_tiles)
        return tuple([results[y] for y in self.outputs])

    def _entered(self, slot: Slot, array: Any) -> Any:
        """An operand's array as the tiles read it."""
        if self.flat:
            return array.reshape(-1) if slot.rows else np.asarray(array).reshape(())
        return array if slot.rows else np.asarray(array)[slot.place]

    def _bound_to(self, size: int) -> Bound:
        """The block bound to this thread's scratch."""
        memory = scratch(self.scratch_bytes)
        if memory.nbytes > BLOCK_BYTES:
            return self._bind(size, memory)
        found = self._bound.get((id(memory), size))
        if found is None:
            if len(self._bound) >= MAX_BOUND:  # threads that are gone leave theirs
                self._bound.clear()
            found = self._bound[id(memory), size] = self._bind(size, memory)
        return found

    def _bind(self, size: int, memory: Array) -> Bound:
        with default_dtype(self._default):
            return Bound(self.block, size, self.height, memory)


def is_flat(group: Group) -> bool:
    """Whether all arrays with rows have one shape, so that a tile may begin and end anywhere: where an array
    is not read by whole rows, and none has the strides of a view."""
    shapes = set()
    for each, use in zip(group.members, group.uses, strict=True):
        if each.op.kind != "elementwise" and not (use.joins and use.joins.op == "_sum_all"):
            return False
        if each.op.kind != "elementwise" and each.outputs[0].levels:
            return False
        pairs = list(zip(each.operands, use.carried, strict=True))
        with_rows = [x for x, has in pairs if has]
        whole = [x for x, has in pairs if not has and isinstance(x, Value) and uniform(x) is None]
        if any(math.prod(full_shape(x)) != 1 for x in whole):
            return False
        values = with_rows if use.joins else [*with_rows, each.outputs[0]]
        shapes.update([full_shape(x) for x in values])
        if any(x.meta.strides is not None for x in values):
            return False
    return len(shapes) == 1
