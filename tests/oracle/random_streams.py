"""Writes `tests/engine/data/random.json`: calls in a row on one seed, and what torch drew for each.

`python -m tests.oracle.random_streams` needs torch 2.13 on x86-64 Linux (other machines round the
normals differently), without an Intel processor (there torch draws dropout masks from MKL instead).
A result is stored as `data` (base64, little-endian, C order), or as its `sha256` when it is long.
"""

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

TARGET = Path(__file__).parents[1] / "engine" / "data" / "random.json"
FLOATS = ("float16", "float32", "float64")
COMPLEX = ("complex64", "complex128")
INTS = ("uint8", "int8", "int16", "int32", "int64", "bool")
COUNTS = (0, 1, 2, 3, 4, 7, 8, 14, 15, 16, 17, 24, 31, 32, 33, 47, 100)
LAYOUTS = (
    ((3, 5), (1, 3)),
    ((5, 4), (1, 5)),
    ((2, 3, 4), (1, 8, 2)),
    ((2, 3, 4), (4, 8, 1)),
    ((4, 1, 3), (1, 1, 4)),
)
LAYOUTS_IN_C_ORDER = (((3, 1, 4), (4, 77, 1)), ((1, 20), (1, 1)), ((2, 8), (8, 1)), ((0, 3), (1, 5)))
SEEDS = (0, 1, 42, 2**31, 2**32 - 1, 2**32, 2**40 + 7, 2**63, 2**64 - 1, -1, -(2**63), 67280421310721)
STORED_BYTES = 400
Call = dict[str, Any]


def streams() -> Iterator[dict[str, Any]]:
    for seed in SEEDS:
        yield stream(
            seed, [call("rand", [3]), call("randn", [3]), call("randn", [20]), call("randint", [3], high=10)]
        )
    for kind in ("rand", "randn"):
        for dtype in (*FLOATS, *COMPLEX):
            yield stream(7, [call(kind, [count], dtype) for count in COUNTS])
            yield stream(
                8, [call(kind, list(shape), dtype, strides=strides) for shape, strides in ALL_LAYOUTS]
            )
    yield stream(9, [call("randint", [6], dtype, high=2) for dtype in (*INTS, *FLOATS)])
    ranges = ((-5, 5), (0, 100), (0, 2**28 - 1), (0, 2**28), (-(2**40), 2**40), (-(2**63), 2**63 - 1), (7, 8))
    yield stream(10, [call("randint", [5], low=low, high=high) for low, high in ranges])
    yield stream(10, [call("randint", [5], "int32", low=-(2**31), high=2**31), call("randn", [1])])
    yield stream(
        11, [call("randint", list(shape), high=99, strides=strides) for shape, strides in ALL_LAYOUTS]
    )
    yield stream(12, [call("randperm", [n]) for n in (0, 1, 2, 3, 10, 100, 5000)])
    yield stream(12, [call("randperm", [9], dtype) for dtype in (*INTS[:5], *FLOATS)])
    for dtype in FLOATS:
        p = [0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0, 0.3, 0.7]
        yield stream(
            13, [call("bernoulli", [9], dtype, p=p), call("bernoulli", [0], dtype, p=[]), call("rand", [1])]
        )
        for p in (0.1, 0.5, 0.9):
            yield stream(
                14,
                [call("dropout", [11], dtype, p=p), call("dropout", [2, 3], dtype, p=p), call("rand", [2])],
            )
            yield stream(15, [call("dropout", list(s), dtype, p=p, strides=t) for s, t in ALL_LAYOUTS])
    for dtype in FLOATS:
        yield stream(
            16, [call("randn", [200003], dtype), call("rand", [200003], dtype), call("randn", [1], dtype)]
        )
    # one of these numbers is another float16 when it is not rounded to float32 on the way
    yield stream(1997, [call("randn", [15], "float16")])
    state = np.random.RandomState(2013)
    for seed in range(100, 160):
        yield stream(seed, [draw(state) for _ in range(10)])


ALL_LAYOUTS = LAYOUTS + LAYOUTS_IN_C_ORDER


def call(kind: str, shape: list[int], dtype: str = "", **arguments: Any) -> Call:
    dtype = dtype or ("int64" if kind in ("randint", "randperm") else "float32")
    return {"call": kind, "shape": shape, "dtype": dtype} | arguments


def draw(state: np.random.RandomState) -> Call:
    """A call of any kind, most often a short randn: only those leave half a pair behind."""
    kind = ("randn", "randn", "randn", "rand", "randint", "randperm", "bernoulli", "dropout")[
        state.randint(8)
    ]
    count = COUNTS[state.randint(len(COUNTS))] if state.rand() < 0.5 else int(state.randint(1, 6))
    if kind == "randint":
        return call(kind, [count], high=int(10 ** state.randint(1, 12)))
    if kind == "randperm":
        return call(kind, [count])
    if kind == "bernoulli":
        return call(kind, [count], FLOATS[state.randint(3)], p=np.round(state.rand(count), 2).tolist())
    if kind == "dropout":
        return call(kind, [count], FLOATS[state.randint(3)], p=round(state.uniform(0.1, 0.9), 2))
    return call(kind, [count], (*FLOATS, *COMPLEX)[state.randint(5)])


def stream(seed: int, calls: list[Call]) -> dict[str, Any]:
    torch.manual_seed(seed)
    return {
        "seed": seed,
        "initial_seed": torch.initial_seed(),
        "calls": [entry | stored(entry) for entry in calls],
    }


def stored(entry: Call) -> dict[str, str]:
    result = drawn(entry).contiguous().numpy()
    content = result.astype(result.dtype.newbyteorder("<")).tobytes()
    if len(content) > STORED_BYTES:
        return {"sha256": hashlib.sha256(content).hexdigest()}
    return {"data": base64.b64encode(content).decode()}


def drawn(entry: Call) -> torch.Tensor:
    kind, shape, dtype = entry["call"], entry["shape"], getattr(torch, entry["dtype"])
    if kind == "randperm":
        return torch.randperm(shape[0], dtype=dtype)
    if kind == "bernoulli":
        return torch.bernoulli(torch.tensor(entry["p"], dtype=dtype))
    if kind == "dropout":
        ones = (
            torch.empty_strided(shape, entry["strides"], dtype=dtype)
            if "strides" in entry
            else torch.empty(shape)
        )
        return torch.nn.functional.dropout(ones.to(dtype).fill_(1), entry["p"]) != 0
    low_high = (entry.get("low", 0), entry["high"]) if kind == "randint" else ()
    if "strides" in entry:
        like = torch.empty_strided(shape, entry["strides"], dtype=dtype)
        return getattr(torch, f"{kind}_like")(like, *low_high)
    return getattr(torch, kind)(*low_high, shape, dtype=dtype)


def main() -> None:
    lines = ",\n".join(json.dumps(record) for record in streams())
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(f"[\n{lines}\n]\n")
    print(f"{lines.count('initial_seed')} streams in {TARGET.name}")


if __name__ == "__main__":
    main()
