"""Vectors over their lengths: normalize and cosine_similarity."""

from __future__ import annotations

from typing import Any

from engine.define import composite, elementwise
from engine.dtypes import FLOAT
from engine.errors import DTypeError
from engine.kernels import promoted
from engine.op import refused, sample
from engine.signature import Number, Tensor
from engine.types import broadcast_shapes


@composite(
    "nn.functional.normalize",
    samples=lambda make: [
        sample(make(2, 3)),
        sample(make(2, 3), 1.0),
        sample(make(2, 3), 3.0, 0),
        sample(make(3), dim=0),
        sample(make(2, 3) + 1j * make(2, 3)),
    ],
    refusals=lambda make: [
        refused("Dimension out of range (expected to be in range of [-1, 0], but got 1)", make(3)),
        refused("Expected a floating point or complex tensor as input. Got Long", make.ints(2, 2)),
    ],
)
def normalize(F: Any, input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Any:
    """`input` over its p-norm along `dim`, which counts as at least `eps`.

    At a zero vector the gradient is 1 / eps.
    """
    size = getattr(F, "linalg.vector_norm")(input, p, dim, True)
    return F.div(input, F.expand(F.clamp_min(size, eps), input.meta.shape))


@elementwise(
    "_at_least",
    "y = maximum(input, least)",
    vjp=lambda F, x, y, g, least: (lambda: g,),
    grad_fn="CloneBackward0",
    samples=lambda make: [],
)
def _at_least(input: Tensor, least: Number) -> None:
    """`input` with at least `least` for each element.

    Nothing of the bound shows in the gradient, which is g.
    """


@composite(
    "nn.functional.cosine_similarity",
    samples=lambda make: [
        sample(make(2, 3), make(2, 3)),
        sample(make(2, 3), make(3), 1),
        sample(make(2, 3, 2), make(2, 3, 1), dim=0),
        sample(make(3), make(3), -1),
    ],
    refusals=lambda make: [
        refused(
            "expected common dtype to be floating point, yet common dtype is Long", make.ints(2), make.ints(2)
        ),
        refused(
            "Dimension out of range (expected to be in range of [-2, 1], but got 2)", make(2, 3), make(3), 2
        ),
    ],
)
def cosine_similarity(F: Any, x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Any:
    """The cosine of the angle between vectors along `dim`, whose lengths count as at least `eps`.

    At a zero vector the gradient is that of the product over `eps`.
    """
    dtype = promoted([x1.meta, x2.meta])
    if dtype.category != FLOAT:
        raise DTypeError(
            f"expected common dtype to be floating point, yet common dtype is {dtype.title}",
            actual=dtype.name,
        )
    shape = broadcast_shapes(x1.meta.shape, x2.meta.shape)
    over = []
    for each in (x1, x2):
        vectors = each if each.meta.dtype.category == FLOAT else F.to(each, dtype)
        vectors = vectors if vectors.meta.shape == shape else F.expand(vectors, shape)
        size = getattr(F, "linalg.vector_norm")(vectors, 2, dim, True)
        over.append(F.div(vectors, F._at_least(size, eps)))
    return F.sum(F.mul(*over), dim)
