"""What loops and branches share: bodies, live parts, masks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from engine.flow import ControlKernel
from engine.graph import GraphNode, Value
from engine.levels import Levels
from engine.op import Op
from engine.signature import MISSING, Param
from engine.types import Type

CALL_FLOPS = 1000  # what a call takes beside its arithmetic: of small arrays, nearly all
STATE_BYTES = 2800  # a state of the random generator
RECORD_BYTES = 1000  # how control flow ran, and that in it
MANY = 1_000_000


def control_op(
    name: str, run: ControlKernel, types: Sequence[Type], fixed: int, count: int, *, draws: bool
) -> Op:
    """The record of one node: `fixed` operands without derivative, then `count` tensors."""
    kinds = ["Fixed"] * fixed + ["Tensor"] * count
    return Op(
        name=name,
        params=tuple(Param(f"v{at}", kind, True, MISSING, False) for at, kind in enumerate(kinds)),
        doc="Control flow.",
        kind="random" if draws else "control",
        run=run,
        infer=lambda *operands: tuple(types),
        vjp=_by_kernel,
        grad_fn=f"{name.title()}Backward0",
        outputs=tuple(f"r{at}" for at in range(len(types))),
    )


def ways(nodes: Iterable[GraphNode]) -> int:
    """In how many ways the control flow among `nodes` may run."""
    found = 1
    for node in nodes:
        if isinstance(node.op.run, ControlKernel) and node.op.run.primal:
            found *= node.op.run.ways
    return found


def _by_kernel(*_: Any, **__: Any) -> Any:
    raise TypeError("the kernel of control flow answers for its derivative")


def select(mask: Any, held: Levels, value: Value, new: Any, old: Any) -> Any:
    """`new` where `mask`, an array over the levels `held`, is true; `old` elsewhere."""
    place = tuple(slice(None) if level in held else None for level in value.levels)
    return np.where(mask[(*place, *(None,) * len(value.shape))], new, old)
