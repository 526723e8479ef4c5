"""What torch says in the scenarios of tests/engine/behaviour, stored in tests/engine/data/behaviour.json."""

import json
import warnings
from pathlib import Path

import torch

from tests.engine.behaviour import MODULES, names, play

TARGET = Path(__file__).resolve().parents[1] / "engine" / "data" / "behaviour.json"


def main() -> None:
    warnings.simplefilter("ignore")
    touch = torch.autograd.graph.increment_version
    said = {
        module: {name: play(module, name, torch, touch) for _, name in names(module)} for module in MODULES
    }
    TARGET.write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{sum(map(len, said.values()))} scenarios in {TARGET.name}")


if __name__ == "__main__":
    main()
