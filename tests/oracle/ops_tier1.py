"""Ask torch for every tier-1 op and write `data/`: `python -m tests.oracle.ops_tier1 [kind ...]`."""

import gzip
import json
import sys
from collections import Counter
from typing import Any

from . import DATA, FAMILIES, FAMILY_OF, Case, Json, tensors
from . import cases as stored
from .build import cast
from .opdb import opdb_cases
from .record import failure, record, second
from .requests import expression, program
from .samples import BY_FAMILY, requests
from .samples import errors as refused
from .samples import texts as expressions

SECOND = 10
# ops whose first cases are asked again in complex128; the rest have complex cases by hand
COMPLEX = "sum mean prod squeeze unsqueeze reshape view flatten permute transpose select slice to".split()


def variants(calls: list[Json]) -> list[Json]:
    """The first two float64 calls of each op again in float32, one in complex128 for ops in COMPLEX."""
    found, seen = [], Counter[str]()
    for call in calls:
        text = json.dumps(call)
        if '"float64", "shape": [2' not in text or "seed" in call:
            continue
        seen[call["op"]] += 1
        if seen[call["op"]] <= 2:
            found.append(cast(call, "float32"))
        if seen[call["op"]] == 1 and call["op"] in COMPLEX:
            found.append(cast(call, "complex128"))
    return found


def unique(calls: list[Json]) -> list[Json]:
    return list({json.dumps(call, sort_keys=True): call for call in calls}.values())


def family(name: str) -> list[Json]:
    """The records of one family, numbered per op."""
    by_hand = [call for module in BY_FAMILY[name] for call in module.cases()]
    calls = unique([*by_hand, *variants(by_hand), *opdb_cases(name)])
    assert {call["op"] for call in calls} == {op for op, owner in FAMILY_OF.items() if owner == name}, name
    found = []
    for call in calls:
        try:
            found.append(record(call))
        except Exception as error:
            raise ValueError(f"torch refuses {json.dumps(call)}") from error
    return number(found)


def number(records: list[Json], prefix: str = "") -> list[Json]:
    """The records with ids that count per op, or per kind."""
    count, found = Counter[str](), []
    for item in records:
        name = prefix or item["op"]
        found.append({"id": f"{name}-{count[name]}", **item})
        count[name] += 1
    return found


def errors(_: str) -> list[Json]:
    return [
        {**item, "id": item["id"].replace("-", "-e")}
        for item in number([failure(call) for call in refused.cases()])
    ]


def texts(_: str) -> list[Json]:
    return number([expression(call) for call in expressions.cases()], "text")


def programs(_: str) -> list[Json]:
    return number([program(call) for call in requests.cases()], "program")


def derivatives(_: str) -> list[Json]:
    """Second derivatives of up to SECOND float64 cases an op; what torch refuses goes to no_second.json."""
    found, refusals = [], {}
    for op in FAMILY_OF:
        calls = [case for case in stored("ops") if case["op"] == op and all_double(case)]
        for call in calls[:: max(1, len(calls) // SECOND)][:SECOND]:
            try:
                result = second(call)
            except Exception as error:
                refusals[call.id] = str(error)
                continue
            if result is not None:
                found.append({"case": call.id, **result})
    (DATA / "no_second.json").write_text(json.dumps(refusals, indent=1) + "\n")
    return found


def all_double(case: Case) -> bool:
    wanted = [leaf["dtype"] for leaf in tensors(case) if leaf["requires_grad"]]
    return bool(wanted) and set(wanted) == {"float64"} and any(item is not None for item in case["grads"])


def write(name: str, records: list[Json]) -> None:
    lines = [json.dumps(item, separators=(",", ":"), allow_nan=False) + "\n" for item in records]
    path = DATA / f"{name}.jsonl.gz"
    path.write_bytes(gzip.compress("".join(lines).encode(), 9, mtime=0))
    print(f"{name}: {len(lines)} records, {path.stat().st_size} bytes")


def main(kinds: list[str]) -> None:
    makers: dict[str, Any] = dict.fromkeys(FAMILIES, family)
    makers.update({"errors": errors, "text": texts, "programs": programs, "second": derivatives})
    for name in kinds or makers:
        write(name, makers[name](name))


if __name__ == "__main__":
    main(sys.argv[1:])
