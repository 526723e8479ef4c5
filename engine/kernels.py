"""Elementwise kernels as lists of ufunc steps.

    Kernel("t = negative(input); t = exp(t); t = add(t, 1); y = reciprocal(t)")

Each step names a numpy ufunc (or one of scipy.special, imported on first use, or of `engine.elementary`, or
`select(mask, a, b)`), its arguments (operands and settings by parameter name, earlier results, numbers) and
the name of its result; the last step makes the op's result. Nothing is hidden in a step, so a plan can fuse
the steps of many ops and run them tile by tile. Scratch is what is named and is not the last: `scratch`
counts it.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from engine import elementary
from engine.dtypes import COMPLEX, DType, float16, float32, get_default_dtype, result_dtype, scalar_dtype
from engine.types import Type

COMPARISONS = frozenset(
    "equal not_equal less less_equal greater greater_equal logical_and logical_or logical_not logical_xor "
    "isnan isinf isfinite signbit".split()
)
_CAST_KINDS = frozenset({"Tensor", "Tensor | Number"})


Resolved = tuple[Callable[..., Any], list[Any], str]  # a step with its function and constants


class Step(NamedTuple):
    """`out = ufunc(*args)`; an argument is a name or a number."""

    ufunc: str
    args: tuple[Any, ...]
    out: str


def select(mask: Any, chosen: Any, other: Any, out: Any = None) -> Any:
    """`chosen` where `mask`, else `other`: numpy.where as a step."""
    if out is None:
        return np.where(mask, chosen, other)
    np.copyto(out, other)
    np.copyto(out, chosen, where=mask if mask.dtype == bool else mask != 0)
    return out


@functools.cache
def ufunc(name: str) -> Callable[..., Any]:
    """The function a step names."""
    if name == "select":
        return select
    if name in elementary.FUNCTIONS:
        return elementary.FUNCTIONS[name]
    found = getattr(np, name, None)
    if found is None:
        import scipy.special

        found = getattr(scipy.special, name)
    if not isinstance(found, np.ufunc):
        raise TypeError(f"{name} is no ufunc")
    return found


def _parse(program: str) -> tuple[Step, ...]:
    steps = []
    for text in program.split(";"):
        assignment = ast.parse(text.strip()).body[0]
        assert isinstance(assignment, ast.Assign) and isinstance(assignment.value, ast.Call)
        target, call = assignment.targets[0], assignment.value
        assert isinstance(target, ast.Name) and isinstance(call.func, ast.Name)
        args = tuple(each.id if isinstance(each, ast.Name) else ast.literal_eval(each) for each in call.args)
        steps.append(Step(call.func.id, args, target.id))
    return tuple(steps)


class Kernel:
    """A list of ufunc steps. `compute` says in which dtype: "promote" as the operands promote, "float" the
    same but at least a float, so that sin of integers is a float."""

    def __init__(self, program: str, *, compute: str = "promote") -> None:
        self.steps = _parse(program)
        self.compute = compute
        self.scratch = len({step.out for step in self.steps}) - 1
        self._known: dict[Any, Callable[..., Any]] = {}  # what `compile` gave for tensors alone

    def compute_dtype(self, kinds: Sequence[str], metas: Sequence[Any]) -> DType:
        """The dtype that operands are cast to before the first step; float32 for chains of float16."""
        pairs = zip(kinds, metas, strict=True)
        cast = [meta for kind, meta in pairs if kind in _CAST_KINDS and meta is not None]
        dtype = float_if_integer(promoted(cast)) if self.compute == "float" else promoted(cast)
        return float32 if dtype is float16 and len(self.steps) > 1 else dtype

    def compile(
        self, params: Sequence[Any], metas: Sequence[Any], out: Type, attrs: dict[str, Any]
    ) -> Callable[..., Any]:
        """A function of the operands' arrays (a Python scalar's is ignored: its value is bound here)."""
        if attrs or not all(type(meta) is Type for meta in metas):
            return self._compile(params, metas, out, attrs)
        key = (out.dtype, get_default_dtype(), *[(meta.dtype, not meta.shape) for meta in metas])
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._compile(params, metas, out, attrs)
        return found

    def _compile(
        self, params: Sequence[Any], metas: Sequence[Any], out: Type, attrs: dict[str, Any]
    ) -> Callable[..., Any]:
        operands = [p for p in params if p.is_operand]
        dtype = self.compute_dtype([p.kind for p in operands], metas)
        casts = []
        constants: dict[str, Any] = {name: _constant(value, dtype) for name, value in attrs.items()}
        for position, (param, meta) in enumerate(zip(operands, metas, strict=True)):
            if not isinstance(meta, Type):
                constants[param.name] = _constant(meta, dtype)
                continue
            wanted = dtype.numpy if param.kind in _CAST_KINDS and meta.dtype is not dtype else None
            casts.append((position, param.name, wanted))
        if len(self.steps) == 1 and all(wanted is None for _, _, wanted in casts):
            return self._single(casts, constants, out)
        return functools.partial(_run, self._resolve(constants, dtype), casts, out.dtype.numpy)

    def _resolve(self, constants: dict[str, Any], dtype: DType) -> list[Resolved]:
        """Names that are constants replaced by their values; what stays a string is looked up at run time."""
        steps = []
        assigned = {step.out for step in self.steps}
        same: dict[str, str] = {}  # results that a multiplication by 1 leaves as their operand is
        for number, step in enumerate(self.steps, 1):
            args = []
            for a in step.args:
                named = isinstance(a, str)
                args.append(same.get(a, constants.get(a, a)) if named else _constant(a, dtype))
            first, factor = args[0], args[-1]
            by_one = step.ufunc == "multiply" and type(first) is str and _is_one(factor)
            if by_one and first not in assigned and number < len(self.steps):  # the last one makes the result
                same[step.out] = first
            else:
                same.pop(step.out, None)
                steps.append((ufunc(step.ufunc), args, step.out))
        return steps

    def _single(self, casts: list[Any], constants: dict[str, Any], out: Type) -> Callable[..., Any]:
        step = self.steps[0]
        function, names = ufunc(step.ufunc), [name for _, name, _ in casts]
        comparison = step.ufunc in COMPARISONS
        if tuple(names) == step.args and (comparison or len(names) > 0):
            return _exact(function, out.dtype.numpy)
        args = [constants.get(a, a) if isinstance(a, str) else a for a in step.args]
        return functools.partial(_run, [(function, args, step.out)], casts, out.dtype.numpy)


def _is_one(value: Any) -> bool:
    return not isinstance(value, str) and value is not None and value == 1


def _exact(function: Callable[..., Any], dtype: Any) -> Callable[..., Any]:
    def run(*arrays: Any) -> Any:
        result = function(*arrays)
        return result if result.dtype == dtype else result.astype(dtype)

    return run


def _run(steps: list[Any], casts: list[Any], dtype: Any, *arrays: Any) -> Any:
    names = {name: arrays[at] if to is None else arrays[at].astype(to) for at, name, to in casts}
    result: Any = None
    for function, args, out in steps:
        result = names[out] = function(*(names[a] if type(a) is str else a for a in args))
    return result if result.dtype == dtype else result.astype(dtype)


def _constant(value: Any, dtype: DType) -> Any:
    """A setting or Python scalar as a numpy scalar of the compute dtype, wrapping integers as torch does."""
    if isinstance(value, (bool, int, float, complex)):
        if isinstance(value, complex) and dtype.category < COMPLEX:
            return value
        if isinstance(value, float) and dtype.category < 2:
            return value
        if isinstance(value, int) and dtype.category == 1:
            return np.asarray(value & (2**64 - 1), np.uint64).astype(dtype.numpy)[()]
        return dtype.numpy.type(value)
    return value


def promoted(operands: Sequence[Any]) -> DType:
    """The common dtype of operands given as Types or Python scalars."""
    if len(operands) == 1 and isinstance(operands[0], Type):
        return operands[0].dtype
    dimensioned = [each.dtype for each in operands if isinstance(each, Type) and each.shape]
    zero_dim = [each.dtype for each in operands if isinstance(each, Type) and not each.shape]
    scalars = [scalar_dtype(each) for each in operands if not isinstance(each, Type)]
    return result_dtype(dimensioned, zero_dim, scalars)


def float_if_integer(dtype: DType) -> DType:
    """`dtype`, or the default dtype in place of an integer or bool one."""
    return dtype if dtype.category > 1 else get_default_dtype()
