"""torch's own refused calls (OpInfo's error inputs) with its sentences, for tests/conformance.

`python -m tests.oracle.opinfo_errors` (needs torch) writes `tests/conformance/data/errors.jsonl.gz`: a call
a line, as in `opdb.jsonl.gz` there, with `error` (the class) and `message` (the text) instead of results.
"""

import collections
import gzip
import json
import sys
from typing import Any

import torch

from tests.conformance.cases import DATA

from .opdb import op_db

MOST = 5000  # elements
Json = dict[str, Any]


class Unwritable(Exception):
    """No request can have this argument."""


def encode(value: Any) -> Any:
    """An argument as it is stored."""
    if isinstance(value, torch.Tensor):
        return tensor(value)
    if isinstance(value, (list, tuple)):
        return [encode(each) for each in value]
    if isinstance(value, torch.dtype):
        if value in (torch.bfloat16, torch.complex32):
            raise Unwritable("dtype")
        return {"$dtype": str(value)[6:]}
    if isinstance(value, slice):
        return {"$slice": [value.start, value.stop, value.step]}
    if value is Ellipsis:
        return {"$ellipsis": 1}
    if isinstance(value, complex):
        return {"$c": [value.real, value.imag]}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise Unwritable(type(value).__name__)


def tensor(value: torch.Tensor) -> Json:
    if value.layout != torch.strided or value.device.type != "cpu" or value.dtype == torch.bfloat16:
        raise Unwritable("tensor")
    if value.numel() > MOST:
        raise Unwritable("size")
    plain = value.detach().resolve_conj()
    data = torch.view_as_real(plain).tolist() if plain.is_complex() else plain.tolist()
    head = {"dtype": str(value.dtype)[6:], "shape": list(value.shape), "rg": value.requires_grad}
    return {"$t": data, **head}


def record(info: Any, sample: Any) -> Json:
    """A refused call; Unwritable where no request says it."""
    named = dict(sample.kwargs)
    if str(named.get("device")) == "cpu":
        del named["device"]
    if named.keys() & {"out", "device", "layout"}:
        raise Unwritable("out, device or layout")
    found = {"op": info.name, "variant": info.variant_test_name, "input": encode(sample.input)}
    found |= {"args": encode(sample.args), "kwargs": {name: encode(value) for name, value in named.items()}}
    try:
        info.op(sample.input, *sample.args, **sample.kwargs)
    except Exception as error:  # whatever torch raises is what is recorded
        return {**found, "error": type(error).__name__, "message": str(error)}
    raise Unwritable("accepted")


def main() -> int:
    lines, left = [], collections.Counter[str]()
    for info in op_db():
        if info.error_inputs_func is None:
            continue
        torch.manual_seed(0)
        for each in info.error_inputs("cpu"):
            try:
                lines.append(json.dumps({**record(info, each.sample_input), "regex": each.error_regex}))
            except Unwritable as reason:
                left[f"{reason}: {info.name}"] += 1
    text = "".join(f"{line}\n" for line in lines)
    (DATA / "errors.jsonl.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(len(lines), "recorded;", sum(left.values()), "left out:", dict(left))
    return 0


if __name__ == "__main__":
    sys.exit(main())
