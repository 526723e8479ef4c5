"""How the kernel of an op runs on arrays with levels: one leading axis for each, in front of a sample.

An elementwise kernel runs as it is, on operands aligned behind the leading axes. A kernel that counts its
dims from the end, or is told how many leading axes there are, runs on operands that have them all
("leading"). What else there is runs once for each sample ("loop").
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from engine.flow import ControlKernel
from engine.levels import INTO, SUM_OVER, Levels, sizes
from engine.op import Op
from engine.types import Type

Run = Callable[..., Any]
_RANKED = ("Dim", "Dims", "NewDim")


def compile_call(
    op: Op, operands: Sequence[Any], out: tuple[Type, ...], attrs: dict[str, Any], levels: Levels
) -> Run:
    """A function of the arrays of `operands` (values with `.meta` and `.levels`, or Python scalars) for the
    call of `op` whose results have `levels`; a random op's takes the generator first."""
    metas = [getattr(x, "meta", x) for x in operands]
    if isinstance(op.run, ControlKernel):
        return _controlled(op.run, operands)
    if op.kind == "level":
        return _compile_level(op, operands[0], levels, attrs)
    if not levels:
        return op.compile(metas, out, attrs)
    if op.kind == "random":
        return _random(op, metas, out, attrs, levels)
    if op.kind == "elementwise":
        places = [aligned(x, levels, out[0].ndim) for x in operands]
        return _on_aligned(op.compile(metas, out, attrs), places)
    spreads = [spread(x, levels) for x in operands]
    return _on_spread(_run_of(op, metas, out, attrs, levels), spreads)


def _controlled(run: ControlKernel, operands: Sequence[Any]) -> Run:
    spreads = [spread(x, levels) for x, levels in zip(operands, run.takes, strict=True)]
    if all(to is None for to in spreads):
        return run

    def call(generator: Any, *arrays: Any) -> Any:
        return run(generator, *[a if to is None else to(a) for a, to in zip(arrays, spreads, strict=True)])

    return call


def _run_of(
    op: Op, metas: Sequence[Any], out: tuple[Type, ...], attrs: dict[str, Any], levels: Levels
) -> Run:
    if op.batched == "leading":
        return _leading(op, metas, out, attrs, sizes(levels))
    return _looped(op.compile(metas, out, attrs), out, sizes(levels))


def _compile_level(op: Op, operand: Any, levels: Levels, attrs: dict[str, Any]) -> Run:
    level, held = attrs["level"], operand.levels
    if op is SUM_OVER:
        axis, dtype = held.index(level), operand.meta.dtype.numpy
        return lambda array: np.asarray(np.sum(array, axis=axis, dtype=dtype))
    if op is INTO:
        source = len(held) + attrs["dim"] + operand.meta.ndim
        target = levels.index(level)
    else:
        source = held.index(level)
        target = len(levels) + attrs["dim"] + operand.meta.ndim + 1
    return lambda array: np.moveaxis(array, source, target)


def aligned(operand: Any, levels: Levels, rank: int) -> tuple[Any, ...] | None:
    """The index that puts an operand's own axes behind all leading ones; None where numpy aligns them."""
    held: Levels = getattr(operand, "levels", ())
    missing = rank - operand.meta.ndim if held else 0
    if not held or (held == levels and not missing):
        return None
    return (*_leads(held, levels), *(None,) * missing, Ellipsis)


def _leads(held: Levels, levels: Levels) -> list[Any]:
    return [slice(None) if level in held else None for level in levels]


def _on_aligned(run: Run, places: Sequence[Any]) -> Run:
    if all(place is None for place in places):
        return run

    def call(*arrays: Any) -> Any:
        return run(*[a if at is None else a[at] for a, at in zip(arrays, places, strict=True)])

    return call


def spread(operand: Any, levels: Levels) -> Callable[[Any], Any] | None:
    """What gives an operand's array all leading axes, uncopied; None for a scalar or where it has them."""
    held: Levels | None = getattr(operand, "levels", None)
    if held is None or held == levels:
        return None
    place, shape = (*_leads(held, levels), Ellipsis), (*sizes(levels), *operand.meta.shape)
    return lambda array: np.broadcast_to(array[place], shape)


def _on_spread(run: Run, spreads: Sequence[Callable[[Any], Any] | None]) -> Run:
    def call(*arrays: Any, **out: Any) -> Any:
        return run(*[a if to is None else to(a) for a, to in zip(arrays, spreads, strict=True)], **out)

    return call


def _led(meta: Type, lead: tuple[int, ...]) -> Type:
    return Type((*lead, *meta.shape), meta.dtype)


def _leading(
    op: Op, metas: Sequence[Any], out: tuple[Type, ...], attrs: dict[str, Any], lead: tuple[int, ...]
) -> Run:
    """The kernel on operands with leading axes: all its dims are counted from the end, so only sizes change,
    and "all dims". A 0-dim sample is given a dim, for there is none to count."""
    rank = max([meta.ndim for meta in metas if isinstance(meta, Type)], default=0)
    given = dict(attrs)
    for param in op.params:
        value = attrs.get(param.name)
        everything = value is None or (value == () and (not rank or out[0].shape != metas[0].shape))
        if param.kind == "Dims" and everything and param.name in attrs:
            given[param.name] = tuple(range(-max(rank, 1), 0))
        elif param.kind == "Shape" and param.name == "size":
            given[param.name] = (*lead, *attrs["size"])
    ranked = any(param.kind in _RANKED for param in op.params)
    lift = rank == 0 and ranked
    run = op.compile([_led(m, lead) if isinstance(m, Type) else m for m in metas],
                     tuple(_led(meta, lead) for meta in out), given, len(lead))  # fmt: skip
    if not lift:
        return run

    def call(*arrays: Any) -> Any:
        found = run(*[a[..., None] if isinstance(a, np.ndarray) else a for a in arrays])
        if op.single:
            return found.reshape((*lead, *out[0].shape))
        return tuple(y.reshape((*lead, *meta.shape)) for y, meta in zip(found, out, strict=True))

    return call


def _looped(run: Run, out: tuple[Type, ...], lead: tuple[int, ...]) -> Run:
    """The kernel once for each sample."""
    places = list(itertools.product(*map(range, lead)))

    def call(*arrays: Any) -> Any:
        results = [np.empty((*lead, *meta.shape), meta.dtype.numpy) for meta in out]
        for place in places:
            found = run(*[a[place] if isinstance(a, np.ndarray) else a for a in arrays])
            for result, each in zip(results, found if isinstance(found, tuple) else (found,), strict=True):
                result[place] = each
        return results[0] if len(results) == 1 else tuple(results)

    return call


def _random(
    op: Op, metas: Sequence[Any], out: tuple[Type, ...], attrs: dict[str, Any], levels: Levels
) -> Run:
    """Draws for every sample: one after another as the numbers come, like one draw of them all."""
    lead = sizes(levels)
    if op.batched == "leading":
        return op.compile(metas, tuple(_led(meta, lead) for meta in out), attrs)
    one = op.compile(metas, out, attrs)

    def call(generator: Any, *arrays: Any) -> Any:
        return _looped(lambda *_: one(generator, *arrays), out, lead)()

    return call
