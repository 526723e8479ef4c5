"""Graph to graph: derivatives, in any order and any direction, as nodes appended to a graph.

Where things are, each line from what it needs to what needs it:

values      rules (what a rule appends, traced once), reverse (vjp, grad), forward (jvp: its transpose)
bases       derivatives (Jacobians, Hessians: a batch level over unit vectors)
"""
