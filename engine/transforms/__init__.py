"""Graph → graph: derivatives appended to the graph they are of, so that they apply again."""

from engine.transforms.grad import Sweep, grad

__all__ = ["Sweep", "grad"]
