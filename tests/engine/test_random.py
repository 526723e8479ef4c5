"""Random streams against what torch 2.13 drew from the same seeds (`tests/oracle/random_streams.py`)."""

import base64
import hashlib
import json
import platform
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import random
from engine.random import DEFAULT_SEED, Generator
from engine.random.box_muller import BLOCK, TILE, normal_blocks

STREAMS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "data" / "random.json").read_text())
IDS = [f"{stream['calls'][0]['call']}-{stream['seed']}-{index}" for index, stream in enumerate(STREAMS)]
# Elsewhere the C library rounds some logarithms, sines and cosines the other way.
EXACT_NORMALS = platform.libc_ver()[0] == "glibc" and platform.machine() == "x86_64"


def drawn(generator: Generator, entry: dict[str, Any]) -> np.ndarray:
    kind, shape, dtype = entry["call"], entry["shape"], np.dtype(entry["dtype"])
    strides = entry.get("strides")
    if kind == "randint":
        return generator.randint(entry.get("low", 0), entry["high"], shape, dtype, strides=strides)
    if kind == "randperm":
        return generator.randperm(shape[0], dtype)
    if kind == "bernoulli":
        return generator.bernoulli(np.array(entry["p"], dtype))
    if kind == "dropout":
        return generator.dropout_mask(shape, 1 - entry["p"], strides=strides)
    return getattr(generator, kind)(shape, dtype, strides=strides)


def check(result: np.ndarray, entry: dict[str, Any]) -> None:
    dtype = np.dtype(np.bool_ if entry["call"] == "dropout" else entry["dtype"])
    assert result.dtype == dtype
    assert result.shape == tuple(entry["shape"])
    content = np.ascontiguousarray(result).astype(dtype.newbyteorder("<")).tobytes()
    if EXACT_NORMALS or entry["call"] != "randn":
        if "sha256" in entry:
            assert hashlib.sha256(content).hexdigest() == entry["sha256"]
        else:
            assert content == base64.b64decode(entry["data"])
    elif "data" in entry:
        expected = np.frombuffer(base64.b64decode(entry["data"]), dtype.newbyteorder("<")).reshape(
            result.shape
        )
        np.testing.assert_allclose(result, expected, rtol=0, atol=8 * float(np.finfo(dtype).eps))


@pytest.mark.parametrize("stream", STREAMS, ids=IDS)
def test_draws_what_torch_draws(stream: dict[str, Any]) -> None:
    generator = Generator(stream["seed"])
    assert generator.initial_seed() == stream["initial_seed"]
    for entry in stream["calls"]:
        check(drawn(generator, entry), entry)


def test_half_a_pair_waits_for_the_next_short_call() -> None:
    together = Generator(3).randn((4,), np.dtype(np.float64))
    generator = Generator(3)
    one = generator.randn((1,), np.dtype(np.float64))
    generator.rand((0,))
    rest = generator.randn((3,), np.dtype(np.float64))
    np.testing.assert_array_equal(np.concatenate([one, rest]), together)
    assert generator.get_state().next_normal is None
    generator.randn((1,))
    assert generator.get_state().next_normal is not None
    assert generator.manual_seed(3).get_state() == Generator(3).get_state()


