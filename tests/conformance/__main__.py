"""`python -m tests.conformance [op ...]`: how many cases of each op agree with torch, and the first other.

`-a` shows every difference, `-e` takes the calls that torch refuses, `-t` is the table of what each op is
compared with. Without ops, all that are registered.
"""

from __future__ import annotations

import sys

from tests.conformance.cases import by_op, is_registered, refused
from tests.conformance.coverage import table
from tests.conformance.refusing import unlike
from tests.conformance.running import difference

SHOWN = 600


def main(asked: list[str]) -> int:
    if "-t" in asked:
        print(*(f"{row.op}\t{row.cases}\t{row.refused}\t{row.samples}" for row in table()), sep="\n")
        return 0
    names = {name for name in asked if name[:1] != "-"}
    check, stored = (unlike, refused()) if "-e" in asked else (difference, by_op())
    good = bad = 0
    for op, cases in stored.items():
        if names and not {op, op.rpartition(".")[2]} & names:
            continue
        if not is_registered(op):
            if names:
                print(f"{op}: not registered, {len(cases)} cases")
            continue
        found = [(at, text) for at, case in enumerate(cases) if (text := check(case))]
        good, bad = good + len(cases) - len(found), bad + len(found)
        print(f"{op}: {len(cases) - len(found)} passed, {len(found)} failed")
        for at, text in found if "-a" in asked else found[:1]:
            case = cases[at]
            print(
                f"  case {at} {case['variant']} args {str(case['args'])[:200]} kwargs {case['kwargs']}"[:400]
            )
            print(f"    {text[:SHOWN]}")
    print(f"{good} passed, {bad} failed")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
