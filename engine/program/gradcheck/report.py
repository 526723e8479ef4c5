"""What a check of a program's gradient answers, and how it is decided."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.eager.tensor import Tensor
from engine.program.gradcheck.convergence import Convergence
from engine.program.gradcheck.differences import Quotients

Array = np.ndarray[Any, Any]
Index = tuple[int, ...]

RTOL = 1e-6  # of a derivative, beside three times the error of its quotient
SMOOTH = 1.25  # a remainder of a lower order is no smooth function's with the right gradient
_ROUGH = 1e-2  # an error, of what an output changes by, that confirms nothing


@dataclass(frozen=True, slots=True)
class Worst:
    """The element of the Jacobians where they differ most: d `output`[`index`] / d `input`[`input_index`].

    `error` is what the numerical value may be off by.
    """

    output: str
    input: str
    index: Index
    input_index: Index
    numerical: float
    analytical: float
    absolute: float
    relative: float
    error: float

    @property
    def name(self) -> str:
        """The derivative, as one writes it."""
        return f"d {self.output}{_place(self.index)} / d {self.input}{_place(self.input_index)}"


@dataclass(frozen=True, slots=True)
class GradcheckReport:
    """`ok` is whether `verdict` is "right": both the Jacobians and the order of the remainder say so.

    Else it is "wrong"; "kink" where the function has more than one slope, or jumps, at the point or nearer
    to it than the steps: no derivative is the right one there; "non-finite" where an output or a derivative
    is not a number; "undecided" where the outputs are too noisy, or change too fast, to tell. `detail` is the
    reason in a sentence. Jacobians are by output and input, of shape output + input; outputs, as all the
    rest, in float64.
    """

    ok: bool
    verdict: str
    detail: str
    worst: Worst | None
    numerical: dict[str, dict[str, Tensor]]
    analytical: dict[str, dict[str, Tensor]]
    convergence: Convergence
    outputs: dict[str, Tensor]
    trace: dict[str, Any] | None = None


class Comparison:
    """The Jacobians compared so far: rows of input elements, with all outputs of `shapes`.

    `worst` has, for each verdict on an element that was found, the element for which it is plainest.
    """

    def __init__(self, shapes: dict[str, Index]) -> None:
        self._shapes = shapes
        self.worst: dict[str, Worst] = {}
        self._excess: dict[str, float] = {}

    def rows(self, name: str, shape: Index, first: int, exact: Array, found: Quotients, steep: Array) -> None:
        """Compare the derivatives by some elements of input `name`, of `shape`, from the `first` on; `steep`
        are what they are where that element alone changes the outputs by as much as they are known to."""
        off = np.abs(exact - found.value)
        allowed = RTOL * np.maximum(np.abs(exact), np.abs(found.value)) + 3 * found.error
        excess = np.where(off == 0, 0.0, off / allowed)
        rough = ~(found.error <= _ROUGH * np.maximum(np.abs(found.value), steep))
        wrong = ~(excess <= 1)
        among = {
            "non-finite": ~np.isfinite(exact),
            "kink": (wrong | rough) & found.kinked,
            "undecided": rough,
            "wrong": wrong,
            "right": ~wrong,
        }
        excess = np.nan_to_num(excess, nan=np.inf)
        left = np.ones(exact.shape, bool)
        for verdict, some in among.items():
            chosen = some & left
            left &= ~some
            if chosen.any():
                row, place = np.unravel_index(np.argmax(np.where(chosen, excess, -1.0)), exact.shape)
                if verdict not in self.worst or excess[row, place] > self._excess[verdict]:
                    self._excess[verdict] = float(excess[row, place])
                    numbers = (float(each[row, place]) for each in (found.value, exact, off, found.error))
                    index = _index(first + int(row), shape)
                    self.worst[verdict] = self._worst(name, index, int(place), *numbers)

    def _worst(
        self,
        name: str,
        index: Index,
        place: int,
        numerical: float,
        analytical: float,
        off: float,
        error: float,
    ) -> Worst:
        largest = max(abs(numerical), abs(analytical))
        relative = off / largest if largest else 0.0
        output, at = self._output(place)
        return Worst(output, name, at, index, numerical, analytical, off, relative, error)

    def _output(self, place: int) -> tuple[str, Index]:
        """The output, and the place in it, of a place in all of them flattened."""
        for output, shape in self._shapes.items():
            if place < math.prod(shape):
                return output, _index(place, shape)
            place -= math.prod(shape)
        raise IndexError(place)


def decide(compared: Comparison, found: Convergence, outputs_finite: bool) -> tuple[str, str, Worst | None]:
    """The verdict, its reason, and the element to look at."""
    seen, order = compared.worst, found.order
    any_ = next(iter(seen.values()), None)
    if not outputs_finite:
        return "non-finite", "an output is not finite at this point", seen.get("non-finite", any_)
    for verdict in ("non-finite", "wrong", "kink"):
        if verdict in seen:
            return verdict, _reason(verdict, seen[verdict]), seen[verdict]
    if "undecided" in seen:
        return "undecided", _reason("undecided", seen["undecided"]), seen["undecided"]
    if order is None:
        return "right", "the remainder is rounding noise: the function is linear around this point", any_
    falls = f"the remainder in a random direction falls as h^{order:.2f}"
    if order < SMOOTH:
        return "kink", f"{falls}, so the function is not smooth at this point", any_
    return "right", falls, any_


def _reason(verdict: str, worst: Worst) -> str:
    if verdict == "non-finite":
        return f"{worst.name} is {worst.analytical}"
    if verdict == "undecided":
        return (
            f"{worst.name} is known to ±{worst.error:.2g} only: the outputs are noisy, change too fast, or "
            "are not finite around this point"
        )
    said = f"{worst.name} is {worst.analytical:.9g} by its gradient and {worst.numerical:.9g} by differences"
    return f"{said}; its two sides have slopes of their own" if verdict == "kink" else said


def _index(place: int, shape: Index) -> Index:
    return tuple(int(each) for each in np.unravel_index(place, shape))


def _place(index: Index) -> str:
    return f"[{', '.join(map(str, index))}]" if index else ""
