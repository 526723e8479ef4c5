"""Programs: statements lowered to a graph, planned once and run many times.

Where things are, each line from what it needs to what needs it:

graph       slots (`.grad`), changes (of flags and slots), scope, loops, choices and functions (bodies),
            lowering (statements to graph)
asked       request, batch, derivation
answer      edges, trace, rendering, result, answer
program     seeding, compiled, plans (kept), repeat, explain, prepared, function (define-by-run), program,
            gradcheck
"""
