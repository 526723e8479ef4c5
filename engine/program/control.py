"""Loops as nodes: a `while` is one op whose kernel runs the plans of its condition and body.

Each loop makes a record of its own, so that the sweep, the trace and the plan see an ordinary node. Its last
output is a `LoopRecord`: how often it ran, and per iteration the values that the body's vjp needs.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from engine.bounded import same
from engine.dtypes import int64
from engine.errors import DTypeError, ShapeError
from engine.op import NoDerivative, Op
from engine.program.iteration import BackwardKernel, LoopGraphs, LoopKernel
from engine.signature import MISSING, Param
from engine.types import Type

RECORD = Type((), int64)  # the type that stands for a LoopRecord, which is no tensor


def while_op(graphs: LoopGraphs, *, random: bool) -> Op:
    """The record of one loop, `random` if its condition or body draws."""
    count = len(graphs.carried)
    total = count + len(graphs.captured)

    def vjp(F: Any, x: Any, y: Any, g: Any) -> Sequence[Callable[[], Any]]:
        graphs.differentiate()
        found: list[Any] = []

        def component(at: int) -> Any:
            if not found:
                seeds = [
                    F.zeros_like(r) if c is None else c for r, c in zip(y[:count], g[:count], strict=True)
                ]
                # what the iterations kept came from these: a second derivative would go through them
                history = x[:count] if any(each.requires_grad for each in graphs.residuals) else ()
                op = _while_vjp(graphs, len(history))
                produced = F.apply_op(op, y[count], *seeds, *x[count:], *history)
                found.extend(produced if isinstance(produced, tuple) else (produced,))
            return found[at]

        return [functools.partial(component, at) for at in range(total)]

    return Op(
        name="while",
        params=_params(["Tensor"] * total),
        doc="A loop.",
        kind="random" if random else "control",
        run=LoopKernel(graphs),
        infer=lambda *operands: (*(each.meta for each in graphs.carried), RECORD),
        vjp=vjp,
        grad_fn="WhileBackward0",
        outputs=(*(f"r{at}" for at in range(count)), "record"),
    )


def _while_vjp(graphs: LoopGraphs, history: int) -> Op:
    types = tuple(each.meta for each in (*graphs.carried, *graphs.captured))
    return Op(
        name="while_vjp",
        params=_params(["Fixed", *["Tensor"] * (len(types) + history)]),
        doc="The vjp of a loop.",
        kind="control",
        run=BackwardKernel(graphs),
        infer=lambda *operands: types,
        vjp=NoDerivative("a second derivative through while is not implemented yet"),
        grad_fn="WhileBackwardBackward0",
        outputs=tuple(f"r{at}" for at in range(len(types))),
    )


def _params(kinds: Sequence[str]) -> tuple[Param, ...]:
    return tuple(Param(f"v{at}", kind, False, MISSING, False) for at, kind in enumerate(kinds))


def check_carry(name: str, initial: Type, yielded: Type) -> None:
    """A carried value keeps its shape and dtype."""
    if not same(initial.shape, yielded.shape):
        raise ShapeError(
            f"while: carry '{name}' starts with shape {list(initial.shape)} and is yielded with "
            f"{list(yielded.shape)}",
            expected=list(initial.shape),
            actual=list(yielded.shape),
        )
    if initial.dtype is not yielded.dtype:
        raise DTypeError(
            f"while: carry '{name}' starts as {initial.dtype.name} and is yielded as {yielded.dtype.name}",
            expected=initial.dtype.name,
            actual=yielded.dtype.name,
        )
