"""Statements run one by one on tensors, with Python's own `while`, `if` and `for`: what a program must equal.

`t` is torch when results are stored, and the engine in tests: nothing here knows of graphs or plans.
"""

from collections.abc import Callable
from typing import Any

Json = dict[str, Any]
Apply = Callable[[str, list[Any], Json], Any]


class Steps:
    """The names that statements define as they run. `apply` calls an op by its name."""

    def __init__(self, t: Any, apply: Apply, names: Json) -> None:
        self.t, self.apply, self.names = t, apply, dict(names)
        self.retained: list[str] = []

    def run(self, statements: list[Json]) -> None:
        for each in statements:
            if "with" in each:
                with getattr(self.t, each["with"])():
                    self.run(each["do"])
            else:
                getattr(self, f"_{each['op']}", self._op)(each)

    def value(self, arg: Any) -> Any:
        """An argument: a reference, a number, a list, a literal, a nested call."""
        if isinstance(arg, str):
            return self.names[arg]
        if isinstance(arg, list):
            return [self.value(each) for each in arg]
        if not isinstance(arg, dict):
            return arg
        if "ref" in arg:
            return self.names[arg["ref"]]
        return self.t.tensor(arg["tensor"]) if "tensor" in arg else self._called(arg)

    def _tensors(self, args: Any) -> list[Any]:
        """One argument, or a list of them, as tensors."""
        found = [self.value(arg) for arg in (args if isinstance(args, list) else [args])]
        return [each if isinstance(each, self.t.Tensor) else self.t.tensor(each) for each in found]

    def _named(self, args: Json) -> Json:
        return dict(zip(args, self._tensors(list(args.values())), strict=True))

    def _called(self, call: Json) -> Any:
        if call["op"] == "grad":
            return self._gradients(call)[0]
        args = [self.value(arg) for arg in call.get("in", [])]
        attrs = {name: self._attribute(name, value) for name, value in call.get("attrs", {}).items()}
        return self.apply(call["op"], args, attrs)

    def _attribute(self, name: str, value: Any) -> Any:
        if isinstance(value, str):
            return getattr(self.t, value) if name == "dtype" else value
        return self.value(value)

    def _define(self, each: Json, values: list[Any]) -> None:
        names = each["out"] if "out" in each else [each.get("id")]
        self.names.update((name, value) for name, value in zip(names, values, strict=True) if name)

    def _op(self, each: Json) -> None:
        found = self._called(each)
        self._define(each, list(found) if "out" in each else [found])

    # -- control flow

    def _while(self, each: Json) -> None:
        outside, carried = self.names, self._named(each["carry"])
        while True:
            self.names = {**outside, **carried}
            self.run(each["cond"].get("do", []))
            if not self.value(each["cond"]["yield"]):
                break
            self.run(each["body"].get("do", []))
            carried = self._named({name: each["body"]["yield"][name] for name in carried})
        self.names = outside
        self._define(each, list(carried.values()))

    def _scan(self, each: Json) -> None:
        outside, carried = self.names, self._named(each.get("carry", {}))
        columns, ys = self._named(each["xs"]), []
        result = each["body"]["yield"]
        for entries in zip(*columns.values(), strict=True):
            self.names = {**outside, **carried, **dict(zip(columns, entries, strict=True))}
            self.run(each["body"].get("do", []))
            carried = self._named({name: result["carry"][name] for name in carried})
            ys.append(self._tensors(result.get("y", [])))
        self.names = outside
        stacked = [self.t.stack(list(entries)) for entries in zip(*ys, strict=True)]
        self._define(each, [*carried.values(), *stacked])

    def _cond(self, each: Json) -> None:
        outside, body = self.names, each["then" if self.value(each["in"][0]) else "else"]
        self.names = dict(outside)
        self.run(body.get("do", []))
        found = self._tensors(body["yield"])
        self.names = outside
        self._define(each, found)

    # -- derivatives and state

    def _gradients(self, call: Json) -> list[Any]:
        attrs = dict(call.get("attrs", {}))
        wrt = attrs.pop("wrt")
        targets = [self.names[name] for name in ([wrt] if isinstance(wrt, str) else wrt)]
        return list(self.t.autograd.grad([self.value(arg) for arg in call["in"]], targets, **attrs))

    def _grad(self, each: Json) -> None:
        self._define(each, self._gradients(each))

    def _register_hook(self, each: Json) -> None:
        (name,), body = each["body"]["params"], each["body"]

        def hook(g: Any) -> Any:
            outside = self.names
            self.names = {**outside, name: g}
            self.run(body.get("do", []))
            (found,) = self._tensors(body["yield"])
            self.names = outside
            return found

        self.names[each["in"][0]].register_hook(hook)

    def _retain_grad(self, each: Json) -> None:
        self.names[each["in"][0]].retain_grad()
        self.retained.append(each["in"][0])

    def _requires_grad_(self, each: Json) -> None:
        self.names[each["in"][0]].requires_grad_(*each["in"][1:])
