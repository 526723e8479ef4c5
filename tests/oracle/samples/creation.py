"""Creation ops; the random ones with their seed."""

from typing import Any

from ..build import case, imag, node, rand, val

Call = dict[str, Any]


def fills() -> list[Call]:
    found = []
    for op in ("zeros", "ones"):
        found += [case(op, [2, 3]), case(op, []), case(op, [0, 3]), case(op, [2], requires_grad=True)]
        found += [
            case(op, [2], dtype=dtype)
            for dtype in ("float64", "int64", "bool", "complex64", "uint8", "float16")
        ]
    found += [case("full", [2, 2], value) for value in (3, 2.5, True, imag(1, 2), "Infinity", "NaN")]
    found += [
        case("full", [2], 3, dtype="float64"),
        case("full", [2], 2.7, dtype="int64"),
        case("full", [], 1.0),
    ]
    found += [
        case("full", [0], 1),
        case("full", [2], 1.5, requires_grad=True),
        case("full", size=[2], fill_value=1.5),
    ]
    found += [
        case("arange", *ends)
        for ends in ((5,), (2, 5), (1, 10, 3), (5, 1, -2), (2.5,), (0, 1, 0.25), (0,), (1.0, 4.0))
    ]
    found += [case("arange", 5, dtype=dtype) for dtype in ("float32", "float64", "uint8")]
    found += [
        case("arange", 0.5, 3, 0.3),
        case("arange", 3.0, requires_grad=True),
        case("arange", start=1, end=4),
    ]
    found += [case("linspace", 0, 1, steps) for steps in (5, 1, 2, 0, 4)]
    found += [
        case("linspace", -2, 3, 7, dtype="float64"),
        case("linspace", 3, -2, 4),
        case("linspace", 0, 10, 4, dtype="int64"),
    ]
    found += [case("linspace", 0, 1, 3, requires_grad=True), case("linspace", start=0, end=2, steps=3)]
    found += [
        case("eye", 3),
        case("eye", 2, 3),
        case("eye", 3, 2, dtype="float64"),
        case("eye", 0),
        case("eye", 2, dtype="bool"),
    ]
    found += [case("tensor", data) for data in (
        1.5, 2, True, [1, 2], [1.0, 2.0], [True, False], [[1.0, 2.0], [3.0, 4.0]], [], [1, 2.5],
        [[True], [2]], imag(1, 2),
        [imag(1, 2), 3],
    )]  # fmt: skip
    found += [
        case("tensor", [1, 2], dtype="float64"),
        case("tensor", [1.7, 2.2], dtype="int64"),
        case("tensor", [1.0], requires_grad=True),
    ]
    found += [case("tensor", [[1.0, "NaN"], ["Infinity", 2.0]]), case("tensor", 0.1, dtype="float16")]
    return found


def likes() -> list[Call]:
    found = []
    for op in ("zeros_like", "ones_like"):
        found += [
            case(op, rand(2, 3)),
            case(op, rand()),
            case(op, rand(0, 2)),
            case(op, val([1, 2], "int64")),
        ]
        found += [
            case(op, rand(2), dtype="float32"),
            case(op, rand(2), requires_grad=True),
            case(op, rand(2, dtype="complex64")),
        ]
        found += [
            case(op, node("t", rand(2, 3))),
            case(op, rand(2, dtype="bool")),
            case(op, node("expand", rand(2, 1), [2, 3])),
        ]
        found += [case(op, node("transpose", rand(2, 3, 2), 0, 2))]
    found += [
        case("full_like", rand(2, 3), 2),
        case("full_like", val([1, 2], "int64"), 2.7),
        case("full_like", rand(2), 3, dtype="int64"),
    ]
    found += [
        case("full_like", rand(2), 1.5, requires_grad=True),
        case("full_like", node("t", rand(2, 3)), True),
    ]
    return found


def draws() -> list[Call]:
    found = []
    for op in ("rand", "randn"):
        for dtype in ("float32", "float64"):
            found += [case(op, size, dtype=dtype, seed=seed) for size, seed in
                      (([2, 2], 0), ([3], 0), ([5], 42), ([], 1), ([15], 7), ([16], 0), ([4, 5], 3),
                       ([0], 0))]  # fmt: skip
        found += [
            case(op, [3], seed=0),
            case(op, [2], requires_grad=True, seed=0),
            case(op, [33], dtype="float64", seed=11),
        ]
    found += [
        case("randint", 10, [5], seed=0),
        case("randint", 2, 10, [5], seed=0),
        case("randint", -3, 3, [2, 3], seed=4),
    ]
    found += [
        case("randint", 10, [3], dtype="float32", seed=0),
        case("randint", 2**40, [3], seed=0),
        case("randint", 1, [2], seed=0),
    ]
    found += [
        case("randint", 5, [], seed=9),
        case("randint", high=10, size=[4], seed=2),
        case("randint", 3, [40], seed=0),
    ]
    for op in ("rand_like", "randn_like"):
        found += [case(op, rand(2, 3, dtype=dtype), seed=0) for dtype in ("float32", "float64")]
        found += [case(op, rand(2), dtype="float32", seed=1), case(op, rand(3), requires_grad=True, seed=2)]
        found += [case(op, node("t", rand(2, 3)), seed=0)]
    found += [case("randint_like", rand(2, 3), 10, seed=0), case("randint_like", rand(3), 2, 9, seed=1)]
    found += [
        case("randint_like", rand(3), 10, dtype="int64", seed=0),
        case("randint_like", val([1, 2], "int64"), 7, seed=3),
    ]
    found += [case("rand", [3], dtype="float16", seed=0), case("randn", [3], dtype="float16", seed=0)]
    found += [case("rand", [2], dtype="complex64", seed=0), case("randn", [2], dtype="complex128", seed=0)]
    return found


def cases() -> list[Call]:
    return [*fills(), *likes(), *draws()]
