"""Products of batches of matrices, added to a term: addbmm, baddbmm."""

from __future__ import annotations

from typing import Any

from engine.define import kernel
from engine.errors import DTypeError, ShapeError
from engine.leading import behind
from engine.op import refused, sample
from engine.ops.linalg import product, refuse_bool
from engine.ops.sums_of_products import check_expands, scaled, summed
from engine.signature import Array, Number, Tensor
from engine.types import Type


def _pairs(batch1: Type, batch2: Type, added: bool) -> None:
    for name, each in (("batch1", batch1), ("batch2", batch2)):
        if each.ndim != 3:
            raise ShapeError(f"{name} must be a 3D tensor", expected=3, actual=each.ndim)
    count, _, inner = batch1.shape
    if added and batch2.shape[0] != count:
        raise ShapeError(
            f"batch1 and batch2 must have same number of batches, got {count} and {batch2.shape[0]}",
            expected=count,
            actual=batch2.shape[0],
        )
    if added and batch2.shape[1] != inner:
        (_, rows, _), (_, other, columns) = batch1.shape, batch2.shape
        raise ShapeError(
            f"Incompatible matrix sizes for bmm ({rows}x{inner} and {other}x{columns})",
            expected=inner,
            actual=other,
        )
    if batch2.shape[:2] != (count, inner):
        raise ShapeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{count}, {inner}] but got: "
            f"[{batch2.shape[0]}, {batch2.shape[1]}].",
            expected=[count, inner],
            actual=list(batch2.shape[:2]),
        )


def _early(input: Type, batch1: Type, batch2: Type, added: bool) -> None:
    """The term is expanded before anything else is looked at."""
    if batch1.ndim == batch2.ndim == 3:
        shape = batch1.shape[1], batch2.shape[2]
        check_expands(input, shape if added else (batch1.shape[0], *shape))


def _addbmm_type(input: Type, batch1: Type, batch2: Type, *, beta: Any, alpha: Any) -> Type:
    _early(input, batch1, batch2, True)
    _pairs(batch1, batch2, True)
    if input.dtype is not batch2.dtype or batch1.dtype is not batch2.dtype:
        raise DTypeError(
            f"self and mat2 must have the same dtype, but got {input.dtype.title} and {batch2.dtype.title}"
        )
    refuse_bool("addmm_impl_cpu_", input.dtype)
    return Type((batch1.shape[1], batch2.shape[2]), input.dtype)


def _shared(F: Any, g: Any, count: int) -> Any:
    return F.expand(F.unsqueeze(g, 0), (count, *g.meta.shape))


@kernel(
    "addbmm",
    kind="contraction",
    infer=_addbmm_type,
    vjp=lambda F, x, y, g, beta, alpha: (
        lambda: scaled(F, g, beta),
        lambda: scaled(F, F.bmm(_shared(F, g, x[1].meta.shape[0]), F.conj(F.transpose(x[2], 1, 2))), alpha),
        lambda: scaled(F, F.bmm(F.conj(F.transpose(x[1], 1, 2)), _shared(F, g, x[1].meta.shape[0])), alpha),
    ),
    saves=(
        "alpha",
        "batch1 for batch2",
        "batch1_sym_argsize_0",
        "batch2 for batch1",
        "beta",
    ),
    samples=lambda make: [
        sample(make(2, 2), make(2, 2, 3), make(2, 3, 2)),
        sample(make(2), make(2, 2, 3), make(2, 3, 2), beta=2, alpha=0.5),
        sample(make(2, 2), make(2, 2, 3), make(2, 3, 2), beta=0),
    ],
    refusals=lambda make: [
        refused("The expanded size of the tensor (5) must", make(3, 3), make(2, 3, 4), make(2, 4, 5)),
        refused("must have same number of batches, got 2 and 1", make(3, 5), make(2, 3, 4), make(1, 4, 5)),
        refused("batch1 must be a 3D tensor", make(3), make(3, 3), make(1, 3, 3)),
    ],
)
def addbmm(
    input: Tensor,
    batch1: Tensor,
    batch2: Tensor,
    *,
    beta: Number = 1,
    alpha: Number = 1,
    meta: Any,
    lead: int,
) -> Array:
    """beta * input + alpha * the sum of the products of pairs of matrices, where `input` broadcasts to it.

    Smooth everywhere. With beta 0 the values of `input` are ignored, nan and inf too.
    """
    found = product(batch1, batch2).sum(axis=-3)
    return summed(behind(input, lead, 2), found, beta, alpha, meta.dtype)


def _baddbmm_type(input: Type, batch1: Type, batch2: Type, *, beta: Any, alpha: Any) -> Type:
    _early(input, batch1, batch2, False)
    _pairs(batch1, batch2, False)
    if input.dtype is not batch1.dtype:
        names = [each.dtype.title.lower() for each in (input, batch1, batch2)]
        raise DTypeError(
            f"Input dtypes must be the same, got: input {names[0]}, batch1: {names[1]}, batch2: {names[2]}"
        )
    if batch1.dtype is not batch2.dtype:
        raise DTypeError(f"expected scalar type {batch1.dtype.title} but found {batch2.dtype.title}")
    refuse_bool("baddbmm", input.dtype)
    return Type((batch1.shape[0], batch1.shape[1], batch2.shape[2]), input.dtype)


@kernel(
    "baddbmm",
    kind="contraction",
    infer=_baddbmm_type,
    vjp=lambda F, x, y, g, beta, alpha: (
        lambda: scaled(F, g, beta),
        lambda: scaled(F, F.bmm(g, F.conj(F.transpose(x[2], 1, 2))), alpha),
        lambda: scaled(F, F.bmm(F.conj(F.transpose(x[1], 1, 2)), g), alpha),
    ),
    saves=("alpha", "batch1 for batch2", "batch2 for batch1", "beta"),
    samples=lambda make: [
        sample(make(2, 2, 2), make(2, 2, 3), make(2, 3, 2)),
        sample(make(2), make(2, 2, 3), make(2, 3, 2), beta=2, alpha=0.5),
        sample(make(2, 2), make(2, 2, 3), make(2, 3, 2), beta=0),
    ],
    refusals=lambda make: [
        refused("The expanded size of the tensor (5) must", make(3, 3), make(2, 3, 4), make(2, 4, 5)),
        refused("to be: [2, 4] but got: [1, 4].", make(3, 5), make(2, 3, 4), make(1, 4, 5)),
        refused("Input dtypes must be the same", make.ints(3, 5), make(2, 3, 4), make(2, 4, 5)),
    ],
)
def baddbmm(
    input: Tensor,
    batch1: Tensor,
    batch2: Tensor,
    *,
    beta: Number = 1,
    alpha: Number = 1,
    meta: Any,
    lead: int,
) -> Array:
    """beta * input + alpha * (batch1 @ batch2), pair by pair, where `input` broadcasts to the products.

    Smooth everywhere. With beta 0 the values of `input` are ignored, nan and inf too.
    """
    return summed(behind(input, lead, 3), product(batch1, batch2), beta, alpha, meta.dtype)
