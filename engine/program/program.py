"""Programs: statements that are read once, planned once for each kind of input, and run many times.

    program = Program([{"id": "y", "op": "mul", "in": ["x", "x"]}])
    program.backward({"x": engine.tensor(3.0, requires_grad=True)}).grads["x"]   # tensor(6.)

A program's methods are pure: they touch no given tensor's `.grad`, and the answer depends on the arguments
alone.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Unpack

from engine.collector import collecting_later
from engine.eager.factories import tensor
from engine.eager.tensor import Tensor
from engine.errors import DuplicateId, EngineError, UnknownId
from engine.language import text
from engine.language.canonical import canonical
from engine.language.reading import Reader
from engine.language.statements import Statement, last_names
from engine.limits import Limits
from engine.program.compiled import Compiled
from engine.program.function import Frame
from engine.program.plans import CacheInfo, Plans
from engine.program.prepared import Prepared
from engine.program.request import BackwardCalls, Gradient, Request, Settings
from engine.program.result import Result


class Program:
    """Statements as plain dicts, in the language of docs/statements.md, or as text, in that of docs/text.md,
    checked when read.

    `decode` turns a tensor literal into a Tensor; `limits` bound what the program may ask for. Raises
    EngineError with `.pointer`, the place in the list, for anything that means nothing.
    """

    def __init__(
        self,
        graph: Sequence[Any] | str,
        *,
        decode: Callable[[Any], Tensor] | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.limits = limits or Limits()
        reader = Reader(decode or _decode, self.limits)
        with collecting_later():
            self._statements = _read(reader, graph, self.limits)
        self._takes = reader.inputs_used
        self._defines = reader.defined
        self._plans = Plans()

    @functools.cached_property
    def statements(self) -> list[dict[str, Any]]:
        """The desugared statements as plain JSON: what the program's identity is made of."""
        return canonical(self._statements)

    @property
    def takes(self) -> list[str]:
        """The names of the inputs that it reads."""
        return list(self._takes)

    @property
    def defines(self) -> set[str]:
        """The ids that it defines, those inside bodies too: no input may have one of them."""
        return set(self._defines)

    def prepare(
        self,
        inputs: dict[str, Tensor],
        *,
        route: str = "backward",
        outputs: Sequence[str] | None = None,
        gradient: Gradient = None,
        backward: BackwardCalls = None,
        tangents: dict[str, Tensor] | None = None,
        v: dict[str, Tensor] | None = None,
        **settings: Unpack[Settings],
    ) -> Prepared:
        """Find or make the plan for inputs of these types, on a route: "backward" or "forward", or one whose
        results have a `derivative` by the inputs that require grad: "vjp", "jvp", "jacobian", "hessian",
        "hvp".

        `outputs` are the last statement's unless named. `gradient` is the cotangent of the last output, or of
        several by name; `backward` the long form, a list of `{"tensor", "gradient", "inputs", "retain_graph",
        "create_graph"}`; `tangents` and `v` are directions, by input. Raises EngineError for shapes and
        dtypes that do not fit, LimitExceeded for a plan that would take too much.
        """
        request = Request(
            inputs,
            route=route,
            outputs=outputs,
            gradient=gradient,
            backward=backward,
            tangents=tangents,
            v=v,
            **settings,
        )
        return Prepared(self._planned(request), request, self._plans)

    def _planned(self, request: Request) -> Compiled:
        """The plan for a request, found or made."""
        compiled = self._plans.find(request.key)
        if compiled is None:
            self._check_names(request.inputs)
            with collecting_later():
                compiled = Compiled(self._statements, request, self.limits)
            self._plans.keep(request.key, compiled)
        return compiled

    def _run(self, request: Request) -> Result:
        return self._planned(request).run(request.arrays, request.seed)

    def cache_info(self) -> CacheInfo:
        """How often a plan was there already, and how many are kept, of how many bytes."""
        return self._plans.info

    def backward(
        self,
        inputs: dict[str, Tensor],
        outputs: Sequence[str] | None = None,
        gradient: Gradient = None,
        backward: BackwardCalls = None,
        **settings: Unpack[Settings],
    ) -> Result:
        """Outputs, the grads of the leaves and the trace; see `prepare` for the settings."""
        return self._run(
            Request(
                inputs, route="backward", outputs=outputs, gradient=gradient, backward=backward, **settings
            )
        )

    def forward(
        self, inputs: dict[str, Tensor], outputs: Sequence[str] | None = None, **settings: Unpack[Settings]
    ) -> Result:
        """Outputs and trace, without a backward pass; see `prepare` for the settings."""
        return self._run(Request(inputs, route="forward", outputs=outputs, **settings))

    def vjp(
        self,
        inputs: dict[str, Tensor],
        gradient: Gradient = None,
        outputs: Sequence[str] | None = None,
        **settings: Unpack[Settings],
    ) -> Result:
        """The cotangents of the inputs, from that of the last output or of several; see `prepare`."""
        return self.prepare(inputs, route="vjp", outputs=outputs, gradient=gradient, **settings).run()

    def jvp(
        self,
        inputs: dict[str, Tensor],
        tangents: dict[str, Tensor],
        outputs: Sequence[str] | None = None,
        **settings: Unpack[Settings],
    ) -> Result:
        """The tangents of the outputs, from those of inputs (zero where none is given)."""
        return self.prepare(inputs, route="jvp", outputs=outputs, tangents=tangents, **settings).run()

    def jacobian(
        self, inputs: dict[str, Tensor], outputs: Sequence[str] | None = None, **settings: Unpack[Settings]
    ) -> Result:
        """The derivative of each output by each input, of shape output + input."""
        return self.prepare(inputs, route="jacobian", outputs=outputs, **settings).run()

    def hessian(
        self, inputs: dict[str, Tensor], outputs: Sequence[str] | None = None, **settings: Unpack[Settings]
    ) -> Result:
        """The second derivatives of the last output, of one element, by each pair of inputs."""
        return self.prepare(inputs, route="hessian", outputs=outputs, **settings).run()

    def hvp(
        self,
        inputs: dict[str, Tensor],
        v: dict[str, Tensor],
        outputs: Sequence[str] | None = None,
        **settings: Unpack[Settings],
    ) -> Result:
        """The Hessian of the last output, of one element, times `v`."""
        return self.prepare(inputs, route="hvp", outputs=outputs, v=v, **settings).run()

    def function(self, *inputs: str, outputs: Sequence[str] | None = None) -> Callable[..., Any]:
        """The program as a function of Tensors, `inputs` in order, for `engine.func` and the like.

        It gives the last statement's values, or those named: a Tensor, or a tuple of them. It runs
        define-by-run, so what requires grad is recorded; `.grad` is the caller's affair: `backward` and its
        kin are refused in it. UnknownId if the program takes an input that is not named.
        """
        for name, pointer in self._takes.items():
            if name not in inputs:
                raise UnknownId(f"unknown id '{name}'", pointer=pointer)
        wanted = list(last_names(self._statements) if outputs is None else outputs)

        def call(*tensors: Any) -> Any:
            frame = Frame(dict(zip(inputs, tensors, strict=True)), self.limits)
            frame.run(self._statements)
            found = [frame.value(name) for name in wanted]
            return found[0] if len(found) == 1 else tuple(found)

        return call

    def _check_names(self, inputs: dict[str, Tensor]) -> None:
        for name, pointer in self._takes.items():
            if name not in inputs:
                raise UnknownId(f"unknown id '{name}'", pointer=pointer)
        for name in inputs:
            if name in self._defines:
                raise DuplicateId(
                    f"id '{name}' is an input and defined in the graph", pointer=("inputs", name)
                )


def _read(reader: Reader, graph: Any, limits: Limits) -> list[Statement]:
    """The statements of a list, or of a text; of that their pointers are lines and columns."""
    if not isinstance(graph, str):
        return reader.read(list(graph) if isinstance(graph, tuple) else graph)
    raw, places = text.read(graph, limits)
    try:
        statements = reader.read(raw)
    except EngineError as error:
        raise places.locate(error, raw) from None
    places.relocate(statements, raw)
    reader.relocate(lambda pointer: ("graph", places.find(raw, pointer)))
    return statements


def _decode(raw: Any) -> Tensor:
    if isinstance(raw, Tensor):
        return raw
    if isinstance(raw, dict):
        return tensor(raw.get("data"), dtype=raw.get("dtype"), requires_grad=raw.get("requires_grad", False))
    return tensor(raw)
