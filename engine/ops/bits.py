"""Integers bit by bit, and what divides them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.define import elementwise, pointwise, unary
from engine.dtypes import BOOL, COMPLEX, FLOAT
from engine.op import Op, refused, sample
from engine.ops.arithmetic import MISMATCH
from engine.ops.dtype_checks import without
from engine.ops.tensor_checks import some_tensor, tensors_only
from engine.signature import Number, Param, Tensor

_PAIR = tuple(Param(name, "Tensor | Number", False, None, False) for name in ("input", "other"))
_CONSTANT = "Integers have no derivative."


def _samples(*, bools: bool, numbers: bool, high: int = 10) -> Callable[[Any], list[Any]]:
    def samples(make: Any) -> list[Any]:
        found = [sample(make.ints(2, 3), make.ints(3, high=high)), sample(make.ints(), make.ints())]
        if numbers:
            found += [sample(make.ints(3), 3), sample(2, make.ints(3, high=high))]
        return [*found, sample(make.bools(3), make.bools(3))] if bools else found

    return samples


def _bitwise(name: str, step: str, kernel: str, words: str, *, bools: bool) -> Op:
    """An op of two integers, one of which may be a number."""

    def declaration(input: Tensor | Number, other: Tensor | Number) -> None: ...

    declaration.__doc__ = f"{words}\n\n{_CONSTANT}"
    refuses = (FLOAT, COMPLEX) if bools else (BOOL, FLOAT, COMPLEX)
    return elementwise(
        name,
        f"y = {step}(input, other)",
        infer=some_tensor(name, pointwise(_PAIR, check=without(kernel, *refuses))),
        samples=_samples(bools=bools, numbers=True),
        refusals=lambda make: [
            refused(MISMATCH, make.ints(3), make.ints(2)),
            refused(f"\"{kernel}\" not implemented for 'Double'", make(2), make(2)),
            refused(f"{name}() received an invalid combination of arguments - got (int, int)", 2, 3),
        ],
    )(declaration)


bitwise_and = _bitwise(
    "bitwise_and", "bitwise_and", "bitwise_and_cpu", "The bits that both have; of bools both.", bools=True
)
bitwise_or = _bitwise(
    "bitwise_or", "bitwise_or", "bitwise_or_cpu", "The bits that either has; of bools either.", bools=True
)
bitwise_xor = _bitwise(
    "bitwise_xor",
    "bitwise_xor",
    "bitwise_xor_cpu",
    "The bits that one has and the other has not; of bools whether they differ.",
    bools=True,
)
bitwise_left_shift = _bitwise(
    "bitwise_left_shift",
    "shift_left",
    "lshift_cpu",
    "input * 2 ** other; 0 where `other` is negative or as large as the integers are wide.",
    bools=False,
)
bitwise_right_shift = _bitwise(
    "bitwise_right_shift",
    "shift_right",
    "rshift_cpu",
    "input / 2 ** other, rounded down; the sign alone where `other` is negative or too large.",
    bools=False,
)
bitwise_not = unary(
    "bitwise_not",
    "y = invert(input)",
    compute="promote",
    check=without("bitwise_not_cpu", FLOAT, COMPLEX),
    doc=f"The bits that `input` has not; of bools the other one.\n\n{_CONSTANT}",
    aliases=("bitwise_invert",),
    samples=lambda make: [sample(make.ints(2, 3)), sample(make.bools(3)), sample(make.ints())],
    refusals=lambda make: [refused("\"bitwise_not_cpu\" not implemented for 'Double'", make(2))],
)


def _divisors(name: str, words: str) -> Op:
    def declaration(input: Tensor, other: Tensor) -> None: ...

    declaration.__doc__ = f"{words}\n\n{_CONSTANT}"
    infer = pointwise(_PAIR, check=without(f"{name}_cpu", BOOL, FLOAT, COMPLEX))
    return elementwise(
        name,
        f"y = {name}(input, other)",
        infer=tensors_only(name, ("input", "other"), infer),
        samples=_samples(bools=False, numbers=False),
        refusals=lambda make: [
            refused(MISMATCH, make.ints(3), make.ints(2)),
            refused(f"\"{name}_cpu\" not implemented for 'Double'", make(2), make(2)),
            refused(f"{name}(): argument 'other' (position 2) must be Tensor, not int", make.ints(2), 2),
        ],
    )(declaration)


gcd = _divisors("gcd", "The largest integer that divides both; not negative.")
lcm = _divisors("lcm", "The smallest integer that both divide; not negative.")
