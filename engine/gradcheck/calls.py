"""A function under check, with the inputs that it is checked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from engine.builder import Functions
from engine.eager.builder import EAGER
from engine.eager.tensor import Tensor

F = Functions(EAGER)
Part = Literal["real", "imaginary"]


def as_tuple(value: Any) -> tuple[Any, ...]:
    """A tuple or list as a tuple, anything else as a tuple of one."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def requires_grad(value: Any) -> bool:
    """Whether `value` is a tensor that requires grad."""
    return isinstance(value, Tensor) and value.requires_grad


@dataclass(frozen=True)
class Call:
    """`func` at `inputs`. With a `part`, only that part of complex outputs is looked at: a real function."""

    func: Callable[..., Any]
    inputs: tuple[Any, ...]
    part: Part | None = None

    def results(self) -> tuple[Any, ...]:
        """What the function gives now."""
        found = as_tuple(self.func(*self.inputs))
        if self.part is None:
            return found
        take = F.real if self.part == "real" else F.imag
        return tuple(take(each) if each.is_complex() else each for each in found)

    @property
    def places(self) -> list[int]:
        """Where the inputs stand that require grad."""
        return [at for at, each in enumerate(self.inputs) if requires_grad(each)]

    @property
    def checked(self) -> list[Tensor]:
        """The inputs that require grad."""
        return [each for each in self.inputs if requires_grad(each)]


def differentiable(results: Sequence[Any]) -> list[int]:
    """The places of the results that require grad."""
    return [at for at, each in enumerate(results) if each.requires_grad]
