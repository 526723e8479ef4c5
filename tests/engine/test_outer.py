"""Matrix products that add nothing up: each element is one product, whatever its size."""

import numpy as np
import pytest

import engine

COLUMN, ROW = 300, 200  # together more than what is multiplied as it stands


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "int64"])
@pytest.mark.parametrize("lead", [(), (2,)])
def test_a_column_times_a_row(dtype: str, lead: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    column, row = (rng.normal(size=(*lead, *size)) * 9 for size in ((COLUMN, 1), (1, ROW)))
    left, right = (engine.tensor(each, dtype=engine.dtype(dtype)) for each in (column, row))
    np.testing.assert_allclose((left @ right).numpy(), left.numpy() * right.numpy(), rtol=1e-6)


@pytest.mark.filterwarnings("error")
def test_what_is_not_finite_stays_where_it_is() -> None:
    column, row = np.ones((COLUMN, 1)), np.ones((1, ROW))
    column[7], column[8], row[0, 3], column[9] = np.inf, np.nan, 0.0, 2.0
    found = (engine.tensor(column) @ engine.tensor(row)).numpy()
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(found, column * row)
    assert np.isnan(found[7, 3])
    assert found[9, 1] == 2
