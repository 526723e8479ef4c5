"""The flat SSA form of a program: values, and nodes in creation order.

A node remembers which of its operands required grad when it was made (`needs`), so the backward graph, its
names and saved values are read straight from here; `recorded` nodes are those torch would give a grad_fn.
Transforms ask instead what depends on what: any node that is `taped`, made with grad mode on, can be
differentiated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from engine import saved
from engine.dtypes import DType
from engine.errors import EngineError, Site
from engine.flow import ControlKernel
from engine.levels import Levels, count
from engine.types import Shape, Type

if TYPE_CHECKING:
    from engine.variants import Variant


class Source(Protocol):
    """Where a node comes from: a statement, or a place of the request."""

    @property
    def site(self) -> Site: ...


class Value:
    """One tensor of a graph: an output of `node`, or (node is None) an input or a constant. `meta` is the
    type of one sample of its `levels`."""

    __slots__ = ("constant", "index", "levels", "meta", "name", "node", "requires_grad")

    def __init__(
        self, meta: Type, node: GraphNode | None = None, index: int = 0, levels: Levels = ()
    ) -> None:
        self.meta = meta
        self.levels = levels
        self.node = node
        self.index = index
        self.requires_grad = False
        self.name: str | None = None
        self.constant: Any = None

    @property
    def shape(self) -> Shape:
        return self.meta.shape

    @property
    def dtype(self) -> DType:
        return self.meta.dtype

    @property
    def ndim(self) -> int:
        return len(self.meta.shape)

    @property
    def nbytes(self) -> int:
        """The bytes of all its samples."""
        return self.meta.nbytes * count(self.levels)

    @property
    def maker(self) -> GraphNode | None:
        """The node that is its grad_fn; None for a leaf."""
        return self.node if self.requires_grad and self.node is not None and self.node.recorded else None

    def __repr__(self) -> str:
        return f"<{self.name or 'value'}: {self.meta!r}>"


class GraphNode:
    """One call of an op. `number` is its place in creation order; `variant` holds what it has in common with
    other calls."""

    __slots__ = ("needs", "number", "op", "operands", "outputs", "recorded", "source", "taped", "variant")

    def __init__(self, variant: Variant, operands: tuple[Any, ...], number: int, source: Source) -> None:
        self.variant = variant
        self.op = variant.op
        self.operands = operands
        self.number = number
        self.source = source
        self.outputs: tuple[Value, ...] = ()
        self.needs: tuple[bool, ...] = ()
        self.recorded = False
        self.taped = False

    @property
    def site(self) -> Site:
        """The statement that it comes from."""
        return self.source.site

    @property
    def attrs(self) -> dict[str, Any]:
        """Its settings, dims normalised."""
        return self.variant.attrs

    @property
    def given(self) -> dict[str, Any]:
        """Its settings as the caller wrote them."""
        return self.variant.given

    @property
    def levels(self) -> Levels:
        """Those that it is run over."""
        return self.variant.levels

    @property
    def saves_tensors(self) -> bool:
        """Whether a second backward through it is refused once it was freed."""
        if isinstance(self.op.run, ControlKernel):
            return self.op.run.saves_tensors
        return saved.saves_tensors(self.op, self.operands, self.needs)

    def __repr__(self) -> str:
        return f"<{self.number}: {self.op.name}>"


class Graph:
    """Nodes in creation order, and the values that come from outside."""

    def __init__(self) -> None:
        self.nodes: list[GraphNode] = []
        self.inputs: list[Value] = []

    def input(self, meta: Type, *, name: str | None = None, requires_grad: bool = False) -> Value:
        """A value given when the graph is run."""
        value = Value(meta)
        value.name = name
        value.requires_grad = requires_grad
        self.inputs.append(value)
        return value

    def __del__(self) -> None:
        """A node and its results know each other; told apart, all of a graph goes at once, and at once."""
        for node in self.nodes:
            node.outputs = ()


def locate(error: EngineError, site: Site) -> EngineError:
    """`error` with the place of a statement added, if it has none in the program yet."""
    placed = error.pointer[:1] == ("graph",)
    return error.at(() if placed else site.pointer, node=site.id, op=site.op)
