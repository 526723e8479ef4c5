"""Rewrites of large matrix products, after which less is copied and more is fused.

They may change the order in which BLAS adds up, or the sign of a zero, as its own choice of a kernel does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.graph import Value
from engine.plan.identities import Found, Made
from engine.plan.instruction import Instruction
from engine.registry import lookup
from engine.types import Type

LARGE = 1 << 16  # bytes; what gives less is computed as it is written


def transposed(each: Instruction, made: Made) -> Found:
    """The transpose of a product that nobody else reads is the product of the transposes: its result need not
    be turned when it is answered."""
    (product,) = each.operands
    maker = made.by.get(product) if isinstance(product, Value) else None
    if maker is None or made.reads[product] != 1 or product.nbytes < LARGE or not _is_product(maker):
        return None
    left, right = maker.operands
    calls: list[Instruction] = []
    flipped = tuple([_flipped(x, each, made, calls) for x in (right, left)])
    return [*calls, maker._replace(operands=flipped, outputs=each.outputs)]


def _is_product(each: Instruction) -> bool:
    """Whether a call multiplies two matrices."""
    return each.op.name == "mm"


def _flipped(value: Value, each: Instruction, made: Made, calls: list[Instruction]) -> Value:
    """The transpose of a matrix for a call, which may be what it was made of."""
    maker = made.by.get(value)
    if maker is not None and maker.op.name == "t":
        found: Value = maker.operands[0]
        return found
    rows, columns = value.meta.shape
    turned = Value(Type((columns, rows), value.dtype, (1, columns)), each.outputs[0].node, -1)
    turned.levels = value.levels
    calls.append(Instruction(lookup("t"), (value,), {}, (turned,), value.levels))
    return turned


def biased(each: Instruction, made: Made) -> Found:
    """A product and what is added to it: the sum can run together with what comes after it."""
    bias, left, right = each.operands
    (out,) = each.outputs
    plain = all(type(each.attrs[name]) is not bool and each.attrs[name] == 1 for name in ("alpha", "beta"))
    if out.nbytes < LARGE or out.dtype.itemsize <= 2 or not plain or bias.dtype is not out.dtype:
        return None
    product = Value(Type(out.meta.shape, out.dtype), out.node, -1, levels=each.levels)
    levels = _levels(left, right, each)
    product.levels = levels
    return [
        Instruction(lookup("mm"), (left, right), {}, (product,), levels),
        Instruction(lookup("add"), (product, bias), {"alpha": 1}, (out,), each.levels),
    ]


def _levels(left: Value, right: Value, each: Instruction) -> Any:
    return tuple([level for level in each.levels if level in left.levels or level in right.levels])


PRODUCTS: dict[str, Callable[[Instruction, Made], Found]] = {"t": transposed, "addmm": biased}
