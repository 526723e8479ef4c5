"""Products with logarithms, which are 0 where the factor is 0; the inverse of the sigmoid."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from engine.define import elementwise, pointwise, unary
from engine.dtypes import COMPLEX
from engine.op import Op, refused, sample
from engine.ops.arithmetic import MISMATCH
from engine.ops.dtype_checks import without
from engine.ops.tensor_checks import some_tensor
from engine.signature import Number, Param, Tensor, is_number

_PAIR = tuple(Param(name, "Tensor | Number", False, None, False) for name in ("input", "other"))


def _overload(base: str) -> Callable[[Any, Any], str]:
    """The node's name: torch has an overload for a number on either side."""

    def name(operands: Any, given: Any) -> str:
        return f"{base}Backward{1 if is_number(operands[0]) else 2 if is_number(operands[1]) else 0}"

    return name


def _masked(F: Any, value: Any, x: Any, edge: float) -> Any:
    """`value`, and 0 where the factor is 0 and the logarithm's operand is no more than `edge`."""
    if is_number(x[1]):
        return value if x[1] > edge else F.where(F.eq(x[0], 0.0), 0, value)
    if is_number(x[0]):
        return value if x[0] != 0 else F.where(F.le(x[1], edge), 0, value)
    return F.where(F.logical_and(F.eq(x[0], 0.0), F.le(x[1], edge)), 0, value)


def _times_log(name: str, edge: float, words: str, node: str) -> Op:
    short = name.rpartition(".")[2]
    shown = name.replace(".", "_")

    def vjp(F: Any, x: Any, y: Any, g: Any) -> Any:
        def by_other() -> Any:
            shifted = x[1] if edge == 0 else F.add(x[1], 1)
            return F.div(F.mul(g, x[0]), shifted)

        again = getattr(F, name)
        return (lambda: _masked(F, again(g, x[1]), x, edge), by_other)

    def declaration(input: Tensor | Number, other: Tensor | Number) -> None: ...

    declaration.__doc__ = (
        f"{words}, and 0 where `input` is 0 and `other` no NaN.\n\nWhere `input` is 0 and `other` no more "
        f"than {edge:.0f} the gradient by `input` is 0; by `other` it is NaN at the pole itself."
    )
    infer = pointwise(_PAIR, compute="float", check=without(f"{short}_cpu", COMPLEX))
    return elementwise(
        name,
        f"y = {short}(input, other)",
        compute="float",
        infer=some_tensor(shown, infer),
        vjp=vjp,
        grad_fn=_overload(node),
        saves=("other", "self"),
        aliases=() if "." in name else (f"special.{name}",),
        samples=lambda make: [
            sample(make(2, 3), make(3, low=0.3)),
            sample(make(3), 1.5),
            sample(2, make(3, low=0.3)),
            sample(make.ints(2), make.ints(2, low=1)),
            sample(make(), make(low=0.3)),
        ],
        refusals=lambda make: [
            refused(MISMATCH, make(3), make(2)),
            refused(f"\"{short}_cpu\" not implemented for 'ComplexDouble'", make(2) + 1j, make(2)),
            refused(f"{shown}() received an invalid combination of arguments - got (int, int)", 2, 3),
        ],
    )(declaration)


xlogy = _times_log("xlogy", 0.0, "input * log(other)", "Xlogy")
xlog1py = _times_log("special.xlog1py", -1.0, "input * log(1 + other)", "SpecialXlog1Py")
entr = unary(
    "special.entr",
    "y = entr(input)",
    check=without("entr_cpu", COMPLEX),
    doc="-input * log(input): 0 at 0, minus infinity below.\n\nThe gradient is infinite at 0, NaN below.",
    vjp=lambda F, x, y, g: F.mul(g, F.neg(F.add(F.log(x), 1))),
    grad_fn="SpecialEntrBackward0",
    saves=("self",),
    samples=lambda make: [sample(make(2, 3, low=0.2)), sample(make(low=0.2)), sample(make.ints(3, low=1))],
    refusals=lambda make: [refused("\"entr_cpu\" not implemented for 'ComplexDouble'", make(2) + 1j)],
)


def _logit_rule(F: Any, x: Any, y: Any, g: Any, eps: float | None) -> Any:
    def rule() -> Any:
        low = 0.0 if eps is None else eps
        outside = F.logical_not(F.logical_and(F.ge(x[0], low), F.le(x[0], 1.0 - low)))
        slope = F.div(g, F.mul(x[0], F.rsub(x[0], 1.0)))
        return F.where(outside, math.nan if eps is None else 0, slope)

    return (rule,)


@elementwise(
    "logit",
    "z = within(input, eps); u = subtract(1, z); v = divide(z, u); y = log(v)",
    compute="float",
    check=without("logit_cpu", COMPLEX),
    vjp=_logit_rule,
    saves=("eps", "self"),
    aliases=("special.logit",),
    samples=lambda make: [
        sample(make(2, 3, low=0.1, high=0.9)),
        sample(make(low=0.1, high=0.9)),
        sample(make(4, low=0.25, high=0.75), eps=0.1),
        sample(make.ints(3), 0.1),
    ],
    refusals=lambda make: [refused("\"logit_cpu\" not implemented for 'ComplexDouble'", make(2) + 1j)],
)
def logit(input: Tensor, eps: float | None = None) -> None:
    """log(input / (1 - input)), the inverse of the sigmoid; with `eps`, of input between eps and 1 - eps.

    The gradient is infinite at 0 and 1 and NaN outside; with `eps` it is 0 outside of eps and 1 - eps.
    """
