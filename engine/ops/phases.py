"""Complex numbers by length and angle, and their conjugates: angle, polar, H, mH, adjoint."""

from __future__ import annotations

from typing import Any

from engine.define import composite, elementwise, pointwise_result, unary
from engine.dtypes import FLOAT, complex_of, float16
from engine.errors import ArgumentError, DTypeError, RuntimeArgumentError, UnsupportedDType
from engine.op import refused, sample
from engine.signature import Tensor
from engine.types import Type


def _angle_rule(F: Any, x: Any, y: Any, g: Any) -> Any:
    if not x.meta.dtype.is_complex:
        return F.zeros_like(g)
    turned = F.mul(F.div(F.mul(g, x), F.square(F.abs(x))), 1j)
    return F.where(F.eq(x, 0), 0, turned)


angle = unary(
    "angle",
    "y = phase(input)",
    result="real",
    doc="The angle of complex numbers in the plane, in -pi … pi; of real ones pi below 0, else 0.\n\n"
    "The gradient of a real tensor is 0 everywhere, and that of a complex one is 0 at 0.",
    vjp=_angle_rule,
    grad_fn="AngleBackward0",
    saves=("self",),
    samples=lambda make: [
        sample(make(2, 3) + 1j * make(2, 3)),
        sample(make(3)),
        sample(make.ints(3)),
    ],
)


def _polar_type(abs: Type, angle: Type) -> Type:
    for at, (name, part) in enumerate((("abs", abs), ("angle", angle)), 1):
        if not isinstance(part, Type):
            raise ArgumentError(
                f"polar(): argument '{name}' (position {at}) must be Tensor, not {type(part).__name__}"
            )
    for part in (abs, angle):
        if part.dtype.category != FLOAT:
            raise DTypeError(
                "Expected both inputs to be Half, Float or Double tensors but got "
                f"{abs.dtype.title} and {angle.dtype.title}"
            )
    if abs.dtype is not angle.dtype:
        raise DTypeError(
            f"Expected object of scalar type {abs.dtype.title} but got scalar type {angle.dtype.title} for "
            "second argument",
            expected=abs.dtype.name,
            actual=angle.dtype.name,
        )
    if abs.dtype is float16:
        raise UnsupportedDType("\"polar_cpu\" not implemented for 'Half'")
    return pointwise_result([abs, angle], complex_of(abs.dtype))


@elementwise(
    "polar",
    "c = cos(angle); c = multiply(abs, c); s = sin(angle); s = multiply(abs, s); y = join(c, s)",
    infer=_polar_type,
    vjp=lambda F, x, y, g: (
        lambda: F.real(F.mul(F.conj(g), F.sgn(y))),
        lambda: F.real(F.mul(F.conj(g), F.mul(y, 1j))),
    ),
    saves=("result",),
    samples=lambda make: [sample(make(2, 3, low=0.5), make(3)), sample(make(low=0.5), make())],
    refusals=lambda make: [
        refused("Expected both inputs to be Half, Float or Double tensors but got Long and Long",
                make.ints(2), make.ints(2)),
        refused("The size of tensor a (3) must match the size of tensor b (2) at non-singleton dimension 0",
                make(3), make(2)),
    ],
)  # fmt: skip
def polar(abs: Tensor, angle: Tensor) -> None:
    """abs * exp(i * angle).

    Where `abs` is 0 its gradient is 0, and where it is negative that of its absolute value, as in torch.
    """


_conj_physical = unary(
    "_conj_physical",
    "y = conjugate(input)",
    compute="promote",
    doc="The complex conjugate, of a complex tensor.\n\nSmooth as a map of the real and imaginary parts.",
    vjp=lambda F, x, y, g: F.conj_physical(g),
    grad_fn="ConjPhysicalBackward0",
)


@composite("conj_physical", samples=lambda make: [sample(make(3)), sample(make(3) + 1j * make(3))])
def conj_physical(F: Any, input: Tensor) -> Any:
    """The complex conjugate; a real tensor is given back as it is.

    Smooth as a map of the real and imaginary parts.
    """
    return F._conj_physical(input) if input.meta.dtype.is_complex else input


def _adjoint(F: Any, name: str, input: Any) -> Any:
    rank = input.meta.ndim
    if rank == 0:
        return F.conj(input)
    if rank == 1:
        raise RuntimeArgumentError(
            f"tensor.{name} is only supported on matrices or batches of matrices. Got {rank}-D tensor."
        )
    return F.conj(F.transpose(input, -2, -1))


@composite(
    "mH",
    samples=lambda make: [sample(make(2, 3)), sample(make(2, 2, 3) + 1j * make(2, 2, 3)), sample(make())],
    refusals=lambda make: [
        refused("tensor.mH is only supported on matrices or batches of matrices. Got 1-D tensor.", make(3))
    ],
)
def mH(F: Any, input: Tensor) -> Any:
    """Each matrix of the last two dimensions transposed and conjugated.

    Smooth everywhere.
    """
    return _adjoint(F, "mH", input)


@composite(
    "adjoint",
    samples=lambda make: [sample(make(2, 3)), sample(make(2, 2) + 1j * make(2, 2))],
    refusals=lambda make: [
        refused("tensor.adjoint() is only supported on matrices or batches of matrices. Got 1-D", make(3))
    ],
)
def adjoint(F: Any, input: Tensor) -> Any:
    """Each matrix of the last two dimensions transposed and conjugated.

    Smooth everywhere.
    """
    return _adjoint(F, "adjoint()", input)


@composite(
    "H",
    samples=lambda make: [sample(make(2, 3)), sample(make(2, 2) + 1j * make(2, 2)), sample(make())],
    refusals=lambda make: [
        refused("tensor.H is only supported on matrices (2-D tensors). Got 1-D tensor.", make(3)),
        refused("Got 3-D tensor. For batches of matrices, consider using tensor.mH", make(2, 2, 2)),
    ],
)
def H(F: Any, input: Tensor) -> Any:
    """A matrix transposed and conjugated.

    Smooth everywhere.
    """
    rank = input.meta.ndim
    if rank not in (0, 2):
        more = " For batches of matrices, consider using tensor.mH" if rank > 2 else ""
        raise RuntimeArgumentError(
            f"tensor.H is only supported on matrices (2-D tensors). Got {rank}-D tensor.{more}"
        )
    return _adjoint(F, "H", input)
