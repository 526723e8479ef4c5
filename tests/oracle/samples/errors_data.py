"""Calls that torch refuses: shapes, indices, layers, creation."""

from typing import Any

from ..build import case, cut, node, rand, val

Call = dict[str, Any]


def ints(data: Any) -> dict[str, Any]:
    return val(data, "int64")


def shape() -> list[Call]:
    found = [
        case("t", rand(2, 2, 2)),
        case("mT", rand(3)),
        case("transpose", rand(2, 3), 0, 2),
    ]
    found += [
        case("transpose", rand(2, 3), -3, 0),
        case("transpose", rand(), 0, 1),
        case("permute", rand(2, 3), [0]),
    ]
    found += [
        case("permute", rand(2, 3), [0, 0]),
        case("permute", rand(2, 3), [0, 2]),
        case("permute", rand(2, 3), [0, 1, 2]),
    ]
    for op in ("reshape", "view"):
        found += [case(op, rand(2, 3), size) for size in ([4], [-1, -1], [-1, 4], [-2, 3], [], [2, 3, 0])]
        found += [case(op, rand(0, 3), [-1, 0]), case(op, rand(0), [2])]
    found += [
        case("view", node("t", rand(2, 3)), [6]),
        case("flatten", rand(2, 3), 1, 0),
        case("flatten", rand(2, 3), 2),
    ]
    found += [case("squeeze", rand(1, 2), 2), case("squeeze", rand(), 1), case("squeeze", rand(1, 1), [0, 0])]
    found += [case("unsqueeze", rand(2), 2), case("unsqueeze", rand(2), -3), case("unsqueeze", rand(), 1)]
    for op in ("expand", "broadcast_to"):
        found += [
            case(op, rand(*old), new)
            for old, new in (((3,), [2]), ((2, 3), [3]), ((2,), [-1, 2]), ((2, 3), [2, -2]), ((3,), [0]))
        ]
    found += [
        case("cat", [rand(2, 3), rand(3, 2)]),
        case("cat", [rand(2, 3), rand(2, 3, 1)]),
        case("cat", []),
    ]
    found += [
        case("cat", [rand(2), rand()]),
        case("cat", [rand(), rand()]),
        case("cat", [rand(2), rand(2)], 1),
    ]
    found += [case("stack", [rand(2), rand(3)]), case("stack", []), case("stack", [rand(2), rand(2)], 2)]
    found += [case("stack", [rand(2), rand(2)], -3)]
    return found


def index() -> list[Call]:
    x = rand(2, 3)
    found = [
        case("getitem", x, *form)
        for form in (
            (2,),
            (-3,),
            (0, 3),
            (0, 0, 0),
            (cut(0, 2, -1),),
            (cut(0, 2, 0),),
            ([0, 2],),
            ([0, -3],),
            (0, [3]),
            ([0, 1], [0, 1, 2]),
            (val([True, False, True], "bool"),),
            (rand(2),),
            (1.5,),
            (val([[True, False], [True, True]], "bool"),),
            (cut(None), cut(None), cut(None)),
            (ints([5]),),
        )
    ]
    found += [case("getitem", rand(), 0), case("getitem", rand(), cut(0, 1)), case("getitem", rand(0), 0)]
    found += [
        case("select", x, 2, 0),
        case("select", x, 0, 2),
        case("select", x, 1, -4),
        case("select", rand(), 0, 0),
    ]
    found += [
        case("slice", x, 2),
        case("slice", x, 0, 0, 1, 0),
        case("slice", x, 0, 0, 1, -1),
        case("slice", rand()),
    ]
    found += [
        case("index_select", x, 0, ints([2])),
        case("index_select", x, 2, ints([0])),
        case("index_select", x, 0, rand(1)),
    ]
    found += [case("index_select", x, 0, ints([[0]])), case("index_select", x, 1, ints([-1]))]
    found += [
        case("gather", x, 1, ints([0])),
        case("gather", x, 1, ints([[3]])),
        case("gather", x, 2, ints([[0]])),
    ]
    found += [
        case("gather", x, 1, ints([[0], [0], [0]])),
        case("gather", x, 1, rand(1, 1)),
        case("gather", x, 1, ints([[-1]])),
    ]
    return found


