"""vjp, jvp, vhp and hvp: a Jacobian or a Hessian, times a vector."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.autograd.arguments import (
    OUTPUTS,
    Tensors,
    as_tuple,
    check_v,
    given_back,
    gradients,
    tracked,
    unpacked,
)
from engine.autograd.strictness import check_recorded, filled
from engine.eager.builder import F
from engine.eager.tensor import Tensor
from engine.errors import RuntimeArgumentError
from engine.grad_mode import enable_grad, is_grad_enabled, set_grad_enabled

_NO_V = (
    "The vector v can only be None if the input to the user-provided function is a single Tensor with a "
    "single element."
)


def vjp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """(outputs, vjp): `func` at `inputs`, and v times its Jacobian; v like the outputs, None for a lone
    number."""
    with enable_grad():
        several, xs = as_tuple(inputs, "inputs", "vjp")
        xs = tracked(xs, create_graph=create_graph)
        several_out, ys = as_tuple(func(*xs), OUTPUTS, "vjp")
        check_recorded(ys, "outputs", strict)
        vs = _vector(v, ys, several_out, "vjp", create_graph) if v is not None else None
        if vs is None and not _is_lone(ys):
            raise RuntimeArgumentError(
                "The vector v can only be None if the user-provided function returns a single Tensor with a "
                "single element."
            )
    with set_grad_enabled(create_graph or is_grad_enabled()):
        found = filled(gradients(ys, xs, vs, create_graph=create_graph), xs, strict, create_graph, "back")
    return _answer(ys, several_out, found, several, create_graph)


def jvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """(outputs, jvp): `func` at `inputs`, and its Jacobian times v, by the backward of the backward; v like
    the inputs, None for a lone number."""
    with enable_grad():
        several, xs = as_tuple(inputs, "inputs", "jvp")
        xs = tracked(xs, create_graph=create_graph)
        vs = _direction(v, xs, several, "jvp", create_graph)
        several_out, ys = as_tuple(func(*xs), OUTPUTS, "jvp")
        check_recorded(ys, "outputs", strict)
        linear = _dummies(ys)
        pulled = gradients(ys, xs, linear, create_graph=True)
        check_recorded(pulled, "grad_inputs", strict)
    with set_grad_enabled(create_graph or is_grad_enabled()):
        pushed = gradients(pulled, linear, vs, create_graph=create_graph)
        found = filled(pushed, ys, strict, create_graph, "back_trick")
    return _answer(ys, several_out, found, several_out, create_graph)


def vhp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """(output, vhp): `func`, which gives one number, at `inputs`, and v times its Hessian."""
    with enable_grad():
        several, xs = as_tuple(inputs, "inputs", "vhp")
        xs = tracked(xs, create_graph=create_graph)
        vs = _direction(v, xs, several, "vhp", create_graph)
        ys, slope = _slope(func, xs, "vhp", strict)
    with set_grad_enabled(create_graph or is_grad_enabled()):
        curved = gradients(slope, xs, vs, create_graph=create_graph)
        found = filled(curved, xs, strict, create_graph, "double_back")
    return _answer(ys, False, found, several, create_graph)


def hvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """(output, hvp): `func`, which gives one number, at `inputs`, and its Hessian times v.

    It is `vhp` where the Hessian is symmetric, at the cost of one more sweep.
    """
    with enable_grad():
        several, xs = as_tuple(inputs, "inputs", "hvp")
        xs = tracked(xs, create_graph=create_graph)
        vs = _direction(v, xs, several, "hvp", create_graph)
        ys, slope = _slope(func, xs, "hvp", strict)
        linear = _dummies(xs)
        curved = gradients(slope, xs, linear, create_graph=True)
    with set_grad_enabled(create_graph or is_grad_enabled()):
        pushed = gradients(curved, linear, vs, create_graph=create_graph)
        found = filled(pushed, xs, strict, create_graph, "double_back_trick")
    return _answer(ys, False, found, several, create_graph)


def _vector(v: Any, like: Tensors, several: bool, caller: str, create_graph: bool) -> Tensors:
    _, vs = as_tuple(v, "v", caller)
    vs = tracked(vs, create_graph=create_graph, requires_grad=False)
    check_v(vs, like, several)
    return vs


def _direction(v: Any, xs: Tensors, several: bool, caller: str, create_graph: bool) -> Tensors | None:
    """The vector that has the structure of the inputs; None stands for 1 beside a lone number."""
    if v is not None:
        return _vector(v, xs, several, caller, create_graph)
    if not _is_lone(xs):
        raise RuntimeArgumentError(_NO_V)
    return None


def _is_lone(tensors: Tensors) -> bool:
    return len(tensors) == 1 and tensors[0].meta.numel == 1


def _dummies(tensors: Tensors) -> Tensors:
    """Cotangents whose values do not matter: a vjp is linear in them."""
    found = tuple(F.zeros_like(each) for each in tensors)
    for each in found:
        each.requires_grad = True
    return found


def _slope(func: Callable[..., Any], xs: Tensors, caller: str, strict: bool) -> tuple[Tensors, Any]:
    """The one number that `func` gives, and its gradient."""
    several, ys = as_tuple(func(*xs), OUTPUTS, caller)
    check_recorded(ys, "outputs", strict)
    check_number(ys, several, caller)
    slope = gradients(ys, xs, create_graph=True)
    check_recorded(slope, "jacobian", strict)
    return ys, slope


def check_number(ys: Tensors, several: bool, caller: str) -> None:
    """A function with a Hessian gives one tensor of one element."""
    if several:
        raise RuntimeArgumentError(f"The function given to {caller} should return a single Tensor")
    if ys[0].meta.numel != 1:
        raise RuntimeArgumentError(
            f"The Tensor returned by the function given to {caller} should contain a single element"
        )


def _answer(
    ys: Tensors, several_out: bool, found: tuple[Tensor, ...], several: bool, create_graph: bool
) -> tuple[Any, Any]:
    return (
        unpacked(given_back(ys, create_graph), several_out),
        unpacked(given_back(found, create_graph), several),
    )
