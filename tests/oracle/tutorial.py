"""What torch prints for the examples that run on either, stored in tests/examples/data."""

import sys

import torch

from tests.examples.running import STORED, printed

NAMES = ("tutorial", "custom_function")


def main() -> None:
    sys.modules["engine"] = torch
    for name in NAMES:
        text = printed(name)
        (STORED / f"{name}.txt").write_text(text, encoding="utf-8")
        print(f"{len(text.splitlines())} lines in {name}.txt")


if __name__ == "__main__":
    main()
