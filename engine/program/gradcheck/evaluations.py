"""A program's outputs at many points: one by one, or as a batch where that is possible."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.eager.tensor import Tensor
from engine.errors import EngineError, GraphError, NotImplementedYet
from engine.program.prepared import Prepared
from engine.program.program import Program
from engine.types import Shape

Array = np.ndarray[Any, Any]

_EPS = {name: float(np.finfo(name).eps) for name in ("float16", "float32")}
_BATCH_BYTES = 16 << 20  # what a batch may take: more gains no speed
_CALL_FLOPS = 1000  # what a call takes beside its arithmetic, as for those of loops
_CALLS = 40  # as many calls take what an evaluation takes beside its own


class Evaluations:
    """The outputs of a program as one flat array a point, all drawn with one seed.

    `here` is the evaluation at the inputs themselves, prepared with the settings `told` too; the outputs have
    `shapes`, and in the array `places`; `size` is that of all of them. `grain` is the relative error of the
    narrowest dtype on the way, 0 where that is float64.
    """

    def __init__(
        self,
        program: Program,
        inputs: dict[str, Tensor],
        outputs: Sequence[str] | None,
        seed: int,
        told: dict[str, Any],
    ) -> None:
        self._program, self._inputs, self._outputs = program, inputs, outputs
        self._settings: dict[str, Any] = {"seed": seed, "default_dtype": "float64", "trace": False}
        self.here = self._prepare({}, **told)
        explained = self.here.explain()
        self.shapes: dict[str, Shape] = {}
        for name, output in explained["outputs"].items():
            if not output["dtype"].startswith("float"):
                raise NotImplementedYet(f"gradcheck: output '{name}' is {output['dtype']}, not a real number")
            if "at_most" in output:
                raise NotImplementedYet(f"gradcheck: the size of output '{name}' is known only after a run")
            self.shapes[name] = tuple(output["shape"])
        if not self.shapes:
            raise GraphError("there is nothing to differentiate: no output", pointer=("outputs",))
        self.places: dict[str, slice] = {}
        self.size = 0
        for name, shape in self.shapes.items():
            self.places[name] = slice(self.size, self.size + math.prod(shape))
            self.size += math.prod(shape)
        made = [output.dtype.name for each in self.here.plan.instructions for output in each.outputs]
        self.grain = max([_EPS.get(dtype, 0.0) for dtype in made], default=0.0)
        self._call_flops = (explained["calls"] + _CALLS) * _CALL_FLOPS

    def _prepare(self, changed: dict[str, Array], **settings: Any) -> Prepared:
        inputs = dict(self._inputs)
        for name, array in changed.items():
            inputs[name] = Tensor(array, requires_grad=inputs[name].requires_grad)
        settings = {**self._settings, **settings}
        return self._program.prepare(inputs, route="forward", outputs=self._outputs, **settings)

    def flat(self, outputs: dict[str, Tensor], *lead: int) -> Array:
        """Outputs in one array, behind the axes `lead`."""
        return np.concatenate([outputs[name].array.reshape(*lead, -1) for name in self.shapes], axis=-1)

    def matrix(self, jacobians: dict[str, dict[str, Tensor]], name: str) -> Array:
        """The Jacobians by one input as one matrix: the elements of all outputs by those of the input."""
        return np.concatenate(
            [
                jacobians[output][name].array.reshape(math.prod(shape), self._inputs[name].numel())
                for output, shape in self.shapes.items()
            ]
        )

    def batch(self, stacks: dict[str, Array]) -> Prepared | None:
        """The evaluation at all points of `stacks`, copies of some inputs, at once; None where that is
        refused, or takes too much."""
        try:
            return self._prepare(stacks, batch={"inputs": list(stacks), "randomness": "same"})
        except EngineError:
            return None

    def one(self, point: dict[str, Array]) -> Array:
        """The outputs where some inputs are those of `point`."""
        return self.flat(self._prepare(point).run().outputs)

    def cost(self, batch: Prepared | None, points: int) -> tuple[int, int]:
        """Peak bytes and flops of evaluating `points`, in a batch or one by one."""
        if batch is None:
            return self.here.peak_bytes, points * (self.here.flops + self._call_flops)
        return batch.peak_bytes, batch.flops + self._call_flops

    def at_once(self, point_bytes: int, most: int) -> int:
        """How many points fit in a batch, up to `most`."""
        return max(1, min(most, _BATCH_BYTES // max(self.here.peak_bytes + point_bytes, 1)))


class Series:
    """Evaluations at `points` places, in which the inputs `changed` move: a multiple of `step` at once, in a
    batch where the program can be."""

    def __init__(self, runs: Evaluations, changed: dict[str, Array], points: int, step: int) -> None:
        self._runs = runs
        moving = sum(array.nbytes for array in changed.values())
        self.at_once = max(runs.at_once(moving + 8 * runs.size, points) // step, 1) * step
        stacks = {name: np.broadcast_to(each, (self.at_once, *each.shape)) for name, each in changed.items()}
        batch = runs.batch(stacks) if points else None
        self._batched = batch is not None
        self.nodes = 0 if batch is None else batch.nodes
        self.peak_bytes, flops = runs.cost(batch, self.at_once)
        self.peak_bytes += self.at_once * (moving + 8 * runs.size)
        self.flops = -(-points // self.at_once) * flops

    def values(self, stacks: dict[str, Array]) -> Array:
        """The outputs at the points of `stacks`, a row each; at most `at_once` of them."""
        count = len(next(iter(stacks.values())))
        batch = self._runs.batch(stacks) if self._batched else None
        if batch is not None:
            return self._runs.flat(batch.run().outputs, count)
        rows = [self._runs.one({name: each[at] for name, each in stacks.items()}) for at in range(count)]
        return np.stack(rows)
