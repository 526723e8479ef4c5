"""Indexing in every form."""

from typing import Any

from ..build import ELLIPSIS, case, cut, node, rand, val

Call = dict[str, Any]
ALL = cut(None)


def ints(data: Any) -> dict[str, Any]:
    return val(data, "int64")


def basic() -> list[Call]:
    forms: list[tuple[Any, ...]] = [
        (0,), (-1,), (1, 2), (1, 2, 0), (ALL,), (ALL, 1), (ALL, ALL, -1), (cut(1),), (cut(None, 1),),
        (cut(0, 2),),
        (cut(None, None, 2),), (ALL, cut(None, None, 2)), (ALL, cut(1, 3, 2)), (ALL, cut(-2, None)),
        (ALL, cut(0, -1)), (ALL, cut(2, 1)), (ALL, cut(5, 9)), (ALL, cut(-9, 9)), (None,), (None, 0),
        (ALL, None),
        (0, None), (ELLIPSIS,), (ELLIPSIS, 0), (0, ELLIPSIS), (0, ELLIPSIS, 1), (ELLIPSIS, None),
        (None, ELLIPSIS),
        (ELLIPSIS, ELLIPSIS), (ELLIPSIS, cut(None, 1)), (ALL, 0, cut(1)), (0, cut(None, None, 2), None, 1),
        (None, ALL, None, 1), (True,),
        (False,), (cut(0, 2, 1), cut(1, 2), cut(0, 1)), (0, 0, ELLIPSIS, 0),
    ]  # fmt: skip
    found = [case("getitem", rand(2, 3, 2), *form) for form in forms]
    found += [
        case("getitem", rand(), ELLIPSIS),
        case("getitem", rand(), None),
        case("getitem", rand(3), cut(0, 0)),
    ]
    found += [
        case("getitem", rand(3), ints(1)),
        case("getitem", rand(2, 3), ints(1), ints(2)),
        case("getitem", rand(), True),
    ]
    found += [case("getitem", node("t", rand(2, 3)), 0), case("getitem", rand(0, 3), ALL, 1)]
    found.append(case("getitem", node("t", rand(2, 3)), cut(1)))
    return found


def advanced() -> list[Call]:
    mask = val([[True, False, True], [False, True, True]], "bool")
    forms: list[tuple[Any, ...]] = [
        ([0, 2, 2],), ([[0, 1], [2, 0]],), (ints([2, 0]),), (ints([-1, 0]),), (ints([[0, 1], [1, 1]]),),
        (ALL, [0, 1]), (ALL, ints([1, 1])), ([0, 1], [1, 0]), ([0, 2], ALL, [1, 0]), (ALL, [0, 1], [1, 0]),
        ([0, 2], 1), (0, [1, 0]), (0, ALL, [1, 0]), (ELLIPSIS, [1, 0]), ([0, 1], ELLIPSIS, [1, 1]),
        ([0, 1], None),
        (None, [0, 1]), (cut(1, 3), [0, 1]), ([0, 1], cut(0, 1)), ([[0], [2]], [0, 1]),
        (ints([[0], [1]]), ALL, [0, 1]),
        (cut(None, None, 2), ALL, [1]), ([True, False, True],), (val([True, False, True], "bool"),),
        (ALL, val([True, True], "bool")), (val([True, False, True], "bool"), ALL, 0),
        (val([False] * 3, "bool"),),
        (val([True, False, True], "bool"), [0, 1]), ([],), (ints([]),), (ALL, 1, [0, 1]),
        ([0, 1], 0, [1, 0]),
        ([0, 1], None, [1, 0]), (None, 0, ALL, [1, 0]), ([0, 1], ALL, 0), (1, [0, 1], [1, 0]),
        (ints(0), [0, 1]),
    ]  # fmt: skip
    found = [case("getitem", rand(3, 2, 2), *form) for form in forms]
    found += [case("getitem", rand(2, 3), mask), case("getitem", rand(2, 3, 2), mask)]
    found += [case("getitem", rand(2, 3, 2), mask, 0), case("getitem", rand(2, 2, 3), ALL, mask)]
    found += [
        case("getitem", rand(2, 3), node("gt", rand(2, 3, grad=False), 0)),
        case("getitem", rand(2), val(True, "bool")),
    ]
    found += [
        case("getitem", rand(2, 3, 2, 2), ALL, [0, 1], ALL, [1, 0]),
        case("getitem", rand(), val(True, "bool")),
    ]
    found += [case("getitem", rand(2, 3, 2, 2), [0, 1], ALL, ALL, [1, 0])]
    found += [case("getitem", node("t", rand(2, 3)), [0, 2]), case("getitem", rand(0, 3), ints([]))]
    found += [
        case("getitem", rand(3), val([0, 2], "int32")),
        case("getitem", rand(3), val([1, 0, 1], "uint8")),
    ]
    found += [
        case("getitem", rand(3, dtype=dtype), [2, 0]) for dtype in ("float32", "complex128", "int64", "bool")
    ]
    return found


