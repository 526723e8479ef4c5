"""The families of ops. Importing this package fills the registry."""

from engine.ops import (
    amax,
    arithmetic,
    casting,
    creation,
    extremes,
    matrix_norms,
    norms,
    products,
    reductions,
    shape,
    sizes,
    spread,
    transposing,
)

__all__ = [
    "amax",
    "arithmetic",
    "casting",
    "creation",
    "extremes",
    "matrix_norms",
    "norms",
    "products",
    "reductions",
    "shape",
    "sizes",
    "spread",
    "transposing",
]
