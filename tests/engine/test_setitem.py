"""x[key] = value: written where numpy writes, cast, and recorded."""

from __future__ import annotations

import numpy as np
import pytest

import engine


@pytest.mark.parametrize(
    "key",
    [
        0,
        -1,
        (0, 1),
        slice(None),
        slice(1, 3),
        (slice(None), 2),
        (Ellipsis, 0),
        None,
        [0, 2],
        ([0, 2], [1, 1]),
        (slice(None), [0, 3]),
        True,
        Ellipsis,
        np.array([[True, False, True, False]] * 3),
    ],
)
def test_setitem_writes_where_numpy_writes(key: object) -> None:
    expected = np.arange(12.0).reshape(3, 4)
    x = engine.tensor(expected)
    memory = x.array
    x[key] = -1.0
    expected[key] = -1.0
    np.testing.assert_array_equal(memory, expected)
    value = np.random.default_rng(0).normal(size=expected[key].shape)
    x[key] = engine.tensor(value)
    expected[key] = value
    np.testing.assert_array_equal(memory, expected)
    assert x.version == 2


def test_setitem_broadcasts_casts_and_skips_a_false_key() -> None:
    x = engine.zeros(2, 3, dtype="int64")
    x[:] = engine.tensor([1, 2, 3])
    x[0] = 2.7
    x[:, :1] = engine.ones(1, 1, 1)
    x[False] = 9
    assert x.tolist() == [[1, 2, 2], [1, 2, 3]]


def test_setitem_on_the_whole_of_a_non_leaf_is_recorded() -> None:
    x = engine.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 2
    y[:] = x * x
    y[[0, 2]] = 5.0
    assert y.grad_fn is not None and y.grad_fn.name() == "IndexPutBackward0"
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0.0, 4.0, 0.0]
