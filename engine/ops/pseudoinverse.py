"""The pseudoinverse."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.define import composite, kernel
from engine.dtypes import FLOAT, float16
from engine.errors import DTypeError, RuntimeArgumentError
from engine.leading import behind
from engine.op import refused, sample
from engine.ops.inverse import complex_regular, regular
from engine.ops.matrices import adjoint, by_columns, columnwise
from engine.ops.svd import failure
from engine.signature import Array, Fixed, Number, Tensor
from engine.types import Type, broadcast_shapes


def _pinv_type(
    input: Type, least: Type | None, share: Type | None, atol: Any, rtol: Any, hermitian: bool
) -> Type:
    if input.ndim < 2 or input.dtype.category < FLOAT or input.dtype is float16:
        sizes = ", ".join(map(str, input.shape))
        raise DTypeError(
            f"linalg.pinv({input.dtype.title}{{[{sizes}]}}): expected a tensor with 2 or more dimensions of "
            "float, double, cfloat or cdouble types"
        )
    *batch, rows, columns = input.shape
    limits = [each.shape for each in (least, share) if each is not None]
    batch = list(broadcast_shapes(tuple(batch), *limits))
    return by_columns((*batch, columns, rows), input.dtype)


def pinv_rule(F: Any, A: Any, pinv: Any, g: Any) -> Any:
    """Golub and Pereyra's formula, with products as small as they can be, as torch's pinv_backward."""
    turned, gh = adjoint(F, pinv), adjoint(F, g)
    product = F.matmul
    if A.meta.shape[-2] <= A.meta.shape[-1]:
        inner = product(gh, pinv)
        outer = product(inner, turned)
        found = F.sub(outer, adjoint(F, product(pinv, inner)))
        found = F.sub(found, product(product(A, pinv), outer))
        return F.add(found, product(product(turned, pinv), F.sub(gh, product(inner, A))))
    inner = product(pinv, gh)
    outer = product(turned, inner)
    found = F.sub(outer, adjoint(F, product(inner, pinv)))
    found = F.add(found, product(product(F.sub(gh, product(A, inner)), pinv), turned))
    return F.sub(found, product(product(outer, pinv), A))


def inverted(input: Array, atol: Any, rtol: Any, hermitian: bool) -> Array:
    """The pseudoinverse: singular values up to max(atol, rtol * the largest) count as 0."""
    if hermitian:
        values, vectors = np.linalg.eigh(input)
        u, s, vh = vectors, values, vectors.conj().swapaxes(-1, -2)
    else:
        u, s, vh = np.linalg.svd(input, full_matrices=False)
    sizes = np.abs(s)
    limit = np.maximum(atol, rtol * sizes.max(axis=-1, initial=0))[..., None]
    kept = sizes > limit
    turned = np.where(kept, 1 / np.where(kept, s, 1), 0).astype(s.dtype)
    found: Array = (vh.conj().swapaxes(-1, -2) * turned[..., None, :]) @ u.conj().swapaxes(-1, -2)
    return found


@kernel(
    "_linalg_pinv",
    kind="decomposition",
    infer=_pinv_type,
    vjp=lambda F, x, y, g, atol, rtol, hermitian: (lambda: pinv_rule(F, x[0], y, g), None, None),
    saves=("result", "self"),
    grad_fn="LinalgPinvBackward0",
    batched="loop",
    samples=lambda make: [],
)
def _linalg_pinv(
    input: Tensor,
    least: Fixed | None,
    share: Fixed | None,
    atol: float | None,
    rtol: float | None,
    hermitian: bool,
    *,
    meta: Any,
    lead: int,
) -> Array:
    """The pseudoinverse.

    As linalg.pinv.
    """
    if 0 in input.shape[-2:]:
        return np.zeros((*input.shape[:lead], *meta.shape), input.dtype)
    if rtol is None:
        rtol = 0.0 if atol or least is not None else max(input.shape[-2:]) * float(np.finfo(input.dtype).eps)
    rank = meta.ndim - 2
    floor = (atol or 0.0) if least is None else behind(least, lead, rank)
    share = rtol if share is None else behind(share, lead, rank)
    try:
        return columnwise(inverted(behind(input, lead, rank + 2), floor, share, hermitian))
    except np.linalg.LinAlgError:
        raise RuntimeArgumentError(f"linalg.svd: {failure(input)}") from None


def _samples(make: Any) -> list[Any]:
    return [
        sample(regular(make, 3, 3)),
        sample(make(3, 2) + 3 * np.eye(3, 2)),
        sample(make(2, 3) + 3 * np.eye(2, 3)),
        sample(regular(make, 2, 2, 2)),
        sample(complex_regular(make, 2, 2)),
        sample(make(0, 2)),
    ]


_EXPECTED = "expected a tensor with 2 or more dimensions of float, double, cfloat or cdouble types"


def _refusals(make: Any) -> list[Any]:
    return [
        refused(f"linalg.pinv(Double{{[2]}}): {_EXPECTED}", make(2)),
        refused(f"linalg.pinv(Long{{[2, 2]}}): {_EXPECTED}", make.ints(2, 2)),
        refused("linalg.svd: The algorithm failed to converge because", np.full((2, 2), np.nan)),
    ]


@composite("linalg.pinv", samples=_samples, refusals=_refusals)
def linalg_pinv(
    F: Any,
    A: Tensor,
    rcond: float | None = None,
    hermitian: bool = False,
    *,
    atol: Tensor | Number | None = None,
    rtol: Tensor | Number | None = None,
) -> Any:
    """The pseudoinverses of matrices; singular values up to max(atol, rtol * the largest) count as 0.

    Smooth where the rank does not change; elsewhere the derivative is that along matrices of the same rank.
    """
    rtol = rcond if rtol is None else rtol
    tensors = [each if hasattr(each, "meta") else None for each in (atol, rtol)]
    numbers = [None if hasattr(each, "meta") else each for each in (atol, rtol)]
    return F._linalg_pinv(A, *tensors, *numbers, hermitian)


@composite("pinverse", samples=_samples, refusals=_refusals)
def pinverse(F: Any, input: Tensor, rcond: float = 1e-15) -> Any:
    """The pseudoinverses of matrices; singular values up to `rcond` times the largest count as 0.

    Smooth where the rank does not change; elsewhere the derivative is that along matrices of the same rank.
    """
    return F._linalg_pinv(input, None, None, None, rcond, False)