def nn() -> list[Call]:
    f = "nn.functional."
    found = [
        case("softmax", rand(2, 3), 2),
        case("log_softmax", rand(2, 3), -3),
        case("softmax", ints([1, 2]), 0),
    ]
    found += [
        case("log_softmax", ints([1, 2]), 0),
        case("relu", rand(2, dtype="bool")),
        case("relu", rand(2, dtype="complex64")),
    ]
    found += [case(f + op, ints([1, 2])) for op in ("gelu", "silu", "elu", "softplus", "leaky_relu")]
    found += [
        case(f + "gelu", rand(2), approximate="fast"),
        case(f + "dropout", rand(2), 1.5),
        case(f + "dropout", rand(2), -0.1),
    ]
    found += [
        case(f + "layer_norm", rand(2, 3), [2]),
        case(f + "layer_norm", rand(2, 3), [3], rand(2)),
        case(f + "layer_norm", rand(2, 3), []),
    ]
    found += [
        case(f + "layer_norm", rand(2, 3), [3], rand(3), rand(2)),
        case(f + "layer_norm", ints([[1, 2]]), [2]),
    ]
    found += [
        case(f + "embedding", ints([3]), rand(3, 2)),
        case(f + "embedding", ints([-1]), rand(3, 2)),
        case(f + "embedding", rand(1), rand(3, 2)),
    ]
    found += [case(f + "embedding", ints([0]), rand(3, 2), 3), case(f + "embedding", ints([0]), rand(3))]
    found += [
        case(f + "mse_loss", rand(2), rand(3)),
        case(f + "mse_loss", rand(2), rand(2), reduction="avg"),
        case(f + "mse_loss", ints([1]), ints([2])),
    ]
    found += [case(f + "binary_cross_entropy", rand(2, low=0, high=1), rand(3, low=0, high=1, grad=False))]
    found += [
        case(f + "binary_cross_entropy", val([1.5]), val([1.0], grad=False)),
        case(f + "binary_cross_entropy", val([-0.5]), val([1.0], grad=False)),
    ]
    found += [
        case(f + "binary_cross_entropy_with_logits", rand(2), rand(3)),
        case(f + "binary_cross_entropy", val([0.5]), ints([1])),
    ]
    found += [case(f + "binary_cross_entropy_with_logits", rand(2), rand(2), reduction="avg")]
    for op in ("nll_loss", "cross_entropy"):
        found += [
            case(f + op, rand(2, 3), ints([0, 3])),
            case(f + op, rand(2, 3), ints([0, -1])),
            case(f + op, rand(2, 3), ints([0, 1, 2])),
        ]
        found += [
            case(f + op, rand(2, 3), ints([0, 1]), weight=rand(2, grad=False)),
            case(f + op, rand(2, 3), ints([0, 1]), reduction="avg"),
        ]
        found += [
            case(f + op, rand(2, 3), ints([[0, 1]])),
            case(f + op, rand(2, 3), val([0, 1], "int32")),
            case(f + op, rand(), ints(0)),
        ]
        found += [
            case(f + op, rand(2, 3), rand(2, grad=False)),
            case(f + op, rand(2, 3, 2), ints([[0], [1]])),
        ]
    found += [
        case(f + "cross_entropy", rand(2, 3), rand(2, 2, grad=False)),
        case(f + "cross_entropy", rand(2, 3), ints([0, 1]), label_smoothing=1.5),
    ]
    return found


def creation() -> list[Call]:
    found = [case(op, [-1]) for op in ("zeros", "ones", "rand", "randn")] + [
        case("full", [-1], 1),
        case("eye", -1),
    ]
    found += [
        case("eye", 2, -1),
        case("linspace", 0, 1, -1),
        case("arange", 0, 5, 0),
        case("arange", 5, 0, 1),
        case("arange", 0, 5, -1),
    ]
    found += [
        case("arange", 0, "Infinity"),
        case("arange", "NaN", 2),
        case("randint", 0, [2]),
        case("randint", 5, 3, [2]),
    ]
    found += [
        case("rand", [2], dtype="int64"),
        case("randn", [2], dtype="int64"),
        case("zeros", [2], dtype="int64", requires_grad=True),
    ]
    found += [
        case("tensor", [1, 2], requires_grad=True),
        case("tensor", [[1, 2], [3]]),
        case("tensor", [1, [2]]),
    ]
    found += [
        case("randint", 300, [2], dtype="uint8"),
        case("rand_like", ints([1])),
        case("full", [2], 1, dtype="int64", requires_grad=True),
    ]
    found += [case("requires_grad_", ints([1])), case("float", rand(2), 1)]
    found += [case("full", [2], 300, dtype="uint8"), case("randint_like", rand(2), 0)]
    return found


def cases() -> list[Call]:
    return [*shape(), *index(), *nn(), *creation()]
