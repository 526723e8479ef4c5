"""torch's dotted paths as objects: `engine.linalg.norm`, `engine.nn.functional.gelu`."""

from __future__ import annotations

from engine.op import REGISTRY, Op


class Namespace:
    """The ops whose names begin with a path."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __getattr__(self, name: str) -> Op | Namespace:
        path = f"{self._path}.{name}"
        if path in REGISTRY:
            return REGISTRY[path]
        if any(known.startswith(f"{path}.") for known in REGISTRY):
            return Namespace(path)
        raise AttributeError(f"module 'engine.{self._path}' has no attribute '{name}'")

    def __dir__(self) -> list[str]:
        inside = f"{self._path}."
        return sorted(
            {each.removeprefix(inside).partition(".")[0] for each in REGISTRY if each.startswith(inside)}
        )
