"""Which transforms of functions are open here, and which batch levels; what is refused inside them."""

from __future__ import annotations

import contextvars
from typing import Self

from engine.eager.storage import Storage, numbers
from engine.errors import GradError
from engine.levels import Level, Levels

_depth: contextvars.ContextVar[int] = contextvars.ContextVar("transforms", default=0)
_captured: contextvars.ContextVar[int] = contextvars.ContextVar("captured", default=-1)
_levels: contextvars.ContextVar[Levels] = contextvars.ContextVar("levels", default=())


class Active:
    """A block in which the function of a transform runs."""

    active = False

    def __enter__(self) -> Self:
        self.active = True
        _depth.set(_depth.get() + 1)
        return self

    def __exit__(self, *_: object) -> None:
        self.active = False
        _depth.set(_depth.get() - 1)


class Recording(Active):
    """The block of a transform that differentiates; storages numbered below `start` are captured in it."""

    def __init__(self) -> None:
        self.start = next(numbers)
        self._outer = -1

    def __enter__(self) -> Self:
        self._outer = _captured.get()
        _captured.set(self.start)
        return super().__enter__()

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        _captured.set(self._outer)


class Batch(Active):
    """The block in which a new batch level is open."""

    def __init__(self, size: int, randomness: str = "error") -> None:
        self.level = Level(size, randomness)

    def __enter__(self) -> Self:
        _levels.set((*_levels.get(), self.level))
        return super().__enter__()

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        _levels.set(_levels.get()[:-1])


def is_captured(storage: Storage) -> bool:
    """Whether memory was there before the innermost transform that differentiates began."""
    return storage.number < _captured.get()


def active_levels() -> Levels:
    """The batch levels that are open here, outermost first."""
    return _levels.get()


def check_backward() -> None:
    """`backward` accumulates into `.grad`, which no transform can undo."""
    if _depth.get():
        raise GradError(
            "backward() called inside a functorch transform. This is not supported, please use "
            "functorch.grad or functorch.vjp instead or call backward() outside of functorch transforms."
        )


def check_switch() -> None:
    """`requires_grad_` inside a transform means a tensor that the transform does not know."""
    if _depth.get():
        raise GradError(
            "You are attempting to call Tensor.requires_grad_() (or perhaps using "
            "torch.autograd.functional.* APIs) inside of a function being transformed by a functorch "
            "transform. This is unsupported, please attempt to use the functorch transforms (e.g. grad, vjp, "
            "jacrev, jacfwd, hessian) or call requires_grad_() outside of a function being transformed "
            "instead."
        )
