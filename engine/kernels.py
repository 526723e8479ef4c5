"""Elementwise kernels as lists of ufunc steps.

    Kernel("t = negative(input); t = exp(t); t = add(t, 1); y = reciprocal(t)")

Each step names a numpy ufunc (or one of scipy.special, imported on first use, or of `engine.elementary` or
`engine.formulas`), its arguments (operands and settings by parameter name, earlier results, numbers) and
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

from engine import elementary, formulas
from engine.dtypes import COMPLEX, DType, float16, float32, get_default_dtype, result_dtype, scalar_dtype
from engine.types import Type

COMPARISONS = frozenset(
    "equal not_equal less less_equal greater greater_equal logical_and logical_or logical_not logical_xor "
    "isnan isinf isfinite signbit".split()
)
_CAST_KINDS = frozenset({"Tensor", "Tensor | Number"})


class Micro(NamedTuple):
    """One call of a kernel on arrays. An int among the arguments is a place: of an operand, or behind those
    of the result of an earlier call; all else is a constant. `out=` may follow the arguments by position."""

    function: Callable[..., Any]
    args: tuple[Any, ...]


class Step(NamedTuple):
    """`out = ufunc(*args)`; an argument is a name or a number."""

    ufunc: str
    args: tuple[Any, ...]
    out: str


@functools.cache
def ufunc(name: str) -> Callable[..., Any]:
    """The function a step names."""
    own = elementary.FUNCTIONS.get(name) or formulas.FUNCTIONS.get(name)
    if own is not None:
        return own
    found = getattr(np, name, None)
    if not isinstance(found, np.ufunc):  # numpy.i0 is none
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
        calls = self.calls(params, metas, attrs)
        if len(calls) > 1:
            return functools.partial(_run, _with_last_uses(calls, len(metas)), out.dtype.numpy)
        made = result_dtypes(calls, [meta.dtype.numpy if type(meta) is Type else None for meta in metas])
        call = _bound(calls[0], len(metas))
        return call if made == [out.dtype.numpy] else _exact(call, out.dtype.numpy)

    def calls(self, params: Sequence[Any], metas: Sequence[Any], attrs: dict[str, Any]) -> list[Micro]:
        """The calls on arrays of these types (a Python scalar's place is never read); the last one makes the
        result, which may have to be cast."""
        operands = [p for p in params if p.is_operand]
        dtype = self.compute_dtype([p.kind for p in operands], metas)
        names: dict[str, Any] = {name: _constant(value, dtype) for name, value in attrs.items()}
        found: list[Micro] = []
        for place, (param, meta) in enumerate(zip(operands, metas, strict=True)):
            names[param.name] = place if isinstance(meta, Type) else _constant(meta, dtype)
            if isinstance(meta, Type) and param.kind in _CAST_KINDS and meta.dtype is not dtype:
                names[param.name] = len(metas) + len(found)
                found.append(Micro(cast_to(dtype.numpy), (place,)))
        for number, step in enumerate(self.steps, 1):
            args = tuple([names[a] if isinstance(a, str) else _constant(a, dtype) for a in step.args])
            if step.ufunc == "multiply" and _by_one(args) and number < len(self.steps):
                names[step.out] = args[0]  # as it is; only the last one must make a result of its own
                continue
            if number < len(self.steps) and not any(type(a) is int for a in args):
                names[step.out] = ufunc(step.ufunc)(*args)
                continue
            names[step.out] = len(metas) + len(found)
            found.append(Micro(ufunc(step.ufunc), args))
        return found


def result_dtypes(calls: Sequence[Micro], given: Sequence[Any]) -> list[Any]:
    """The numpy dtype of each call's result, for operands of these (None: never read)."""
    values: list[Any] = [None if dtype is None else np.ones(1, dtype) for dtype in given]
    with np.errstate(all="ignore"):
        for function, args in calls:
            values.append(function(*[values[a] if type(a) is int else a for a in args]))
    return [each.dtype for each in values[len(given) :]]


def as_array(constant: Any) -> Any:
    """A numpy scalar as an array, which ufuncs read faster; anything else as it is."""
    return np.asarray(constant) if isinstance(constant, np.generic) else constant


def _by_one(args: tuple[Any, ...]) -> bool:
    first, factor = args
    return type(first) is int and type(factor) is not int and factor is not None and bool(factor == 1)


@functools.cache
def cast_to(dtype: Any) -> Callable[..., Any]:
    """A function that gives an array's elements in `dtype`, as a ufunc would."""

    def cast(array: Any, out: Any = None) -> Any:
        if out is None:
            return array.astype(dtype)
        np.copyto(out, array, casting="unsafe")
        return out

    return cast


def _bound(call: Micro, count: int) -> Callable[..., Any]:
    """A single call as a function of `count` operands, its constants bound."""
    function, args = call.function, tuple(map(as_array, call.args))
    places = [type(a) is int for a in args]
    if all(places) and args == tuple(range(count)):
        return function
    if places == [True, False]:
        place, constant = args
        return lambda *arrays: function(arrays[place], constant)
    if places == [False, True]:
        constant, place = args
        return lambda *arrays: function(constant, arrays[place])
    return lambda *arrays: function(*[arrays[a] if type(a) is int else a for a in args])


def _exact(function: Callable[..., Any], dtype: Any) -> Callable[..., Any]:
    def run(*arrays: Any) -> Any:
        result = function(*arrays)
        return result if result.dtype == dtype else result.astype(dtype)

    return run


def _with_last_uses(calls: list[Micro], given: int) -> list[tuple[Any, ...]]:
    """Each call with the places of earlier results that nobody reads after it."""
    last = {a: at for at, call in enumerate(calls) for a in call.args if type(a) is int and a >= given}
    return [(*call, [a for a, when in last.items() if when == at]) for at, call in enumerate(calls)]


def _run(calls: list[tuple[Any, ...]], dtype: Any, *arrays: Any) -> Any:
    values = list(arrays)
    for function, args, dead in calls:
        values.append(function(*[values[a] if type(a) is int else a for a in args]))
        for place in dead:
            values[place] = None
    result = values[-1]
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
