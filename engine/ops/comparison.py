"""Comparisons, logic and predicates: results are bool, nothing flows back through them."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import SCALAR, binary, kernel, unary
from engine.dtypes import COMPLEX, bool_, uint8
from engine.op import Op, refused, sample
from engine.ops.arithmetic import MISMATCH
from engine.ops.dtype_checks import without
from engine.signature import Array, Dims, Tensor
from engine.types import Type, reduced_shape

_CONSTANT = "Piecewise constant: the result never requires grad."


def _comparison(name: str, step: str, alias: str, words: str, *, ordered: bool = True) -> Op:
    refusals = [(MISMATCH, (3,), (2,))]
    return binary(
        name,
        f"y = {step}(input, other)",
        other=SCALAR,
        result="bool",
        check=without(f"{name}_cpu", COMPLEX) if ordered else None,
        doc=f"Where `input` {words} `other`.\n\n{_CONSTANT} A comparison with NaN is {name == 'ne'}.",
        aliases=(alias,) if alias else (),
        samples=lambda make: [
            sample(make(2, 3), make(3)),
            sample(make(3), 0.5),
            sample(make.ints(3), 2),
            sample(make.bools(3), True),
        ],
        refusals=lambda make: [
            *(refused(text, make(*left), make(*right)) for text, left, right in refusals),
            refused(f"{name}() received an invalid combination of arguments - got (int, float)", 1, 2.0),
            *([refused(f'"{name}_cpu" not implemented', make(2) + 1j, make(2))] if ordered else []),
        ],
    )


eq = _comparison("eq", "equal", "", "equals", ordered=False)
ne = _comparison("ne", "not_equal", "not_equal", "differs from", ordered=False)
lt = _comparison("lt", "less", "less", "is less than")
le = _comparison("le", "less_equal", "less_equal", "is at most")
gt = _comparison("gt", "greater", "greater", "is greater than")
ge = _comparison("ge", "greater_equal", "greater_equal", "is at least")


def _logic(name: str, words: str) -> Op:
    return binary(
        name,
        f"y = {name}(input, other)",
        result="bool",
        numbers=False,
        doc=f"Where {words}; whatever is not 0 is true, NaN too.\n\n{_CONSTANT}",
        samples=lambda make: [sample(make.bools(2, 3), make.bools(3)), sample(make(3), make.ints(3))],
        refusals=lambda make: [refused(MISMATCH, make(3), make(2))],
    )


logical_and = _logic("logical_and", "both are true")
logical_or = _logic("logical_or", "one of the two is true, or both")
logical_xor = _logic("logical_xor", "exactly one of the two is true")


def _predicate(name: str, words: str) -> Op:
    return unary(
        name,
        f"y = {name}(input)",
        compute="promote",
        result="bool",
        doc=f"Where `input` {words}.\n\n{_CONSTANT}",
        samples=lambda make: [sample(make(2, 3)), sample(make.ints(3)), sample(make(2) + 1j)],
    )


logical_not = _predicate("logical_not", "is 0 or False")
isnan = _predicate("isnan", "is NaN")
isinf = _predicate("isinf", "is infinite, of either sign")
isfinite = _predicate("isfinite", "is neither infinite nor NaN")


def _quantified(input: Type, dim: Any, keepdim: bool) -> Type:
    shape = input.shape if dim == () else reduced_shape(input.shape, dim, keepdim)
    return Type(shape, uint8 if input.dtype is uint8 else bool_)


def _quantify(reduce: Any, input: Array, dim: Any, keepdim: bool, meta: Type) -> Array:
    axes = dim if dim is None or input.ndim else ()  # numpy: a 0-dim array has no axes
    return np.asarray(reduce(input, axis=axes, keepdims=keepdim), dtype=meta.dtype.numpy)


def _quantifier_samples(make: Any) -> list[Any]:
    return [
        sample(make.bools(2, 3)),
        sample(make(2, 3), 1, True),
        sample(make.bools(2, 3), (0, 1)),
        sample(make.bools(2, 3), ()),
    ]


def _quantifier_refusals(make: Any) -> Any:
    return [
        refused("Dimension out of range", make(3), 2),
        refused("dim 0 appears multiple times in the list of dims", make(2, 3), (0, 0)),
    ]


@kernel(
    "all",
    kind="reduction",
    infer=_quantified,
    samples=_quantifier_samples,
    refusals=_quantifier_refusals,
)
def all_(input: Tensor, dim: Dims | None = None, keepdim: bool = False, *, meta: Any) -> Array:
    """Whether every element over `dim` (all dimensions if None) is true; NaN is. Of uint8 it is uint8.

    Piecewise constant: the result never requires grad.
    """
    return _quantify(np.all, input, dim, keepdim, meta)


@kernel(
    "any",
    kind="reduction",
    infer=_quantified,
    samples=_quantifier_samples,
    refusals=_quantifier_refusals,
)
def any_(input: Tensor, dim: Dims | None = None, keepdim: bool = False, *, meta: Any) -> Array:
    """Whether some element over `dim` (all dimensions if None) is true; NaN is. Of uint8 it is uint8.

    Piecewise constant: the result never requires grad.
    """
    return _quantify(np.any, input, dim, keepdim, meta)
