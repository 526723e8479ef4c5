"""Timed cases, side by side with others: `make bench`. Never part of the tests; README.md says how to read.

case        what a row of the table is: sides, figures, answers, aims
cases       the rows, by group
ours        gradwire's side of a case
peers       the other side in this process: torch, jax, HIPS autograd
served      the other side as servers
servers     servers and the client, started and ended; load is that client, tensorfile the binary body
timing      seconds; sides in turns
peak        memory
checking    answers against torch's
chains      the chain of ops that many cases run, and what a statement of it costs
machine     what the figures were taken on
report      figures to rows, rows to a table
"""
