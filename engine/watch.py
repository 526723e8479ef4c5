"""Anomaly mode: which results of a plan are looked at for nan, and what is said where one is found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.errors import AnomalyError


@dataclass(frozen=True, slots=True)
class Watch:
    """What is wrong if a value holds nan: `text`; unless an operand does, if it is to be `made` there."""

    text: str
    made: bool

    @classmethod
    def forward(cls, op: str) -> Watch:
        """Of a result: nan that none of the operands has."""
        return cls(f"{op} made nan values from operands without", True)

    @classmethod
    def backward(cls, name: str, number: int) -> Watch:
        """Of what a grad_fn gave for its operand `number`, in torch's words."""
        return cls(f"Function '{name}' returned nan values in its {number}th output.", False)


def watching(
    call: Callable[..., Any], watches: Sequence[Watch | None], *, single: bool
) -> Callable[..., Any]:
    """`call`, with its results looked at; AnomalyError where one that is watched holds nan."""

    def run(*arrays: Any) -> Any:
        found = call(*arrays)
        for watch, array in zip(watches, (found,) if single else found, strict=True):
            if watch is not None and _has_nan(array) and not (watch.made and any(map(_has_nan, arrays))):
                raise AnomalyError(watch.text)
        return found

    return run


def _has_nan(array: Any) -> bool:
    found = isinstance(array, (np.ndarray, np.generic, float, complex))
    return found and np.asarray(array).dtype.kind in "fc" and bool(np.isnan(array).any())
