"""Refusals of dtypes, in torch's words: each is a function of the dtype that an op would compute in."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.dtypes import BOOL, COMPLEX, FLOAT, INTEGER, DType
from engine.errors import DTypeError, RuntimeArgumentError, UnsupportedDType

Check = Callable[[DType], None]


def no_kernel(kernel: str, dtype: DType) -> UnsupportedDType:
    """The error of a dtype that torch's `kernel` was not compiled for."""
    return UnsupportedDType(f"\"{kernel}\" not implemented for '{dtype.title}'", actual=dtype.name)


def without(kernel: str, *categories: int) -> Check:
    """Refuse the dtypes of `categories`: torch's `kernel` has none."""

    def check(dtype: DType) -> None:
        if dtype.category in categories:
            raise no_kernel(kernel, dtype)

    return check


def floating(kernel: str) -> Check:
    """Refuse all but floating dtypes."""
    return without(kernel, BOOL, INTEGER, COMPLEX)


def not_complex(text: str, error: type[DTypeError] = UnsupportedDType) -> Check:
    """Refuse complex dtypes with a sentence."""

    def check(dtype: DType) -> None:
        if dtype.category == COMPLEX:
            raise error(text, actual=dtype.name)

    return check


def every(*checks: Check) -> Check:
    """All of `checks`, in order."""

    def check(dtype: DType) -> None:
        for each in checks:
            each(dtype)

    return check


_C_NAMES = {"uint8": "uint8_t", "int8": "int8_t", "int16": "int16_t", "int32": "int", "int64": "int64_t"}


def check_fits(dtype: DType, value: object) -> None:
    """Refuse a Python integer that an integer dtype cannot hold."""
    if dtype.category != INTEGER or not isinstance(value, int):
        return
    bounds = np.iinfo(dtype.numpy)
    if not bounds.min <= value <= bounds.max:
        raise RuntimeArgumentError(
            f"value cannot be converted to type {_C_NAMES[dtype.name]} without overflow",
            expected=[int(bounds.min), int(bounds.max)],
            actual=value,
        )


def check_alpha(dtype: DType, alpha: object) -> None:
    """Refuse the factor `alpha` of add and sub where the result's dtype cannot hold it."""
    if isinstance(alpha, bool):
        if dtype.category != BOOL:
            raise DTypeError("Boolean alpha only supported for Boolean results.", actual=dtype.name)
    elif isinstance(alpha, (float, complex)) and dtype.category < FLOAT:
        raise DTypeError("For integral input tensors, argument alpha must not be a floating point number.")
    elif isinstance(alpha, complex) and dtype.category < COMPLEX:
        raise DTypeError("For non-complex input tensors, argument alpha must not be a complex number.")
