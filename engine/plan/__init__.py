"""From a graph to numpy calls: what is needed, once each, in order, with memory given back early.

`simplify` drops dead nodes and merges common subexpressions, `memory` predicts the peak, `execute` runs the
steps. Fusion of elementwise steps belongs between the first and the second.
"""

from engine.plan.execute import Plan

__all__ = ["Plan"]
