"""gradwire's own side of a case: a program, its inputs, and the answer to compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import engine
from bench.case import Arrays, NotBuilt, Side
from bench.timing import timed

Statements = list[dict[str, Any]]
LIMITS = engine.Limits(peak_bytes=8 << 30, output_bytes=1 << 30)  # a library's; the service has its own


def op(name: str, *arguments: Any, **attrs: Any) -> dict[str, Any]:
    """A nested statement."""
    return {"op": name, "in": list(arguments), **({"attrs": attrs} if attrs else {})}


def let(name: str, function: str, *arguments: Any, **attrs: Any) -> dict[str, Any]:
    """A statement with a name."""
    return {"id": name, **op(function, *arguments, **attrs)}


def tensors(leaves: Mapping[str, Any], constants: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Inputs: `leaves` require grad, `constants` do not."""
    found = {name: engine.tensor(each, requires_grad=True) for name, each in leaves.items()}
    return found | {name: engine.tensor(each) for name, each in (constants or {}).items()}


def tensor(value: Any, dtype: str) -> engine.Tensor:
    """A tensor of a dtype by name."""
    return engine.tensor(value, dtype=engine.dtype(dtype))


def program(statements: Statements) -> engine.Program:
    """The statements as a program. Raises NotBuilt for an op that there is not."""
    try:
        return engine.Program(statements, limits=LIMITS)
    except engine.errors.EngineError as error:
        if error.code in ("unknown-op", "not-implemented"):
            raise NotBuilt(str(error)) from error
        raise


def backward(statements: Statements, inputs: Mapping[str, Any], **settings: Any) -> Side:
    """A side that is `Program.backward` of a known program, without a trace."""
    made = program(statements)
    _ = made.prepare(dict(inputs), trace=False, **settings).plan  # earned by what comes back a few times

    def work() -> engine.Result:
        return made.backward(dict(inputs), trace=False, **settings)

    return timed(work, answer)


def answer(result: engine.Result) -> Arrays:
    """Outputs, then gradients in the order of the inputs."""
    found = [*result.outputs.values(), *[each for each in result.grads.values() if each is not None]]
    return [each.detach().numpy() for each in found]


def of(names: Sequence[str]) -> Callable[[engine.Result], Arrays]:
    """Outputs, then the gradients of these inputs."""
    return lambda result: [
        *[each.detach().numpy() for each in result.outputs.values()],
        *[result.grads[name].numpy() for name in names],
    ]
