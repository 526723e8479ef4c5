"""Tensors made from Python: requires_grad, shared memory, and data of every kind."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import engine
from engine.eager.factories import FACTORIES
from engine.registry import REGISTRY

NO_INTEGERS = "Only Tensors of floating point and complex dtype can require gradients"
ARGUMENTS = {
    "full": ((2,), 1.5),
    "arange": (3.0,),
    "linspace": (0, 1, 3),
    "eye": (2,),
    "randint": (3, (2,)),
    "randperm": (3,),
    "tensor": ([1.0, 2.0],),
    "fft.fftfreq": (3,),
    "fft.rfftfreq": (3,),
}


@pytest.mark.parametrize("name", FACTORIES)
def test_requires_grad_makes_a_leaf(name: str) -> None:
    args: tuple[object, ...] = ARGUMENTS.get(name, ((2, 3),))
    if name.endswith("_like"):
        args = (engine.ones(2, 3), *({"full_like": (1.5,), "randint_like": (3,)}.get(name, ())))
    made = FACTORIES[name](*args, dtype="float64", requires_grad=True)
    assert made.requires_grad and made.is_leaf and made.grad_fn is None
    assert made.dtype is engine.float64
    assert not FACTORIES[name](*args, dtype="float64").requires_grad
    with pytest.raises(RuntimeError) as raised:
        FACTORIES[name](*args, dtype="int64" if not name.startswith("rand") else "int32", requires_grad=True)
    if name not in (
        "rand",
        "randn",
        "rand_like",
        "randn_like",
        "fft.fftfreq",
        "fft.rfftfreq",
    ):  # refused for the dtype before
        assert str(raised.value) == NO_INTEGERS


def test_every_creation_op_has_a_factory() -> None:
    names = {op.name for op in REGISTRY.values() if op.kind in ("creation", "random") and op.name[0] != "_"}
    takes_a_dtype = {name for name in names if any(p.name == "dtype" for p in REGISTRY[name].params)}
    assert takes_a_dtype - FACTORIES.keys() == {"tril_indices", "triu_indices"}  # always integers


def test_creation_inside_no_grad_still_requires_grad() -> None:
    with engine.no_grad():
        assert engine.zeros(2, requires_grad=True).requires_grad


def test_sizes_come_as_ints_or_as_one_tuple() -> None:
    assert engine.zeros(2, 3).shape == engine.zeros((2, 3)).shape == engine.zeros([2, 3]).shape == (2, 3)
    assert engine.ones(()).shape == ()


@pytest.mark.parametrize(
    ("data", "dtype", "shape"),
    [
        (1.5, "float32", ()),
        (2, "int64", ()),
        (True, "bool", ()),
        (1j, "complex64", ()),
        ([], "float32", (0,)),
        ([[], []], "float32", (2, 0)),
        ([1, 2.5], "float32", (2,)),
        ([True, 2], "int64", (2,)),
        ([True, 2.0], "float32", (2,)),
        ([1j, 2], "complex64", (2,)),
        ((1, 2), "int64", (2,)),
        (range(3), "int64", (3,)),
        (np.float64(1), "float64", ()),
        ([np.float32(1), np.float64(2)], "float64", (2,)),
        ([np.int64(1), 1.5], "float32", (2,)),
        ([np.array([1.0, 2.0]), np.array([3.0, 4.0])], "float64", (2, 2)),
        (np.ones((2, 3), np.int8), "int8", (2, 3)),
    ],
)
def test_dtype_is_inferred_as_torch_does(data: object, dtype: str, shape: tuple[int, ...]) -> None:
    made = engine.tensor(data)
    assert (made.dtype.name, made.shape) == (dtype, shape)
    assert made.array.dtype == dtype and made.array.shape == shape


def test_the_default_dtype_is_that_of_python_floats() -> None:
    engine.set_default_dtype(engine.float64)
    try:
        assert engine.tensor([1.5]).dtype is engine.float64
        assert engine.tensor(1j).dtype is engine.complex128
        assert engine.zeros(2).dtype is engine.float64
        assert engine.rand(2).dtype is engine.float64
    finally:
        engine.set_default_dtype(engine.float32)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: engine.tensor([[1, 2], [3]]), "expected sequence of length 2 at dim 1 (got 1)"),
        (lambda: engine.tensor([[1, 2], 3]), "not a sequence"),
        (lambda: engine.tensor([1, [2]]), "'list' object cannot be interpreted as an integer"),
        (lambda: engine.tensor("a"), "new(): invalid data type 'str'"),
        (lambda: engine.tensor(["a"]), "too many dimensions 'str'"),
        (lambda: engine.tensor([1, None]), "Could not infer dtype of NoneType"),
        (lambda: engine.tensor([{}]), "Could not infer dtype of dict"),
        (lambda: engine.tensor([2**63]), "Overflow when unpacking long long"),
        (lambda: engine.tensor([-(2**63) - 1, 1]), "Overflow when unpacking long long"),
        (
            lambda: engine.tensor([300], dtype="uint8"),
            "value cannot be converted to type uint8 without overflow",
        ),
        (
            lambda: engine.tensor([float("nan")], dtype="int64"),
            "value cannot be converted to type int64 without overflow",
        ),
        (
            lambda: engine.tensor([2.0**63], dtype="int64"),
            "value cannot be converted to type int64 without overflow",
        ),
        (lambda: engine.tensor([1j], dtype="float32"), "must be real number, not complex"),
        (lambda: engine.tensor([1, 2], requires_grad=True), NO_INTEGERS),
        (
            lambda: engine.tensor([engine.ones(2), engine.ones(1)]),
            "only one element tensors can be converted to Python scalars",
        ),
        (lambda: engine.from_numpy([1]), "expected np.ndarray (got list)"),
        (lambda: engine.tensor(np.zeros(1, np.uint16)), "dtype 'uint16' is not supported"),
    ],
)
def test_data_that_is_no_tensor_is_refused(make: Callable[[], object], text: str) -> None:
    with pytest.raises((ValueError, TypeError, RuntimeError)) as raised:
        make()
    assert str(raised.value) == text


def test_numbers_wrap_and_truncate_as_in_torch() -> None:
    assert engine.tensor([-1], dtype="uint8").tolist() == [255]
    assert engine.tensor([1.7, -1.7], dtype="int64").tolist() == [1, -1]
    assert engine.tensor([2**63 - 1, -(2**63)]).tolist() == [2**63 - 1, -(2**63)]
    assert engine.tensor(2**70, dtype="float64").item() == float(2**70)
    assert engine.tensor([1.5, 0.0], dtype="bool").tolist() == [True, False]


def test_tensors_on_an_arrays_memory_may_require_grad() -> None:
    array = np.array([1.0, 2.0])
    array.flags.writeable = False
    shared = engine.from_numpy(array, requires_grad=True)
    (shared * shared).sum().backward()
    assert np.shares_memory(shared.detach().numpy(), array)
    assert shared.grad.tolist() == [2.0, 4.0]
    with pytest.raises(engine.errors.GradError, match="Only Tensors of floating point"):
        engine.from_numpy(np.array([1]), requires_grad=True)


def test_tensor_copies_and_from_numpy_shares() -> None:
    array = np.arange(6.0).reshape(2, 3).T
    copied, shared = engine.tensor(array), engine.from_numpy(array)
    assert copied.stride() == shared.stride() == (1, 3)
    array[0, 0] = 9.0
    assert (copied[0, 0].item(), shared[0, 0].item()) == (0.0, 9.0)
    again = engine.tensor(shared)
    shared[0, 0] = 7.0
    assert (again[0, 0].item(), array[0, 0]) == (9.0, 7.0)


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.zeros(3)[::-1], "At least one stride in the given numpy array is negative"),
        (np.zeros(3, ">f8"), "given numpy array has byte order different from the native byte order."),
        (np.zeros(3, "U1"), "can't convert np.ndarray of type numpy.str_."),
        (
            np.frombuffer(b"\0" * 20, np.dtype([("a", "f4"), ("b", "i1")]))["a"],
            "given numpy array strides not a multiple of the element byte size.",
        ),
    ],
)
def test_arrays_that_cannot_be_shared_are_refused(array: np.ndarray, text: str) -> None:
    with pytest.raises((ValueError, TypeError)) as raised:
        engine.from_numpy(array)
    assert str(raised.value).startswith(text)


def test_seeded_numbers_are_torchs() -> None:
    engine.manual_seed(0)
    first = engine.rand(2, 2)
    engine.manual_seed(0)
    np.testing.assert_array_equal(first.array, engine.rand((2, 2)).array)
    engine.manual_seed(0)
    expected = [[1.5409960746765137, -0.293428897857666], [-2.1787893772125244, 0.5684312582015991]]
    np.testing.assert_allclose(engine.randn(2, 2).array, expected, rtol=1e-6)
