"""Random tensors: the numbers that torch draws from a generator in the same state."""

from __future__ import annotations

from typing import Any

from engine.define import composite, kernel
from engine.dtypes import FLOAT, DType, get_default_dtype, int64
from engine.errors import ArgumentError, RuntimeArgumentError, UnsupportedDType
from engine.op import refused, sample
from engine.ops.creation import like, sized
from engine.random import check_bounds
from engine.signature import Array, Fixed, Shape
from engine.types import Type

_UNIFORM, _NORMAL = "check_uniform_bounds", "normal_kernel_cpu"


def _continuous(meta: Type, kernel_name: str) -> Type:
    if meta.dtype.category < FLOAT:
        raise UnsupportedDType(
            f"\"{kernel_name}\" not implemented for '{meta.dtype.title}'", actual=meta.dtype.name
        )
    return meta


def _bounded(meta: Type, low: int, high: int) -> Type:
    try:
        check_bounds(low, high, meta.dtype.numpy)
    except (RuntimeError, ValueError) as error:
        raise RuntimeArgumentError(str(error)) from None
    return meta


@kernel(
    "rand",
    kind="random",
    infer=lambda size, dtype: _continuous(sized(size, dtype or get_default_dtype()), _UNIFORM),
    samples=lambda make: [sample((2, 3)), sample((), dtype="float64")],
    refusals=lambda make: [
        refused("\"check_uniform_bounds\" not implemented for 'Long'", (2,), dtype="int64")
    ],
)
def rand(generator: Any, size: Shape, *, dtype: DType | None = None, meta: Any) -> Array:
    """Uniform numbers of 0 <= value < 1.

    Constant: nothing flows back.
    """
    return generator.rand(meta.shape, meta.dtype.numpy)  # type: ignore[no-any-return]


@kernel(
    "randn",
    kind="random",
    infer=lambda size, dtype: _continuous(sized(size, dtype or get_default_dtype()), _NORMAL),
    samples=lambda make: [sample((2, 3)), sample((20,), dtype="float64")],
    refusals=lambda make: [refused("\"normal_kernel_cpu\" not implemented for 'Long'", (2,), dtype="int64")],
)
def randn(generator: Any, size: Shape, *, dtype: DType | None = None, meta: Any) -> Array:
    """Normal numbers of mean 0 and variance 1.

    Constant: nothing flows back.
    """
    return generator.randn(meta.shape, meta.dtype.numpy)  # type: ignore[no-any-return]


@kernel(
    "rand_like",
    kind="random",
    infer=lambda input, dtype: _continuous(like(input, dtype), _UNIFORM),
    samples=lambda make: [sample(make(2, 3)), sample(make(2), dtype="float32")],
    refusals=lambda make: [refused("\"check_uniform_bounds\" not implemented for 'Long'", make.ints(2))],
)
def rand_like(generator: Any, input: Fixed, *, dtype: DType | None = None, meta: Any) -> Array:
    """Uniform numbers of 0 <= value < 1 in the shape and dtype of `input`.

    Constant: nothing flows back.
    """
    return generator.rand(meta.shape, meta.dtype.numpy, strides=meta.stride())  # type: ignore[no-any-return]


@kernel(
    "randn_like",
    kind="random",
    infer=lambda input, dtype: _continuous(like(input, dtype), _NORMAL),
    samples=lambda make: [sample(make(2, 3)), sample(make(2), dtype="float32")],
    refusals=lambda make: [refused("\"normal_kernel_cpu\" not implemented for 'Long'", make.ints(2))],
)
def randn_like(generator: Any, input: Fixed, *, dtype: DType | None = None, meta: Any) -> Array:
    """Normal numbers of mean 0 and variance 1 in the shape and dtype of `input`.

    Constant: nothing flows back.
    """
    return generator.randn(meta.shape, meta.dtype.numpy, strides=meta.stride())  # type: ignore[no-any-return]


@kernel(
    "_randint",
    kind="random",
    infer=lambda low, high, size, dtype: _bounded(sized(size, dtype or int64), low, high),
)
def randint_between(
    generator: Any, low: int, high: int, size: Shape, *, dtype: DType | None = None, meta: Any
) -> Array:
    """Integers of low <= value < high.

    Constant: nothing flows back.
    """
    return generator.randint(low, high, meta.shape, meta.dtype.numpy)  # type: ignore[no-any-return]


@composite(
    "randint",
    samples=lambda make: [
        sample(10, (2, 3)),
        sample(-3, 3, (4,)),
        sample(high=5, size=(2,)),
        sample(2, (3,), dtype="bool"),
    ],
    refusals=lambda make: [
        refused("random_ expects 'from' to be less than 'to', but got from=5 >= to=5", 5, 5, (2,)),
        refused("to - 1 is out of bounds for unsigned char", 300, (2,), dtype="uint8"),
    ],
)
def randint(
    F: Any,
    low: int | None = None,
    high: Shape | None = None,
    size: Shape | None = None,
    *,
    dtype: DType | None = None,
) -> Any:
    """Integers of low <= value < high, of shape `size`, as int64; `randint(high, size)` starts at 0.

    Constant: nothing flows back.
    """
    first: Any = low
    last: Any = high
    if size is None:  # the overload without low: its high and size stand one place earlier
        first, last, size = 0, low, high
    if not isinstance(last, int) or not isinstance(size, tuple):
        raise ArgumentError(
            "randint() takes high and size, or low, high and size: two ints and a tuple of ints"
        )
    return F._randint(first or 0, last, size, dtype=dtype)


@kernel(
    "_randint_like",
    kind="random",
    infer=lambda input, low, high, dtype: _bounded(like(input, dtype), low, high),
)
def randint_like_between(
    generator: Any, input: Fixed, low: int, high: int, *, dtype: DType | None = None, meta: Any
) -> Array:
    """Integers of low <= value < high in the shape and dtype of `input`.

    Constant: nothing flows back.
    """
    return generator.randint(low, high, meta.shape, meta.dtype.numpy, strides=meta.stride())  # type: ignore[no-any-return]


@composite("randint_like", samples=lambda make: [sample(make(2, 3), 10), sample(make.ints(3), 2, 9)])
def randint_like(
    F: Any, input: Fixed, low: int | None = None, high: int | None = None, *, dtype: DType | None = None
) -> Any:
    """Integers of low <= value < high in the shape and dtype of `input`; one bound alone is `high`.

    Constant: nothing flows back.
    """
    if high is None:
        low, high = 0, low
    if high is None:
        raise ArgumentError('randint_like() missing 1 required positional arguments: "high"')
    return F._randint_like(input, low or 0, high, dtype=dtype)


def _randperm_type(n: int, dtype: DType | None) -> Type:
    return sized((n,), dtype or int64)


@kernel(
    "randperm",
    kind="random",
    batched="loop",
    infer=_randperm_type,
    samples=lambda make: [sample(5)],
    refusals=lambda make: [refused("Trying to create tensor with negative dimension -1: [-1]", -1)],
)
def randperm(generator: Any, n: int, *, dtype: DType | None = None, meta: Any) -> Array:
    """The integers from 0 to n - 1 in random order.

    Constant: nothing flows back.
    """
    return generator.randperm(n, meta.dtype.numpy)  # type: ignore[no-any-return]
