"""What plans and transforms know of control flow: a kernel that answers for itself."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from engine.dtypes import int64
from engine.types import Type

RECORD = Type((), int64)  # the type that stands for a record, or generator states, which are no tensors


class ControlKernel:
    """The kernel of control flow: it runs plans of its own, with the random generator as first operand.

    It says itself which batch levels each operand `takes` and each of its `results` has, and what its
    derivatives are: control flow again.
    """

    effect = False  # what it does shows beside its results: never dropped
    primal = False  # a statement's own, which a trace shows
    takes: tuple[Any, ...] = ()
    results: tuple[Any, ...] = ()
    wanted: Sequence[bool] = ()  # which results it gives, when it is specialised

    @functools.cached_property
    def _cuts(self) -> dict[tuple[bool, ...], tuple[ControlKernel, Sequence[bool]]]:
        return {}

    def cut(self, wanted: Sequence[bool]) -> tuple[ControlKernel, Sequence[bool]]:
        """What `specialised` gives, made once: control flow in control flow is asked many times."""
        key = tuple(wanted)
        found = self._cuts.get(key)
        if found is None:
            found = self._cuts[key] = self.specialised(key)
        return found

    def specialised(self, wanted: Sequence[bool]) -> tuple[ControlKernel, Sequence[bool]]:
        """The kernel that gives only those results, None for the others, and the operands it reads."""
        raise NotImplementedError

    def pullback(
        self, builder: Any, x: Sequence[Any], y: Sequence[Any], g: Sequence[Any], needs: Sequence[bool]
    ) -> list[Any]:
        """The cotangents (or None) of the operands that `needs` asks for, from those of the results."""
        raise NotImplementedError

    def pushforward(self, builder: Any, x: Sequence[Any], y: Sequence[Any], t: Sequence[Any]) -> list[Any]:
        """The tangents (or None) of the results, from those of the operands."""
        raise NotImplementedError

    @property
    def ways(self) -> int:
        """In how many ways it may run, as its record tells them."""
        return 1

    @property
    def saves_tensors(self) -> bool:
        """Whether a second backward through it is refused."""
        return False

    def peak_bytes(self) -> int:
        """The bytes that it may need beside its operands and results."""
        raise NotImplementedError

    def flops(self) -> int:
        """The flops that it may take."""
        raise NotImplementedError

    def __call__(self, generator: Any, *arrays: Any) -> Any:
        """Its results, as a numpy function's."""
        raise NotImplementedError
