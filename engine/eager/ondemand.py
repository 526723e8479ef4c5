"""Attributes that few objects need, of classes of which there are very many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class OnDemand(Generic[T]):
    """An attribute that is made when it is first asked for. Whoever sets it replaces it."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, found: None, owner: type) -> OnDemand[T]: ...
    @overload
    def __get__(self, found: object, owner: type) -> T: ...
    def __get__(self, found: Any, owner: type) -> Any:
        if found is None:
            return self
        # found next time before this is asked: it defines no __set__
        made = found.__dict__[self._name] = self._make()
        return made
