"""Where the service's answer is not torch's, or cannot be asked for, with the reason."""

from __future__ import annotations

from typing import NamedTuple


class Deviation(NamedTuple):
    """Cases of an op, by their indices."""

    op: str
    cases: tuple[int, ...]
    why: str  # one of REASONS
    reason: str


REASONS = ("torch is wrong", "not expressible")

TABLE = (
    Deviation(
        "as_strided",
        (6, 7),
        "not expressible",
        "the input is a part of a larger memory, which an input of a request never is",
    ),
    Deviation(
        "as_strided_scatter",
        (0, 1, 2, 3, 4, 5, 6),
        "torch is wrong",
        "its gradient of the input is that of what is written over, and 0 where the input is kept",
    ),
    Deviation(
        "div",
        (15, 16, 17, 18, 19),
        "not expressible",
        "Tensor.__rdiv__ of a tensor: div here, by a reciprocal only where a number is divided",
    ),
    Deviation(
        "nn.functional.hardsigmoid",
        (0,),
        "torch is wrong",
        "its slope in float64 is a sixth rounded to float32",
    ),
    Deviation(
        "as_strided",
        (6, 7),
        "not expressible",
        "the input is a part of a larger storage; an input of a request has one of its own",
    ),
    Deviation(
        "as_strided_scatter",
        tuple(range(7)),
        "torch is wrong",
        "the gradient of the input stands where `src` was written, and is zero where it was not",
    ),
)

# Refused calls that are none here, by op and index.
REFLECTED = "a number in front of a tensor is accepted: 2 < x is an operator of Python"
METHOD = "torch speaks of a method of Tensor that was looked up on an int"
RANK = "the service's own limit of dimensions is lower than torch's"
REFUSED_REASONS = (REFLECTED, METHOD, RANK)
REFUSALS: dict[str, dict[int, str]] = {
    **{key: {0: REFLECTED} for key in ("eq", "ge", "gt", "le", "lt", "ne")},
    **{key: {0: METHOD, 1: METHOD} for key in ("add", "div", "mul")},
    **{key: {1: RANK, 2: RANK} for key in ("amax", "amin", "aminmax")},
}


def listed(op: str) -> set[int]:
    """The cases of an op that are in the table."""
    return {at for each in TABLE if each.op == op for at in each.cases}
