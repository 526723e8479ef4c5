"""torch.nn, as far as it has functions."""

from engine.nn import functional

__all__ = ["functional"]
