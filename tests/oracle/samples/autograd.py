"""Copies, casts and flags."""

from typing import Any

from ..build import case, node, rand, val

Call = dict[str, Any]
DTYPES = ("float16", "float32", "float64", "int64", "uint8", "bool", "complex64", "complex128")


def cases() -> list[Call]:
    found = []
    for op in ("clone", "detach", "contiguous", "float", "double"):
        found += [
            case(op, rand(2, 3)),
            case(op, rand()),
            case(op, rand(0, 3)),
            case(op, node("t", rand(2, 3))),
        ]
        found += [case(op, rand(2, dtype=dtype)) for dtype in ("float32", "int64", "float16", "bool")]
        found.append(case(op, node("expand", rand(2, 1), [2, 3])))
        found.append(case(op, node("getitem", rand(4, 2), {"slice": [0, 4, 2]})))
    for op in ("clone", "detach", "contiguous"):
        found.append(case(op, rand(2, dtype="complex128")))
    found.append(case("contiguous", node("transpose", rand(2, 3, 2), 0, 2)))
    found.append(case("clone", node("transpose", rand(2, 3, 2), 0, 2)))
    for old in DTYPES:
        found += [case("to", rand(2, dtype=old, low=1), dtype=new) for new in DTYPES
                  if new.startswith("complex") or not old.startswith("complex")]  # fmt: skip
    found += [
        case("to", val([1.9, -1.9, 300.7]), dtype="int64"),
        case("to", val([0.0, 0.1, "NaN"]), dtype="bool"),
    ]
    found += [
        case("to", val([70000.0, 1e-8, 0.1]), dtype="float16"),
        case("to", val([1e300, 0.1]), dtype="float32"),
    ]
    found += [
        case("to", node("t", rand(2, 3)), dtype="float32"),
        case("to", rand(2), dtype="float64", copy=True),
    ]
    found += [
        case("to", node("expand", rand(2, 1), [2, 3]), dtype="float32"),
        case("to", val([-1, 258], "int64"), dtype="uint8"),
    ]
    found += [case("requires_grad_", rand(2, 3, grad=False)), case("requires_grad_", rand(2), False)]
    found += [
        case("requires_grad_", rand(2, grad=False), True),
        case("requires_grad_", rand(2, dtype="float32"), requires_grad=False),
    ]
    return found
