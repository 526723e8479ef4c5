"""The compute boundary: a request's body goes in, the answer's body comes out, wherever the work is done.

call        Call and Answer, what crosses the boundary
service     a body → an answer; plain functions, the same in every place
programs    the graphs seen lately, parsed
front       decides where: tiny known graphs here, everything else there
pool        compute processes, killed at their deadline and replaced
worker      what runs in such a process
threads     one thread instead, for tests and for systems without fork
frames      how front and process talk
"""

from app.compute.call import Answer, Call
from app.compute.front import Compute

__all__ = ["Answer", "Call", "Compute"]
