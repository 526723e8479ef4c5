"""`python -m bench`: a table of what reading, planning and running a statement costs."""

import argparse
import platform

import numpy as np

from bench.chains import Costs, costs
from bench.timing import median

LENGTHS = (100, 500, 1_000, 5_000, 50_000)
AIM = (5_000, 0.100)  # statements, and the seconds in which they shall be validated


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("lengths", nargs="*", type=int, default=LENGTHS, help="statements per chain")
    lengths = parser.parse_args().lengths
    print(f"Python {platform.python_version()}, numpy {np.__version__}, {platform.machine()}; medians\n")
    print("Chains of elementwise ops on four float32 numbers: µs per statement (ms for the chain)\n")
    names = [f"{name:>16}" for name in Costs._fields]
    print(f"{'statements':>10} " + " ".join(names))
    for length in lengths:
        found = costs(length, median)
        cells = (f"{each / length * 1e6:7.2f} ({each * 1e3:6.1f})" for each in found)
        print(f"{length:>10,} " + " ".join(f"{cell:>16}" for cell in cells), flush=True)
        if length == AIM[0]:
            verdict = "met" if found.read < AIM[1] else "missed"
            print(f"{'':>10} aim: {length:,} statements validated in {AIM[1] * 1e3:.0f} ms: {verdict}")


if __name__ == "__main__":
    main()
