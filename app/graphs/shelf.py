"""Where graphs are looked up that a request only names, and what there is without a store."""

from __future__ import annotations

from typing import Protocol

from app.errors import Problem
from app.graphs.named import Named
from app.graphs.names import Names
from app.graphs.versions import Version

HOW = "send its statements as `graph`, or PUT them to /graphs/{name} to have them kept"


class Shelf(Protocol):
    """Graphs by their graph_id, as JSON text, and registered ones."""

    @property
    def names(self) -> Names:
        """The registered graphs. Raises Problem where there are none."""
        ...

    def find(self, graph_id: str) -> bytes:
        """The graph's text. Raises Problem: `unknown-graph`, or `store-unavailable`."""
        ...

    def keep(self, graph_id: str, text: bytes) -> None:
        """The graph was used just now: keep it, or keep it for longer. Never raises."""
        ...

    def version(self, named: Named) -> Version:
        """The registered graph that a path names. Raises Problem."""
        ...


class Nowhere:
    """No store: what a process has not seen itself is unknown."""

    @property
    def names(self) -> Names:
        raise Problem("store-unavailable", "There is no store of graphs here.")

    def find(self, graph_id: str) -> bytes:
        raise unknown()

    def keep(self, graph_id: str, text: bytes) -> None:
        pass

    def version(self, named: Named) -> Version:
        return self.names.get(named.name, named.version).version


def unknown() -> Problem:
    """The 404 of a graph_id, which says how to send the graph."""
    text = f"/graph_id: no graph of this id is known here, or not any more: {HOW}."
    return Problem("unknown-graph", text, errors=[{"pointer": "/graph_id"}])