def picks() -> list[Call]:
    found = [
        case("select", rand(2, 3), dim, index) for dim, index in ((0, 0), (0, -1), (1, 2), (-1, -3), (-2, 1))
    ]
    found += [
        case("select", rand(3), 0, 1),
        case("select", rand(2, 3, 2), 1, 1),
        case("select", node("t", rand(2, 3)), 0, 1),
    ]
    found += [case("slice", rand(4, 3)), case("slice", rand(4, 3), 0, 1), case("slice", rand(4, 3), 0, 1, 3)]
    found += [
        case("slice", rand(4, 3), 0, 0, 4, 2),
        case("slice", rand(4, 3), -1, -2),
        case("slice", rand(4, 3), 1, 1, 99),
    ]
    found += [
        case("slice", rand(4, 3), 0, None, -1),
        case("slice", rand(4), 0, 3, 1),
        case("slice", rand(5), 0, -9, 9, 3),
    ]
    found += [case("slice", rand(4, dtype="float32"), 0, 1, 3)]
    index = ints([1, 0, 1])
    found += [case("index_select", rand(2, 3), 0, index), case("index_select", rand(2, 3), 1, index)]
    found += [case("index_select", rand(2, 3), -1, ints([2])), case("index_select", rand(2, 3, 2), 1, index)]
    found += [case("index_select", rand(), 0, ints([0])), case("index_select", rand(3), 0, ints(1))]
    found += [
        case("index_select", rand(3), 0, ints([])),
        case("index_select", rand(3), 0, val([0, 2], "int32")),
    ]
    found += [
        case("index_select", node("t", rand(2, 3)), 0, index),
        case("index_select", rand(2, 3, dtype="complex128"), 0, index),
    ]
    found += [
        case("gather", rand(2, 3), 1, ints([[0, 2], [1, 1]])),
        case("gather", rand(2, 3), 0, ints([[1, 0, 1]])),
    ]
    found += [case("gather", rand(2, 3), -1, ints([[0], [2]])), case("gather", rand(2, 3), 1, ints([[0, 0]]))]
    found += [
        case("gather", rand(3), 0, ints([2, 2, 0, 1])),
        case("gather", rand(), 0, ints(0)),
        case("gather", rand(3), 0, ints(1)),
    ]
    found += [
        case("gather", rand(2, 2, 2), 1, ints([[[0, 1]], [[1, 0]]])),
        case("gather", rand(2, 3), 1, val([[], []], "int64")),
    ]
    found += [
        case("gather", node("t", rand(2, 3)), 1, ints([[0], [1], [1]])),
        case("gather", rand(3), -1, ints([0])),
    ]
    found += [case("gather", rand(2, 2, dtype="complex128"), 1, ints([[0], [1]]))]
    return found


def cases() -> list[Call]:
    return [*basic(), *advanced(), *picks()]
