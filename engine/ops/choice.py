"""where: one of two values, element by element."""

from __future__ import annotations

from typing import Any

from engine.define import elementwise, pointwise
from engine.dtypes import BOOL, uint8
from engine.errors import DTypeError
from engine.op import refused, sample
from engine.signature import Mask, Param, Tensor
from engine.types import Type

_PARAMS = (
    Param("condition", "Mask", False, None, False),
    Param("input", "Tensor", False, None, False),
    Param("other", "Tensor", False, None, False),
)
_chosen_type = pointwise(_PARAMS)


def _where_type(condition: Type, input: Any, other: Any) -> Type:
    if condition.dtype.category != BOOL and condition.dtype is not uint8:
        raise DTypeError(
            "where expected condition to be a boolean tensor, but got a tensor with dtype "
            f"{condition.dtype.title}"
        )
    return _chosen_type(condition, input, other)


@elementwise(
    "where",
    "y = select(condition, input, other)",
    infer=_where_type,
    vjp=lambda F, x, y, g: (None, lambda: F.where(x[0], g, 0), lambda: F.where(x[0], 0, g)),
    saves=("condition",),
    samples=lambda make: [
        sample(make.bools(2, 3), make(2, 3), make(3)),
        sample(make.bools(2, 1), make(3), 0.0),
        sample(make.bools(3), 1, make()),
        sample(make.bools(3), 1.0, 2.0),
        sample(make.bools(3), make(3) + 1j * make(3), make(3)),
    ],
    refusals=lambda make: [
        refused("where expected condition to be a boolean tensor", make(2), make(2), make(2)),
        refused(
            "The size of tensor a (4) must match the size of tensor b (3) at non-singleton dimension 0",
            make.bools(4),
            make(3),
            make(3),
        ),
    ],
)
def where(condition: Mask, input: Tensor, other: Tensor) -> None:
    """`input` where `condition`, else `other`.

    The side not chosen gets 0. That 0 meets the derivative of what made the side: where that is infinite or
    NaN, so is the gradient; choose a harmless argument with a second `where` before the function.
    """


def over(F: Any, value: Any, divisor: Any, zero: Any) -> Any:
    """value / divisor, and 0 where `zero`. There the value is 0 before it is divided, too: forward mode takes
    the transpose of a rule, which divides what is already chosen."""
    return F.where(zero, 0, F.div(F.where(zero, 0, value), divisor))
