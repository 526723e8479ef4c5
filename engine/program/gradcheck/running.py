"""One check being run: the function along a line, and around every element of its inputs."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from engine.eager.tensor import Tensor
from engine.program.gradcheck import convergence, differences
from engine.program.gradcheck.convergence import Convergence
from engine.program.gradcheck.evaluations import Evaluations, Series
from engine.program.gradcheck.report import Comparison

Array = np.ndarray[Any, Any]


class Line(NamedTuple):
    """What a random line through the point shows: for each output element what it may be off by, and how
    large it is or changes by; and how the remainder falls."""

    noise: Array
    reach: Array
    convergence: Convergence


class Run:
    """A check at the point `arrays`, where the outputs (flat) are `here` and their derivatives `exact`, a
    matrix of output elements by input elements for each input."""

    def __init__(
        self, runs: Evaluations, arrays: dict[str, Array], here: Array, exact: dict[str, Array]
    ) -> None:
        self._runs, self._arrays, self._here, self._exact = runs, arrays, here, exact
        self._scales = {name: differences.scales(array) for name, array in arrays.items()}

    def _times(self, vectors: dict[str, Array], count: int, *, unsigned: bool = False) -> Array:
        """The derivatives times `count` vectors, a row for each; all without their signs, if `unsigned`."""
        found: Any = 0.0
        for name, exact in self._exact.items():
            rows = vectors[name].reshape(count, exact.shape[1])
            found = found + (np.abs(rows) @ np.abs(exact).T if unsigned else rows @ exact.T)
        return np.asarray(found)

    def along(self, series: Series, generator: np.random.Generator) -> Line:
        """The function along a random line."""
        d = {name: convergence.direction(generator, scale) for name, scale in self._scales.items()}
        quiet = len(convergence.NOISE_STEPS)
        steps = np.concatenate([convergence.NOISE_STEPS, convergence.STEPS, -convergence.STEPS])
        values, linear = [], []
        for first in range(0, len(steps), series.at_once):
            some = steps[first : first + series.at_once]
            stacks = {name: self._arrays[name] + np.multiply.outer(some, each) for name, each in d.items()}
            values.append(series.values(stacks))
            gone = {name: stack - self._arrays[name] for name, stack in stacks.items()}
            linear.append(self._times(gone, len(some)))
        value, tangent = np.concatenate(values), np.concatenate(linear)
        noise = convergence.noise(value[:quiet]) + self._runs.grain * np.abs(self._here)
        reach = np.fmax(np.abs(self._here), np.fmax.reduce(np.abs(value - self._here)))
        magnitude = np.abs(steps[quiet:])[:, None] * self._times(d, 1, unsigned=True)
        return Line(noise, reach, self._orders(value[quiet:], tangent[quiet:], magnitude, noise, d))

    def _orders(
        self, values: Array, tangent: Array, magnitude: Array, noise: Array, d: dict[str, Array]
    ) -> Convergence:
        orders: dict[str, float | None] = {}
        remainders: dict[str, tuple[float, ...]] = {}
        for output, at in self._runs.places.items():
            size, off = convergence.remainders(
                values[:, at], self._here[at], tangent[:, at], magnitude[:, at], noise[at]
            )
            both, floor = (np.fmax(*each.reshape(2, -1)) for each in (size, off))
            orders[output] = convergence.order(both, floor)
            remainders[output] = tuple(both.tolist())
        lowest = min((each for each in orders.values() if each is not None), default=None)
        directions = {name: Tensor(each) for name, each in d.items()}
        return Convergence(lowest, orders, tuple(convergence.STEPS.tolist()), remainders, directions)

    def around(self, name: str, series: Series, line: Line, compared: Comparison) -> Array:
        """The numerical derivatives by the elements of one input, a row for each, compared on the way."""
        array, scale, copies = self._arrays[name], self._scales[name], differences.COPIES
        found = np.empty((array.size, self._runs.size))
        group = series.at_once // copies
        for first in range(0, array.size, group):
            some = slice(first, min(first + group, array.size))
            stack = differences.moved(array, scale, some.start, some.stop)
            values = series.values({name: stack})
            moved = np.arange(some.start, some.stop)
            places = np.take_along_axis(stack.reshape(len(moved), copies, -1), moved[:, None, None], axis=2)
            rows = differences.quotients(places, values, self._here, line.noise, array.reshape(-1)[some])
            exact = self._exact[name][:, some].T
            compared.rows(name, array.shape, first, exact, rows, line.reach / scale.reshape(-1)[some, None])
            found[some] = rows.value
        return found
