"""Programs with control flow, drawn at random: loops and choices in each other over a few inputs.

Vectors have three elements ("v"), the others are 0-dim ("s"). A seed is a program: `program(7)`.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np

import engine
from tests.engine.building import Json, node

INPUTS = {"x": (3,), "w": (3,), "k": (3,), "s": (), "m": (4, 3), "c": (4,)}
KINDS = {"x": "v", "w": "v", "k": "v", "s": "s"}
CONSTANT = "k"
Kinds = dict[str, str]


class Drawn:
    """A program of seed `seed`; `draws` and `masks` say whether its bodies may hold random numbers, and parts
    that a mask selects."""

    def __init__(self, seed: int, *, draws: bool = True, masks: bool = True, depth: int = 2) -> None:
        self._r, self._ids = random.Random(seed), 0
        self._draws, self._masks = draws, masks
        known = dict(KINDS)
        self.graph = self._statements(known, depth, 4)
        self.outputs = [name for name in known if name not in INPUTS]
        total: Any = node("sum", "x")
        for name in [*KINDS, *self.outputs]:
            if self._r.random() < 0.75:
                total = node("add", total, node("sum", name))
        self.graph.append({"id": "loss", **total})
        self.outputs.append("loss")
        numbers = np.random.default_rng(seed)
        self.inputs = {
            name: engine.tensor(numbers.uniform(-1, 1, shape).round(3), requires_grad=name != CONSTANT)
            for name, shape in INPUTS.items()
        }

    def _new(self) -> str:
        self._ids += 1
        return f"n{self._ids}"

    def _value(self, known: Kinds, kind: str, depth: int = 0) -> Any:
        return self._vector(known, depth) if kind == "v" else self._scalar(known, depth)

    def _vector(self, known: Kinds, depth: int) -> Any:
        choice, inner = self._r.random() + depth / 12, depth + 1
        if choice < 0.3:
            other = self._vector(known, inner) if self._r.random() < 0.6 else self._scalar(known, inner)
            return node(self._r.choice(["add", "mul", "sub"]), self._vector(known, inner), other)
        if choice < 0.45:
            return node(self._r.choice(["sin", "tanh", "cos", "neg"]), self._vector(known, inner))
        if choice < 0.48:
            return node("detach", self._vector(known, inner))
        if choice < 0.53 and self._draws:
            return node("mul", self._vector(known, inner), node("rand", 3, dtype="float64"))
        if choice < 0.58:
            one, other, third = (self._vector(known, inner) for _ in range(3))
            return node("where", node("gt", one, 0), other, third)
        return self._r.choice([name for name, kind in known.items() if kind == "v"])

    def _scalar(self, known: Kinds, depth: int) -> Any:
        names = [name for name, kind in known.items() if kind == "s"]
        if self._r.random() < 0.4 and names:
            return self._r.choice(names)
        found = self._vector(known, depth + 1)
        if self._masks and self._r.random() < 0.2:
            found = node("getitem", found, node("gt", self._vector(known, depth + 1), 0.1))
        return node("sum", found)

    def _statements(self, known: Kinds, depth: int, count: int) -> list[Json]:
        found: list[Json] = []
        for _ in range(count):
            choice, name = self._r.random(), self._new()
            if depth and choice < 0.5:
                found.append(self._flow(known, depth - 1))
            elif choice < 0.57:
                found.append({"with": "no_grad", "do": [{"id": name, **node("neg", self._vector(known, 1))}]})
                known[name] = "v"
            else:
                kind = self._r.choice("vvs")
                found.append({"id": name, "op": "mul", "in": [self._value(known, kind, 1), 0.9]})
                known[name] = kind
        return found

    def _flow(self, known: Kinds, depth: int) -> Json:
        make = self._r.choice([self._while, self._scan, self._cond])
        statement, results = make(known, depth)
        known.update({name: kind for name, kind in zip(statement["out"], results, strict=True) if name})
        return statement

    def _body(self, known: Kinds, depth: int) -> list[Json]:
        return self._statements(known, depth, self._r.choice([0, 1, 2]))

    def _cond(self, known: Kinds, depth: int) -> tuple[Json, list[str]]:
        kinds = [self._r.choice("vs") for _ in range(self._r.choice([1, 1, 2]))]
        bodies = []
        for _ in range(2):
            inside = dict(known)
            do = self._body(inside, depth)
            bodies.append({"do": do, "yield": [self._value(inside, kind) for kind in kinds]})
        predicate = node(self._r.choice(["gt", "lt"]), self._scalar(known, 1), 0.2)
        out = [self._new() for _ in kinds]
        found = {"op": "cond", "in": [predicate], "then": bodies[0], "else": bodies[1], "out": out}
        return found, kinds

    def _carried(self, known: Kinds, least: int) -> tuple[Json, Kinds]:
        kinds = {self._new(): self._r.choice("vvs") for _ in range(self._r.choice([least, 1, 1, 2, 3]))}
        return {name: self._value(known, kind) for name, kind in kinds.items()}, kinds

    def _while(self, known: Kinds, depth: int) -> tuple[Json, list[str]]:
        carry, kinds = self._carried(known, 1)
        counter, inside = self._new(), {**known, **kinds}
        going = node("lt", counter, self._r.choice([0, 1, 2, 3]))
        if self._r.random() < 0.4:
            going = node("logical_and", going, node("lt", self._scalar({**known, **kinds}, 1), 1.5))
        do = self._body(inside, depth)
        yields = {name: self._value(inside, kind) for name, kind in kinds.items()}
        found = {
            "op": "while",
            "carry": {**carry, counter: 0},
            "cond": {"do": [], "yield": going},
            "body": {"do": do, "yield": {**yields, counter: node("add", counter, 1)}},
            "max_iters": 5,
            "out": [*(self._new() for _ in kinds), None],
        }
        return found, [*kinds.values(), "i"]

    def _scan(self, known: Kinds, depth: int) -> tuple[Json, list[str]]:
        carry, kinds = self._carried(known, 0)
        xs = {self._new(): name for name in self._r.choice([["m"], ["c"], ["m", "c"]])}
        inside = {**known, **kinds, **{name: "v" if of == "m" else "s" for name, of in xs.items()}}
        do = self._body(inside, depth)
        yields = {name: self._value(inside, kind) for name, kind in kinds.items()}
        stacked = [self._r.choice("vs") for _ in range(self._r.choice([0, 1, 2]) if kinds else 1)]
        ys = [self._value(inside, kind) for kind in stacked]
        found = {
            "op": "scan",
            "carry": carry,
            "xs": xs,
            "body": {"do": do, "yield": {"carry": yields, "y": ys}},
            "out": [self._new() for _ in [*kinds, *stacked]],
        }
        return found, [*kinds.values(), *("rows" for _ in stacked)]
