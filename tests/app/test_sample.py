"""An op's sample as a request: every kind of value in its place."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import engine
from app import sample

INF = float("inf")


def request(*args: Any, outputs: tuple[str, ...] = ("result",), **kwargs: Any) -> Any:
    """The request of an op with parameters a, b, c, for a call with these arguments."""
    params = [SimpleNamespace(name=name, kind="Tensor") for name in "abc"]
    calls = [SimpleNamespace(args=args, kwargs=kwargs)]
    op: Any = SimpleNamespace(
        name="op", kind="structural", params=params, outputs=outputs, samples=lambda: calls
    )
    return sample.request(op)


def statement(*args: Any, **kwargs: Any) -> Any:
    return request(*args, **kwargs)["graph"][0]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (2, 2),
        (None, None),
        (True, True),
        (slice(1, None, 2), {"slice": [1, None, 2]}),
        (..., {"ellipsis": True}),
        (1 + 2j, {"complex": [1.0, 2.0]}),
        ((1, 2), [1, 2]),
    ],
)
def test_scalars_stay_where_they_are(value: Any, written: Any) -> None:
    assert statement(value) == {"id": "y", "op": "op", "in": [written]}


@pytest.mark.parametrize(
    ("array", "written"),
    [
        (np.array([1.234, -0.5]), {"data": [1.23, -0.5], "requires_grad": True}),
        (np.array(1 + 2j), {"data": [1.0, 2.0], "dtype": "complex128", "requires_grad": True}),
        (np.array([1, 2]), {"data": [1, 2]}),
        (np.array([True]), {"data": [True]}),
        (np.array([1], dtype=np.int8), {"data": [1], "dtype": "int8"}),
    ],
)
def test_arrays_become_inputs(array: Any, written: Any) -> None:
    assert request(array) == {"inputs": {"a": written}, "graph": [{"id": "y", "op": "op", "in": ["a"]}]}


def test_lists_of_arrays_and_surplus_ones_get_names() -> None:
    one = np.array([1])
    found = request([one, one], one, one, one)
    assert found["graph"][0]["in"] == [["a_0", "a_1"], "b", "c", "c_2"]
    assert list(found["inputs"]) == ["a_0", "a_1", "b", "c", "c_2"]


def test_strings_and_dtypes_are_attributes() -> None:
    found = statement("ij", 2, dtype=engine.dtype("float64"), mode="sum", weight=np.array([1]), p=INF)
    assert found["in"] == [2]
    assert found["attrs"] == {
        "a": "ij",
        "dtype": "float64",
        "mode": "sum",
        "weight": {"ref": "weight"},
        "p": "Infinity",
    }


def test_several_results_are_named() -> None:
    assert statement(1, outputs=("values", "indices")) == {
        "out": ["values", "indices"],
        "op": "op",
        "in": [1],
    }


def test_what_cannot_be_said_in_this_place_is_passed_over() -> None:
    assert request(INF) is None
