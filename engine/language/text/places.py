"""Where in a text something stands, and the refusal of it."""

from __future__ import annotations

import ast
import dataclasses
from typing import Any

from engine.errors import EngineError, GraphError, Place, Pointer
from engine.language.statements import Body, Statement

_PIECE = 40  # characters of the text that an error repeats


class Source:
    """A text; knows its lines."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")

    def place(self, node: ast.AST) -> Place:
        """Where a node of the syntax tree begins."""
        line = min(max(getattr(node, "lineno", 1), 1), len(self.lines))
        column, text = getattr(node, "col_offset", 0), self.lines[line - 1]
        if not text.isascii():  # the tree counts bytes
            column = len(text.encode()[:column].decode(errors="ignore"))
        return Place(line, column + 1)

    def piece(self, place: Place) -> str:
        """What stands at a place, as much of it as an error repeats."""
        found = self.lines[place.line - 1][place.column - 1 :].split("#")[0].strip()
        clean = "".join(each if " " <= each <= "~" else "?" for each in found[: _PIECE + 1])
        return clean if len(clean) <= _PIECE else clean[: _PIECE - 1] + "…"

    def refused(self, text: str, at: ast.AST | Place, *, expected: object = None) -> GraphError:
        """The error that says `text` of what stands at `at`."""
        place = at if isinstance(at, Place) else self.place(at)
        return GraphError(text, pointer=("graph", place), expected=expected, actual=self.piece(place))


class Places:
    """The places of the parts of a program that was read from a text: a container and a key of it, or a
    container alone (key None)."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, object], Place] = {}
        self._kept: list[Any] = []  # an id is of what is alive

    def put(self, container: Any, place: Place, key: object = None) -> None:
        """`container[key]`, or `container` itself, was written at `place`."""
        self._known[id(container), key] = place
        self._kept.append(container)

    def find(self, statements: list[Any], pointer: Pointer) -> Place:
        """The place of the innermost part on the way that `pointer` names that has one."""
        found = Place(1, 1)
        current: Any = statements
        for part in pointer[1:]:
            found = self._known.get((id(current), part), found)
            try:
                current = current[part]
            except (LookupError, TypeError):
                break
            found = self._known.get((id(current), None), found)
        return found

    def locate(self, error: EngineError, statements: list[Any]) -> EngineError:
        """`error` with a place in the text in its pointer into the statements."""
        pointer = error.pointer
        if pointer[:1] == ("graph",) and not any(isinstance(part, Place) for part in pointer):
            error.pointer = ("graph", self.find(statements, pointer))
        return error

    def relocate(self, read: list[Statement], statements: list[Any]) -> None:
        """Put places into the pointers of statements that were read from `statements`."""
        pending: list[Any] = [read]
        while pending:
            for each in pending.pop():
                each.pointer = ("graph", self.find(statements, each.pointer))
                parts = [getattr(each, field.name) for field in dataclasses.fields(each)]
                pending += [part.statements for part in parts if isinstance(part, Body)]
                pending += [part for part in parts if _is_block(part)]


def _is_block(part: Any) -> bool:
    return type(part) is list and bool(part) and isinstance(part[0], Statement)
