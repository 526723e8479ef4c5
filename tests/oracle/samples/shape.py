"""Shape ops: views and copies, which differ in grad_fn and strides."""

from typing import Any

from ..build import case, node, rand, val

Call = dict[str, Any]


def transposes() -> list[Call]:
    found = [case("t", rand(*shape)) for shape in ((2, 3), (3,), (), (0, 2))]
    found += [case("T", rand(*shape)) for shape in ((2, 3), (3,), (2, 3, 2), ())]
    found += [case("mT", rand(*shape)) for shape in ((2, 3), (2, 3, 2), (1, 2, 2, 3), ())]
    for dims in ((0, 1), (1, 0), (-1, -2), (0, 0), (-2, 1)):
        found.append(case("transpose", rand(2, 3), *dims))
    found += [case("transpose", rand(2, 3, 2), *dims) for dims in ((0, 2), (-1, 0), (1, 2))]
    found += [
        case("transpose", rand(), 0, 0),
        case("transpose", rand(), 0, -1),
        case("transpose", rand(3), 0, 0),
    ]
    for order in ([2, 0, 1], [0, 1, 2], [-1, 0, 1], [1, -1, 0]):
        found.append(case("permute", rand(2, 3, 2), order))
    found += [case("permute", rand(2, 3), [1, 0]), case("permute", rand(), []), case("permute", rand(3), [0])]
    found.append(case("permute", node("transpose", rand(2, 3, 2), 0, 1), [2, 1, 0]))
    for op in ("t", "T", "mT"):
        found += [case(op, rand(2, 2, dtype=dtype)) for dtype in ("complex128", "int64", "float16")]
    return found


def reshapes() -> list[Call]:
    found = []
    for op in ("reshape", "view"):
        for shape, size in (
            ((2, 3), [3, 2]), ((2, 3), [6]), ((2, 3), [-1]), ((2, 3), [-1, 2]), ((2, 3), [2, 3]),
            ((6,), [2, -1]),
            ((2, 3, 2), [2, 6]), ((2, 3, 2), [6, 2]), ((), [1]), ((), []), ((1,), []), ((1, 1), []),
            ((), [-1]),
            ((0, 3), [3, 0]), ((0, 3), [0]), ((2, 3), [1, 2, 1, 3]), ((2, 0), [-1]),
        ):  # fmt: skip
            found.append(case(op, rand(*shape), size))
    turned = node("t", rand(2, 3))
    found += [case("reshape", turned, [6]), case("reshape", turned, [2, 3]), case("reshape", turned, [3, 2])]
    found += [
        case("reshape", turned, [3, 1, 2]),
        case("view", turned, [3, 2]),
        case("view", turned, [3, 1, 2]),
    ]
    found += [
        case("reshape", node("expand", rand(2, 1), [2, 3]), [6]),
        case("view", node("t", rand(3, 1)), [3]),
    ]
    found += [case("reshape", node("getitem", rand(2, 4), {"slice": [None] * 3}, {"slice": [0, 2, 1]}), [4])]
    found += [case("reshape", node("transpose", rand(2, 3, 2), 1, 2), [2, 6])]
    found += [case("reshape", node("transpose", rand(2, 3, 2), 0, 1), [3, 4])]
    found += [
        case("flatten", rand(2, 3, 2), *ends) for ends in ((), (1,), (0, 1), (-2, -1), (1, 1), (0, -1), (2,))
    ]
    found += [case("flatten", rand(*shape)) for shape in ((), (3,), (1,), (0, 3), (2, 3))]
    found += [case("flatten", turned), case("flatten", rand(2, 3, 2), start_dim=1, end_dim=2)]
    found += [case("flatten", node("transpose", rand(2, 3, 2), 0, 1), 1)]
    return found


def sizes() -> list[Call]:
    found = [
        case("squeeze", rand(*shape)) for shape in ((1, 3), (2, 1, 3, 1), (2, 3), (1, 1), (), (1,), (0, 1))
    ]
    found += [
        case("squeeze", rand(1, 3, 1), dim) for dim in (0, -1, 1, 2, [0], [0, 2], [1], [0, 1], [-1, 0], [])
    ]
    found += [case("squeeze", rand(), 0), case("squeeze", rand(), -1), case("squeeze", node("t", rand(1, 3)))]
    found += [case("unsqueeze", rand(2, 3), dim) for dim in (0, 1, 2, -1, -2, -3)]
    found += [case("unsqueeze", rand(), 0), case("unsqueeze", rand(), -1), case("unsqueeze", rand(0), 1)]
    found += [case("unsqueeze", node("t", rand(2, 3)), dim) for dim in (0, 1, 2)]
    for op in ("expand", "broadcast_to"):
        for shape, size in (
            ((3,), [2, 3]), ((2, 1), [2, 3]), ((2, 1), [4, 2, 3]), ((), [2, 2]), ((2, 3), [2, 3]),
            ((1, 3), [0, 3]),
            ((), []), ((1,), [0]), ((1, 1), [2, 2]), ((2, 1), [-1, 3]), ((3,), [2, -1]),
            ((2, 3), [1, 2, 3]),
        ):  # fmt: skip
            found.append(case(op, rand(*shape), size))
        found.append(case(op, node("t", rand(1, 3)), [3, 2]))
        found += [case(op, rand(2, 1, dtype="complex128"), [2, 2]), case(op, val([1, 2], "int64"), [2, 2])]
    return found


def joins() -> list[Call]:
    found = [case("cat", [rand(2, 3), rand(1, 3)]), case("cat", [rand(2, 3), rand(2, 1)], 1)]
    found += [
        case("cat", [rand(2, 3), rand(2, 1)], -1),
        case("cat", [rand(2, 3)], 0),
        case("cat", [rand(2), rand(3), rand(1)]),
    ]
    found += [
        case("cat", [rand(2, 3), rand(0)]),
        case("cat", [rand(0, 3), rand(2, 3)]),
        case("cat", [rand(0), rand(0)]),
    ]
    found += [
        case("cat", [rand(2, 3), rand(2, 3, grad=False)], dim=0),
        case("cat", [rand(2, grad=False), rand(2)]),
    ]
    found += [
        case("stack", [rand(3), rand(3)]),
        case("stack", [rand(), rand()]),
        case("stack", [rand(2, 3)] * 2, -1),
    ]
    found += [case("stack", [rand(2, 3), rand(2, 3)], dim) for dim in (0, 1, 2, -1, -2, -3)]
    found += [case("stack", [rand(3)], 1), case("stack", [rand(0, 2), rand(0, 2)], dim=1)]
    found += [case("stack", [rand(2), rand(2, grad=False), rand(2)])]
    for op in ("cat", "stack"):
        for left, right in (
            ("float32", "float64"), ("int64", "float32"), ("bool", "int64"), ("complex64", "float64"),
            ("float16", "float32"), ("uint8", "int64"), ("complex128", "complex128"),
            ("float32", "float32"),
            ("int64", "int64"),
        ):  # fmt: skip
            found.append(case(op, [rand(2, dtype=left), rand(2, dtype=right)]))
        found.append(case(op, [node("t", rand(2, 3)), rand(3, 2)]))
    found.append(case("stack", [rand(dtype="float64"), rand(dtype="float32")]))
    return found


def cases() -> list[Call]:
    return [*transposes(), *reshapes(), *sizes(), *joins()]
