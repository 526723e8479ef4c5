"""Reductions: dims in every form, empties, dtypes, ties and singular points."""

from typing import Any

from ..build import INF, NAN, case, node, rand, val

Call = dict[str, Any]
LOW = "-Infinity"
TUPLE_DIMS = ("sum", "mean", "amax", "amin", "logsumexp", "var", "std", "linalg.vector_norm")
ONE_DIM = ("prod", "max", "min", "argmax", "argmin")


def dims() -> list[Call]:
    found = []
    for op in (*TUPLE_DIMS, *ONE_DIM):
        order = (2,) if op == "linalg.vector_norm" else ()
        if op != "logsumexp":
            found += [case(op, rand(2, 3)), case(op, rand(2, 1, 3)), case(op, node("t", rand(2, 3)))]
            if op not in ("var", "std"):
                found.append(case(op, rand()))
            if op in ONE_DIM or op in ("amax", "amin"):
                found.append(case(op, rand(3, dtype="int64")))
        found += [case(op, rand(2, 3), *order, dim) for dim in (0, 1, -1)]
        found += [case(op, rand(2, 3), dim=1, keepdim=True), case(op, rand(3), dim=0)]
        found += [case(op, rand(2, 3, 2), dim=-2), case(op, node("transpose", rand(2, 3, 2), 0, 2), dim=1)]
        found.append(case(op, rand(0, 3), dim=1))
        if op not in ("var", "std"):
            found += [case(op, rand(), dim=0), case(op, rand(), dim=-1)]
        if op in TUPLE_DIMS:
            found += [case(op, rand(2, 3), dim=[0, 1]), case(op, rand(2, 3, 2), dim=[0, -1])]
            found += [
                case(op, rand(2, 3, 2), dim=[-1, 0], keepdim=True),
                case(op, rand(2, 3), dim=[1], keepdim=True),
            ]
            if op != "logsumexp":
                found.append(case(op, rand(2, 3), dim=[]))
    for op in ("sum", "mean", "prod", "var", "std", "logsumexp"):
        found.append(case(op, rand(0, 3), *([0] if op == "logsumexp" else [])))
        found.append(case(op, rand(0, 3), dim=0))
    for op in ("sum", "mean", "var", "std", "argmax", "argmin", "linalg.vector_norm"):
        found += [case(op, rand(2, 3), dim=None), case(op, rand(2, 3), dim=None, keepdim=True)]
    return found


def dtypes() -> list[Call]:
    found = []
    for op in ("sum", "mean", "prod"):
        found += [
            case(op, rand(2, 2, dtype=dtype)) for dtype in ("float16", "float32", "complex64", "complex128")
        ]
        found += [
            case(op, rand(2, 3, dtype="float32"), dtype="float64"),
            case(op, rand(2, 3), dtype="float32"),
        ]
        found.append(case(op, rand(2, 3, dtype="int64"), dtype="float32"))
        found.append(
            case(op, rand(2, 3, dtype="float32"), *([1] if op == "prod" else [[1]]), True, dtype="float64")
        )
        found.append(case(op, rand(2, 2, dtype="complex128"), 1))
    for op in ("sum", "prod"):
        for data, dtype in (([1, 2, 3], "int64"), ([True, True, False], "bool"), ([200, 100], "uint8")):
            found += [case(op, val(data, dtype)), case(op, val([data], dtype), dim=1)]
    for op in ("max", "min", "amax", "amin"):
        found += [case(op, rand(4, dtype="float32")), case(op, val([3, 1, 2], "uint8"), dim=0)]
        found += [case(op, val([True, False], "bool"))]
    for op in ("var", "std"):
        found += [case(op, rand(4, dtype=dtype)) for dtype in ("float16", "float32")]
        found += [case(op, rand(3, dtype="complex128"))]
    found += [case("logsumexp", rand(2, 3, dtype=dtype), 1) for dtype in ("float32", "float16")]
    found += [
        case("logsumexp", val([[1, 2], [3, 4]], "int64"), 0),
        case("logsumexp", rand(2, 3), [0, 1], True),
    ]
    found.append(case("logsumexp", rand(2, 2, dtype="complex128"), 1))
    found += [
        case("linalg.vector_norm", rand(3, dtype=dtype)) for dtype in ("float32", "complex128", "float16")
    ]
    found.append(case("linalg.vector_norm", rand(3, dtype="float32"), dtype="float64"))
    found += [case(op, val(data)) for op in ("argmax", "argmin") for data in (
        [1.0, 3.0, 3.0], [NAN, 1.0, NAN], [0.0, -0.0], [1.0, LOW, INF],
    )]  # fmt: skip
    return found


def ties() -> list[Call]:
    lists = [[0.0, 2.0, 2.0, 0.0], [1.0, NAN, 3.0, NAN], [5.0, 5.0, 5.0], [0.0, -0.0], [INF, INF, 1.0]]
    found = []
    for op in ("max", "min", "amax", "amin"):
        found += [case(op, val(data)) for data in lists]
        found += [case(op, val([data, data[::-1]]), 1) for data in lists]
    for op in ("amax", "amin"):
        found.append(case(op, val([[1.0, 1.0], [1.0, 1.0]]), [0, 1]))
    for op in ("max", "min"):
        found += [case(op, rand(2, 3), rand(3)), case(op, val([1.0, 2.0, NAN]), val([1.0, 3.0, 0.0]))]
        found.append(case(op, rand(2, 3), 1, True))
    return found


