"""How an op is defined: trivial ones in one line, the others as a decorated declaration.

exp = unary("exp", "y = exp(input)", doc="e to the input.", vjp=lambda F, x, y, g: F.mul(g, F.conj(y)), …)

@elementwise("nn.functional.leaky_relu", "…", vjp=…, saves=…, grad_fn="LeakyReluBackward0", samples=…)
def leaky_relu(input: Tensor, negative_slope: float = 0.01) -> None:
    '''…'''

@kernel("cumsum", kind="structural", infer=…, vjp=…)      # the body is the numpy kernel
def cumsum(input: Tensor, dim: Dim) -> Array: ...

@composite("outer", samples=…)                            # the body is written over F
def outer(F: Any, input: Tensor, vec2: Tensor) -> Any: ...
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any, Literal, TypedDict, Unpack

from engine.binding import check_tensors
from engine.bounded import same
from engine.dtypes import COMPLEX, DType, bool_, real_of
from engine.errors import DTypeError
from engine.kernels import Kernel, float_if_integer, promoted
from engine.op import Batched, Call, Kind, NoDerivative, Op, Refusal, Rule
from engine.registry import register
from engine.signature import Param, read_params
from engine.types import Type, broadcast_shapes, elementwise_strides

Samples = Callable[[Any], Iterable[Call]]
Refusals = Callable[[Any], Iterable[Refusal]]
Check = Callable[[DType], None]
Compute = Literal["promote", "float"]  # the dtype of the arithmetic
Outcome = Literal["compute", "bool", "real"]  # the dtype of the result
UnaryRule = Callable[[Any, Any, Any, Any], Any]
_INPUT = Param("input", "Tensor", False, inspect.Parameter.empty, False)
_OTHER = Param("other", "Tensor", False, inspect.Parameter.empty, False)
SCALAR = _OTHER._replace(kind="Tensor | Number")  # an `other` for which torch has an overload of its own


def pointwise(
    params: tuple[Param, ...],
    *,
    compute: Compute = "promote",
    result: Outcome = "compute",
    real_only: bool = False,
    name: str = "",
    check: Check | None = None,
) -> Callable[..., Type]:
    """Inference for elementwise ops. `compute` as in Kernel; `result` is "compute" (that dtype), "bool", or
    "real" (the real part's dtype). `check(dtype)` refuses compute dtypes; `real_only` the complex ones."""
    operands = [p.kind for p in params if p.is_operand]
    valued = [at for at, kind in enumerate(operands) if kind in ("Tensor", "Tensor | Number")]

    def infer(*types: Any, **settings: Any) -> Type:
        first = types[0]
        if len(types) == 1 and result == "compute" and compute == "promote" and not real_only and not check:
            if type(first) is not Type:
                return Type((), promoted([first]))
            return first if first.strides is None else pointwise_result([first], first.dtype)
        dtype = promoted([types[at] for at in valued if types[at] is not None])
        if compute == "float":
            dtype = float_if_integer(dtype)
        if real_only and dtype.category == COMPLEX:
            raise DTypeError(f"{name} is not supported for complex tensors", actual=dtype.name)
        if check:
            check(dtype)
        tensors = [each for each in types if type(each) is Type]
        return pointwise_result(tensors, _result_dtype(result, dtype))

    return infer


def pointwise_result(tensors: list[Type], dtype: DType) -> Type:
    """The broadcast Type of an elementwise op on `tensors`."""
    if not tensors:
        return Type((), dtype)
    first = tensors[0]
    if all(same(each.shape, first.shape) and each.strides == first.strides for each in tensors):
        shape = first.shape
        if first.strides is None:
            return first if first.dtype is dtype else Type(shape, dtype)
    else:
        shape = broadcast_shapes(*(each.shape for each in tensors))
    return Type(shape, dtype, elementwise_strides(shape, tensors))


def _result_dtype(result: Outcome, dtype: DType) -> DType:
    if result == "bool":
        return bool_
    return real_of(dtype) if result == "real" else dtype


class Record(TypedDict, total=False):
    """What every definition may say beside the op's name; as in `Op`."""

    grad_fn: str | Callable[..., str]
    saves: tuple[str, ...]
    outputs: tuple[str, ...]
    aliases: tuple[str, ...]
    samples: Samples  # every public op has some
    batched: Batched
    refusals: Refusals


class Pointwise(Record, total=False):
    """What the definition of an elementwise op may say of its dtypes, as in `pointwise`, and of its operands:
    without `numbers`, a `Tensor` is no Python scalar."""

    compute: Compute
    result: Outcome
    real_only: bool
    check: Check | None
    numbers: bool


def unary(
    name: str,
    program: str,
    *,
    doc: str,
    vjp: UnaryRule | NoDerivative | None = None,
    **record: Unpack[Pointwise],
) -> Op:
    """An elementwise op of one tensor, computed in a float dtype unless `compute` says otherwise; its rule
    `vjp(F, x, y, g)` sees and answers for the operand itself."""
    rule: Any = vjp
    if callable(vjp):

        def rule(F: Any, x: Any, y: Any, g: Any) -> Any:
            return (lambda: vjp(F, x[0], y, g),)

    record.setdefault("compute", "float")
    return _steps(name, (_INPUT,), program, doc=doc, vjp=rule, **record)


def binary(
    name: str,
    program: str,
    *,
    doc: str,
    vjp: Rule | NoDerivative | None = None,
    other: Param = _OTHER,
    **record: Unpack[Pointwise],
) -> Op:
    """An elementwise op of `input` and `other`."""
    return _steps(name, (_INPUT, other), program, doc=doc, vjp=vjp, **record)


def elementwise(
    name: str,
    program: str,
    *,
    infer: Callable[..., Any] | None = None,
    vjp: Rule | NoDerivative | None = None,
    **record: Unpack[Pointwise],
) -> Callable[[Callable[..., Any]], Op]:
    """An elementwise op with settings or more operands; the declaration has a docstring and no body."""

    def define(declaration: Callable[..., Any]) -> Op:
        params, doc = read_params(declaration), _doc(declaration)
        return _steps(name, params, program, doc=doc, infer=infer, vjp=vjp, **record)

    return define


def _steps(
    name: str,
    params: tuple[Param, ...],
    program: str,
    *,
    doc: str,
    infer: Callable[..., Any] | None = None,
    vjp: Rule | NoDerivative | None,
    compute: Compute = "promote",
    result: Outcome = "compute",
    real_only: bool = False,
    check: Check | None = None,
    numbers: bool = True,
    **record: Unpack[Record],
) -> Op:
    """An op whose kernel is the steps of `program`."""
    record.setdefault("grad_fn", _node_name(name))
    if infer is None:
        infer = pointwise(params, compute=compute, result=result, real_only=real_only, name=name, check=check)
    if not numbers:
        infer = _of_tensors(name.rpartition(".")[2], tuple(p for p in params if p.is_operand), infer)
    run = Kernel(program, compute=compute)
    return register(
        Op(name=name, params=params, doc=doc, kind="elementwise", run=run, infer=infer, vjp=vjp, **record)
    )


def _of_tensors(name: str, params: tuple[Param, ...], infer: Callable[..., Any]) -> Callable[..., Any]:
    """`infer`, which refuses a number for a `Tensor` first."""

    def checked(*types: Any, **settings: Any) -> Any:
        check_tensors(name, params, types)
        return infer(*types, **settings)

    return checked


def kernel(
    name: str,
    *,
    kind: Kind,
    infer: Callable[..., Any],
    vjp: Rule | NoDerivative | None = None,
    **record: Unpack[Record],
) -> Callable[[Callable[..., Any]], Op]:
    """An op whose decorated body is its numpy kernel. It is called with arrays (and Python scalars) and the
    settings; a keyword-only `meta` is the inferred Type (or a tuple of them), `lead` the number of batch axes
    in front of each operand's own."""

    def define(body: Callable[..., Any]) -> Op:
        record.setdefault("grad_fn", _node_name(name))
        params = read_params(body, skip=1 if kind == "random" else 0)
        return register(
            Op(name=name, params=params, doc=_doc(body), kind=kind, run=body, infer=infer, vjp=vjp, **record)
        )

    return define


def composite(name: str, **record: Unpack[Record]) -> Callable[[Callable[..., Any]], Op]:
    """An op that is others: the decorated body, over F, is expanded where it is called."""

    def define(body: Callable[..., Any]) -> Op:
        params = read_params(body, skip=1)
        return register(Op(name=name, params=params, doc=_doc(body), kind="composite", run=body, **record))

    return define


def zero_rule(count: int) -> Rule:
    """The rule of a piecewise constant function: a zero cotangent for each operand."""

    def rule(F: Any, x: Any, y: Any, g: Any, **settings: Any) -> Any:
        return [lambda: F.zeros_like(g)] * count

    return rule


def _doc(declaration: Callable[..., Any]) -> str:
    text = inspect.getdoc(declaration)
    if not text:
        raise TypeError(f"{declaration.__name__} has no docstring")
    return text


def _node_name(name: str) -> str:
    words = name.rpartition(".")[2].split("_")
    return "".join(word[:1].upper() + word[1:] for word in words) + "Backward0"
