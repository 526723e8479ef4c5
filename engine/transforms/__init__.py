"""Graph → graph: derivatives appended to the graph that they are of, so that they apply again to the result."""

from engine.transforms.grad import Sweep, grad

__all__ = ["Sweep", "grad"]
