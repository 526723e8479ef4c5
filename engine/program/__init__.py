"""Programs: statements lowered to a graph, planned once and run many times.

Where things are, each line from what it needs to what needs it:

graph       slots (`.grad`), iteration, control and loops, lowering (statements to graph)
answer      trace, result, answer
program     request, compiled, explain, program
"""
