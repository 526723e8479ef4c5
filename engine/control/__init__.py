"""Control flow as nodes: a loop or a choice is one op whose kernel runs plans of its bodies.

A `while`, a `scan` and the vjp of either are one kernel, `Loop`; a `cond` and its vjp are another, `Branch`.
Their derivatives are loops and branches again, so that any order and any batch is the same code.

Where things are, each line from what it needs to what needs it:

pieces      body (a graph with inputs and outputs), history (an entry per iteration), kernel (what both are)
loops       spec (what one is), parts (operands and results), backward, forward, segments (checkpoints),
            running, loop
choices     branch
"""
