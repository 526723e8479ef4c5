"""Every tier-1 op is reached under each of its names: as a function, as a method, in a program."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

import engine
from engine.language.state import PARAMETERS
from engine.registry import REGISTRY, names_of
from tests.oracle import FAMILY_OF

METHODS_ONLY = {"T", "mT", "view", "expand", "requires_grad_", "to", "float", "double", "contiguous"}
FUNCTIONS_ONLY = {"rsub", "einsum", "cat", "stack", "getitem", "slice"}
NAMES = sorted(FAMILY_OF)
FUNCTIONS = [name for name in NAMES if name not in METHODS_ONLY]
METHODS = [
    name for name in NAMES if "." not in name and name not in FUNCTIONS_ONLY and FAMILY_OF[name] != "creation"
]


def reached(path: str) -> Any:
    return functools.reduce(getattr, path.split("."), engine)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function(name: str) -> None:
    assert callable(reached(name))


@pytest.mark.parametrize("name", METHODS)
def test_method(name: str) -> None:
    assert hasattr(engine.Tensor, name)


@pytest.mark.parametrize("name", NAMES)
def test_statement(name: str) -> None:
    assert name in PARAMETERS or engine.lookup(name).name == name


@pytest.mark.parametrize("name", [name for name in REGISTRY if name.startswith("nn.functional.")])
def test_functional_has_torchs_short_names(name: str) -> None:
    short = name.rpartition(".")[2]
    assert engine.lookup(f"F.{short}") is reached(name)
    if short not in REGISTRY:  # torch.unfold is another one
        assert engine.lookup(short) is reached(name)


@pytest.mark.parametrize(
    "alias", [alias for name in REGISTRY for alias in names_of(REGISTRY[name]) if not alias.startswith("F.")]
)
def test_alias_is_a_path_too(alias: str) -> None:
    assert reached(alias) is engine.lookup(alias)


def test_namespaces_list_what_they_have() -> None:
    assert {"norm", "vector_norm", "svd"} <= set(dir(engine.linalg))
    assert {"gelu", "relu", "softmax"} <= set(dir(engine.nn.functional))
    assert "functional" in dir(engine.nn)
    with pytest.raises(AttributeError, match=r"module 'engine\.nn' has no attribute 'huh'"):
        _ = engine.nn.huh


def test_where_as_a_method_keeps_its_own_elements() -> None:
    x = engine.Tensor(np.array([1.0, -2.0]), requires_grad=True)
    y = x.where(x > 0, 0.5)
    np.testing.assert_array_equal(y.detach().numpy(), [1.0, 0.5])
    np.testing.assert_array_equal(engine.grad(y.sum(), x)[0].numpy(), [1.0, 0.0])


@pytest.mark.parametrize("name", ["mse_loss", "F.mse_loss", "nn.functional.mse_loss"])
def test_a_program_knows_the_op_by_one_name(name: str) -> None:
    program = engine.Program([{"id": "y", "op": name, "in": ["x", "x"]}])
    assert program.statements[0]["op"] == "nn.functional.mse_loss"
