"""What the engine refuses, and how it says so.

    EngineError
    ├── GraphError (ValueError)         a statement list that means nothing
    │   ├── UnknownOp, UnknownId, DuplicateId, UnknownField
    ├── ArgumentError (TypeError)       a call whose arguments do not fit the signature
    ├── ValueArgumentError (ValueError) an argument of the right kind with an impossible value
    │   └── AssertedArgumentError (AssertionError too) the same, where torch asserts
    ├── RuntimeArgumentError (RuntimeError) the same, where torch raises RuntimeError
    ├── DimError (IndexError)           a dimension or an index out of range
    ├── ShapeError (RuntimeError)       shapes that do not fit each other
    ├── DTypeError (RuntimeError)       dtypes that do not fit each other
    │   └── UnsupportedDType (NotImplementedError) a dtype that the op has no kernel for
    ├── GradError (RuntimeError)        a misuse of requires_grad, backward or grad
    │   ├── NotScalar, NotDifferentiable, GraphFreed
    ├── GradcheckError (RuntimeError)   a gradient that differences do not confirm
    ├── LimitExceeded (RuntimeError)    more than the caller's limits allow
    │   └── IterationLimit
    └── NotImplementedYet (NotImplementedError) known by name, not built

Each is also the builtin that torch raises in its place, and its text is torch's where torch has one.
`code` classifies it for programs; `node`, `op` and `pointer` say where in a program it happened.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple

Pointer = tuple[str | int, ...]


class Place(str):
    """A part of a pointer into a text: "line:column", both from 1."""

    __slots__ = ("column", "line")
    line: int
    column: int

    def __new__(cls, line: int, column: int) -> Place:
        found = super().__new__(cls, f"{line}:{column}")
        found.line, found.column = line, column
        return found

    def __getnewargs__(self) -> tuple[int, int]:  # type: ignore[override]
        return self.line, self.column


class Site(NamedTuple):
    """A statement: its place in the program, its id and its op as written."""

    pointer: Pointer
    id: str | None
    op: str | None

    @property
    def site(self) -> Site:
        """Itself: what has a site is where something comes from."""
        return self


class EngineError(Exception):
    """Anything the engine refuses; `str()` of it is torch's sentence where torch has one."""

    code: ClassVar[str] = "invalid-argument"

    def __init__(
        self, message: str, *, expected: object = None, actual: object = None, pointer: Pointer = ()
    ) -> None:
        super().__init__(message)
        self.message = message
        self.expected = expected
        self.actual = actual
        self.pointer: Pointer = pointer
        self.node: str | None = None
        self.op: str | None = None

    def at(self, pointer: Pointer, *, node: str | None = None, op: str | None = None) -> EngineError:
        """Add where it happened; what is known already stays, a pointer goes in front of the one there."""
        self.pointer = pointer + self.pointer
        self.node = self.node or node
        self.op = self.op or op
        return self


class GraphError(EngineError, ValueError):
    """A statement list that has no meaning."""


class UnknownOp(GraphError):
    """No op of that name."""

    code = "unknown-op"


class UnknownId(GraphError):
    """A reference to an id that is not defined, or not yet."""

    code = "unknown-id"


class DuplicateId(GraphError):
    """An id given twice."""

    code = "duplicate-id"


class UnknownField(GraphError):
    """A field or an attribute that the statement does not have."""

    code = "unknown-field"


class ArgumentError(EngineError, TypeError):
    """Arguments that do not fit the op's signature."""


class ValueArgumentError(EngineError, ValueError):
    """An argument of the right kind with an impossible value."""


class AssertedArgumentError(ValueArgumentError, AssertionError):
    """An impossible argument that torch refuses by an assertion."""


class RuntimeArgumentError(EngineError, RuntimeError):
    """An impossible argument for which torch raises RuntimeError."""


class DimError(EngineError, IndexError):
    """A dimension or an index out of range."""


class ShapeError(EngineError, RuntimeError):
    """Shapes that do not fit each other."""

    code = "shape-mismatch"


class DTypeError(EngineError, RuntimeError):
    """Dtypes that do not fit each other, or the op."""

    code = "dtype-mismatch"


class UnsupportedDType(DTypeError, NotImplementedError):
    """A dtype for which the op has no kernel."""


class GradError(EngineError, RuntimeError):
    """A misuse of requires_grad, backward or grad."""

    code = "not-differentiable"


class NotScalar(GradError):
    """A gradient is needed because the output has more than one element."""

    code = "not-scalar"


class NotDifferentiable(GradError):
    """No derivative exists, or none is implemented."""


class AnomalyError(GradError):
    """Anomaly mode found a nan."""

    code = "nan-found"


class GraphFreed(GradError):
    """A second backward through nodes whose saved values are gone."""

    code = "graph-freed"

    def __init__(self) -> None:
        super().__init__(
            "Trying to backward through the graph a second time (or directly access saved tensors after they "
            "have already been freed). Saved intermediate values of the graph are freed when you call "
            ".backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the "
            "graph a second time or if you need to access saved tensors after calling backward."
        )


class GradcheckError(EngineError, RuntimeError):
    """A gradient that differences of the function do not confirm."""


class LimitExceeded(EngineError, RuntimeError):
    """More than a limit allows; `limit` is its name, `asked` and `allowed` the two numbers."""

    code = "limit-exceeded"

    def __init__(self, limit: str, asked: int, allowed: int, message: str | None = None) -> None:
        super().__init__(
            message or f"{limit}: {asked} asked, {allowed} allowed", expected=allowed, actual=asked
        )
        self.limit = limit
        self.asked = asked
        self.allowed = allowed


class IterationLimit(LimitExceeded):
    """A loop reached its `max_iters`."""

    code = "iteration-limit"


class NotImplementedYet(EngineError, NotImplementedError):
    """A name that the engine knows and has not built."""

    code = "not-implemented"


def shown(name: object) -> str:
    """A name from outside, as an error may repeat it: nothing but a (dotted) identifier is given back."""
    text = str(name)
    plain = text.isascii() and text.replace(".", "_").isidentifier()
    return text if not text or (plain and len(text) <= 64) else "…"
