"""x[…] and views: against numpy where both agree, and what only torch has: names, strides, errors."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import engine
from engine.strides import view_strides
from engine.types import contiguous_strides

NOT_A_NUMBER = (
    "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to "
    "convert a 0-dim tensor to a number"
)
NO_KEY = (
    "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got "
    "float)"
)
OTHER_MASK = (
    "The shape of the mask [{}] at index 0 does not match the shape of the indexed tensor [3, 4] at index {}"
)
NO_INDEX = "tensors used as indices must be long, int, byte or bool tensors"
NO_COMMON_SHAPE = "shape mismatch: indexing tensors could not be broadcast together with shapes [2], [3]"
MASK = np.array([True, False, True])
KEYS: list[Any] = [
    0, -1, (1, 2), (1, -1, 0), slice(None), slice(1, None), slice(0, 2), slice(-2, None), slice(None,
    None, 2), slice(5, 9), slice(2, 1), (slice(None), 1), (slice(None), slice(1, 3)), (Ellipsis, 0), (0,
    Ellipsis), (0, Ellipsis, 1), Ellipsis, None, (None, 0), (slice(None), None, 1), (0, None), (Ellipsis,
    None), [0, 2, 2], [-1, 0], ([0, 1], [1, 0]), (slice(None), [0, 1]), (slice(None), [0, 1], [1, 0]),
    ([0, 2], slice(None), [1, 0]), ([[0], [2]], [0, 1]), (Ellipsis, [1, 0]), ([0, 1], Ellipsis, [1, 1]),
    ([0, 1], None), (slice(1, 3), [0, 1]), (slice(None), slice(None), [0, 1]), [], MASK, (MASK, 0),
    (slice(None), np.array([True, False, True, True])), (MASK, [0, 3]), (np.array([True, False, False]),
    [0, 3]), np.array([[0, 1], [1, 0]]), np.int64(1), np.array(1), range(2), np.array([0, 1, 1],
    np.int32), np.zeros((3, 4), bool), np.ones((3, 4), bool), np.ones((3, 4, 2), bool), True, (0, True),
    (True, 0), False,
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_getitem_reads_what_numpy_reads(key: Any) -> None:
    array = np.arange(24.0).reshape(3, 4, 2)
    x = engine.tensor(array, requires_grad=True)
    found = x[key]
    np.testing.assert_array_equal(found.detach().array, array[key])
    assert found.shape == found.array.shape == array[key].shape
    found.sum().backward()
    counted = np.zeros_like(array)
    np.add.at(counted, key, 1.0)
    assert x.grad is not None
    np.testing.assert_array_equal(x.grad.array, counted)


@pytest.mark.parametrize(
    "key", [(0, slice(None), [1, 0]), ([0, 2], slice(None), 0), (None, 0, slice(None), [1, 0])]
)
def test_an_int_beside_a_list_selects_first(key: Any) -> None:
    """numpy gathers with both, and puts the gathered dimension in front; torch takes the int away first."""
    array = np.arange(24.0).reshape(3, 4, 2)
    at = next(place for place, each in enumerate(key) if type(each) is int)
    cut = tuple(each for each in key if each is not None)
    axis = next(place for place, each in enumerate(cut) if type(each) is int)
    expected = np.take(array, key[at], axis=axis)[cut[:axis] + cut[axis + 1 :]]
    found = engine.tensor(array)[key]
    np.testing.assert_array_equal(found.array.reshape(expected.shape), expected)


def names(tensor: engine.Tensor) -> list[str]:
    """The chain of grad_fn names down to the leaf."""
    found, node = [], tensor.grad_fn
    while node is not None and node.next_functions:
        found.append(node.name())
        node = node.next_functions[0][0]
    return found


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (0, ["SelectBackward0"]),
        (slice(None), ["SliceBackward0"]),
        ((slice(None),), ["AliasBackward0"]),
        ((slice(None), slice(0, 9)), ["AliasBackward0"]),
        (Ellipsis, ["AliasBackward0"]),
        ((slice(None), 1), ["SelectBackward0"]),
        ((slice(1, None), slice(None)), ["SliceBackward0"]),
        ((None, 0), ["SelectBackward0", "UnsqueezeBackward0"]),
        (True, ["IndexBackward0", "UnsqueezeBackward0"]),
        ([0, 1], ["IndexBackward0"]),
        ((0, [0, 1]), ["IndexBackward0", "SelectBackward0"]),
        ([[0, 2], [1, 1]], ["IndexBackward0"]),
        ([0, slice(1, 2)], ["SliceBackward0", "SelectBackward0"]),
    ],
)
def test_the_trace_is_torchs(key: Any, expected: list[str]) -> None:
    assert names(engine.ones(3, 4, requires_grad=True)[key]) == expected


def test_saved_values_are_torchs() -> None:
    x = engine.ones(3, 4, requires_grad=True)
    cut = x[:, 1:].grad_fn
    assert (cut._saved_dim, cut._saved_start, cut._saved_end, cut._saved_step) == (1, 1, 2**63 - 1, 1)
    assert cut._saved_self_sym_sizes == (3, 4)
    assert x[-1].grad_fn._saved_index == 2**64 - 1
    gathered = x[:, [1, 2]].grad_fn
    assert gathered._saved_indices[0] is None
    assert gathered._saved_indices[1].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("shape", "key", "text"),
    [
        ((3, 4), 5, "index 5 is out of bounds for dimension 0 with size 3"),
        ((3, 4), (0, -5), "index -5 is out of bounds for dimension 1 with size 4"),
        ((3, 4), (None, slice(None), 7), "index 7 is out of bounds for dimension 2 with size 4"),
        ((3, 4), [0, 5], "index 5 is out of bounds for dimension 0 with size 3"),
        ((3, 4), (slice(None), [0, 5]), "index 5 is out of bounds for dimension 0 with size 4"),
        ((3, 4), ([0], [-5]), "index -5 is out of bounds for dimension 1 with size 4"),
        ((3, 4), (0, 0, 0), "too many indices for tensor of dimension 2"),
        ((3, 4), np.ones((1, 1, 1), bool), "too many indices for tensor of dimension 2"),
        ((), 0, NOT_A_NUMBER),
        ((), slice(1), "slice() cannot be applied to a 0-dim tensor."),
        ((3, 4), 0.5, NO_KEY),
        ((3, 4), [0.5], NO_INDEX),
        ((3, 4), np.array([0], np.int16), NO_INDEX),
        ((3, 4), ([0, 2], [0, 1, 2]), NO_COMMON_SHAPE),
        ((3, 4), (MASK, [0, 1, 2]), NO_COMMON_SHAPE),
        ((3, 4), np.array([True, False]), OTHER_MASK.format(2, 0)),
        ((3, 4), (slice(None), MASK), OTHER_MASK.format(3, 1)),
    ],
)  # fmt: skip
def test_places_that_do_not_exist_are_index_errors(shape: tuple[int, ...], key: Any, text: str) -> None:
    with pytest.raises(IndexError) as raised:
        engine.zeros(shape)[key]
    assert str(raised.value) == text


@pytest.mark.parametrize(
    ("key", "error", "text"),
    [
        (slice(None, None, -1), ValueError, "step must be greater than zero"),
        (slice(None, None, 0), ValueError, "slice step cannot be zero"),
        (slice(1.5, 2), TypeError, "slice indices must be integers or None or have an __index__ method"),
    ],
)
def test_slices_that_torch_refuses(key: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error) as raised:
        engine.zeros(3)[key]
    assert str(raised.value) == text


VIEWS = {
    "view": lambda x: x.view(4, 3),
    "reshape": lambda x: x.reshape(2, 6),
    "t": lambda x: x.t(),
    "transpose": lambda x: x.transpose(0, 1),
    "permute": lambda x: x.permute(1, 0),
    "flatten": lambda x: x.flatten(),
    "squeeze": lambda x: x.unsqueeze(0).squeeze(0),
    "unsqueeze": lambda x: x.unsqueeze(-1),
    "select": lambda x: x[1],
    "slice": lambda x: x[1:, ::2],
    "unbind": lambda x: x.unbind(1)[2],
    "narrow": lambda x: x.narrow(0, 1, 2),
    "T": lambda x: x.T,
    "detach": engine.Tensor.detach,
    "alias": lambda x: x[...],
}


@pytest.mark.parametrize("name", VIEWS)
def test_views_share_memory_and_version(name: str) -> None:
    x = engine.zeros(3, 4)
    seen = VIEWS[name](x)
    seen.add_(1)
    assert x.array.sum() == seen.numel()
    assert x.version == seen.version == 1
    scaled = seen.array.strides
    steps = tuple(step // seen.array.itemsize for step in scaled)
    assert all(
        own == told for own, told, size in zip(steps, seen.stride(), seen.shape, strict=True) if size > 1
    )


@pytest.mark.parametrize("name", ["copy of a transpose", "mask", "list", "cat", "to", "clone"])
def test_copies_do_not(name: str) -> None:
    x = engine.zeros(3, 4)
    copied = {
        "copy of a transpose": lambda: x.t().reshape(12),
        "mask": lambda: x[x == 0],
        "list": lambda: x[[0, 1]],
        "cat": lambda: engine.cat([x]),
        "to": lambda: x.to("float64"),
        "clone": x.clone,
    }[name]()
    copied.add_(1)
    assert x.array.sum() == 0
    assert x.version == 0


def test_a_view_exists_where_numpy_needs_no_copy() -> None:
    sizes = [
        (2, 3, 4),
        (4, 6),
        (6, 4),
        (24,),
        (1, 24),
        (2, 12),
        (3, 8),
        (2, 2, 6),
        (8, 3),
        (2, 1, 12),
        (3, 4, 2),
    ]
    base = np.arange(96).reshape(4, 6, 4)
    seen = [base[:2, :3], base[::2, ::2], base[:, :, :1], base.transpose(2, 0, 1)[:2, :2], base[:1]]
    seen += [base[:2, :3].transpose(order) for order in itertools.permutations(range(3))]
    for array, size in itertools.product(seen, sizes):
        if array.size != np.prod(size):
            continue
        steps = tuple(step // array.itemsize for step in array.strides)
        found = view_strides(array.shape, steps, size)
        try:
            expected = np.reshape(array, size, copy=False)
        except ValueError:
            assert found is None, (array.shape, steps, size)
            continue
        assert found is not None, (array.shape, steps, size)
        for own, step, length in zip(found, expected.strides, size, strict=True):
            assert length == 1 or own == step // array.itemsize


def test_a_view_of_nothing_is_contiguous() -> None:
    assert view_strides((0, 3), (3, 1), (3, 0)) == contiguous_strides((3, 0)) == (1, 1)
    assert view_strides((), (), (1, 1)) == (1, 1)


def test_a_mask_known_at_run_time_gives_the_shape_found() -> None:
    x = engine.tensor([[1.0, -2.0], [-3.0, 4.0]], requires_grad=True)
    chosen = x[x > 0]
    assert chosen.shape == (2,) and chosen.tolist() == [1.0, 4.0]
    (chosen * chosen).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[2.0, 0.0], [0.0, 8.0]]


def test_where_an_element_is_taken_twice_gradients_add_up() -> None:
    x = engine.tensor([1.0, 2.0, 3.0], requires_grad=True)
    weights = engine.tensor([1.0, 10.0, 100.0])
    for taken in (
        x[[0, 0, 2]],
        x.index_select(0, engine.tensor([0, 0, 2])),
        x.gather(0, engine.tensor([0, 0, 2])),
    ):
        (found,) = engine.grad((taken * weights).sum(), [x])
        assert found is not None
        assert found.tolist() == [11.0, 0.0, 100.0]


def test_a_result_of_a_permuted_tensor_keeps_torchs_memory_order() -> None:
    x = engine.zeros(2, 3, 4, 5).permute(3, 1, 0, 2)
    assert x[[0, 1]].stride() == (24, 4, 12, 1)
    assert x[:, [0, 1], [0, 1]].stride() == (1, 5, 10)
    assert x[:, [0, 1], :, [0, 1]].stride() == (10, 1, 5)
    assert x[[0, 1]].array.strides == (96, 16, 48, 4)
