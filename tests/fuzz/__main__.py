"""`python -m tests.fuzz [--programs 10000] [--seed 0] [--depth 30] [op ...]`: counts, and what disagrees."""

from __future__ import annotations

import argparse
import json
import random
import sys
import warnings
from collections import Counter

import engine
from tests.engine.generated import INPUTS, Drawn
from tests.fuzz import drawing, peer
from tests.fuzz.comparing import differences, is_shaky
from tests.fuzz.drawing import Program
from tests.fuzz.running import WAYS, eager


def program_of(seed: int, depth: int, ops: list[engine.Entry]) -> Program:
    """The program of a seed."""
    rng = random.Random(seed)
    if rng.random() < drawing.CONTROL:
        drawn = Drawn(seed, draws=False)
        return Program(drawn.graph, {name: drawn.inputs[name] for name in INPUTS}, drawn.outputs, [])
    return drawing.draw(rng, depth, ops)


def check(program: Program, seed: int, counts: Counter[str]) -> list[str]:
    """What disagrees."""
    if program.failed:
        return [f"a call of {each}" for each in program.failed]
    reference = eager(program, seed)
    counts[
        "refused by all ways" if reference.error else "with a gradient" if reference.grads else "without"
    ] += 1
    found = []
    for name, way in WAYS.items():
        found += [f"{name}: {each}" for each in differences(reference, way(program, seed))]
    if peer.torch is not None and not reference.error and not found:
        flags = engine.Program(program.graph).forward(program.inputs, outputs=program.outputs).outputs
        theirs = peer.run(program, flags, seed)
        counts["run by torch, too" if theirs else "not as torch has it"] += 1
        if theirs is not None:
            found += [f"torch: {each}" for each in differences(theirs, reference, 1e-7)]
    if found and is_shaky(program, seed):
        counts["not told: the answer moves with the inputs' last digits"] += 1
        return []
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("ops", nargs="*", help="only these ops (and what inputs are made of)")
    parser.add_argument("--programs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0, help="of the first program")
    parser.add_argument("--depth", type=int, default=30)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    ops = [op for op in drawing.callable_ops() if not asked.ops or op.name in asked.ops]
    counts: Counter[str] = Counter()
    used: Counter[str] = Counter()
    wrong = 0
    for seed in range(asked.seed, asked.seed + asked.programs):
        program = program_of(seed, asked.depth, ops)
        counts["programs"] += 1
        counts["statements"] += len(program.graph)
        used.update(each["op"] for each in program.graph if "op" in each)
        try:
            found = check(program, seed, counts)
        except Exception as error:  # no way may fail otherwise than by an error of the engine's
            found = [f"{type(error).__name__}: {error}"]
        if found:
            wrong += 1
            print(f"seed {seed}: {'; '.join(found[:3])}\n  {json.dumps(program.graph)[:1500]}", flush=True)
    for name, count in counts.items():
        print(f"{count:>8,}  {name}")
    print(f"{len(used):>8,}  ops of {len(ops)}\n{wrong:>8,}  disagree")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
