"""Bessel functions, modified and plain, spherical and Airy's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.define import unary
from engine.dtypes import COMPLEX
from engine.op import Op, refused, sample
from engine.ops.dtype_checks import without
from engine.ops.normal import wide

Rule = Callable[[Any, Any, Any, Any], Any]
_SMOOTH = "Smooth everywhere."
_BEYOND = "Unlike torch: there is a derivative, and the eighth digit is right everywhere."


def _samples(low: float) -> Callable[[Any], list[Any]]:
    return lambda make: [
        sample(make(2, 3, low=low, high=3)),
        sample(make(low=low, high=3)),
        sample(make.ints(3, low=1, high=4)),
    ]


def _without_pole(F: Any, x: Any, at_zero: float, slope: Callable[[Any], Any]) -> Any:
    """`slope(safe)`, `safe` being x or, where x is next to nothing or NaN, a number that can be divided by;
    `at_zero` there."""
    smallest = float(np.finfo(x.dtype.numpy).eps)
    tiny = F.logical_not(F.gt(F.abs(x), smallest))
    return F.where(tiny, at_zero, slope(F.where(tiny, smallest, x)))


def _modified(name: str, kernel: str, words: str, rule: Rule, *saves: str, alias: str = "") -> Op:
    short = name.rpartition(".")[2]
    node = f"{'Special' if '.' in name else ''}{short.upper()}Backward0"
    kinks = {"i0e": "The gradient at 0 is 0.", "i1e": "The second derivative jumps at 0."}.get(short, _SMOOTH)
    if "1" in short:
        kinks += " At NaN the gradient is 0.5.\n\nUnlike torch: there is a gradient of float16, too."
    return unary(
        name,
        f"y = {short}(input)",
        check=without(kernel, COMPLEX),
        doc=f"{words}\n\n{kinks}",
        vjp=rule,
        grad_fn=node,
        saves=saves,
        aliases=(alias,) if alias else (),
        samples=_samples(-2),
        refusals=lambda make: [refused(f"\"{kernel}\" not implemented for 'ComplexDouble'", make(2) + 1j)],
    )


def _i(F: Any, name: str) -> Any:
    return getattr(F, f"special.{name}")


i0 = _modified(
    "i0",
    "i0_vml_cpu",
    "The modified Bessel function of the first kind, of order 0.",
    lambda F, x, y, g: F.mul(g, _i(F, "i1")(x)),
    "self",
    alias="special.i0",
)
i0e = _modified(
    "special.i0e",
    "i0e_cpu",
    "exp(-abs(input)) * i0(input).",
    lambda F, x, y, g: F.mul(g, F.sub(_i(F, "i1e")(x), F.mul(F.sgn(x), y))),
    "result",
    "self",
)
i1 = _modified(
    "special.i1",
    "i1_cpu",
    "The modified Bessel function of the first kind, of order 1.",
    lambda F, x, y, g: F.mul(
        g, _without_pole(F, x, 0.5, lambda safe: F.sub(F.i0(safe), F.mul(y, F.reciprocal(safe))))
    ),
    "result",
    "self",
)
i1e = _modified(
    "special.i1e",
    "i1e_cpu",
    "exp(-abs(input)) * i1(input).",
    lambda F, x, y, g: F.mul(
        g,
        _without_pole(
            F,
            x,
            0.5,
            lambda safe: F.sub(_i(F, "i0e")(safe), F.mul(y, F.add(F.sgn(safe), F.reciprocal(safe)))),
        ),
    ),
    "result",
    "self",
)


def _beyond(name: str, step: str, words: str, rule: Rule, *, low: float = -3, kinks: str = _SMOOTH) -> Op:
    """special.`name`, scipy's `step`, with the derivative that torch has not."""
    node = "".join(map(str.title, name.split("_")))
    return unary(
        f"special.{name}",
        f"y = {step}(input)",
        check=wide(f"{name}_cpu"),
        doc=f"{words}\n\n{kinks}\n\n{_BEYOND}",
        vjp=rule,
        grad_fn=f"Special{node}Backward0",
        saves=("result", "self"),
        samples=_samples(low),
        refusals=lambda make: [refused(f"\"{name}_cpu\" not implemented for 'ComplexDouble'", make(2) + 1j)],
    )


