"""A program as a function of Tensors: its statements one by one, define-by-run.

So a program can be given to `engine.func` and `engine.autograd.functional`, or be a part of a larger
computation. It computes what the compiled program does; loops are Python's, and what autograd remembers is
each op, as if the statements had been written in Python.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from engine import func
from engine.autograd import grad
from engine.builder import Functions, current_builder
from engine.eager.factories import FACTORIES, tensor
from engine.eager.tensor import Tensor
from engine.errors import EngineError, IterationLimit, NotImplementedYet, UnknownId
from engine.func.trees import flatten
from engine.grad_mode import set_grad_enabled
from engine.language.state import placed
from engine.language.statements import (
    Block,
    Body,
    Choice,
    GradCall,
    Hook,
    Leaf,
    Literal,
    OpCall,
    Ref,
    Scan,
    StateChange,
    Statement,
    Transform,
    While,
)
from engine.limits import Limits

Run = Callable[..., Any]


class Frame:
    """The values of names while statements run; `limits` bound the iterations of loops."""

    def __init__(self, values: dict[str, Any], limits: Limits) -> None:
        self.values, self.limits = values, limits

    def run(self, statements: Iterable[Statement]) -> None:
        """Run statements in order; an error names the statement it happened in."""
        for each in statements:
            try:
                self._run(each)
            except EngineError as error:
                raise placed(error, each.pointer).at((), node=each.site.id, op=each.site.op) from None

    def value(self, name: str) -> Any:
        """The value of a name."""
        if name not in self.values:
            raise UnknownId(f"unknown id '{name}'")
        return self.values[name]

    def resolve(self, arg: Any) -> Any:
        """An argument with its references and literals as Tensors."""
        if isinstance(arg, Ref):
            return self.value(arg.name)
        if isinstance(arg, Literal):
            return _leaf(arg, arg.value.requires_grad)
        if isinstance(arg, list):
            return [self.resolve(each) for each in arg]
        if isinstance(arg, dict):
            return {name: self.resolve(each) for name, each in arg.items()}
        return arg

    def body(self, body: Body, values: Sequence[Any], names: Iterable[str] = ()) -> Any:
        """What a body yields, with `values` for its parameters (or for `names`)."""
        inside = Frame(self.values | dict(zip(names or body.params, values, strict=True)), self.limits)
        inside.run(body.statements)
        return inside.resolve(body.results)

    def _run(self, each: Statement) -> None:
        match each:
            case OpCall():
                self._define(each.out, each.named(_call(each, self.resolve)))
            case Leaf():
                self.values[each.id] = _leaf(each.literal, each.requires_grad)
            case Block():
                with set_grad_enabled(each.mode == "enable_grad"):
                    self.run(each.body)
            case While():
                self._define(each.out, self._while(each))
            case Scan():
                self._define(each.out, self._scan(each))
            case Choice():
                chosen = each.then if bool(_tensor(self.resolve(each.predicate))) else each.otherwise
                self._define(each.out, [_tensor(found) for found in self.body(chosen, ())])
            case Transform():
                self._define(each.out, self._transform(each))
            case GradCall():
                settings = {name: self.resolve(value) for name, value in each.settings.items()}
                targets = [self.resolve(ref) for ref in each.wrt]
                self._define(each.out, grad(self.resolve(each.outputs), targets, **settings))
            case Hook():
                self.resolve(each.target).register_hook(lambda g: self.body(each.body, [g])[0])
            case StateChange():
                self._change(each)

    def _define(self, names: Sequence[str | None], found: Any) -> None:
        values = list(found) if isinstance(found, (tuple, list)) else [found]
        self.values.update((name, v) for name, v in zip(names, values, strict=True) if name is not None)

    def _while(self, each: While) -> list[Any]:
        state = {name: _tensor(self.resolve(arg)) for name, arg in each.carry.items()}
        limit = self.limits.iterations if each.max_iters is None else each.max_iters
        for number in range(limit + 1):
            if not bool(self.body(each.cond, list(state.values()), state)):
                break
            if number == limit:
                text = f"while: max_iters {limit} reached"
                raise IterationLimit("iterations", limit + 1, limit, text)
            state = self.body(each.body, list(state.values()), state)
        return list(state.values())

    def _scan(self, each: Scan) -> list[Any]:
        F = Functions(current_builder())
        state = {name: _tensor(self.resolve(arg)) for name, arg in each.carry.items()}
        columns = [F.unbind(_tensor(self.resolve(arg)), 0) for arg in each.xs.values()]
        rows: list[list[Any]] = []
        for entries in zip(*columns, strict=True):
            found = self.body(each.body, [*state.values(), *entries], [*state, *each.xs])
            state = found["carry"]
            rows.append([_tensor(y) for y in found["y"]])
        return [*state.values(), *(F.stack(list(ys), 0) for ys in zip(*rows, strict=True))]

    def _transform(self, each: Transform) -> Any:
        count = len(each.body.params)
        args = [_tensor(self.resolve(arg)) for arg in each.args]

        def function(*values: Any) -> Any:
            results = self.body(each.body, values)
            return results[0] if len(results) == 1 else tuple(results)

        found = flatten(_TRANSFORMS[each.kind](function, args[:count], args[count:], each.settings))[0]
        outputs = flatten(function(*args[:count]))[0] if len(each.out) > len(found) else []
        return [*outputs, *found]

    def _change(self, each: StateChange) -> None:
        target: Any = self.resolve(each.targets[0]) if each.targets else None
        if each.kind == "requires_grad_":
            target.requires_grad_(each.settings.get("requires_grad", True))
        elif each.kind == "retain_grad":
            target.retain_grad()
        else:
            raise NotImplementedYet(f"{each.kind} in a function: it has no .grad of its own", pointer=("op",))


def _call(each: OpCall, resolve: Callable[[Any], Any]) -> Any:
    attrs = {name: resolve(value) for name, value in each.attrs.items()}
    requires_grad = each.op.name in FACTORIES and attrs.pop("requires_grad", False)
    found = each.op(*[resolve(arg) for arg in each.args], **attrs)
    return found.requires_grad_() if requires_grad else found


def _tensor(value: Any) -> Any:
    return value if isinstance(value, Tensor) else tensor(value)


def _leaf(literal: Literal, requires_grad: bool) -> Tensor:
    found: Tensor = literal.value.detach()
    return found.requires_grad_() if requires_grad else found


def _vmap(function: Run, args: list[Any], rest: list[Any], settings: dict[str, Any]) -> Any:
    given = dict(settings)
    for name in ("in_dims", "out_dims"):
        if isinstance(given.get(name), list):
            given[name] = tuple(given[name]) if len(given[name]) > 1 else given[name][0]
    return func.vmap(function, **given)(*args)


def _vjp(function: Run, args: list[Any], rest: list[Any], settings: dict[str, Any]) -> Any:
    outputs, pull = func.vjp(function, *args)
    if not rest:
        return pull(Functions(current_builder()).ones_like(outputs))
    return pull(rest[0] if len(rest) == 1 else tuple(rest))


def _jvp(function: Run, args: list[Any], rest: list[Any], settings: dict[str, Any]) -> Any:
    along = rest or [Functions(current_builder()).ones_like(arg) for arg in args]
    return func.jvp(function, tuple(args), tuple(along))[1]


def _jacobian(function: Run, args: list[Any], rest: list[Any], settings: dict[str, Any]) -> Any:
    transform = func.jacfwd if settings.get("mode") == "forward" else func.jacrev
    return transform(function, _argnums(args, settings))(*args)


def _hessian(function: Run, args: list[Any], rest: list[Any], settings: dict[str, Any]) -> Any:
    return func.hessian(function, _argnums(args, settings))(*args)


def _hvp(function: Run, args: list[Any], rest: list[Any], settings: dict[str, Any]) -> Any:
    gradient = func.jacrev(function, _argnums(args, settings))
    return func.jvp(gradient, tuple(args), tuple(rest))[1]


def _argnums(args: list[Any], settings: dict[str, Any]) -> tuple[int, ...]:
    given = settings.get("argnums", list(range(len(args))))
    return tuple(given) if isinstance(given, list) else (given,)


_TRANSFORMS: dict[str, Callable[[Run, list[Any], list[Any], dict[str, Any]], Any]] = {
    "vmap": _vmap,
    "vjp": _vjp,
    "jvp": _jvp,
    "jacobian": _jacobian,
    "hessian": _hessian,
    "hvp": _hvp,
}
