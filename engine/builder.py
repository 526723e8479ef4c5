"""Whatever ops are applied to: arrays now, or a graph. One builder is current in each context."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from engine.registry import lookup

if TYPE_CHECKING:
    from engine.op import Op


class Builder(Protocol):
    """Whatever ops are applied to: arrays now, or a graph."""

    def apply(self, op: Op, args: Sequence[Any], kwargs: dict[str, Any]) -> Any: ...


class Functions:
    """The ops of a builder as attributes: `F.mul(g, y)`."""

    def __init__(self, builder: Builder) -> None:
        self._builder = builder

    def apply_op(self, op: Op, *operands: Any) -> Any:
        """Apply a record that is not in the registry."""
        return self._builder.apply(op, operands, {})

    def forget(self) -> None:
        """Let the builder go, which knows these functions; nothing can be called after it."""
        self.__dict__.clear()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        op = lookup(name)
        apply = self._builder.apply

        def call(*args: Any, **kwargs: Any) -> Any:
            return apply(op, args, kwargs)

        self.__dict__[name] = call
        return call


_builder: contextvars.ContextVar[Builder | None] = contextvars.ContextVar("builder", default=None)
_eager: list[Builder] = []


def current_builder() -> Builder:
    """The builder that ops called now are applied to; define-by-run unless a program is being built."""
    return _builder.get() or _eager[0]


def set_builder(builder: Builder) -> contextvars.Token[Builder | None]:
    """Make `builder` current; give the token to `reset_builder`."""
    return _builder.set(builder)


def reset_builder(token: contextvars.Token[Builder | None]) -> None:
    """Undo `set_builder`."""
    _builder.reset(token)


def register_eager(builder: Builder) -> None:
    """Name the define-by-run builder; called once, by its module."""
    _eager[:] = [builder]
