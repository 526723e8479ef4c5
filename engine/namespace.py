"""torch's dotted paths as modules: `engine.linalg.norm`, `engine.nn.functional.gelu`."""

from __future__ import annotations

from collections.abc import Callable

from engine.errors import UnknownOp
from engine.op import Op
from engine.registry import known_names, lookup


def members(path: str) -> tuple[Callable[[str], Op], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of the module whose ops are the registry's under `path`."""

    def get(name: str) -> Op:
        try:
            return lookup(f"{path}.{name}")
        except UnknownOp:
            raise AttributeError(f"module 'engine.{path}' has no attribute '{name}'") from None

    def names() -> list[str]:
        return sorted(
            known.removeprefix(f"{path}.") for known in known_names() if known.startswith(f"{path}.")
        )

    return get, names
