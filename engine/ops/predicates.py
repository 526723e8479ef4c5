"""Signs, infinities and near equality as bools; what torch keeps for tensors that wait to be conjugated."""

from __future__ import annotations

from typing import Any

from engine.define import composite, unary
from engine.dtypes import get_default_dtype
from engine.errors import DTypeError, RuntimeArgumentError
from engine.op import Op, refused, sample
from engine.ops.dtype_checks import not_complex
from engine.signature import Tensor

_CONSTANT = "Piecewise constant: the result never requires grad."


def _samples(make: Any) -> list[Any]:
    return [sample(make(2, 3)), sample(make()), sample(make.ints(3)), sample(make.bools(3))]


signbit = unary(
    "signbit",
    "y = negative_sign(input)",
    compute="promote",
    result="bool",
    check=not_complex("signbit is not implemented for complex tensors."),
    doc=f"Where the sign is minus, that of -0.0 too.\n\n{_CONSTANT}",
    samples=_samples,
    refusals=lambda make: [refused("signbit is not implemented for complex tensors.", make(2) + 1j)],
)


def _infinite(name: str, limit: str, words: str) -> Op:
    text = f"{name} does not support complex inputs."
    return unary(
        name,
        f"y = equal(input, {limit})",
        compute="promote",
        result="bool",
        check=not_complex(text, DTypeError),
        doc=f"Where `input` is {words}.\n\n{_CONSTANT}",
        samples=_samples,
        refusals=lambda make: [refused(text, make(2) + 1j)],
    )


isposinf = _infinite("isposinf", "1e999", "plus infinity")
isneginf = _infinite("isneginf", "-1e999", "minus infinity")


@composite("isreal", samples=lambda make: [*_samples(make), sample(make(2) + 1j * make.ints(2, high=2))])
def isreal(F: Any, input: Tensor) -> Any:
    """Where the imaginary part is 0: everywhere in real tensors.

    Piecewise constant: the result never requires grad.
    """
    if not input.meta.dtype.is_complex:
        return F.ones_like(input, dtype="bool")
    return F.eq(F.imag(input), 0)


def _check_close(input: Any, other: Any, rtol: float, atol: float) -> None:
    if input.meta.dtype is not other.meta.dtype:
        raise DTypeError(f"{input.meta.dtype.title} did not match {other.meta.dtype.title}")
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if not tolerance >= 0:
            raise RuntimeArgumentError(f"{name} must be greater than or equal to zero, but got {tolerance:g}")


@composite(
    "isclose",
    samples=lambda make: [
        sample(make(2, 3), make(3)),
        sample(make(3), make(3), 0.5, 0.25),
        sample(make(), make(), equal_nan=True),
        sample(make.ints(3), make.ints(3), rtol=0.5),
        sample(make.bools(3), make.bools(3)),
        sample(make(2) + 1j, make(2) + 1j, atol=0.5),
    ],
    refusals=lambda make: [
        refused("rtol must be greater than or equal to zero, but got -0.4", make(), make(), rtol=-0.4),
        refused("atol must be greater than or equal to zero, but got -0.4", make(), make(), atol=-0.4),
        refused("Double did not match Long", make(3), make.ints(3)),
        refused("isclose(): argument 'other' (position 2) must be Tensor, not int", make(3), 2),
        refused("The size of tensor a (3) must match the size of tensor b (2)", make(3), make(2)),
    ],
)
def isclose(
    F: Any, input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Any:
    """Where both are equal, or finite and no further apart than atol + rtol * abs(other).

    Piecewise constant: the result never requires grad.
    """
    _check_close(input, other, rtol, atol)
    input, other = F.detach(input), F.detach(other)
    close = F.eq(input, other)
    floating = other.meta.dtype.differentiable
    if equal_nan and floating:
        close = F.logical_or(close, F.logical_and(F.isnan(input), F.isnan(other)))
    if rtol == 0 and atol == 0:
        return close
    if not floating:
        input, other = (F.to(each, get_default_dtype()) for each in (input, other))
    allowed = F.add(F.abs(F.mul(other, rtol)), atol)
    apart = F.abs(F.sub(input, other))
    return F.logical_or(close, F.logical_and(F.isfinite(apart), F.le(apart, allowed)))


def _resolved(name: str, what: str) -> Op:
    def body(F: Any, input: Tensor) -> Any:
        return input

    body.__doc__ = f"`input` itself: nothing waits to be {what}.\n\nSmooth everywhere."
    return composite(
        name, samples=lambda make: [sample(make(2, 3)), sample(make(2) + 1j * make(2)), sample(make.ints(3))]
    )(body)


resolve_conj = _resolved("resolve_conj", "conjugated")
resolve_neg = _resolved("resolve_neg", "negated")
