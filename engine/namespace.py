"""torch's dotted paths as objects: `engine.linalg.norm`, `engine.nn.functional.gelu`."""

from __future__ import annotations

from engine.errors import UnknownOp
from engine.op import Op
from engine.registry import known_names, lookup


class Namespace:
    """The ops whose names, or other names, begin with a path."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __getattr__(self, name: str) -> Op | Namespace:
        path = f"{self._path}.{name}"
        try:
            return lookup(path)
        except UnknownOp:
            if any(known.startswith(f"{path}.") for known in known_names()):
                return Namespace(path)
        raise AttributeError(f"module 'engine.{self._path}' has no attribute '{name}'")

    def __dir__(self) -> list[str]:
        inside = f"{self._path}."
        names = (each.removeprefix(inside) for each in known_names() if each.startswith(inside))
        return sorted({name.partition(".")[0] for name in names})
