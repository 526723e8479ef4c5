"""Refusals of numbers where torch wants a tensor: an `infer` that looks at its operands first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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


def no_overload(name: str, operands: Any) -> ArgumentError:
    """torch's error of a call that none of its overloads fits."""
    got = ", ".join("Tensor" if _is_tensor(each) else type(each).__name__ for each in operands)
    return ArgumentError(
        f"{name}() received an invalid combination of arguments - got ({got}), but expected one of:"
    )


def _is_tensor(operand: Any) -> bool:
    return type(operand) is Type or hasattr(operand, "meta")
