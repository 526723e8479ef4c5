"""What a statement costs: chains of ops on four numbers, where the arithmetic costs next to nothing."""

from collections.abc import Callable
from typing import Any, NamedTuple

import engine

LENGTHS = (100, 1_000, 10_000)
STEPS = (
    {"op": "mul", "in": [1.01]},
    {"op": "sin", "in": []},
    {"op": "add", "in": ["x"]},
    {"op": "tanh", "in": []},
)


class Costs(NamedTuple):
    """Seconds for the whole chain."""

    read: float  # Program(graph): fields, names, references, arity
    plan: float  # prepare: shapes, dtypes, the backward pass as a graph, the plan
    run: float  # the planned steps, forward and backward
    again: float  # a whole request for a graph and shapes that are known
    eager: float  # the same chain define-by-run, with backward()


def graph(length: int) -> list[dict[str, Any]]:
    """A chain of `length` statements from the input x to one number."""
    statements: list[dict[str, Any]] = []
    last = "x"
    for number in range(length - 1):
        step = STEPS[number % len(STEPS)]
        statements.append({"id": f"v{number}", "op": step["op"], "in": [last, *step["in"]]})
        last = f"v{number}"
    return [*statements, {"id": "out", "op": "sum", "in": [last]}]


def along(length: int, x: Any, ops: Any) -> Any:
    """The chain define-by-run, with the functions of `ops` (this engine, torch); it keeps no value itself."""
    functions = [
        (getattr(ops, step["op"]), [x if each == "x" else each for each in step["in"]]) for step in STEPS
    ]
    value = x
    for number in range(length - 1):
        function, more = functions[number % len(STEPS)]
        value = function(value, *more)
    return value.sum()


def costs(length: int, median: Callable[..., float]) -> Costs:
    """The costs of a chain of `length` statements."""
    statements = graph(length)
    inputs = {"x": engine.tensor([0.1, 0.2, 0.3, 0.4], requires_grad=True)}
    program = engine.Program(statements)
    prepared = program.prepare(inputs, trace=False)
    return Costs(
        read=median(lambda: engine.Program(statements)),
        plan=median(lambda fresh: fresh.prepare(inputs, trace=False), lambda: engine.Program(statements)),
        run=median(prepared.run),
        again=median(lambda: program.backward(inputs, trace=False)),
        eager=median(lambda: along(length, inputs["x"], engine).backward()),
    )
