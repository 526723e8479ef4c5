"""Comparisons, logic and predicates: results are bool and never require grad."""

from typing import Any

from ..build import INF, NAN, case, imag, rand, val

Call = dict[str, Any]
COMPARE = ("eq", "ne", "lt", "le", "gt", "ge")
ODD = [0.0, -0.0, NAN, INF, "-Infinity", 1.0]


def compare() -> list[Call]:
    found = []
    for op in COMPARE:
        found += [case(op, rand(2, 3), rand(3)), case(op, rand(), rand(2)), case(op, rand(0, 3), rand(1, 3))]
        found += [case(op, rand(2, 3), 1), case(op, rand(3), 0.5), case(op, val([1, 2, 3], "int64"), 2)]
        found += [case(op, val([1, 2, 3], "int64"), 2.5), case(op, val([True, False], "bool"), True)]
        found += [case(op, val(ODD), val([0.0, 0.0, NAN, INF, INF, NAN])), case(op, val(ODD), NAN)]
        found += [
            case(op, rand(3, dtype="float32"), rand(3)),
            case(op, val([1, 2], "uint8"), val([1, -2], "int64")),
        ]
        found.append(case(op, val([0.1, 0.2], "float32"), 0.1))
    for op in ("eq", "ne"):
        found.append(case(op, rand(3, dtype="complex64"), rand(3, dtype="complex128")))
        found.append(case(op, val([[1.0, 2.0], [1.0, 0.0]], "complex64"), imag(1, 2)))
    return found


def logic() -> list[Call]:
    found = []
    for op in ("logical_and", "logical_or"):
        found += [case(op, rand(2, 3, dtype="bool"), rand(3, dtype="bool")), case(op, rand(2, 3), rand(2, 1))]
        found += [
            case(op, val([0, 1, 2], "int64"), val([0.0, 0.0, NAN])),
            case(op, rand(dtype="bool"), rand(0, dtype="bool")),
        ]
        found.append(case(op, val([[0.0, 0.0], [0.0, 1.0]], "complex64"), val([True, True], "bool")))
    for data, dtype in ((ODD, "float64"), ([0, 1, 2], "int64"), ([True, False], "bool"), ([], "float32")):
        found.append(case("logical_not", val(data, dtype)))
    found += [
        case("logical_not", rand(dtype="bool")),
        case("logical_not", val([[0.0, 0.0], [0.0, 1.0]], "complex64")),
    ]
    for op in ("isnan", "isfinite"):
        found += [case(op, val(ODD)), case(op, val(ODD, "float16")), case(op, val([1, 2], "int64"))]
        found += [case(op, val([[NAN, 0.0], [1.0, INF], [1.0, 1.0]], "complex64")), case(op, rand(0, 2))]
        found += [case(op, rand()), case(op, val([True], "bool"))]
    return found


def quantifiers() -> list[Call]:
    found = []
    for op in ("all", "any"):
        x = val([[True, False, True], [True, True, True]], "bool")
        found += [case(op, x), case(op, x, 0), case(op, x, -1), case(op, x, 1, True), case(op, x, [0, 1])]
        found += [case(op, x, dim=1, keepdim=True), case(op, x, [-1], True), case(op, rand(dtype="bool"))]
        found += [case(op, rand(0, 3, dtype="bool")), case(op, rand(0, 3, dtype="bool"), 0)]
        found += [
            case(op, rand(0, 3, dtype="bool"), 1),
            case(op, val([0, 1, 2], "uint8")),
            case(op, rand(2, 3)),
        ]
        found += [
            case(op, val([[0, 1], [2, 3]], "uint8"), 0),
            case(op, val([0, 1], "int64")),
            case(op, val(ODD)),
        ]
        found += [case(op, rand(2, 2, 2, dtype="bool"), [0, 2]), case(op, rand(2, 2, dtype="bool"), [])]
        found.append(case(op, val([[0.0, 0.0], [0.0, 1.0]], "complex64")))
    return found


def cases() -> list[Call]:
    return [*compare(), *logic(), *quantifiers()]
