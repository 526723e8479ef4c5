"""Calls that torch refuses: arithmetic, reductions, contractions; the rest is in errors_data."""

from typing import Any

from ..build import case, rand, val
from . import errors_data

Call = dict[str, Any]


def ints(data: Any) -> dict[str, Any]:
    return val(data, "int64")


def elementwise() -> list[Call]:
    flags = rand(2, dtype="bool")
    found = [
        case(op, rand(2, 3), rand(2, 2))
        for op in ("add", "sub", "mul", "div", "pow", "maximum", "eq", "rsub")
    ]
    found += [
        case("add", rand(3), rand(4)),
        case("mul", rand(2, 1, 3), rand(4, 2)),
        case("add", rand(0), rand(2)),
    ]
    found += [
        case("where", rand(2, dtype="bool"), rand(3), rand(2)),
        case("where", rand(2), rand(2), rand(2)),
    ]
    found += [
        case("where", rand(4, dtype="bool"), rand(3), rand(3)),
        case("where", ints([1, 0]), rand(2), rand(2)),
    ]
    found += [
        case("sub", flags, flags),
        case("sub", rand(2), True),
        case("sub", rand(2), flags),
        case("neg", flags),
    ]
    found += [case("rsub", flags, flags), case("rsub", rand(2), True), case("sub", flags, rand(2))]
    found += [case("add", ints([1]), ints([1]), alpha=0.5)]
    found += [
        case("pow", ints([2, 3]), -1),
    ]
    found += [case("clamp", rand(3)), case("clamp", rand(3), 0, rand(3)), case("clamp", rand(3), rand(2))]
    found += [
        case("clamp", rand(2, dtype="complex64"), 0),
    ]
    found += [case(op, rand(2, dtype="complex64")) for op in ("sign", "floor", "ceil", "round")]
    found += [
        case(op, rand(2, dtype="complex64"), rand(2)) for op in ("maximum", "minimum", "lt", "ge", "gt", "le")
    ]
    found += [case("abs", flags), case("floor", flags), case("ceil", flags), case("round", flags)]
    found += [case("div", rand(2), rand(2), rounding_mode="up"), case("round", ints([1]), decimals=1)]
    found += [case("div", rand(2, dtype="complex64"), 2, rounding_mode="floor")]
    return found


def reductions() -> list[Call]:
    by_dim = ("sum", "mean", "prod", "amax", "max", "min", "logsumexp", "argmax", "all", "var", "std")
    found = [case(op, rand(2, 3), 2) for op in by_dim] + [
        case(op, rand(), 1) for op in ("sum", "max", "prod")
    ]
    found += [case(op, rand(2, 3), [0, 0]) for op in ("sum", "mean", "amax", "var", "all")]
    found += [case("sum", rand(2, 3), [0, -2]), case("sum", rand(2, 3), -3), case("sum", rand(2), [0, 3])]
    found += [
        case("mean", ints([1, 2])),
        case("mean", rand(2, dtype="bool")),
        case("mean", rand(2), dtype="int64"),
    ]
    found += [case("var", ints([1, 2])), case("std", ints([1, 2])), case("std", rand(2, dtype="bool"))]
    found += [case(op, rand(0)) for op in ("max", "min", "amax", "amin", "argmax", "argmin")]
    found += [case(op, rand(0, 2), 0) for op in ("max", "min", "amax", "argmax")]
    found += [case(op, rand(2, dtype="complex64")) for op in ("max", "amax", "argmax")]
    found += [case("max", rand(2, 3), rand(4)), case("norm", ints([1, 2])), case("linalg.norm", ints([1, 2]))]
    found += [case("linalg.vector_norm", rand(0), "Infinity"), case("linalg.vector_norm", rand(2), 2, 1)]
    found += [case("linalg.norm", rand(2, 2, 2), 1), case("linalg.norm", rand(2, 2, 2), 2, [0, 1, 2])]
    found += [case("linalg.norm", rand(2, 2), ord="huh"), case("linalg.norm", rand(2, 2), 3)]
    found += [case("linalg.norm", rand(3), ord="fro"), case("linalg.norm", rand(2, 2), 2, [0, 0])]
    found += [case("linalg.vector_norm", rand(2), dtype="int64"), case("norm", rand(2, 3), 2, 3)]
    found += [
        case("amax", rand(2, 3), 5),
        case("linalg.vector_norm", rand(2, dtype="complex64"), dtype="float32"),
    ]
    return found


def linalg() -> list[Call]:
    shapes = (
        ((2, 3), (2, 3)),
        ((3,), (2,)),
        ((2, 3), (2,)),
        ((3,), (2, 3)),
        ((2, 2, 3), (2, 2, 3)),
        ((2, 2, 3), (3, 3, 2)),
        ((2, 2, 3), (2,)),
        ((2,), (2, 3, 2)),
        ((), (2,)),
        ((2,), ()),
        ((), ()),
        ((2, 2, 3), (2, 3)),
        ((2, 3), (2, 2, 3)),
    )
    found = [case("matmul", rand(*left), rand(*right)) for left, right in shapes]
    found += [
        case("mm", rand(2, 3), rand(2, 3)),
        case("mm", rand(3), rand(3, 2)),
        case("mm", rand(2, 3), rand(3)),
    ]
    found += [case("mv", rand(2, 3), rand(2)), case("mv", rand(3), rand(3)), case("dot", rand(2), rand(3))]
    found += [case("dot", rand(2, 2), rand(2)), case("bmm", rand(2, 3), rand(2, 3, 2))]
    found += [case("bmm", rand(2, 2, 3), rand(3, 3, 2)), case("bmm", rand(2, 2, 3), rand(2, 2, 3))]
    found += [case("outer", rand(2, 2), rand(2)), case("outer", rand(2), rand())]
    for op, left, right in (
        ("matmul", (2, 2), (2, 2)),
        ("mm", (2, 2), (2, 2)),
        ("mv", (2, 2), (2,)),
        ("dot", (2,), (2,)),
        ("bmm", (1, 2, 2), (1, 2, 2)),
    ):
        found.append(case(op, rand(*left, dtype="float32"), rand(*right)))
    found += [
        case("matmul", ints([[1]]), rand(1, 1)),
        case("matmul", rand(1, 1, dtype="bool"), rand(1, 1, dtype="bool")),
    ]
    linear = "nn.functional.linear"
    found += [case(linear, rand(2, 3), rand(4, 2)), case(linear, rand(2, 3), rand(4, 3), rand(3))]
    found += [case(linear, rand(2, 3), rand(3), rand()), case(linear, rand(2, 2, 3), rand(3, 2), rand(3))]
    found += [case(linear, rand(2, 3, dtype="float32"), rand(4, 3))]
    for text, given in (
        ("ij,jk->ik", ((2, 3), (2, 3))),
        ("ij->ik", ((2, 3),)),
        ("ij,jk", ((2, 3),)),
        ("ij", ((2, 3), (2, 3))),
        ("ij->i->j", ((2, 3),)),
        ("i1->i", ((2, 3),)),
        ("ijk->i", ((2, 3),)),
        ("ij->ii", ((2, 3),)),
        ("ii->i", ((2, 3),)),
        ("i...->", ((),)),
        ("ij.->i", ((2, 3),)),
        ("...i...->i", ((2, 3),)),
    ):
        found.append(case("einsum", *[rand(*shape) for shape in given], equation=text))
    found += [
        case("einsum", equation="->"),
        case("einsum", rand(2, dtype="float32"), rand(2), equation="i,i->"),
    ]
    return found


def cases() -> list[Call]:
    return [*elementwise(), *reductions(), *linalg(), *errors_data.cases()]
