"""The families of ops. Importing this package fills the registry."""

from engine.ops import arithmetic, casting, creation, reductions, shape

__all__ = ["arithmetic", "casting", "creation", "reductions", "shape"]
