"""What torch computes in the compositions of tests/engine/compositions, in tests/engine/data."""

import json
import warnings
from pathlib import Path

import torch

from tests.engine.compositions import MODULES, compose, names

from .record import encode

TARGET = Path(__file__).resolve().parents[1] / "engine" / "data" / "compositions.json"


def main() -> None:
    warnings.simplefilter("ignore")
    found = {
        module: {
            name: {place: encode(tensor, flag=True) for place, tensor in compose(module, name, torch).items()}
            for _, name in names(module)
        }
        for module in MODULES
    }
    lines = json.dumps(found, separators=(",", ":")).replace('},"', '},\n"')
    TARGET.write_text(lines + "\n", encoding="utf-8")
    print(f"{sum(map(len, found.values()))} compositions in {TARGET.name}")


if __name__ == "__main__":
    main()
