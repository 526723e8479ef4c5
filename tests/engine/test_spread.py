"""var and std where torch is not followed: over an empty list of dims, which means all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import engine


@pytest.mark.parametrize("op", [engine.var, engine.std], ids=["var", "std"])
def test_no_dims_are_all_dims_for_the_gradient_too(op: Any) -> None:
    found = []
    for dims in ((), (0, 1)):
        x = engine.Tensor(np.arange(6.0).reshape(2, 3) ** 2, requires_grad=True)
        y = op(x, dims)
        found.append((y.item(), engine.grad(y, x)[0].numpy()))
    assert found[0][0] == found[1][0]
    np.testing.assert_allclose(found[0][1], found[1][1])
