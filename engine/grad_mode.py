"""Grad mode: whether ops applied now are recorded for differentiation. One switch per context (thread, task)."""

from __future__ import annotations

import contextlib
import contextvars
from typing import Any

_enabled: contextvars.ContextVar[bool] = contextvars.ContextVar("grad_enabled", default=True)


def is_grad_enabled() -> bool:
    """Whether ops applied now are recorded."""
    return _enabled.get()


class set_grad_enabled(contextlib.ContextDecorator):
    """Record (`True`) or do not record (`False`) inside the block, or inside the decorated function."""

    def __init__(self, mode: bool) -> None:
        self._mode = mode
        self._tokens: list[contextvars.Token[bool]] = []

    def __enter__(self) -> None:
        self._tokens.append(_enabled.set(self._mode))

    def __exit__(self, *_: object) -> None:
        _enabled.reset(self._tokens.pop())

    def _recreate_cm(self) -> Any:
        return type(self)(self._mode)


class _Fixed(set_grad_enabled):
    mode: bool

    def __init__(self, function: Any = None) -> None:
        super().__init__(self.mode)

    def __new__(cls, function: Any = None) -> Any:
        """`@no_grad` without parentheses decorates too, as in torch."""
        made = super().__new__(cls)
        if function is None:
            return made
        made.__init__()  # type: ignore[misc]
        return made(function)

    def _recreate_cm(self) -> Any:
        return type(self)()


class no_grad(_Fixed):
    """Record nothing: results do not require grad. Context manager and decorator."""

    mode = False


class enable_grad(_Fixed):
    """Record again, inside `no_grad`. Context manager and decorator."""

    mode = True
