"""Texts that are refused: where, with which words, and before they take time or memory."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

import engine
from engine.errors import EngineError, LimitExceeded, Place

OUTSIDE = {
    "y = [e for e in x]": "1:5",
    "y = lambda: x": "1:5",
    "import os": "1:1",
    "from os import path": "1:1",
    "y = x\nclass A: pass": "2:1",
    "del x": "1:1",
    "global x": "1:1",
    "y = x\ntry:\n    y = x\nfinally: pass": "2:1",
    "assert x": "1:1",
    "raise x": "1:1",
    "y = f'{x}'": "1:5",
    "y = '''x'''": "1:5",
    "y = b'x'": "1:5",
    "y = (z := x)": "1:8",
    "y = x.__class__": "1:5",
    "y = x.shape": "1:5",
    "y = sum(*x)": "1:9",
    "y = sum(x, **w)": "1:12",
    "y += x": "1:1",
    "y: int = x": "1:1",
    "x[0] = 1": "1:1",
    "x.grad = w": "1:1",
    "y = z = x": "1:5",
    "y = x and w": "1:5",
    "y = not x": "1:5",
    "y = 0 < x < 1": "1:5",
    "y = x is None": "1:5",
    "y = x in w": "1:5",
    "y = {'a': x}": "1:5",
    "y = {x}": "1:5",
    "y = exp(x)(w)": "1:5",
    "y = x[0](w)": "1:5",
    "x + 1": "1:1",
    "'text'": "1:1",
    "y = 'a' + x": "1:5",
    "y = x[a:2]": "1:7",
    "y = 1e999": "1:5",
    "return x": "1:1",
    "for a, b in x:\n    y = a": "1:5",
    "y = x\nfor i in range(x):\n    y = y": "2:10",
    "while x > 1:\n    z = x": "1:1",
    "y = x\nwhile y < 1:\n    break": "2:1",
    "async def f(): pass": "1:1",
    "@a\ndef f(x):\n    return x": "1:2",
    "def f(a=1):\n    return a": "1:9",
    "def f(a):\n    b = a\ny = vmap(f, x)": "2:5",
    "y = vmap(f, x)": "1:10",
    "def f(a):\n    return a\ny = f(x)": "3:5",
    "y = x +": "1:8",
    "y = x\n  z = x": "2:2",
    "with open(x):\n    y = x": "1:6",
    "with no_grad() as g:\n    y = x": "1:6",
    "y = $x": "1:5",
    "y = \u00e9": "1:5",
    "y = tensor(x)": "1:12",
    "y = tensor([1], device=1)": "1:17",
    "y = einsum('\\ud800', x)": "1:12",
    "y = vmap(1, x)": "1:10",
    "y = x.retain_grad()": "1:5",
    "y = x * 0x10": "1:9",
    "y = x\x00": "1:6",
    "y = sum(x, dim=0, dim=1)": "1:19",
}


@pytest.mark.parametrize("written", OUTSIDE, ids=ascii)
def test_what_is_outside_of_the_language_is_named_by_its_place(written: str) -> None:
    with pytest.raises(EngineError) as refused:
        engine.Program(written)
    assert refused.value.code == "invalid-argument"
    assert refused.value.pointer == ("graph", OUTSIDE[written])


MEANINGLESS = {
    "y = x + 2\nz = foo(y)": ("unknown-op", "2:5", "unknown op 'foo'"),
    "y = x.foo(2)": ("unknown-op", "1:5", "unknown op 'foo'"),
    "y = sum(x, nope=1)": ("unknown-field", "1:12", "sum() got an unexpected keyword argument 'nope'"),
    "x = x * 2": ("unknown-id", "1:5", "id 'x' is used before it is defined"),
    "y = -z\nz = x * 2": ("unknown-id", "1:6", "id 'z' is used before it is defined"),
    "y = x\nfor i in range(3):\n    z = y * i\n    y = z\na = z": (
        "unknown-id",
        "5:5",
        "'z' is defined inside a loop",
    ),
    "y = x\nif x > 1:\n    z = x\n    y = x + 1\na = z": (
        "unknown-id",
        "5:5",
        "'z' is defined inside a branch",
    ),
}


@pytest.mark.parametrize("written", MEANINGLESS, ids=ascii)
def test_what_means_nothing_is_refused_as_in_statements(written: str) -> None:
    code, place, said = MEANINGLESS[written]
    with pytest.raises(EngineError) as refused:
        engine.Program(written)
    assert (refused.value.code, refused.value.pointer) == (code, ("graph", place))
    assert said in str(refused.value)


def test_an_error_of_shapes_has_the_place_of_its_op() -> None:
    program = engine.Program("# caf\u00e9\ny = x + 2;  z = relu(y @ x)")
    with pytest.raises(EngineError) as refused:
        program.forward({"x": engine.tensor([[1.0, 2.0, 3.0]])})
    place = refused.value.pointer[1]
    assert isinstance(place, Place)
    assert (place.line, place.column) == (2, 22)


def test_columns_are_characters() -> None:
    with pytest.raises(EngineError) as refused:
        engine.Program("y = einsum('\u00e9\u00e9', x); z = lambda: 1")
    assert refused.value.pointer == ("graph", "1:26")


BOMBS = {
    "brackets": "'y = ' + '(' * n + 'x' + ')' * n",
    "lists": "'y = ' + '[' * n",
    "signs": "'y = ' + '-' * n + 'x'",
    "not": "'y = ' + 'not ' * n + 'x'",
    "powers": "'y = ' + '**'.join(['x'] * n)",
    "sums": "'y = ' + '+'.join(['x'] * n)",
    "calls": "'y = x' + '.sum()' * n",
    "indices": "'y = x' + '[0]' * n",
    "choices": "'y = ' + 'x if x else ' * n + 'x'",
    "elif": "'if x:\\n y = 1\\n' + 'elif x:\\n y = 2\\n' * n",
    "tokens": "'y = x;' * n * 10",
    "comparisons": "'y = ' + '<'.join(['x'] * n)",
    "lambdas": "'y = ' + 'lambda:' * n + 'x'",
    "blocks": "''.join(' ' * i + 'with no_grad():\\n' for i in range(99)) + ' ' * 99 + 'y = x'",
    "characters": "'#' * n * 100",
    "a long line": "'y = sum(' + 'x,' * n * 4 + ')'",
    "lists of lists": "'a0 = [1, 2]\\n' + ''.join(f'a{i} = [a{i-1}, a{i-1}]\\n' for i in range(1, 60))",
    "functions": "'def f0(a):\\n  return a\\n' + ''.join("
    "f'def f{i}(a):\\n  b = vmap(f{i-1}, a)\\n  c = vmap(f{i-1}, b)\\n"
    "  d = vmap(f{i-1}, c)\\n  return vmap(f{i-1}, d)\\n' for i in range(1, 16)) + 'y = vmap(f15, x)'",
}
SCRIPT = """
import resource, engine
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
n = 100_000
for name, written in {}.items():
    try:
        engine.Program(eval(written))
        print(name, "read")
    except engine.errors.LimitExceeded as error:
        print(name, "refused", error.pointer[0])
"""


def test_texts_that_would_take_too_much_are_refused_first() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    found = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(repr(BOMBS))],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert found.stdout.splitlines() == [f"{name} refused graph" for name in BOMBS]
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 30


@pytest.mark.parametrize("limit", ["tokens", "text"])
def test_limits_just_under_and_just_over(limit: str) -> None:
    written = "y = -x\n"  # 5 tokens, a line's end among them, in 7 characters
    size = {"tokens": 5, "text": 7}[limit]
    engine.Program(written, limits=engine.Limits(**{limit: size}))
    with pytest.raises(LimitExceeded) as refused:
        engine.Program(written, limits=engine.Limits(**{limit: size - 1}))
    assert refused.value.limit == limit


def test_depth_is_that_of_statements() -> None:
    deepest = "y = " + "-" * 40 + "x"
    engine.Program(deepest)
    with pytest.raises(LimitExceeded) as refused:
        engine.Program("y = " + "-" * 60 + "x")
    assert refused.value.limit == "depth"