def products() -> list[Call]:
    lists = [
        [0.0, 3.0, 4.0],
        [0.0, 0.0, 4.0],
        [0.0, 0.0, 0.0],
        [2.0, 0.0, 5.0, 3.0],
        [1.0, NAN, 0.0],
        [INF, 0.0],
    ]
    found = [case("prod", val(data)) for data in lists]
    found += [case("prod", val([[0.0, 3.0, 4.0], [1.0, 2.0, 3.0], [0.0, 0.0, 2.0]]), dim) for dim in (0, 1)]
    found.append(case("prod", rand(2, 3), 1, True))
    found.append(case("prod", val([[0.0, 0.0], [1.0, 1.0], [2.0, 1.0]], "complex128")))
    return found


def spread() -> list[Call]:
    found = []
    for op in ("var", "std"):
        found += [
            case(op, val([2.0, 2.0, 2.0])),
            case(op, val([2.0])),
            case(op, rand()),
            case(op, val([1.0, NAN])),
        ]
        found += [case(op, rand(2, 3), 1, correction=k) for k in (0, 1, 2, 3, 5)]
        found += [
            case(op, rand(2, 3), correction=0),
            case(op, rand(2, 3), [0, 1], correction=0, keepdim=True),
        ]
        found += [case(op, rand(2, 3), 1, correction=0.5), case(op, rand(2, 3), unbiased=False)]
        found += [
            case(op, rand(2, 3), 1, unbiased=False),
            case(op, rand(2, 3), 1, unbiased=True, keepdim=True),
        ]
        found += [case(op, rand(4, 1), 1, correction=0), case(op, val([[2.0, 2.0], [1.0, 3.0]]), 1)]
    found += [case("logsumexp", val(data), 0) for data in (
        [LOW, 0.0], [LOW, LOW], [INF, 0.0], [INF, INF], [1000.0, 1000.0], [NAN, 0.0], [1.0, 1.0], [INF, LOW],
    )]  # fmt: skip
    found += [case("mean", val([NAN, 1.0])), case("sum", val([INF, LOW, 1.0])), case("mean", val([INF, 1.0]))]
    return found


def norms() -> list[Call]:
    zero, tied = val([0.0, 0.0]), val([3.0, -3.0, 1.0])
    orders: list[Any] = [0, 0.5, 1, 1.5, 2, 3, INF, LOW, -1, -2.5]
    found = [case("linalg.vector_norm", rand(2, 3), order) for order in orders]
    found += [case("linalg.vector_norm", rand(2, 3), order, 1) for order in orders]
    for data in (zero, tied, val([0.0, 2.0, 0.0]), val([1.0, NAN]), val([INF, 1.0])):
        found += [case("linalg.vector_norm", data, order) for order in orders]
    found += [case("linalg.vector_norm", rand(0), 2), case("linalg.vector_norm", rand(0, 2), 1, 0)]
    found += [
        case("norm", rand(2, 3)),
        case("norm", rand(2, 3), 2),
        case("norm", rand(2, 3), 1),
        case("norm", zero),
    ]
    found += [case("norm", rand(2, 3), order) for order in (0, 0.5, 3, INF, LOW)]
    found += [
        case("norm", rand(2, 3), 2, 1),
        case("norm", rand(2, 3), 2, [0, 1], True),
        case("norm", rand(2, 3), dim=1),
    ]
    found += [case("norm", rand(2, 3), p="fro"), case("norm", rand(2, 3), p="fro", dim=0, keepdim=True)]
    found += [
        case("norm", rand(2, 3), p=1, dim=-1),
        case("norm", rand(3, dtype="float32")),
        case("norm", rand()),
    ]
    found += [case("norm", rand(2, 3, dtype="float32"), dtype="float64"), case("norm", rand(0, 3))]
    found += [case("norm", rand(2, 2, dtype="complex128")), case("norm", tied, INF), case("norm", zero, 1)]
    found += [case("norm", val([1.0, 2.0, 2.0])), case("norm", rand(2, 3, 2), 2, [0, 2])]
    found += [case("linalg.norm", rand(2, 3)), case("linalg.norm", rand(3)), case("linalg.norm", rand())]
    found += [case("linalg.norm", rand(3), order) for order in (0, 1, 2, 3, INF, LOW)]
    found += [case("linalg.norm", rand(2, 3), order) for order in (1, -1, 2, -2, INF, LOW)]
    found += [case("linalg.norm", rand(2, 3), ord=name) for name in ("fro", "nuc")]
    found += [case("linalg.norm", rand(2, 3), None, 1), case("linalg.norm", rand(2, 3), 1, 0, True)]
    found += [case("linalg.norm", rand(2, 3, 2), 1, [0, 2]), case("linalg.norm", rand(2, 3, 2), dim=[0, 1])]
    found += [
        case("linalg.norm", rand(2, 3, 2), dim=[2, 0], ord="fro", keepdim=True),
        case("linalg.norm", zero),
    ]
    found += [
        case("linalg.norm", rand(2, 3, dtype="float32")),
        case("linalg.norm", rand(2, 3), dtype="float64"),
    ]
    found += [case("linalg.norm", rand(2, 2, dtype="complex128")), case("linalg.norm", rand(0, 3))]
    return found


def cases() -> list[Call]:
    return [*dims(), *dtypes(), *ties(), *products(), *spread(), *norms()]
