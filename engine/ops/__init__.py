"""The families of ops. Importing this package fills the registry."""

from engine.ops import arithmetic, casting, creation, reductions, shape, sizes, transposing

__all__ = ["arithmetic", "casting", "creation", "reductions", "shape", "sizes", "transposing"]
