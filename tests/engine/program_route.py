"""A stored case of `tests/oracle` as a program: its tensors become inputs, its call a statement."""

from __future__ import annotations

from typing import Any

import engine
from engine.registry import lookup
from tests.engine.routes import Answer, Second
from tests.oracle import Case, Json, array


class Translation:
    """One case as `inputs` and `statements`; `results` are the ids of its outputs, `leaves` of its leaves."""

    def __init__(self, case: Json) -> None:
        self.inputs: dict[str, engine.Tensor] = {}
        self.statements: list[Json] = []
        self.results = [f"y{at}" for at in range(len(case.get("out", [None])))]
        call = self._call(case)
        if call["op"] == "requires_grad_":
            self.statements += [call, {"id": "y0", "op": "alias", "in": call["in"][:1]}]
        else:
            named = {"out": self.results} if len(self.results) > 1 else {"id": "y0"}
            self.statements.append({**named, **call})
        self.leaves = [name for name, given in self.inputs.items() if given.requires_grad]
        self.seed: int = case.get("seed") or 0

    def add(self, values: Any, *, requires_grad: bool = False) -> str:
        """Enter an array as an input; its name."""
        name = f"t{len(self.inputs)}"
        self.inputs[name] = engine.tensor(values, requires_grad=requires_grad)
        return name

    def _call(self, call: Json) -> Json:
        args, attrs = list(call["in"]), dict(call.get("attrs", {}))
        texts = [at for at, arg in enumerate(args) if _has_text(arg)]
        if texts:  # "NaN": a string in "in" would be a reference
            first = texts[0]
            names = [param.name for param in lookup(call["op"]).params]
            args, attrs = args[:first], dict(zip(names[first:], args[first:], strict=False)) | attrs
        found = {"op": call["op"], "in": [self._argument(arg) for arg in args]}
        if attrs:
            found["attrs"] = {name: self._attribute(value) for name, value in attrs.items()}
        return found

    def _argument(self, arg: Any) -> Any:
        if isinstance(arg, list):
            return [self._argument(each) for each in arg]
        if isinstance(arg, dict) and "tensor" in arg:
            return self.add(array(arg["tensor"]), requires_grad=arg["tensor"].get("requires_grad", False))
        return self._call(arg) if isinstance(arg, dict) and "op" in arg else arg

    def _attribute(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._attribute(each) for each in value]
        if isinstance(value, dict) and "op" in value:
            self.statements.append({"id": f"a{len(self.statements)}", **self._call(value)})
            return {"ref": self.statements[-1]["id"]}
        found = self._argument(value)
        return found if found is value else {"ref": found}


class Compiled:
    """`engine.Program`: statements to a plan, and the plan's answer."""

    name = "program"

    def first(self, case: Case) -> Answer:
        said = Translation(case)
        gradient = {y: engine.tensor(v) for y, v in zip(said.results, case.v, strict=True) if v is not None}
        route = "backward" if gradient and said.leaves else "forward"
        settings: dict[str, Any] = {"gradient": gradient} if route == "backward" else {}
        program = engine.Program(said.statements)
        found = program.prepare(
            said.inputs, route=route, outputs=said.results, seed=said.seed, **settings
        ).run()
        outputs = [found.outputs[name] for name in said.results]
        assert found.trace is not None
        roots = [found.trace["roots"][name] for name in said.results]
        return Answer(
            outputs,
            [found.grads.get(name) for name in said.leaves],
            plain_trace(found.trace, said.leaves),
            [None if root is None else [root, y.output_nr] for root, y in zip(roots, outputs, strict=True)],
        )

    def second(self, case: Case, w: list[Any]) -> Second:
        said = Translation(case)
        v = [None if each is None else said.add(each, requires_grad=True) for each in case.v]
        flowing = [(y, name) for y, name in zip(said.results, v, strict=True) if name is not None]
        firsts = [None if each is None else f"g{at}" for at, each in enumerate(case.grads)]
        said.statements.append(
            {
                "op": "grad",
                "in": [y for y, _ in flowing],
                "attrs": {
                    "wrt": said.leaves,
                    "grad_outputs": [{"ref": name} for _, name in flowing],
                    "create_graph": True,
                    "allow_unused": True,
                },
                "out": firsts,
            }
        )
        pairs = zip(firsts, w, strict=True)
        gradient = {str(name): engine.tensor(each) for name, each in pairs if each is not None}
        program = engine.Program(said.statements)
        found = program.backward(said.inputs, said.results, gradient=gradient, seed=said.seed)
        by_v = [None if name is None else found.grads[name] for name in v]
        return Second([found.grads[name] for name in said.leaves], by_v)

    def refuse(self, case: Case) -> None:
        said = Translation(case)
        engine.Program(said.statements).forward(said.inputs, seed=said.seed)


def _has_text(arg: Any) -> bool:
    return any(map(_has_text, arg)) if isinstance(arg, list) else isinstance(arg, str)


def plain_trace(trace: Json, leaves: list[str]) -> list[Json]:
    """The nodes of a trace as the records hold them: leaves by number, without the names of values."""
    found = []
    for node in trace["nodes"]:
        kept = {key: node[key] for key in ("name", "next_functions")}
        if "variable" in node:
            found.append({**kept, "variable": leaves.index(node["variable"]), "saved": {}})
        else:
            found.append({**kept, "saved": node["saved"]})
    return found
