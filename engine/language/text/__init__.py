"""Programs as text: `y = x + 2` read into statements, and statements written as text.

Python's grammar against a closed list of its nodes; nothing is evaluated. Where things are, each line from
what it needs to what needs it:

bounds      scan (tokens, before a parser sees them), places (lines and columns)
names       names (what a name stands for, and its id), operators
reading     expressions, calls, functions, loops, read
writing     nesting (desugared statements nested again), words (arguments), write
"""

from __future__ import annotations

from engine.language.text.places import Places
from engine.language.text.read import Read, read
from engine.language.text.write import write

__all__ = ["Places", "Read", "read", "write"]
