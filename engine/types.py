"""What is known of a tensor before it is computed: shape, dtype, and the strides torch would give it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from engine.dtypes import DType
from engine.errors import DimError, ShapeError

Shape = tuple[int, ...]


class Type:
    """Shape, dtype and strides (in elements; None for contiguous) of a tensor. `number` is the same for equal
    types, once it was asked for; 0 before that."""

    __slots__ = ("dtype", "number", "shape", "strides")

    def __init__(self, shape: Shape, dtype: DType, strides: Shape | None = None) -> None:
        self.shape = shape
        self.dtype = dtype
        self.strides = strides
        self.number = 0

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def numel(self) -> int:
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def is_contiguous(self) -> bool:
        return self.strides is None or is_contiguous(self.shape, self.strides)

    def stride(self) -> Shape:
        """The strides, in elements."""
        return contiguous_strides(self.shape) if self.strides is None else self.strides

    def with_dtype(self, dtype: DType) -> Type:
        return Type(self.shape, dtype, self.strides)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Type)
            and self.shape == other.shape
            and self.dtype is other.dtype
            and self.strides == other.strides
        )

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype.name, self.strides))

    def __repr__(self) -> str:
        return f"{self.dtype.name}[{', '.join(map(str, self.shape))}]"


def contiguous_strides(shape: Shape) -> Shape:
    """The row-major strides of `shape`, in elements; a size of 0 counts as 1, as in torch."""
    strides = [1] * len(shape)
    for axis in range(len(shape) - 2, -1, -1):
        strides[axis] = strides[axis + 1] * max(shape[axis + 1], 1)
    return tuple(strides)


def strided(shape: Shape, dtype: DType, strides: Shape) -> Type:
    """A Type with these strides, or the contiguous one where they mean the same memory order."""
    if is_contiguous(shape, strides):
        return Type(shape, dtype, None if strides == contiguous_strides(shape) else strides)
    return Type(shape, dtype, strides)


def is_contiguous(shape: Shape, strides: Shape) -> bool:
    """Whether the elements lie in row-major order; axes of size 1 do not count."""
    if 0 in shape:
        return True
    expected = 1
    for size, stride in zip(reversed(shape), reversed(strides), strict=True):
        if size != 1:
            if stride != expected:
                return False
            expected *= size
    return True


def broadcast_shapes(*shapes: Shape) -> Shape:
    """The shape that all of them broadcast to; ShapeError in torch's words if there is none."""
    result = shapes[0]
    for shape in shapes[1:]:
        if shape is not result and (shape != result or any(type(size) is not int for size in shape + result)):
            result = _broadcast_two(result, shape)
    return result


def _broadcast_two(left: Shape, right: Shape) -> Shape:
    rank = max(len(left), len(right))
    padded_left = (1,) * (rank - len(left)) + left
    padded_right = (1,) * (rank - len(right)) + right
    sizes = []
    for axis in range(rank - 1, -1, -1):
        a, b = padded_left[axis], padded_right[axis]
        if a is not b and (type(a) is not int or type(b) is not int):
            sizes.append(_broadcast_late(a, b))
            continue
        if a != b and a != 1 and b != 1:
            raise ShapeError(
                f"The size of tensor a ({a}) must match the size of tensor b ({b}) at non-singleton "
                f"dimension {axis}",
                expected=list(left),
                actual=list(right),
            )
        sizes.append(b if a == 1 else a)
    return tuple(reversed(sizes))


def _broadcast_late(a: Any, b: Any) -> int:
    """The common size where one is known only at run time; whether they fit is checked there."""
    if type(a) is not int and type(b) is not int:
        return a.broadcast(b)  # type: ignore[no-any-return]
    known, late = (a, b) if type(a) is int else (b, a)
    return int(known) if known != 1 else late


def elementwise_strides(shape: Shape, operands: Sequence[Type]) -> Shape | None:
    """The strides torch's TensorIterator gives the result of an elementwise op; None for contiguous.

    It keeps the memory order of its operands: axes are sorted by the operands' strides, the first operand
    that tells two axes apart deciding. Axes of size 1 count too, unless all operands are contiguous.
    """
    if all(each.strides is None and (each.shape == shape or not each.shape) for each in operands):
        return None
    if all(each.shape == shape and each.is_contiguous for each in operands):
        return None
    rank = len(shape)
    aligned = [_aligned_strides(each, shape) for each in operands]
    order = list(range(rank - 1, -1, -1))  # fastest first
    for position in range(1, rank):
        later = position
        for earlier in range(position - 1, -1, -1):
            decision = _compare_axes(order[earlier], order[later], shape, aligned)
            if decision > 0:
                order[earlier], order[later] = order[later], order[earlier]
                later = earlier
            elif decision < 0:
                break
    strides = [0] * rank
    step = 1
    for axis in order:
        strides[axis] = step
        step *= max(shape[axis], 1)
    return None if tuple(strides) == contiguous_strides(shape) else tuple(strides)


def _aligned_strides(operand: Type, shape: Shape) -> Shape:
    strides = operand.stride()
    offset = len(shape) - len(strides)
    own = (
        0 if size == 1 and shape[offset + axis] != 1 else strides[axis]
        for axis, size in enumerate(operand.shape)
    )
    return (0,) * offset + tuple(own)


def _compare_axes(inner: int, outer: int, shape: Shape, aligned: Sequence[Shape]) -> int:
    for strides in aligned:
        a, b = strides[inner], strides[outer]
        if a == 0 or b == 0:
            continue
        if a != b:
            return -1 if a < b else 1
        if shape[inner] > shape[outer]:
            return 1
    return 0


def sums_to(shape: Shape, target: Shape) -> bool:
    """Whether `target` broadcasts to `shape`, so that a cotangent of `shape` can be summed to it."""
    extra = len(shape) - len(target)
    return extra >= 0 and all(want in (1, have) for have, want in zip(shape[extra:], target, strict=True))


def wrap_dim(dim: int, rank: int) -> int:
    """`dim` as a negative number, so that a leading batch axis leaves it alone; DimError if out of range."""
    bound = max(rank, 1)
    if not -bound <= dim < bound:
        raise DimError(
            f"Dimension out of range (expected to be in range of [{-bound}, {bound - 1}], but got {dim})",
            expected=[-bound, bound - 1],
            actual=dim,
        )
    return dim - bound if dim >= 0 else dim


def wrap_dims(dims: Sequence[int], rank: int) -> tuple[int, ...]:
    """Each of `dims` as a negative number; a dim named twice is refused in torch's words."""
    wrapped = tuple(wrap_dim(dim, rank) for dim in dims)
    if len(set(wrapped)) != len(wrapped):
        repeated = next(dim for dim in wrapped if wrapped.count(dim) > 1)
        raise ShapeError(f"dim {repeated + max(rank, 1)} appears multiple times in the list of dims")
    return wrapped


def reduced_shape(shape: Shape, dims: Sequence[int] | None, keepdim: bool) -> Shape:
    """The shape after a reduction over `dims` (negative; None for all)."""
    rank = len(shape)
    gone = set(range(rank)) if dims is None else {dim + rank for dim in dims if rank}
    if keepdim:
        return tuple(1 if axis in gone else size for axis, size in enumerate(shape))
    return tuple(size for axis, size in enumerate(shape) if axis not in gone)
