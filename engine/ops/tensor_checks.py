"""Refusals of numbers where torch wants a tensor: an `infer` that looks at its operands first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.binding import no_overload
from engine.errors import ArgumentError
from engine.types import Type

Infer = Callable[..., Any]


def tensors_only(name: str, params: tuple[str, ...], infer: Infer) -> Infer:
    """`infer`, for operands that are all tensors; torch's error, naming one of `params`, for a number."""

    def checked(*operands: Any, **settings: Any) -> Any:
        for position, each in enumerate(operands):
            if type(each) is not Type:
                raise ArgumentError(
                    f"{name}(): argument '{params[position]}' (position {position + 1}) must be Tensor, not "
                    f"{type(each).__name__}",
                    expected="Tensor",
                    actual=type(each).__name__,
                )
        return infer(*operands, **settings)

    return checked


def some_tensor(name: str, infer: Infer) -> Infer:
    """`infer`, unless all operands are numbers."""

    def checked(*operands: Any, **settings: Any) -> Any:
        if not any(type(each) is Type for each in operands):
            raise no_overload(name, operands)
        return infer(*operands, **settings)

    return checked
