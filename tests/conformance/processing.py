"""What OpInfo makes of factors before it compares them, as statements: signs and phases are free in them.

A decomposition's results get names; what was stored is computed from these by statements that follow.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.conformance.cases import Json, op_of

ALL = {"slice": [None, None, None]}


class Processed(NamedTuple):
    """The names of the op's results, the statements that follow, and the names of what was stored."""

    out: list[str | None]
    statements: list[Json]
    stored: list[str]


def processed(case: Json) -> Processed | None:
    """How the stored outputs come from the op's results; None where they are these."""
    op = op_of(case)
    if op in ("linalg.eigh", "linalg.eig"):
        return Processed(["values", "vectors"], [_absolute("y", "vectors")], ["values", "y"])
    if op in ("linalg.lu", "lu_unpack"):
        return Processed([None, "lower", "upper"], [], ["lower", "upper"])
    if op == "linalg.lstsq" and case["variant"] == "grad_oriented":
        return Processed(["y0", "y1", None, None], [], ["y0", "y1"])
    if op in ("linalg.svd", "svd"):
        return _svd(case, op == "svd")
    return None


def _svd(case: Json, transposed: bool) -> Processed:
    """The four of OpInfo by turns: |U|, S, (S, |Vh|), (U Vh, S), of the leading factors each."""
    count = min(case["input"]["shape"][-2:])
    leading = [
        _node("getitem", "U", {"ellipsis": True}, {"slice": [None, count, None]}, id="left"),
        _node("getitem", "right", {"ellipsis": True}, {"slice": [None, count, None]}, ALL, id="Vh"),
    ]
    turned = [_node("mH", "V", id="right")] if transposed else []
    ending, stored = (
        ([_absolute("y", "left")], ["y"]),
        ([], ["S"]),
        ([_absolute("y", "Vh")], ["S", "y"]),
        ([_node("matmul", "left", "Vh", id="y")], ["y", "S"]),
    )[case["at"] % 4]
    return Processed(["U", "S", "V" if transposed else "right"], [*turned, *leading, *ending], stored)


def _node(op: str, *args: Any, **named: str) -> Json:
    return {**named, "op": op, "in": list(args)}


def _absolute(name: str, of: str) -> Json:
    return _node("abs", of, id=name)
