"""A program bound to its inputs."""

from __future__ import annotations

from typing import Any

from engine.graph import Graph
from engine.plan import Plan
from engine.program.compiled import Compiled
from engine.program.explain import outline
from engine.program.plans import Plans
from engine.program.repeat import Repeat
from engine.program.request import Request
from engine.program.result import Result


class Prepared:
    """A program bound to its inputs. Nothing is computed yet; `peak_bytes`, `flops` and `output_bytes` are
    predictions that hold for any values of these shapes, `nodes` is what planning for them took."""

    __slots__ = ("_compiled", "_plans", "_request")

    def __init__(self, compiled: Compiled, request: Request, plans: Plans) -> None:
        self._compiled = compiled
        self._request = request
        self._plans = plans

    @property
    def peak_bytes(self) -> int:
        return self._compiled.peak_bytes

    @property
    def flops(self) -> int:
        return self._compiled.best.flops

    @property
    def nodes(self) -> int:
        return self._compiled.nodes

    @property
    def output_bytes(self) -> int:
        return self._compiled.output_bytes

    @property
    def graph(self) -> Graph:
        """What the statements, and derivatives of them, became; `engine.listing` shows it as text."""
        return self._compiled.lowering.graph

    @property
    def plan(self) -> Plan:
        """What a run calls."""
        return self._compiled.plan

    def run(self) -> Result:
        """Compute the outputs, grads and trace."""
        return self._compiled.run(self._request.arrays, self._request.seed)

    def repeat(self) -> Repeat | None:
        """The same for other numbers; None if more than numbers may vary from run to run: with control flow,
        sizes that only a run tells, or values in the trace."""
        if self._compiled.varies:
            return None
        return Repeat(self._compiled, self._plans, self._request.arrays)

    def explain(self) -> dict[str, Any]:
        """What a run would give, take and do, as plain data: output types, predictions, the plan."""
        compiled = self._compiled
        plan = compiled.plan
        return {
            "peak_bytes": self.peak_bytes,
            "flops": self.flops,
            "output_bytes": self.output_bytes,
            **outline(plan, compiled.answered, compiled.nodes),
        }
