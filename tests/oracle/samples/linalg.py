"""Contractions: matmul in every combination of ranks, einsum in every notation."""

from typing import Any

from ..build import INF, NAN, case, node, rand, val

Call = dict[str, Any]

MATMUL = (
    ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)),
    ((2, 2, 3), (3,)), ((3,), (2, 3, 2)), ((2, 2, 3), (3, 4)), ((2, 3), (2, 3, 2)), ((2, 2, 3), (2, 3, 2)),
    ((1, 2, 3), (2, 3, 2)), ((2, 2, 3), (1, 3, 2)), ((2, 1, 2, 3), (3,)), ((3,), (2, 1, 3, 2)),
    ((2, 1, 2, 3), (3, 2)), ((2, 3), (2, 2, 3, 1)), ((2, 1, 2, 3), (2, 3, 2)), ((2, 2, 3), (2, 1, 3, 2)),
    ((2, 1, 2, 3), (2, 1, 3, 2)), ((2, 1, 2, 3), (1, 2, 3, 2)), ((1, 1), (1, 1)), ((1, 3), (3, 1)),
    ((1, 3), (3,)), ((1,), (1,)), ((2, 3), (1, 3, 2)), ((1, 2, 3), (3, 2)),
)  # fmt: skip
EMPTY = (((0,), (0,)), ((0, 3), (3, 2)), ((2, 0), (0, 3)), ((2, 0, 3), (3, 2)), ((0, 2, 3), (0, 3, 2)),
         ((2, 3), (3, 0)), ((2, 0), (0,)), ((0, 3), (3,)))  # fmt: skip

EINSUM: tuple[tuple[str, tuple[tuple[int, ...], ...]], ...] = (
    ("ij,jk->ik", ((2, 3), (3, 4))), ("ij,jk", ((2, 3), (3, 4))), ("ij,kj->ik", ((2, 3), (4, 3))),
    ("ij->ji", ((2, 3),)), ("ij->", ((2, 3),)), ("ij->j", ((2, 3),)), ("ij->i", ((2, 3),)),
    ("ij", ((2, 3),)),
    ("ba", ((2, 3),)), ("ii->i", ((3, 3),)), ("ii", ((3, 3),)), ("ii->", ((3, 3),)),
    ("iij->ji", ((2, 2, 3),)),
    ("i,i", ((3,), (3,))), ("i,i->", ((3,), (3,))), ("i,i->i", ((3,), (3,))), ("i,j->ij", ((2,), (3,))),
    ("i,j->ji", ((2,), (3,))), ("ij,j", ((2, 3), (3,))), ("ij,j->ij", ((2, 3), (3,))),
    ("j,ij->i", ((3,), (2, 3))),
    ("ij,ij->", ((2, 3), (2, 3))), ("ij,ij->ij", ((2, 3), (2, 3))), ("ij,ij->i", ((2, 3), (2, 3))),
    ("ij,ji->", ((2, 3), (3, 2))), ("bij,bjk->bik", ((2, 2, 3), (2, 3, 2))),
    ("bij,bkj->bik", ((2, 2, 3), (2, 4, 3))),
    ("bij,jk->bik", ((2, 2, 3), (3, 2))), ("bij,bj->bi", ((2, 2, 3), (2, 3))),
    ("ijk,ik->ij", ((2, 3, 2), (2, 2))),
    ("...ij,...jk->...ik", ((2, 2, 3), (2, 3, 2))), ("...ij,jk", ((2, 2, 3), (3, 2))),
    ("...i,i", ((2, 3), (3,))),
    ("...->", ((2, 3),)), ("i...->...", ((2, 3),)), ("i...->...i", ((2, 3, 2),)), ("...", ((2, 3),)),
    ("b...i,b...j->b...", ((2, 3, 2), (2, 3, 2))), ("...,...", ((2, 3), (3,))), ("...i->...", ((2, 3),)),
    ("ij,jk,kl->il", ((2, 3), (3, 2), (2, 2))), ("i,j,k->ijk", ((2,), (2,), (2,))),
    ("ij,i,j->", ((2, 3), (2,), (3,))),
    (" ij , jk -> ki ", ((2, 3), (3, 2))), ("aB,Bc->ac", ((2, 3), (3, 2))), ("aB,Bc", ((2, 3), (3, 2))),
    ("ij,jk->ik", ((2, 1), (3, 4))), ("ij,ij->ij", ((1, 3), (2, 3))),
    ("bn,anm,bm->ba", ((2, 2), (3, 2, 2), (2, 2))),
    ("i->i...", ((2,),)),
    ("i->", ((3,),)), ("i->i", ((3,),)), ("->", ((),)), (",->", ((), ())), ("ij->", ((0, 3),)),
    ("ij,jk->ik", ((2, 0), (0, 3))), ("ij,kl->ijkl", ((1, 2), (2, 1))), ("iji->j", ((2, 3, 2),)),
    ("ii,ij->j", ((2, 2), (2, 3))), ("i,ij,j->", ((2,), (2, 2), (2,))), ("abcd->dcab", ((1, 2, 3, 2),)),
)  # fmt: skip


