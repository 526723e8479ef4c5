"""Writes `tests/engine/data/printing.json`: tensors and how torch prints them.

`python -m tests.oracle.printing` needs torch 2.13. A record holds a tensor as `dtype`, `shape` and
`data` (base64, little-endian, repeated until the shape is full), what else shows in its text
(`requires_grad`, `grad_fn`, `default_dtype`; left out where false, none, float32), and the `text`.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

TARGET = Path(__file__).parents[1] / "engine" / "data" / "printing.json"
FLOATS = ("float16", "float32", "float64")
COMPLEX = ("complex64", "complex128")
INTS = ("uint8", "int8", "int16", "int32", "int64")
LONGER = 53  # no record stores more numbers than this; prime, so that repeated rows differ
SHAPES = (
    (),
    (1,),
    (3,),
    (7,),
    (2, 3),
    (1, 1, 4),
    (3, 1),
    (9, 2),
    (2, 2, 2),
    (20,),
    (2, 1, 30),
    (5, 17),
    (2, 3, 2, 2),
)
BIG_SHAPES = (
    (1000,),
    (1001,),
    (7, 150),
    (2, 600),
    (1200, 1),
    (4, 7, 40),
    (10, 10, 11),
    (6, 200),
    (3, 1, 8, 60),
)
EMPTY_SHAPES = ((0,), (0, 3), (3, 0), (2, 0, 5), (0, 0))
SUFFIXES: tuple[dict[str, Any], ...] = (
    {},
    {"requires_grad": True},
    {"grad_fn": "CloneBackward0"},
    {"grad_fn": "AVeryLongNameOfFortyCharactersOrSoBackward", "requires_grad": True},
)
HAND_PICKED: tuple[tuple[str, list[Any]], ...] = (
    ("float32", [1.0, 2.0, 3.0]),
    ("float32", [0.0, -0.0]),
    ("float32", [-0.0, 1.5]),
    ("float32", [1.0, 1000.0]),
    ("float32", [1.0, 1001.0]),
    ("float32", [0.5, 500.0]),
    ("float32", [0.5, 501.0]),
    ("float32", [1e8, 1e8]),
    ("float64", [1e8 + 1]),
    ("float64", [1e8 + 0.5, 1e8]),
    ("float32", [1e-4]),
    ("float64", [1e-4, 9e-5]),
    ("float32", [1e-5, 0.0]),
    ("float64", [99999.99999]),
    ("float64", [0.99999, 0.00012]),
    ("float64", [5e-324, 1e308]),
    ("float64", [1e-100, 1e-200]),
    ("float64", [123456.789, -1234.5]),
    ("float32", [float("nan")]),
    ("float32", [float("inf"), -float("inf"), float("nan")]),
    ("float32", [float("nan"), 1.0, 2.0]),
    ("float32", [float("nan"), 1.5, -2.25]),
    ("float32", [float("inf"), -float("inf"), 1e9]),
    ("float32", [float("-inf"), 0.0]),
    ("float32", [0.1, 0.2, 0.3]),
    ("float16", [0.1, 65504.0]),
    ("float16", [6e-8, 1.0]),
    ("float64", [2.00005, 2.00015, 2.5]),
    ("int64", [-(2**63), 2**63 - 1]),
    ("int64", [0, 10, -100]),
    ("uint8", [0, 255]),
    ("bool", [True, False]),
    ("bool", [True]),
    ("complex64", [1 + 2j, -1.5 - 0.25j]),
    ("complex64", [complex(0.0, -0.0), complex(-0.0, 0.0)]),
    ("complex64", [complex(float("nan"), float("inf")), complex(1.0, float("-inf"))]),
    ("complex128", [1e10 + 1j, 1e-10 - 1j]),
    ("complex128", [1 + 1e-9j, 100 - 250j]),
)


def cases() -> Iterator[dict[str, Any]]:
    for dtype, values in HAND_PICKED:
        array = np.array(values, dtype)
        yield case(array, array.shape)
        yield case(array[:1], (), requires_grad=array.dtype.kind in "fc")
    for dtype in (*FLOATS, *COMPLEX, *INTS, "bool"):
        for shape in EMPTY_SHAPES:
            yield case(np.zeros(0, dtype), shape)
        yield case(np.zeros(0, dtype), (0, 2), default_dtype="float64")
    state = np.random.RandomState(2013)
    for index in range(330):
        shapes = BIG_SHAPES if index % 8 == 0 else SHAPES
        yield draw(state, shapes[state.randint(len(shapes))])
    for length in range(8, 24):  # the line breaks before the suffix, one column after the other
        yield case(numbers(state, "float64", 5), (length,), grad_fn="CloneBackward0")
        yield case(np.array([True, False]), (length,), default_dtype="float64")
        yield case(np.array([10 ** (length - 8)]), (2, 3))
    for length in range(28, 46):  # two suffixes: the second one on the new line, or on one more
        yield case(np.full(1, 0.5), (9,), grad_fn="N" * length + "Backward")
    for length in range(1, 50):
        yield case(np.ones(1, np.float32), (length % 17,), grad_fn="N" * length + "Backward")


def case(values: np.ndarray, shape: tuple[int, ...], **text: Any) -> dict[str, Any]:
    little = values[:LONGER].astype(values.dtype.newbyteorder("<"))
    data = base64.b64encode(little.tobytes()).decode()
    return {"dtype": values.dtype.name, "shape": list(shape), "data": data} | text


def draw(state: np.random.RandomState, shape: tuple[int, ...]) -> dict[str, Any]:
    dtype = (*FLOATS, *FLOATS, *COMPLEX, *INTS, "bool")[state.randint(14)]
    text: dict[str, Any] = {}
    if dtype in FLOATS + COMPLEX:
        text |= SUFFIXES[state.randint(len(SUFFIXES))]
    if state.rand() < 0.2:
        text["default_dtype"] = FLOATS[state.randint(3)]
    return case(numbers(state, dtype, LONGER), shape, **text)


def numbers(state: np.random.RandomState, dtype: str, count: int) -> np.ndarray:
    """Numbers of one of several kinds: whole, near one another, far apart, with zeros and non-finite ones."""
    if dtype in COMPLEX:
        parts = np.stack([numbers(state, f"float{int(dtype[7:]) // 2}", count) for _ in range(2)], axis=1)
        return np.ascontiguousarray(parts).view(dtype).ravel()
    if dtype == "bool":
        return state.rand(count) < 0.5
    if dtype in INTS:
        info = np.iinfo(dtype)
        most = int(min(info.max, 10 ** state.randint(1, 12)))
        return state.randint(max(info.min, -most), most, count).astype(dtype)
    values = state.randn(count) * 10.0 ** state.randint(-6, 7)
    kind = state.randint(6)
    if kind <= 1:
        values = np.round(values)
    elif kind == 2:
        values *= 10.0 ** state.uniform(-3, 3, count)
    if state.rand() < 0.3:
        values[state.rand(count) < 0.2] = 0
    if state.rand() < 0.2:
        unusual = state.rand(count) < 0.2
        values[unusual] = np.array([np.nan, np.inf, -np.inf])[state.randint(0, 3, unusual.sum())]
    with np.errstate(over="ignore"):
        return values.astype(dtype)


def text(record: dict[str, Any]) -> str:
    values = np.frombuffer(base64.b64decode(record["data"]), record["dtype"])
    tensor = torch.from_numpy(np.resize(values, record["shape"]))
    torch.set_default_dtype(getattr(torch, record.get("default_dtype", "float32")))
    tensor.requires_grad_(bool(record.get("requires_grad") or record.get("grad_fn")))
    if "grad_fn" in record:
        tensor = function(record["grad_fn"])(tensor)
    written = repr(tensor)
    torch.set_default_dtype(torch.float32)
    return written


def function(grad_fn: str) -> Any:
    """A function of one tensor whose node has the given name."""
    if grad_fn == "CloneBackward0":
        return torch.clone
    members = {"forward": staticmethod(lambda ctx, x: x.clone()), "backward": staticmethod(lambda ctx, g: g)}
    return type(grad_fn.removesuffix("Backward"), (torch.autograd.Function,), members).apply


def main() -> None:
    records = [record | {"text": text(record)} for record in cases()]
    lines = ",\n".join(json.dumps(record) for record in records)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(f"[\n{lines}\n]\n")
    print(f"{len(records)} records in {TARGET.name}")


if __name__ == "__main__":
    main()
