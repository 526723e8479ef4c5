"""Elementwise ops at kinks, poles and infinities: values and gradients that PyTorch 2.13 gives there."""

import math

import numpy as np
import pytest

import engine
from engine.errors import ArgumentError, NotDifferentiable, UnsupportedDType

INF, NAN = math.inf, math.nan
ONE = [
    ("asin", 1.0, math.pi / 2, INF),
    ("acos", -1.0, math.pi, -INF),
    ("acosh", 1.0, 0.0, INF),
    ("atanh", 1.0, INF, INF),
    ("log1p", -1.0, -INF, INF),
    ("log2", 0.0, -INF, INF),
    ("log10", -1.0, NAN, -1 / math.log(10)),
    ("sinc", 0.0, 1.0, 0.0),
    ("trunc", 2.0, 2.0, 0.0),
    ("frac", -2.5, -0.5, 1.0),
    ("logit", 1.0, INF, INF),
    ("logit", 1.5, NAN, NAN),
    ("erfinv", 1.0, INF, INF),
    ("lgamma", -INF, INF, NAN),
    ("digamma", 0.0, -INF, INF),
    ("nan_to_num", NAN, 0.0, 0.0),
    ("nan_to_num", -INF, -1.7976931348623157e308, 0.0),
    ("special.entr", 0.0, 0.0, INF),
    ("special.entr", -1.0, -INF, NAN),
    ("special.ndtri", 0.0, -INF, INF),
    ("special.i0e", 0.0, 1.0, 0.0),
    ("special.i1", 0.0, 0.0, 0.5),
    ("special.i1e", NAN, NAN, 0.5),
]
TWO = [
    ("atan2", (0.0, 0.0), 0.0, (0.0, -0.0)),
    ("hypot", (0.0, 0.0), 0.0, (NAN, NAN)),
    ("fmax", (1.0, 1.0), 1.0, (1.0, 0.0)),
    ("fmax", (NAN, 2.0), 2.0, (0.0, 1.0)),
    ("fmax", (NAN, NAN), NAN, (1.0, 0.0)),
    ("fmin", (1.0, NAN), 1.0, (1.0, 0.0)),
    ("fmod", (-3.0, 2.0), -1.0, (1.0, 1.0)),
    ("xlogy", (0.0, 0.0), 0.0, (0.0, NAN)),
    ("xlogy", (0.0, NAN), NAN, (NAN, NAN)),
    ("special.xlog1py", (0.0, -1.0), 0.0, (0.0, NAN)),
    ("copysign", (0.0, -1.0), -0.0, (0.0, 0.0)),
    ("logaddexp", (-INF, -INF), -INF, (NAN, NAN)),
    ("logaddexp2", (INF, 0.0), INF, (1.0, 0.0)),
    ("nextafter", (1.0, 1.0), 1.0, (0.0, 0.0)),
]


def leaf(value: float) -> engine.Tensor:
    return engine.tensor(value, dtype=engine.float64, requires_grad=True)


@pytest.mark.parametrize(("name", "at", "value", "slope"), ONE)
def test_of_one_operand(name: str, at: float, value: float, slope: float) -> None:
    x = leaf(at)
    y = engine.lookup(name)(x)
    (gradient,) = engine.grad(y, x)
    np.testing.assert_allclose([y.item(), gradient.item()], [value, slope], rtol=1e-12)


@pytest.mark.parametrize(("name", "at", "value", "slopes"), TWO)
def test_of_two_operands(
    name: str, at: tuple[float, float], value: float, slopes: tuple[float, float]
) -> None:
    operands = tuple(map(leaf, at))
    y = engine.lookup(name)(*operands)
    found = [y.item(), *(each.item() for each in engine.grad(y, operands))]
    np.testing.assert_array_equal(found, [value, *slopes])
    np.testing.assert_array_equal(np.signbit([found[0]]), np.signbit([value]))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sinc", -(math.pi**2) / 3),
        ("special.bessel_j0", -0.5),
        ("special.bessel_j1", 0.0),
        ("special.spherical_bessel_j0", -1 / 3),
        ("special.airy_ai", 0.0),
        ("i0", 0.5),
    ],
)
def test_second_derivative_at_0(name: str, expected: float) -> None:
    x = leaf(0.0)
    (slope,) = engine.grad(engine.lookup(name)(x), x, create_graph=True)
    assert engine.grad(slope, x)[0].item() == pytest.approx(expected, abs=1e-15)


def test_incomplete_gamma_has_no_derivative_by_its_first_operand() -> None:
    a, x = leaf(2.0), leaf(1.0)
    with pytest.raises(NotDifferentiable, match=r"^the derivative for 'igamma: input' is not implemented\."):
        engine.special.gammainc(a, x).backward()
    assert engine.grad(engine.igamma(a.detach(), x), x)[0].item() == pytest.approx(math.exp(-1))


def test_a_gradient_by_a_power_of_two_with_a_negative_integer() -> None:
    x = leaf(3.0)
    engine.ldexp(x, engine.tensor(-1)).backward()
    assert x.grad.item() == 0.5


def test_shifts_of_all_bits() -> None:
    bits, by = engine.tensor([1, -2, 3, -1, 5]), engine.tensor([63, 64, -1, 2, 200])
    assert (bits << by).tolist() == [-(2**63), 0, 0, -4, 0]
    assert (bits >> by).tolist() == [0, -1, 0, -1, 0]


def test_operators_are_bitwise() -> None:
    numbers, mask = engine.tensor([5, 2]), engine.tensor([True, False])
    assert [(numbers & 4).tolist(), (1 | numbers).tolist(), (numbers ^ numbers).tolist()] == [
        [4, 0],
        [5, 3],
        [0, 0],
    ]
    assert (~numbers).tolist() == [-6, -3] and (~mask).tolist() == [False, True]
    assert (mask & True).dtype is engine.bool and (1 << numbers).tolist() == [32, 4]
    with pytest.raises(ArgumentError, match="is only implemented on integer and Boolean-type tensors"):
        ~engine.tensor([0.5])
    with pytest.raises(UnsupportedDType, match="bitwise_and_cpu"):
        engine.tensor([0.5]) & engine.tensor([0.5])


def test_heaviside_of_nan_is_0() -> None:
    x = engine.tensor([NAN, -0.0, 2.0, -2.0])
    assert engine.heaviside(x, engine.full((4,), 0.25)).tolist() == [0.0, 0.25, 1.0, 0.0]


def test_polygamma_as_a_method_and_in_a_program() -> None:
    x = leaf(1.0)
    assert x.polygamma(1).item() == pytest.approx(math.pi**2 / 6)
    program = engine.Program([{"id": "y", "op": "polygamma", "in": ["x"], "attrs": {"n": 1}}])
    result = program.backward({"x": x})
    assert result.outputs["y"].item() == pytest.approx(math.pi**2 / 6)
    assert result.grads["x"].item() == pytest.approx(-2.4041138063191885)  # -2 zeta(3)
