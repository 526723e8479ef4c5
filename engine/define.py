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
from typing import Any

from engine.dtypes import COMPLEX, DType, bool_
from engine.errors import DTypeError
from engine.kernels import Kernel, float_if_integer, promoted
from engine.op import Call, Kind, NoDerivative, Op, Refusal, Rule
from engine.registry import register
from engine.signature import Param, read_params
from engine.types import Type, broadcast_shapes, elementwise_strides

Samples = Callable[[Any], Iterable[Call]]
Refusals = Callable[[Any], Iterable[Refusal]]
Check = Callable[[DType], None]
UnaryRule = Callable[[Any, Any, Any, Any], Any]
_INPUT = Param("input", "Tensor", False, inspect.Parameter.empty, False)
_OTHER = Param("other", "Tensor", False, inspect.Parameter.empty, False)


def pointwise(
    params: tuple[Param, ...],
    *,
    compute: str = "promote",
    result: str = "compute",
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
    if all(each.shape == first.shape and each.strides == first.strides for each in tensors):
        shape = first.shape
        if first.strides is None:
            return first if first.dtype is dtype else Type(shape, dtype)
    else:
        shape = broadcast_shapes(*(each.shape for each in tensors))
    return Type(shape, dtype, elementwise_strides(shape, tensors))


def _result_dtype(result: str, dtype: DType) -> DType:
    if result == "bool":
        return bool_
    if result == "real":
        from engine.dtypes import real_of

        return real_of(dtype)
    return dtype


def unary(
    name: str,
    program: str,
    *,
    doc: str,
    vjp: UnaryRule | NoDerivative | None = None,
    grad_fn: str = "",
    saves: tuple[str, ...] = (),
    compute: str = "float",
    result: str = "compute",
    real_only: bool = False,
    check: Check | None = None,
    aliases: tuple[str, ...] = (),
    samples: Samples,
    refusals: Refusals = lambda make: (),
) -> Op:
    """An elementwise op of one tensor; its rule `vjp(F, x, y, g)` sees and answers for the operand itself."""
    rule: Any = vjp
    if callable(vjp):

        def rule(F: Any, x: Any, y: Any, g: Any) -> Any:
            return (lambda: vjp(F, x[0], y, g),)

    return register(
        Op(
            name=name,
            params=(_INPUT,),
            doc=doc,
            kind="elementwise",
            run=Kernel(program, compute=compute),
            infer=pointwise(
                (_INPUT,), compute=compute, result=result, real_only=real_only, name=name, check=check
            ),
            vjp=rule,
            grad_fn=grad_fn or _node_name(name),
            saves=saves,
            aliases=aliases,
            samples=samples,
            refusals=refusals,
        )
    )


def binary(
    name: str,
    program: str,
    *,
    doc: str,
    vjp: Rule | NoDerivative | None = None,
    grad_fn: str = "",
    saves: tuple[str, ...] = (),
    compute: str = "promote",
    result: str = "compute",
    real_only: bool = False,
    check: Check | None = None,
    aliases: tuple[str, ...] = (),
    samples: Samples,
    refusals: Refusals = lambda make: (),
) -> Op:
    """An elementwise op of `input` and `other`."""
    params = (_INPUT, _OTHER)
    return register(
        Op(
            name=name,
            params=params,
            doc=doc,
            kind="elementwise",
            run=Kernel(program, compute=compute),
            infer=pointwise(
                params, compute=compute, result=result, real_only=real_only, name=name, check=check
            ),
            vjp=vjp,
            grad_fn=grad_fn or _node_name(name),
            saves=saves,
            aliases=aliases,
            samples=samples,
            refusals=refusals,
        )
    )


def elementwise(
    name: str,
    program: str,
    *,
    compute: str = "promote",
    result: str = "compute",
    real_only: bool = False,
    check: Check | None = None,
    infer: Callable[..., Any] | None = None,
    **record: Any,
) -> Callable[[Callable[..., Any]], Op]:
    """An elementwise op with settings or more operands; the declaration has a docstring and no body."""

    def define(declaration: Callable[..., Any]) -> Op:
        params = read_params(declaration)
        record.setdefault("grad_fn", _node_name(name))
        inference = infer or pointwise(
            params, compute=compute, result=result, real_only=real_only, name=name, check=check
        )
        kernel = Kernel(program, compute=compute)
        return register(
            Op(
                name=name,
                params=params,
                doc=_doc(declaration),
                kind="elementwise",
                run=kernel,
                infer=inference,
                **record,
            )
        )

    return define


def kernel(
    name: str, *, kind: Kind, infer: Callable[..., Any], **record: Any
) -> Callable[[Callable[..., Any]], Op]:
    """An op whose decorated body is its numpy kernel. It is called with arrays (and Python scalars) and the
    settings; a keyword-only `meta` is the inferred Type (or a tuple of them)."""

    def define(body: Callable[..., Any]) -> Op:
        record.setdefault("grad_fn", _node_name(name))
        params = read_params(body, skip=1 if kind == "random" else 0)
        return register(
            Op(name=name, params=params, doc=_doc(body), kind=kind, run=body, infer=infer, **record)
        )

    return define


def composite(name: str, **record: Any) -> Callable[[Callable[..., Any]], Op]:
    """An op that is others: the decorated body, over F, is expanded where it is called."""

    def define(body: Callable[..., Any]) -> Op:
        return register(
            Op(
                name=name,
                params=read_params(body, skip=1),
                doc=_doc(body),
                kind="composite",
                run=body,
                **record,
            )
        )

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
