"""Activations and layers."""

from typing import Any

from ..build import INF, NAN, case, node, rand, val

Call = dict[str, Any]
LOW = "-Infinity"
EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, -3.0, 3.0, 19.0, 20.0, 21.0, 30.0, -30.0, INF, LOW, NAN]


def name(op: str) -> str:
    return f"nn.functional.{op}"


def activations() -> list[Call]:
    found = []
    for op in ("relu", name("leaky_relu"), name("elu"), name("gelu"), name("silu"), name("softplus")):
        found += [case(op, rand(2, 3)), case(op, rand()), case(op, rand(0, 3)), case(op, val(EDGES))]
        found += [
            case(op, node("t", rand(2, 3))),
            case(op, rand(3, dtype="float32")),
            case(op, rand(3, dtype="float16")),
        ]
    found += [case("relu", val([-1, 0, 2], "int64")), case("relu", val([1, 200], "uint8"))]
    found += [case(name("leaky_relu"), rand(4), slope) for slope in (0.2, 0.0, 1.5)]
    found += [case(name("leaky_relu"), val(EDGES), negative_slope=0.3)]
    found += [case(name("elu"), rand(4), alpha) for alpha in (2.0, 0.5)] + [
        case(name("elu"), val(EDGES), alpha=1.5)
    ]
    found += [
        case(name("gelu"), rand(2, 3), approximate="tanh"),
        case(name("gelu"), val(EDGES), approximate="tanh"),
    ]
    found += [case(name("gelu"), rand(3, dtype="float32"), approximate="tanh")]
    found += [
        case(name("softplus"), rand(4), 2),
        case(name("softplus"), rand(4), 0.5, 1),
        case(name("softplus"), val(EDGES), 3, 15),
    ]
    found += [case(name("softplus"), rand(4), beta=2, threshold=3)]
    for op in ("softmax", "log_softmax"):
        found += [case(op, rand(2, 3), dim) for dim in (0, 1, -1)] + [
            case(op, rand(), 0),
            case(op, rand(), -1),
        ]
        found += [
            case(op, rand(0, 3), 1),
            case(op, rand(2, 0), 1),
            case(op, rand(2, 2, 3), 1),
            case(op, rand(3), dim=0),
        ]
        found += [case(op, node("t", rand(2, 3)), 0), case(op, rand(2, 3, dtype="float32"), 1)]
        found += [
            case(op, rand(3, dtype="float16"), 0),
            case(op, rand(3, dtype="float32"), 0, dtype="float64"),
        ]
        found += [case(op, val([1, 2], "int64"), 0, dtype="float32"), case(op, rand(3), 0, dtype="float32")]
        found += [case(op, val(data), 0) for data in (
            [LOW, 0.0, 1.0], [LOW, LOW], [INF, 0.0], [INF, INF], [NAN, 1.0], [1000.0, 1000.0, 0.0],
            [1e300, -1e300],
            [2.0], [0.0, 0.0, 0.0],
        )]  # fmt: skip
    return found


