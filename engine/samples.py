"""Sample calls of an op, and calls that it refuses: what every system is tested with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Call:
    """A sample: arguments of one call. numpy arrays in it stand for tensors; floating ones require grad."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that must be refused, and the sentence it is refused with."""

    call: Call
    text: str


def sample(*args: Any, **kwargs: Any) -> Call:
    """A sample call; numpy arrays stand for tensors."""
    return Call(args, kwargs)


def refused(text: str, *args: Any, **kwargs: Any) -> Refusal:
    """A call that must be refused with a sentence that contains `text`."""
    return Refusal(Call(args, kwargs), text)


class SampleMaker:
    """Makes arrays, the same at every run: `make(2, 3)`, `make(4, low=0.1)`, `make.ints(3, high=5)`."""

    def __init__(self, seed: int, dtype: Any = np.float64) -> None:
        self._random = np.random.default_rng(seed)
        self._dtype = dtype

    def __call__(self, *shape: int, low: float = -2.0, high: float = 2.0) -> np.ndarray[Any, Any]:
        return np.asarray(self._random.uniform(low, high, shape), dtype=self._dtype)

    def ints(self, *shape: int, low: int = 0, high: int = 10) -> np.ndarray[Any, Any]:
        return np.asarray(self._random.integers(low, high, shape), dtype=np.int64)

    def bools(self, *shape: int) -> np.ndarray[Any, Any]:
        return np.asarray(self._random.random(shape) < 0.5)
