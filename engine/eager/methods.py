"""Tensor's operators and methods, from the registry: whatever takes a tensor first is a method."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.eager import inplace, keys
from engine.eager.tensor import Tensor
from engine.errors import ArgumentError
from engine.op import Op
from engine.registry import REGISTRY, lookup

_OPERATORS = {
    "__add__": "add",
    "__radd__": "add",
    "__sub__": "sub",
    "__rsub__": "rsub",
    "__mul__": "mul",
    "__rmul__": "mul",
    "__truediv__": "div",
    "__rtruediv__": "_rtruediv",
    "__pow__": "pow",
    "__matmul__": "matmul",
    "__mod__": "remainder",
    "__floordiv__": "floor_divide",
    "__neg__": "neg",
    "__pos__": "positive",
    "__abs__": "abs",
    "__eq__": "eq",
    "__ne__": "ne",
    "__lt__": "lt",
    "__le__": "le",
    "__gt__": "gt",
    "__ge__": "ge",
    "__and__": "bitwise_and",
    "__or__": "bitwise_or",
    "__xor__": "bitwise_xor",
    "__lshift__": "bitwise_left_shift",
    "__rshift__": "bitwise_right_shift",
}
_REFLECTED = {
    "__rpow__": "pow",
    "__rmod__": "remainder",
    "__rfloordiv__": "floor_divide",
    "__rand__": "bitwise_and",
    "__ror__": "bitwise_or",
    "__rxor__": "bitwise_xor",
    "__rlshift__": "bitwise_left_shift",
    "__rrshift__": "bitwise_right_shift",
}
_PROPERTIES = ("T", "mT", "H", "mH", "real", "imag")
_NOT_METHODS = ("tensor", "where")


def _method(op: Op) -> Callable[..., Any]:
    def method(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        return op(self, *args, **kwargs)

    method.__name__ = op.short
    method.__doc__ = op.doc
    return method


def _reflected(op: Op) -> Callable[..., Any]:
    def method(self: Tensor, other: Any) -> Any:
        return op(other, self)

    return method


def _where(self: Tensor, condition: Any, other: Any) -> Any:
    """Its elements where `condition` is true, those of `other` elsewhere."""
    return lookup("where")(condition, self, other)


def _invert(self: Tensor) -> Any:
    """The bits that it has not; of bools the other one."""
    if self.dtype.differentiable:
        raise ArgumentError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
    return lookup("bitwise_not")(self)


def _polygamma(self: Tensor, n: int) -> Any:
    """The derivative of digamma, `n` times."""
    return lookup("polygamma")(n, self)


def install() -> None:
    """Give Tensor its operators and methods; what it defines itself stays."""
    for op in REGISTRY.values():
        first = op.params[0] if op.params else None
        if first and first.name == "input" and not op.name.startswith(("_", "linalg.", "nn.functional.")):
            for name in {op.name, *op.aliases}:
                if "." in name:
                    continue
                if name in _PROPERTIES:
                    setattr(Tensor, name, property(_method(op)))
                elif name not in _NOT_METHODS and name not in Tensor.__dict__:
                    setattr(Tensor, name, _method(op))
    for names, make in ((_OPERATORS, _method), (_REFLECTED, _reflected)):
        for special, name in names.items():
            if any(name == known.name for known in REGISTRY.values()):
                setattr(Tensor, special, make(lookup(name)))
    Tensor.where = _where  # type: ignore[attr-defined]
    Tensor.__invert__ = _invert  # type: ignore[operator]
    Tensor.polygamma = _polygamma  # type: ignore[attr-defined]
    Tensor.__getitem__ = keys.getitem  # type: ignore[misc]
    inplace.install()
