"""Samples in parts: `chunk_size` of them at once, where all together would take too much memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from engine.eager.builder import F
from engine.func import trees
from engine.func.dims import Places
from engine.random import default_generator

Run = Callable[[Sequence[Any], int], Any]


def in_chunks(run: Run, places: Places, out_dims: Any, chunk_size: int, *, replay: bool) -> Any:
    """`run` on `chunk_size` samples after the other, results joined along `out_dims`; with `replay` every
    chunk draws the same random numbers."""
    generator = default_generator()
    state = generator.get_state()
    found = []
    for start in range(0, places.size, chunk_size):
        stop = min(start + chunk_size, places.size)
        if replay:
            generator.set_state(state)
        part = [
            leaf if dim is None else F.slice(leaf, dim, start, stop, 1)
            for leaf, dim in zip(places.leaves, places.dims, strict=True)
        ]
        found.append(run(part, stop - start))
    flat = [trees.flatten(each)[0] for each in found]
    structure = trees.flatten(found[0])[1]
    dims = trees.spread(out_dims, structure)
    assert dims is not None
    joined = [
        parts[0] if dim is None else F.cat(parts, dim)
        for parts, dim in zip(zip(*flat, strict=True), dims, strict=True)
    ]
    return trees.unflatten(joined, structure)
