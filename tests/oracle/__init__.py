"""Results of torch 2.13, stored: every tier-1 op in the service's statement form, read without torch.

`python -m tests.oracle.ops_tier1` (needs torch) writes `data/`; `README.md` describes the records.
"""

import gzip
import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

DATA = Path(__file__).parent / "data"
FAMILIES = ("elementwise", "compare", "reductions", "linalg", "shape", "index", "autograd", "nn", "creation")

TIER1 = {
    "elementwise": "add sub mul div neg pow abs sign exp log sqrt sin cos tanh sigmoid square reciprocal"
    " maximum minimum clamp where floor ceil round rsub erf erfc",
    "compare": "eq ne lt le gt ge logical_and logical_or logical_not all any isnan isfinite",
    "reductions": "sum mean prod amax amin max min var std norm linalg.norm linalg.vector_norm"
    " logsumexp argmax argmin",
    "linalg": "matmul mm mv bmm dot outer einsum",
    "shape": "t T mT transpose permute reshape view flatten squeeze unsqueeze expand broadcast_to cat stack",
    "index": "getitem select slice index_select gather",
    "autograd": "clone detach requires_grad_ to float double contiguous",
    "nn": "relu softmax log_softmax nn.functional.leaky_relu nn.functional.elu nn.functional.gelu"
    " nn.functional.silu nn.functional.softplus nn.functional.linear nn.functional.layer_norm"
    " nn.functional.dropout nn.functional.embedding nn.functional.mse_loss nn.functional.cross_entropy"
    " nn.functional.nll_loss nn.functional.binary_cross_entropy"
    " nn.functional.binary_cross_entropy_with_logits",
    "creation": "tensor zeros ones full arange linspace eye rand randn randint zeros_like ones_like full_like"
    " rand_like randn_like randint_like",
}
FAMILY_OF = {op: family for family, ops in TIER1.items() for op in ops.split()}

Array = NDArray[Any]
Json = dict[str, Any]


class Case(dict[str, Any]):
    """One stored record; the properties turn its tensors into arrays when asked."""

    @property
    def id(self) -> str:
        return str(self["id"])

    @cached_property
    def leaves(self) -> list[tuple[Array, bool]]:
        """(array, requires_grad) of every tensor argument, in order of appearance."""
        return [(array(node), bool(node.get("requires_grad"))) for node in tensors(self)]

    @cached_property
    def out(self) -> list[Array]:
        return [array(node) for node in self["out"]]

    @cached_property
    def v(self) -> list[Array | None]:
        return [None if node is None else array(node) for node in self["v"]]

    @cached_property
    def grads(self) -> list[Array | None]:
        return [None if node is None else array(node) for node in self["grads"]]


def array(node: Json) -> Array:
    """The numpy array of {"data", "dtype", "shape"}."""
    flat: list[Any] = []
    pending = [node["data"]]
    depth = len(node["shape"]) + node["dtype"].startswith("complex")
    for _ in range(depth):
        pending = [item for items in pending for item in items]
    flat = [float(item) if isinstance(item, str) else item for item in pending]
    if node["dtype"].startswith("complex"):
        pairs = np.array(flat, dtype="float64").reshape(-1, 2)
        return pairs.view("complex128").astype(node["dtype"]).reshape(node["shape"])
    return np.array(flat, dtype=node["dtype"]).reshape(node["shape"])


def tensors(case: Json) -> list[Json]:
    """The tensor arguments of a call, in order of appearance: `in` first, then `attrs`; nested ops alike."""
    found: list[Json] = []
    pending: list[Any] = [case.get("attrs", {}), case["in"]]
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            pending.extend(reversed(item))
        elif isinstance(item, dict) and "tensor" in item:
            found.append(item["tensor"])
        elif isinstance(item, dict) and "op" in item:
            pending.extend([item.get("attrs", {}), item["in"]])
        elif isinstance(item, dict) and not item.keys() & {"slice", "ellipsis", "complex"}:
            pending.extend(reversed(list(item.values())))
    return found


def cases(kind: str) -> Iterator[Case]:
    """The records of a family, of `ops` (all families), or of `text`, `programs`, `errors`, `second`."""
    for name in FAMILIES if kind == "ops" else (kind,):
        with gzip.open(DATA / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            for line in lines:
                yield Case(json.loads(line))


def no_second() -> dict[str, str]:
    """Case id -> torch's error, where the gradient exists and its derivative is refused."""
    found: dict[str, str] = json.loads((DATA / "no_second.json").read_text())
    return found
