"""Grad mode: whether ops applied now are recorded. One switch per context (thread, task)."""

from __future__ import annotations

import contextlib
import contextvars
from typing import Any

_enabled: contextvars.ContextVar[bool] = contextvars.ContextVar("grad_enabled", default=True)


grad_enabled = _enabled.get  # `is_grad_enabled` for where it is asked for every op


def is_grad_enabled() -> bool:
    """Whether ops applied now are recorded."""
    return _enabled.get()


class _Switch(contextlib.ContextDecorator):
    """Grad mode `mode` inside the block, or inside the decorated function."""

    mode: bool

    def __init__(self) -> None:
        self._before: list[bool] = []

    def __enter__(self) -> None:
        self._before.append(_enabled.get())
        _enabled.set(self.mode)

    def __exit__(self, *_: object) -> None:
        _enabled.set(self._before.pop())


class set_grad_enabled(_Switch):
    """Record (`True`) or do not (`False`): from the call on, or inside a block or decorated function."""

    def __init__(self, mode: bool) -> None:
        super().__init__()
        self.mode = mode
        self._called_in = _enabled.get()
        _enabled.set(mode)

    def __enter__(self) -> None:
        super().__enter__()
        self._before[-1] = self._called_in

    def __call__(self, function: Any) -> Any:
        _enabled.set(self._called_in)
        return super().__call__(function)

    def _recreate_cm(self) -> Any:
        return type(self)(self.mode)


class _Fixed(_Switch):
    def __new__(cls, function: Any = None) -> Any:
        """`@no_grad` without parentheses decorates too, as in torch."""
        made = super().__new__(cls)
        if function is None:
            return made
        made.__init__()  # type: ignore[misc]
        return made(function)

    def __init__(self, function: Any = None) -> None:
        super().__init__()

    def _recreate_cm(self) -> Any:
        return type(self)()


class no_grad(_Fixed):
    """Record nothing: results do not require grad. Context manager and decorator."""

    mode = False


class enable_grad(_Fixed):
    """Record again, inside `no_grad`. Context manager and decorator."""

    mode = True
