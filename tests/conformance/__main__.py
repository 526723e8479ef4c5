"""`python -m tests.conformance [op ...]`: how many cases of each op agree with torch, and the first other.

`-a` shows every difference. Without ops, all are run that are registered.
"""

from __future__ import annotations

import sys

from engine.errors import UnknownOp
from engine.registry import lookup
from tests.conformance.cases import by_op
from tests.conformance.running import difference

SHOWN = 600


def main(asked: list[str]) -> int:
    every = "-a" in asked
    names = [name for name in asked if name != "-a"]
    good = bad = 0
    for op, cases in by_op().items():
        if names and not {op, op.rpartition(".")[2]} & set(names):
            continue
        try:
            lookup(op)
        except UnknownOp:
            if names:
                print(f"{op}: not registered, {len(cases)} cases")
            continue
        found = [(at, text) for at, case in enumerate(cases) if (text := difference(case))]
        good, bad = good + len(cases) - len(found), bad + len(found)
        print(f"{op}: {len(cases) - len(found)} passed, {len(found)} failed")
        for at, text in found if every else found[:1]:
            case = cases[at]
            print(
                f"  case {at} {case['variant']} args {str(case['args'])[:200]} kwargs {case['kwargs']}"[:400]
            )
            print(f"    {text[:SHOWN]}")
    print(f"{good} passed, {bad} failed")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