def matmul() -> list[Call]:
    found = []
    for left, right in MATMUL:
        found.append(case("matmul", rand(*left), rand(*right)))
        if len(left) + len(right) > 3:
            found.append(case("matmul", rand(*left), rand(*right, grad=False)))
            found.append(case("matmul", rand(*left, grad=False), rand(*right)))
    found += [case("matmul", rand(*left), rand(*right)) for left, right in EMPTY]
    found.append(case("matmul", node("t", rand(3, 2)), rand(3, 2)))
    found.append(case("matmul", rand(2, 3), node("t", rand(2, 3))))
    found.append(case("matmul", node("transpose", rand(2, 3, 2), 1, 2), rand(2, 3, 2)))
    found.append(case("matmul", node("transpose", rand(2, 3, 2), 0, 1), rand(2, 2)))
    found.append(case("matmul", node("transpose", rand(2, 3, 2), 0, 1), rand(2, grad=False)))
    found.append(case("matmul", node("expand", rand(1, 2, 3), [2, 2, 3]), rand(3, 2)))
    found += [case("matmul", rand(2, 2, dtype=dtype), rand(2, 2, dtype=dtype)) for dtype in
              ("float32", "float16", "complex64", "complex128", "int64")]  # fmt: skip
    found += [case("matmul", rand(2, dtype="complex128"), rand(2, dtype="complex128")),
              case("matmul", rand(2, 2, 2, dtype="complex128"), rand(2, dtype="complex128")),
              case("matmul", val([[0.0, 1.0], [INF, NAN]]), val([[0.0, 1.0], [2.0, 0.0]]))]  # fmt: skip
    return found


def products() -> list[Call]:
    shapes = {
        "mm": ((2, 3), (3, 2)), "mv": ((2, 3), (3,)), "bmm": ((2, 2, 3), (2, 3, 2)), "dot": ((3,), (3,)),
        "outer": ((2,), (3,)),
    }  # fmt: skip
    found = []
    for op, (left, right) in shapes.items():
        found.append(case(op, rand(*left), rand(*right)))
        found.append(case(op, rand(*left), rand(*right, grad=False)))
        found.append(case(op, rand(*left, grad=False), rand(*right)))
        found += [case(op, rand(*left, dtype=dtype), rand(*right, dtype=dtype)) for dtype in
                  ("float32", "float16", "complex128", "complex64", "int64")]  # fmt: skip
    found += [
        case("mm", rand(0, 3), rand(3, 2)),
        case("mm", rand(2, 0), rand(0, 3)),
        case("mv", rand(2, 0), rand(0)),
    ]
    found += [case("mm", node("t", rand(3, 2)), rand(3, 2)), case("mm", rand(2, 3), node("t", rand(2, 3)))]
    found += [
        case("mm", node("t", rand(3, 2)), node("t", rand(2, 3))),
        case("mv", node("t", rand(3, 2)), rand(3)),
    ]
    found += [case("bmm", rand(0, 2, 3), rand(0, 3, 2)), case("bmm", rand(2, 2, 0), rand(2, 0, 2))]
    found += [
        case("bmm", node("transpose", rand(2, 3, 2), 1, 2), rand(2, 3, 2)),
        case("dot", rand(0), rand(0)),
    ]
    found += [case("outer", rand(0), rand(3)), case("outer", rand(2, dtype="float32"), rand(2))]
    found += [case("outer", rand(1), rand(1)), case("dot", rand(1), rand(1)), case("mv", rand(0, 3), rand(3))]
    return found


def einsum() -> list[Call]:
    found = [case("einsum", *[rand(*shape) for shape in shapes], equation=text) for text, shapes in EINSUM]
    found.append(case("einsum", rand(2, 3), rand(3, 2, grad=False), equation="ij,jk->ik"))
    found.append(case("einsum", node("t", rand(3, 2)), rand(3, 2), equation="ij,jk->ik"))
    found += [
        case("einsum", rand(2, 2, dtype=dtype), rand(2, 2, dtype=dtype), equation="ij,jk->ik")
        for dtype in ("float32", "complex128", "int64", "float16")
    ]
    found.append(case("einsum", rand(2, dtype="complex128"), rand(2, dtype="complex128"), equation="i,i->"))
    return found


def cases() -> list[Call]:
    return [*matmul(), *products(), *einsum()]