def _order_1(F: Any, x: Any, y: Any, g: Any, order_0: str) -> Any:
    """The slope of a function of order 1: that of order 0, less y / x."""
    return F.mul(g, F.sub(_i(F, order_0)(x), F.div(y, x)))


_POLE = "Infinite at 0; NaN below."
_FIRST = "The Bessel function of the first kind, of order"
_SECOND = "The Bessel function of the second kind, of order"
_MODIFIED = "The modified Bessel function of the first kind, of order"
_KIND_2 = "The modified Bessel function of the second kind, of order"
bessel_j0 = _beyond(
    "bessel_j0", "j0", f"{_FIRST} 0.", lambda F, x, y, g: F.mul(g, F.neg(_i(F, "bessel_j1")(x)))
)
bessel_j1 = _beyond(
    "bessel_j1",
    "j1",
    f"{_FIRST} 1.",
    lambda F, x, y, g: F.mul(
        g, _without_pole(F, x, 0.5, lambda safe: F.sub(_i(F, "bessel_j0")(safe), F.div(y, safe)))
    ),
)
bessel_y0 = _beyond(
    "bessel_y0",
    "y0",
    f"{_SECOND} 0.",
    lambda F, x, y, g: F.mul(g, F.neg(_i(F, "bessel_y1")(x))),
    low=0.3,
    kinks=_POLE,
)
bessel_y1 = _beyond(
    "bessel_y1",
    "y1",
    f"{_SECOND} 1.",
    lambda F, x, y, g: _order_1(F, x, y, g, "bessel_y0"),
    low=0.3,
    kinks=_POLE,
)
modified_bessel_i0 = _beyond(
    "modified_bessel_i0",
    "i0",
    f"{_MODIFIED} 0.",
    lambda F, x, y, g: F.mul(g, _i(F, "modified_bessel_i1")(x)),
)
modified_bessel_i1 = _beyond(
    "modified_bessel_i1",
    "i1",
    f"{_MODIFIED} 1.",
    lambda F, x, y, g: F.mul(
        g,
        _without_pole(F, x, 0.5, lambda safe: F.sub(_i(F, "modified_bessel_i0")(safe), F.div(y, safe))),
    ),
)
modified_bessel_k0 = _beyond(
    "modified_bessel_k0",
    "k0",
    f"{_KIND_2} 0.",
    lambda F, x, y, g: F.mul(g, F.neg(_i(F, "modified_bessel_k1")(x))),
    low=0.3,
    kinks=_POLE,
)
modified_bessel_k1 = _beyond(
    "modified_bessel_k1",
    "k1",
    f"{_KIND_2} 1.",
    lambda F, x, y, g: F.mul(g, F.neg(F.add(_i(F, "modified_bessel_k0")(x), F.div(y, x)))),
    low=0.3,
    kinks=_POLE,
)
scaled_modified_bessel_k0 = _beyond(
    "scaled_modified_bessel_k0",
    "k0e",
    "exp(input) * modified_bessel_k0(input).",
    lambda F, x, y, g: F.mul(g, F.sub(y, _i(F, "scaled_modified_bessel_k1")(x))),
    low=0.3,
    kinks=_POLE,
)
scaled_modified_bessel_k1 = _beyond(
    "scaled_modified_bessel_k1",
    "k1e",
    "exp(input) * modified_bessel_k1(input).",
    lambda F, x, y, g: F.mul(g, F.sub(F.sub(y, F.div(y, x)), _i(F, "scaled_modified_bessel_k0")(x))),
    low=0.3,
    kinks=_POLE,
)
