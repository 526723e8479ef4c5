"""From a graph to numpy calls: what is needed, once each, in order, with memory given back early.

instruction   one call
identities    what equals what, bit for bit
products      what large matrix products equal
folding       what depends on no input
late          calls whose sizes only a run tells
simplify      dead code, common subexpressions, and the two above
reducing      reductions as numpy's
rows          which calls can run on some rows at a time
grouping      which of them run together, and in which order
slots         where the arrays of a tile are
block         a group's calls on a tile: where each array is
bound         the same with the memory of one thread
tiles         a group as one kernel, tile by tile, on several threads
memory        bytes at the peak and flops, predicted
frame         straight-line calls in one thread's memory
registers     what a frame holds while it is built
binder        from calls to a frame
execute       Plan: all of it
first         the plan of a graph that is seen for the first time
"""

from engine.plan.execute import Plan

__all__ = ["Plan"]
