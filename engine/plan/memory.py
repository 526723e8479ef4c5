"""What a plan will take, known before anything is allocated: bytes at the peak, and flops."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from engine.dtypes import float16, float32
from engine.flow import ControlKernel
from engine.graph import Value
from engine.kernels import Kernel
from engine.levels import INTO, OUT_OF, count
from engine.plan.instruction import Instruction
from engine.plan.tiles import Tiles
from engine.types import Type

Unit = Instruction | Tiles  # what a plan runs in one step

_COPIES = 2  # a kernel may copy its operands and its result once
_BUFFER = 8192  # elements of an operand that numpy copies at a time to go through it in one stride
_DRAWN = 32  # bytes for a random number: two draws of 64 bits, and what is made of them
_DECOMPOSED = 10  # flops of LAPACK per element of a matrix and its parts, times its smaller side


def last_uses(units: Sequence[Unit], kept: Iterable[Value]) -> list[list[Value]]:
    """The values that nobody reads after each instruction; a view keeps its base alive as long as itself."""
    base: dict[Value, Value] = {}
    last: dict[Value, int] = {}
    for at, each in enumerate(units):
        first = each.operands[0] if each.operands else None
        if isinstance(each, Instruction) and isinstance(first, Value) and is_view(each):
            base[each.outputs[0]] = base.get(first, first)
        for value in (*each.operands, *each.outputs):
            if isinstance(value, Value):
                last[value] = at
                last[base.get(value, value)] = at
    for value in kept:
        last.pop(value, None)
        last.pop(base.get(value, value), None)
    dead: list[list[Value]] = [[] for _ in units]
    for value, at in last.items():
        dead[at].append(value)
    return dead


def predict(
    units: Sequence[Unit], inputs: Iterable[Value], unread: Sequence[Sequence[Value]]
) -> tuple[int, int]:
    """Bytes at the peak (inputs, results and workspace together) and flops of running `units`, after each of
    which the values in `unread` are given back."""
    held = {value: value.nbytes for value in inputs}
    now = peak = sum(held.values())
    flops = 0
    for each, dead in zip(units, unread, strict=True):
        for output, size in zip(each.outputs, made(each), strict=True):
            held[output] = size
            now += size
        peak = max(peak, now + workspace(each))
        flops += work(each)
        for value in dead:
            now -= held.pop(value, 0)
    return int(peak), int(flops)


def made(each: Unit) -> list[int]:
    """Bytes that each result of a unit takes."""
    if isinstance(each, Instruction):
        if is_view(each):
            return [0] * len(each.outputs)
        if isinstance(each.op.run, ControlKernel):
            return [
                y.nbytes if is_made else 0
                for y, is_made in zip(each.outputs, each.op.run.wanted, strict=True)
            ]
    return [output.nbytes for output in each.outputs]


def is_view(each: Instruction) -> bool:
    """Whether the result of an instruction shares the memory of its first operand."""
    if each.op.kind == "view":
        return not each.levels or each.op.batched == "leading"
    return each.op in (INTO, OUT_OF)


def workspace(each: Unit) -> int:
    """Bytes that a unit may need beside its operands and results."""
    if isinstance(each, Tiles):
        return each.workspace
    if isinstance(each.op.run, ControlKernel):
        return each.op.run.peak_bytes()
    return _workspace(each) * (1 if each.op.batched == "loop" else count(each.levels))


def _workspace(each: Instruction) -> int:
    run, out = each.op.run, each.outputs[0].meta
    operands = [x.meta for x in each.operands if isinstance(x, Value)]
    if isinstance(run, Kernel):
        itemsize = max([_wide(meta, len(run.steps) > 1) for meta in (out, *operands)])
        cast = [meta for meta in operands if meta.dtype is not out.dtype or meta.dtype.itemsize < itemsize]
        cast += [out] if out.dtype is float16 and itemsize > out.dtype.itemsize else []
        spread = [meta for meta in operands if meta.strides is not None or meta.shape != out.shape]
        buffered = len(spread) * min(out.numel, _BUFFER)
        return (run.scratch * out.numel + buffered + sum(meta.numel for meta in cast)) * itemsize
    if is_view(each):
        return 0
    metas = [*operands, *(output.meta for output in each.outputs)]
    copied = sum(meta.numel * _wide(meta) * (_COPIES + (meta.dtype is float16)) for meta in metas)
    drawn = _DRAWN * out.numel * (2 if out.dtype.is_complex else 1) if each.op.kind == "random" else 0
    return max(copied, drawn)


def _wide(meta: Type, widened: bool = True) -> int:
    """Bytes of an element while it is computed with: chains and sums of float16 run in float32."""
    return float32.itemsize if widened and meta.dtype is float16 else meta.dtype.itemsize


def work(each: Unit) -> int:
    """Flops of a unit: a step on an element counts one, a multiply-add of a contraction two."""
    if isinstance(each, Tiles):
        return sum(map(work, each.members))
    if isinstance(each.op.run, ControlKernel):
        return each.op.run.flops()
    return _work(each) * count(each.levels)


def _work(each: Instruction) -> int:
    run = each.op.run
    out = sum([output.meta.numel for output in each.outputs])
    if isinstance(run, Kernel):
        return out * len(run.steps)
    if is_view(each):
        return 0
    sizes = [int(x.meta.numel) for x in each.operands if isinstance(x, Value)]
    if each.op.kind == "contraction" and len(sizes) > 1:
        # of (m k) @ (k n): the root of mk · kn · mn is mnk; leading batch axes only make it larger
        return int(2.0 * math.sqrt(float(sizes[0]) * float(sizes[1]) * max(out, 1))) + out
    if each.op.kind == "decomposition":
        return int(_DECOMPOSED * (sizes[0] + out) * min(each.operands[0].meta.shape[-2:]))
    return int(out + sum(sizes))