def layers() -> list[Call]:
    linear, norm = name("linear"), name("layer_norm")
    found = []
    for shape in ((3,), (2, 3), (2, 2, 3), (1, 3), (0, 3), (2, 0, 3), (1, 2, 2, 3)):
        found += [case(linear, rand(*shape), rand(4, 3)), case(linear, rand(*shape), rand(4, 3), rand(4))]
    found += [
        case(linear, rand(2, 3, grad=False), rand(4, 3), rand(4)),
        case(linear, rand(2, 3), rand(4, 3, grad=False)),
    ]
    found += [case(linear, rand(2, 3), rand(4, 3), rand(4, grad=False)), case(linear, rand(3), rand(3))]
    found += [case(linear, rand(2, 3), rand(3))]
    found += [
        case(linear, node("t", rand(3, 2)), rand(4, 3), rand(4)),
        case(linear, rand(2, 3), node("t", rand(3, 4))),
    ]
    found += [
        case(linear, node("transpose", rand(2, 3, 2), 1, 2), rand(4, 3), rand(4)),
        case(linear, rand(2, 3), rand(1, 3), rand(1)),
    ]
    found += [
        case(linear, node("transpose", rand(2, 3, 2), 1, 2), rand(4, 3)),
        case(linear, rand(2, 3), rand(4, 3), bias=rand(4)),
    ]
    found += [
        case(linear, rand(2, 2, 3, grad=False), rand(4, 3), rand(4)),
        case(linear, rand(2, 2, 3), rand(4, 3, grad=False)),
    ]
    found += [case(linear, *[rand(*shape, dtype=dtype) for shape in ((2, 3), (2, 3), (2,))]) for dtype in
              ("float32", "float16", "complex128")]  # fmt: skip
    for shape, size in (
        ((2, 3), [3]),
        ((2, 2, 3), [3]),
        ((2, 2, 3), [2, 3]),
        ((3,), [3]),
        ((0, 3), [3]),
        ((2, 1), [1]),
    ):
        found += [case(norm, rand(*shape), size), case(norm, rand(*shape), size, rand(*size), rand(*size))]
    found += [
        case(norm, rand(2, 3), [3], rand(3)),
        case(norm, rand(2, 3), [3], None, rand(3)),
        case(norm, rand(2, 3), [3], eps=0.1),
    ]
    found += [
        case(norm, rand(2, 3), [3], weight=rand(3), bias=rand(3), eps=1e-3),
        case(norm, val([[2.0, 2.0], [1.0, 3.0]]), [2]),
    ]
    found += [
        case(norm, rand(2, 3), [3], rand(3, grad=False), rand(3, grad=False)),
        case(norm, node("t", rand(3, 2)), [3]),
    ]
    found += [
        case(norm, rand(2, 3, grad=False), [3], rand(3), rand(3)),
        case(norm, val([[1.0, NAN], [INF, 1.0]]), [2]),
    ]
    found += [
        case(norm, rand(2, 3, dtype="float32"), [3], rand(3, dtype="float32"), rand(3, dtype="float32"))
    ]
    found += [case(norm, rand(2, 3, dtype="float16"), [3])]
    found.append(case(linear, rand(2, 2, 3), rand(3)))
    return found


def sparse() -> list[Call]:
    embedding, dropout = name("embedding"), name("dropout")
    index = [
        val(1, "int64"),
        val([1, 0, 1], "int64"),
        val([[0, 2], [1, 1]], "int64"),
        val([], "int64"),
        val([2, 0], "int32"),
    ]
    found = [case(embedding, item, rand(3, 2)) for item in index]
    found += [case(embedding, index[1], rand(3, 2), padding) for padding in (0, 1, -2, -3)]
    found += [case(embedding, index[1], rand(3, 2), padding_idx=1, scale_grad_by_freq=True)]
    found += [case(embedding, index[2], rand(3, 2, dtype=dtype)) for dtype in ("float32", "float16")]
    found += [case(embedding, index[1], node("t", rand(2, 3)))]
    for seed in (0, 1, 7):
        found.append(case(dropout, rand(3, 4), seed=seed))
    found += [case(dropout, rand(3, 4), p, seed=0) for p in (0.2, 0.9, 0.0, 1.0)] + [
        case(dropout, rand(2, 3), 0.5, False, seed=0)
    ]
    found += [
        case(dropout, rand(2, 3), p=0.3, training=True, seed=0),
        case(dropout, rand(2, 3), training=False, seed=0),
    ]
    found += [case(dropout, rand(5, dtype=dtype), seed=0) for dtype in ("float32", "float16")]
    found += [
        case(dropout, rand(), seed=0),
        case(dropout, rand(0, 3), seed=0),
        case(dropout, rand(20), seed=3),
    ]
    found += [case(dropout, node("t", rand(2, 3)), seed=0), case(dropout, rand(2, 9, grad=False), seed=5)]
    return found


def cases() -> list[Call]:
    return [*activations(), *layers(), *sparse()]