def test_strides_are_kept_and_filled_in_memory_order() -> None:
    plain = Generator(1).rand((15,))
    transposed = Generator(1).rand((3, 5), strides=(1, 3))
    assert [stride // 4 for stride in transposed.strides] == [1, 3]
    np.testing.assert_array_equal(transposed.T.ravel(), plain)


def test_blocks_do_not_depend_on_the_tile() -> None:
    for dtype in (np.float32, np.float64):
        uniform = Generator(2).rand((TILE + 3 * BLOCK,), np.dtype(dtype))
        whole = normal_blocks(uniform)
        parts = [normal_blocks(uniform[:TILE]), normal_blocks(uniform[TILE:])]
        np.testing.assert_array_equal(whole, np.concatenate(parts))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_normals_are_finite_and_without_negative_zero(dtype: str) -> None:
    edges = np.array([0, 2.0**-24, 0.25, 0.5, 0.75, 1 - 2.0**-24], np.float64)
    uniform = np.repeat(edges, 6).repeat(2).reshape(-1, 8)
    uniform = np.concatenate([uniform, uniform[::-1]], axis=1).ravel()
    normals = normal_blocks(uniform.astype(np.float64 if dtype == "float64" else np.float32))
    assert np.isfinite(normals).all()
    assert not np.signbit(normals[normals == 0]).any()


def test_a_state_repeats_what_followed() -> None:
    generator = Generator(5)
    generator.randn((3,))
    state = generator.get_state()
    assert state == generator.clone().get_state()
    first = [generator.randn((2,)), generator.rand((4,)), generator.randint(0, 9, (5,))]
    assert generator.get_state() != state
    for other in (generator, Generator(99)):
        other.set_state(state)
        again = [other.randn((2,)), other.rand((4,)), other.randint(0, 9, (5,))]
        assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
        assert other.initial_seed() == 5
    clone = generator.clone()
    assert np.array_equal(clone.rand((3,)), generator.rand((3,)))


def test_the_default_generator() -> None:
    assert random.manual_seed(-2) is random.default_generator()
    assert random.initial_seed() == 2**64 - 2
    first = random.default_generator().rand((3,))
    random.manual_seed(-2)
    assert np.array_equal(random.default_generator().rand((3,)), first)
    assert random.seed() == random.initial_seed()
    assert Generator().initial_seed() == DEFAULT_SEED
    assert Generator().seed() != Generator().seed()


@pytest.mark.parametrize(
    ("action", "error", "text"),
    [
        (lambda g: g.manual_seed(2**64), ValueError, "Overflow when unpacking long long"),
        (lambda g: g.manual_seed(-(2**63) - 1), ValueError, "Overflow when unpacking long long"),
        (lambda g: g.manual_seed(1.5), TypeError, "'float' object cannot be interpreted as an integer"),
        (
            lambda g: g.rand((2,), np.dtype(np.int64)),
            NotImplementedError,
            "\"check_uniform_bounds\" not implemented for 'Long'",
        ),
        (
            lambda g: g.randn((2,), np.dtype(np.bool_)),
            NotImplementedError,
            "\"normal_kernel_cpu\" not implemented for 'Bool'",
        ),
        (
            lambda g: g.randint(5, 5, (0,)),
            RuntimeError,
            "random_ expects 'from' to be less than 'to', but got from=5 >= to=5",
        ),
        (lambda g: g.randint(0, 2**63, (1,)), ValueError, "Overflow when unpacking long long"),
        (
            lambda g: g.randint(-1, 3, (1,), np.dtype(np.uint8)),
            RuntimeError,
            "from is out of bounds for unsigned char",
        ),
        (
            lambda g: g.randint(0, 257, (1,), np.dtype(np.uint8)),
            RuntimeError,
            "to - 1 is out of bounds for unsigned char",
        ),
        (
            lambda g: g.randint(0, 3, (1,), np.dtype(np.bool_)),
            RuntimeError,
            "to - 1 is out of bounds for bool",
        ),
        (
            lambda g: g.randint(0, 2**24 + 2, (1,), np.dtype(np.float32)),
            RuntimeError,
            "to - 1 is out of bounds [-(2^24), 2^24] of float32",
        ),
        (
            lambda g: g.randint(0, 3, (1,), np.dtype(np.complex64)),
            RuntimeError,
            "check_random_bounds handles only integral, floating-point and boolean types",
        ),
        (lambda g: g.randperm(-1), RuntimeError, "Trying to create tensor with negative dimension -1: [-1]"),
        (
            lambda g: g.bernoulli(np.array([0.5, 1.5])),
            RuntimeError,
            "Expected p_in >= 0 && p_in <= 1 to be true, but got false.",
        ),
        (
            lambda g: g.bernoulli(np.array([1])),
            NotImplementedError,
            "\"bernoulli_tensor_cpu_p_\" not implemented for 'Long'",
        ),
        (
            lambda g: g.bernoulli(np.array([1j])),
            NotImplementedError,
            "\"bernoulli_tensor_cpu_self_\" not implemented for 'ComplexDouble'",
        ),
        (
            lambda g: g.dropout_mask((1,), 1.1),
            RuntimeError,
            "bernoulli_ expects p to be in [0, 1], but got p=1.1",
        ),
        (
            lambda g: g.dropout_mask((1,), float("nan")),
            RuntimeError,
            "bernoulli_ expects p to be in [0, 1], but got p=nan",
        ),
    ],
)
def test_refusals(action: Any, error: type[Exception], text: str) -> None:
    generator = Generator(0)
    before = generator.get_state()
    with pytest.raises(error) as caught:
        action(generator)
    assert str(caught.value) == text
    assert generator.get_state() == before
