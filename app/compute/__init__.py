"""The compute boundary: a request's body goes in, the answer's body comes out, wherever the work is done.

call        Call and Answer, what crosses the boundary
reading     a body → the request's parts, checked, its tensors decoded
service     a body → an answer; plain functions, the same in every place
registry    PUT, GET and DELETE of /graphs/{name}
programs    the graphs seen lately, parsed
kinds       a body in two: its numbers, and what it says beside them
outlines    a body's text around its numbers
known       kinds of requests that were answered before: plan and answer at hand
front       decides where: tiny known graphs here, everything else there
shares      how the processors are shared out
pool        compute processes, killed at their deadline and replaced
process     one of them, as the front sees it
worker      what runs in it
warm        what a place computes before it says that it is ready
threads     one thread instead, for tests and for systems without fork
malloc      freed memory is kept, for large bodies and arrays
frames      how front and process talk
shared      the memory in which large bodies cross
attaching   a binary body → JSON, and tensors at their places
"""

from app.compute.call import Answer, Call
from app.compute.front import Compute

__all__ = ["Answer", "Call", "Compute"]
