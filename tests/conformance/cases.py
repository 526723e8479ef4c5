"""The stored cases: `data/opdb.jsonl.gz`, one JSON object a line.

`op` and `variant` are OpInfo's names; `input`, `args` and `kwargs` the call, in OpInfo's order; `out`,
`grad_fn`, `v` and `grads` torch's answer in float64 at seed 0. A tensor is `{"$t", "dtype", "shape", "rg"}`.
"""

from __future__ import annotations

import gzip
import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

from engine.errors import UnknownOp
from engine.registry import lookup

Json = dict[str, Any]

DATA = Path(__file__).parent / "data"
STORED = DATA / "opdb.jsonl.gz"
REFUSED = DATA / "errors.jsonl.gz"

# OpInfo's names for what has another name here.
NAMES = {
    "__getitem__": "getitem",
    "__radd__": "add",
    "__rdiv__": "div",
    "__rmul__": "mul",
    "__rmatmul__": "matmul",
    "__rmod__": "remainder",
    "__rpow__": "pow",
    "__rsub__": "rsub",
}
# Internals, in-place and backward ops, torch.masked, dtypes that are refused.
LEFT_OUT = ("masked.", "native_", "torch.ops.", "max_pool2d_with_indices_backward", "to_sparse")
LEFT_OUT += ("bfloat16", "chalf", "zero_", "nn.functional.linear_cross_entropy")


def is_kept(name: str) -> bool:
    """Whether cases of OpInfo's `name` are stored."""
    if name in NAMES:
        return True
    return not (name.startswith(("_", *LEFT_OUT)) or name.endswith("_copy"))


@cache
def by_op() -> dict[str, list[Json]]:
    """The cases of each op under its name here; `at` is the index of each."""
    return _grouped(STORED)


@cache
def refused() -> dict[str, list[Json]]:
    """Calls that torch refuses, by op: `error` is the class, `message` the text; `out` and `v` are empty."""
    return _grouped(REFUSED)


def _grouped(path: Path) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            case = json.loads(line)
            cases = found.setdefault(op_of(case), [])
            cases.append({**case, "at": len(cases)})
    return found


def is_registered(name: str) -> bool:
    """Whether there is an op of that name: `unfold` is Tensor's, and no short name of nn.functional's."""
    try:
        found = lookup(name)
    except UnknownOp:
        return False
    return name == found.name or name in found.aliases


def op_of(case: Json) -> str:
    name: str = case["op"]
    return NAMES.get(name, name)


def store(source: Path) -> None:
    """Write the cases that are kept out of all those that were recorded."""
    with gzip.open(source, "rt", encoding="utf-8") as lines:
        kept = [line for line in lines if is_kept(json.loads(line)["op"])]
    STORED.write_bytes(gzip.compress("".join(kept).encode(), 9, mtime=0))


if __name__ == "__main__":
    store(Path(sys.argv[1]))
