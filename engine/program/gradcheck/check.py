"""`gradcheck_program`: a program's Jacobians by its gradient and by differences, compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine import dtypes
from engine.eager.tensor import Tensor
from engine.errors import NotImplementedYet, ValueArgumentError
from engine.gradcheck.messages import NONE_REQUIRES_GRAD
from engine.program.gradcheck import convergence, differences
from engine.program.gradcheck.evaluations import Evaluations, Series
from engine.program.gradcheck.report import Comparison, GradcheckReport, decide
from engine.program.gradcheck.running import Run
from engine.program.prepared import Prepared
from engine.program.program import Program
from engine.types import Type

Array = np.ndarray[Any, Any]

_ROW_FLOPS = 10_000  # what the quotients of a row take beside their arithmetic
_QUOTIENT_FLOPS = 10  # of a value of the function
_JACOBIANS = 6  # as many there are at once: those of the answer, and what they are made from
_TABLES = 8  # arrays as large as the values of a series, while they become rows


def gradcheck_program(
    program: Program, inputs: dict[str, Tensor], *, outputs: Sequence[str] | None = None, **settings: Any
) -> GradcheckReport:
    """Whether the gradient of `program` at `inputs` is right, and how much differs; see PreparedGradcheck."""
    return PreparedGradcheck(program, inputs, outputs=outputs, **settings).run()


class PreparedGradcheck:
    """A check of the named `outputs` (the last statement's, unless named) by the inputs that require grad.

    All is computed in float64, whatever the inputs' dtype and the default one; a dtype that the program names
    itself stays. Every evaluation draws the same numbers, those of `seed`. Complex inputs that require grad
    and complex outputs are refused. `trace` asks for that of the outputs; with `detect_anomaly` the first nan
    at the inputs themselves is refused by its place. Nothing is computed yet: `peak_bytes`, `flops` and
    `output_bytes` are predictions that hold for any values of these shapes, `nodes` is what planning for them
    took.
    """

    def __init__(
        self,
        program: Program,
        inputs: dict[str, Tensor],
        *,
        outputs: Sequence[str] | None = None,
        seed: int = 0,
        default_dtype: str = "float32",
        batch: dict[str, Any] | None = None,
        trace: bool | str = False,
        detect_anomaly: bool = False,
    ) -> None:
        dtypes.dtype(default_dtype)  # a dtype it has to be, though float64 is the one here
        if batch is not None:
            raise NotImplementedYet("gradcheck of a batch is not implemented yet", pointer=("batch",))
        given = {name: _doubled(name, each) for name, each in inputs.items()}
        self._arrays = {name: each.array for name, each in given.items() if each.requires_grad}
        if not self._arrays:
            raise ValueArgumentError(NONE_REQUIRES_GRAD, pointer=("inputs",))
        self._seed = seed
        told: dict[str, Any] = {"trace": trace, "detect_anomaly": detect_anomaly}
        self._runs = runs = Evaluations(program, given, outputs, seed, told)
        settings: dict[str, Any] = {**told, "trace": False, "seed": seed, "default_dtype": "float64"}
        self._jacobian = program.prepare(given, route="jacobian", outputs=[*runs.shapes], **settings)
        self._rows = {
            name: Series(runs, {name: array}, array.size * differences.COPIES, differences.COPIES)
            for name, array in self._arrays.items()
        }
        self._line = Series(runs, self._arrays, convergence.EVALUATIONS, 1)
        self._predict(program)

    def _predict(self, program: Program) -> None:
        runs, columns = self._runs, sum(array.size for array in self._arrays.values())
        series = [*self._rows.values(), self._line]
        parts: list[Prepared | Series] = [runs.here, self._jacobian, *series]
        jacobian = 8 * columns * runs.size
        values = max(each.at_once for each in series) * runs.size
        self.output_bytes = 2 * jacobian + runs.here.output_bytes + 8 * columns
        self.peak_bytes = (
            max(each.peak_bytes for each in parts) + _JACOBIANS * jacobian + 8 * _TABLES * values
        )
        self.flops = sum(each.flops for each in parts) + columns * _ROW_FLOPS
        self.flops += columns * runs.size * _QUOTIENT_FLOPS * (differences.COPIES + convergence.EVALUATIONS)
        self.nodes = sum(each.nodes for each in parts)
        for array in self._arrays.values():
            for shape in runs.shapes.values():
                program.limits.check_type(Type((*shape, *array.shape), dtypes.float64))
        program.limits.check("peak_bytes", self.peak_bytes)
        program.limits.check("output_bytes", self.output_bytes)

    def repeat(self) -> None:
        """A check for other numbers is another check: there is nothing to repeat."""

    def explain(self) -> dict[str, Any]:
        """What the whole check would take, and the plan of its analytical Jacobians, as plain data."""
        found = self._jacobian.explain()
        whole = ("peak_bytes", "flops", "output_bytes", "nodes")
        return {**found, **{name: getattr(self, name) for name in whole}}

    def run(self) -> GradcheckReport:
        """Compute both Jacobians and the remainder, and compare."""
        with np.errstate(all="ignore"):
            return self._report()

    def _report(self) -> GradcheckReport:
        runs = self._runs
        result = runs.here.run()
        here = runs.flat(result.outputs)
        derivative: Any = self._jacobian.run().derivative
        analytical = {name: derivative[name] for name in runs.shapes}
        exact = {name: runs.matrix(analytical, name) for name in self._arrays}
        run = Run(runs, self._arrays, here, exact)
        line = run.along(self._line, np.random.default_rng(self._seed))
        compared = Comparison(runs.shapes)
        numerical: dict[str, dict[str, Tensor]] = {name: {} for name in runs.shapes}
        for name, array in self._arrays.items():
            found = run.around(name, self._rows[name], line, compared)
            for output, at in runs.places.items():
                whole = found[:, at].T.reshape((*runs.shapes[output], *array.shape))
                numerical[output][name] = Tensor(np.ascontiguousarray(whole))
        finite = bool(np.isfinite(here).all())
        verdict, detail, worst = decide(compared, line.convergence, finite)
        ok, found_at = verdict == "right", (result.outputs, result.trace)
        return GradcheckReport(ok, verdict, detail, worst, numerical, analytical, line.convergence, *found_at)


def _doubled(name: str, given: Tensor) -> Tensor:
    """An input in float64 (or complex128), if it is not of integers."""
    if given.dtype.is_complex and given.requires_grad:
        raise NotImplementedYet(
            f"gradcheck: input '{name}' is {given.dtype.name}, not a real number", pointer=("inputs", name)
        )
    if not given.dtype.differentiable:
        return given
    wide = dtypes.complex128 if given.dtype.is_complex else dtypes.float64
    return Tensor(given.array.astype(wide.numpy, copy=False), requires_grad=given.requires_grad)
