"""The gamma function: its logarithm, the derivatives of that, and incomplete ones; zeta."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.define import elementwise, pointwise, unary
from engine.dtypes import BOOL, COMPLEX, INTEGER
from engine.errors import NotDifferentiable, RuntimeArgumentError, ValueArgumentError
from engine.op import Op, refused, sample
from engine.ops.arithmetic import MISMATCH
from engine.ops.dtype_checks import no_kernel, without
from engine.ops.normal import wide
from engine.ops.tensor_checks import some_tensor, tensors_only
from engine.signature import Number, Param, Tensor, is_number
from engine.types import Type

_MOST = 1000  # terms of mvlgamma
_INPUT = (Param("input", "Tensor", False, None, False),)
_PAIR = tuple(Param(name, "Tensor", False, None, False) for name in ("input", "other"))
_PAIR_OR_NUMBER = tuple(each._replace(kind="Tensor | Number") for each in _PAIR)


def _samples(make: Any) -> list[Any]:
    return [sample(make(2, 3, low=0.4)), sample(make(low=0.4)), sample(make.ints(3, low=1))]


lgamma = unary(
    "lgamma",
    "y = log_gamma(input)",
    check=without("lgamma_vml_cpu", COMPLEX),
    doc=(
        "The logarithm of the absolute value of the gamma function.\n\n"
        "Infinite at 0, -1, -2 …, where the gradient is that of digamma: NaN below 0."
    ),
    vjp=lambda F, x, y, g: F.mul(g, F.digamma(x)),
    saves=("self",),
    aliases=("special.gammaln",),
    samples=_samples,
    refusals=lambda make: [refused("\"lgamma_vml_cpu\" not implemented for 'ComplexDouble'", make(2) + 1j)],
)
digamma = unary(
    "digamma",
    "y = psi(input)",
    check=without("digamma", COMPLEX),
    doc=(
        "The derivative of lgamma.\n\nMinus infinity at 0 and NaN at -1, -2 …; its gradient is infinite."
        "\n\nUnlike torch: at -1, -2 … the gradient is infinite, not a large number."
    ),
    vjp=lambda F, x, y, g: F.mul(g, F.polygamma(1, x)),
    saves=("self",),
    aliases=("special.digamma", "special.psi"),
    samples=_samples,
    refusals=lambda make: [refused("\"digamma\" not implemented for 'ComplexDouble'", make(2) + 1j)],
)


def _polygamma_type(input: Any, n: int) -> Type:
    if n < 0:
        raise RuntimeArgumentError("polygamma(n, x) does not support negative n.")
    if n >= 2**63:
        raise ValueArgumentError("Overflow when unpacking long long")
    kernel = {0: "digamma", 1: "trigamma"}.get(n, "polygamma")
    infer = pointwise(_INPUT, compute="float", check=without(kernel, COMPLEX))
    found: Type = tensors_only("polygamma", ("", "input"), infer)(input)
    return found


@elementwise(
    "polygamma",
    "y = polygamma(input, n)",
    compute="float",
    infer=_polygamma_type,
    vjp=lambda F, x, y, g, n: (lambda: F.mul(g, F.polygamma(n + 1, x[0])),),
    saves=("n", "self"),
    aliases=("special.polygamma",),
    samples=lambda make: [
        sample(1, make(2, 3, low=0.4)),
        sample(0, make(low=0.4)),
        sample(3, make(2, low=0.6)),
        sample(2, make.ints(3, low=1)),
    ],
    refusals=lambda make: [
        refused("polygamma(n, x) does not support negative n.", -1, make(2)),
        refused("Overflow when unpacking long long", 10**400, make(2)),
        refused("\"trigamma\" not implemented for 'ComplexDouble'", 1, make(2) + 1j),
    ],
)
def polygamma(n: int, input: Tensor) -> None:
    """The derivative of digamma, `n` times.

    Infinite at 0, -1, -2 …

    Unlike torch: of order 1 it is infinite at -1, -2 …, not a large number; of higher order 0 at infinity.
    """


def _multi_type(input: Type, p: int) -> Type:
    if input.dtype.category == BOOL:
        raise RuntimeArgumentError("The input tensor may not be a boolean tensor.")
    if p < 1:
        raise RuntimeArgumentError("p has to be greater than or equal to 1")
    if p > _MOST:
        raise RuntimeArgumentError(f"mvlgamma: p has to be at most {_MOST}", expected=_MOST, actual=p)
    if input.dtype.category == COMPLEX:
        raise no_kernel("arange_cpu", input.dtype)
    found: Type = pointwise(_INPUT, compute="float")(input)
    return found


@elementwise(
    "_multi_polygamma",
    "y = multi_polygamma(input, p, n)",
    compute="float",
    vjp=lambda F, x, y, g, p, n: (lambda: F.mul(g, F._multi_polygamma(x[0], p, n + 1)),),
    saves=("self",),
    samples=lambda make: [sample(make(2, 3, low=2.2, high=4), 3, 0)],
)
def multi_polygamma(input: Tensor, p: int, n: int) -> None:
    """The sum of polygamma at input, input - 1/2 …: `p` terms.

    As polygamma.
    """


@elementwise(
    "mvlgamma",
    "t = multi_polygamma(input, p, -1); s = log_pi_quarters(p); y = add(t, s)",
    compute="float",
    infer=_multi_type,
    vjp=lambda F, x, y, g, p: (lambda: F.mul(g, F._multi_polygamma(x[0], p, 0)),),
    saves=("p", "self"),
    aliases=("special.multigammaln",),
    samples=lambda make: [
        sample(make(2, 3, low=1.2, high=4), 2),
        sample(make(low=1.2, high=4), p=1),
        sample(make.ints(3, low=3), 4),
    ],
    refusals=lambda make: [
        refused("p has to be greater than or equal to 1", make(2), 0),
        refused("The input tensor may not be a boolean tensor.", make.bools(2), 1),
        refused("\"arange_cpu\" not implemented for 'ComplexDouble'", make(2) + 1j, 1),
        refused("p has to be at most 1000", make(2), 1001),
    ],
)
def mvlgamma(input: Tensor, p: int) -> None:
    """The logarithm of the gamma function of `p` by `p` matrices: a sum over lgamma of input, input - 1/2 ….

    Infinite where one of the terms is.

    Unlike torch: p is at most 1000.
    """


def _no_derivative(what: str) -> Callable[[], Any]:
    def rule() -> Any:
        raise NotDifferentiable(f"the derivative for '{what}' is not implemented.")

    return rule


def _incomplete(name: str, kernel: str, sign: str, words: str) -> Op:
    """`kernel`, special.`name`, whose derivative by `other` is the density of a gamma distribution."""

    def density(F: Any, g: Any, x: Any) -> Any:
        power = F.mul(F.sub(x[0], 1), F.log(x[1]))
        found = F.mul(g, F.exp(F.sub(F.sub(power, x[1]), F.lgamma(x[0]))))
        return F.neg(found) if sign == "-" else found

    def declaration(input: Tensor, other: Tensor) -> None: ...

    declaration.__doc__ = (
        f"{words}\n\nSmooth for positive operands, by `other`; by `input` no derivative is implemented."
        "\n\nUnlike torch: NaN where one of the two is, whatever the other."
    )
    infer = pointwise(_PAIR, check=without(f"{kernel}_cpu", BOOL, INTEGER, COMPLEX))
    return elementwise(
        kernel,
        f"y = {name}(input, other)",
        infer=tensors_only(kernel, ("input", "other"), infer),
        vjp=lambda F, x, y, g: (_no_derivative(f"{kernel}: input"), lambda: density(F, g, x)),
        grad_fn=f"{kernel.title()}Backward0",
        saves=("other for other", "self for other"),
        aliases=(f"special.{name}",),
        samples=lambda make: [
            sample(make.ints(2, 3, low=1, high=4), make(2, 3, low=0.4)),
            sample(make.ints(2, low=1, high=4), make(low=0.4).astype("float32")),
        ],
        refusals=lambda make: [
            refused(MISMATCH, make(3), make(2)),
            refused(f"\"{kernel}_cpu\" not implemented for 'Long'", make.ints(2), make.ints(2)),
            refused(f"{kernel}(): argument 'other' (position 2) must be Tensor, not int", make(2), 2),
        ],
    )(declaration)


igamma = _incomplete(
    "gammainc", "igamma", "+", "The share of the gamma function of `input` that lies below `other`."
)
igammac = _incomplete(
    "gammaincc", "igammac", "-", "The share of the gamma function of `input` that lies above `other`."
)


def _zeta_name(operands: Any, given: Any) -> str:
    return f"SpecialZetaBackward{1 if is_number(operands[0]) else 2 if is_number(operands[1]) else 0}"


@elementwise(
    "special.zeta",
    "y = hurwitz_zeta(input, other)",
    compute="float",
    infer=some_tensor("special_zeta", pointwise(_PAIR_OR_NUMBER, compute="float", check=wide("zeta_cpu"))),
    vjp=lambda F, x, y, g: (_no_derivative("zeta"), lambda: _by_place(F, g, x)),
    grad_fn=_zeta_name,
    saves=("other for other", "self for other"),
    samples=lambda make: [
        sample(make.ints(2, 3, low=2, high=4), make(3, low=0.4)),
        sample(2.5, make(3, low=0.4)),
        sample(make.ints(2, low=2), 2),
    ],
    refusals=lambda make: [
        refused(MISMATCH, make(3), make(2)),
        refused("\"zeta_cpu\" not implemented for 'ComplexDouble'", make(2) + 1j, make(2)),
        refused("special_zeta() received an invalid combination of arguments", 2, 3),
    ],
)
def zeta(input: Tensor | Number, other: Tensor | Number) -> None:
    """The sum of 1 / (k + other) ** input over k = 0, 1, 2 …: the zeta function of Hurwitz.

    Smooth by `other` between its poles at 0, -1 …; by `input` no derivative is implemented.

    Unlike torch: 0 where `other` is infinite and `input` more than 1, not NaN.
    """


def _by_place(F: Any, g: Any, x: Any) -> Any:
    negative, following = (-x[0], x[0] + 1.0) if is_number(x[0]) else (F.neg(x[0]), F.add(x[0], 1.0))
    return F.mul(F.mul(g, negative), getattr(F, "special.zeta")(following, x[1]))
