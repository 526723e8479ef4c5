"""The bounds on a text, held by a scanner before Python's parser sees it.

A parser takes memory for each token and stack for each level: brackets, blocks, and operators in a row, which
nest too (`a + a + a` is two levels, `---a` three). So tokens are counted, and so is what may nest.
"""

from __future__ import annotations

import re

from engine.errors import LimitExceeded, Place
from engine.language.text.places import Source
from engine.limits import Limits

_ESCAPES = r"""\\(?:[\\'"nrt]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})"""
_TOKEN = re.compile(
    rf"""(?P<space>[ \t]+|\\\n|\#[^\n\0]*)
    |(?P<line>\n)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?!['"])
    |(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?j?)(?![A-Za-z0-9_.])
    |(?P<string>'(?!'')(?:[^'\\\n\0]++|{_ESCAPES})*+'|"(?!"")(?:[^"\\\n\0]++|{_ESCAPES})*+")
    |(?P<open>[(\[{{])
    |(?P<close>[)\]}}])
    |(?P<end>[,;:=](?!=))
    |(?P<operator>\*\*|//|<<|>>|[<>=!]=|[-+*/@%&|^~<>.])""",
    re.X,
)
_LEVELS = 4  # of a syntax tree, for each level of a program
_DIGITS = 100  # of a number
_NAMES = 64  # letters of a name


def scan(text: str, limits: Limits) -> None:
    """Refuse a text of too many tokens, of too many levels, or with a character that no token begins with."""
    if len(text) > limits.text:
        raise _exceeded("text", len(text), limits.text, Place(1, 1))
    source = Source(text)
    at = tokens = elifs = 0
    chains = [0]  # operators in a row, of each open bracket
    line, start = 1, 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise source.refused("this is no token of the language", Place(line, at - start + 1))
        kind, at = found.lastgroup, found.end()
        if kind == "line" or (kind == "space" and found[0].endswith("\n")):
            line, start = line + 1, at
        if kind == "space":
            continue
        tokens += 1
        if kind == "name":
            elifs += found[0] == "elif"
            _short(source, found, _NAMES, Place(line, found.start() - start + 1))
        elif kind == "number":
            _short(source, found, _DIGITS, Place(line, found.start() - start + 1))
        _follow(chains, kind, found[0])
        if tokens > limits.tokens:
            raise _exceeded("tokens", tokens, limits.tokens, Place(line, found.start() - start + 1))
        levels = max(len(chains) - 1, elifs, -(-sum(chains) // _LEVELS))
        if levels > limits.depth:
            raise _exceeded("depth", levels, limits.depth, Place(line, found.start() - start + 1))


def _follow(chains: list[int], kind: str | None, token: str) -> None:
    """What a token does to the levels that are open."""
    if kind == "open":
        chains[-1] += 1
        chains.append(0)
    elif kind == "close":
        if len(chains) > 1:
            chains.pop()
    elif kind == "end" or (kind == "line" and len(chains) == 1):
        chains[-1] = 0
    elif kind == "operator" or token in ("not", "and", "or", "if", "is", "in", "await", "lambda"):
        chains[-1] += 1


def _short(source: Source, found: re.Match[str], longest: int, place: Place) -> None:
    if found.end() - found.start() > longest:
        raise source.refused(f"a name or a number has at most {longest} characters", place)


def _exceeded(limit: str, asked: int, allowed: int, place: Place) -> LimitExceeded:
    error = LimitExceeded(limit, asked, allowed)
    error.pointer = ("graph", place)
    return error
