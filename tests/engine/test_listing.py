"""Graphs and plans as text; docs/derivatives.md has more of them."""

import textwrap

import engine
from engine.graph import Graph
from engine.graph_builder import GraphBuilder
from engine.limits import Limits
from engine.listing import graph_text, plan_text
from engine.plan import Plan
from engine.types import Type


def shown(text: str) -> str:
    return textwrap.dedent(text).strip("\n")


def test_values_are_called_as_their_statements_call_them() -> None:
    product = {"id": "y", "op": "mul", "in": [{"op": "exp", "in": ["x"]}, 3]}
    program = engine.Program([product, {"id": "s", "op": "sum", "in": ["y"]}])
    prepared = program.prepare({"x": engine.ones(2, requires_grad=True)})
    assert graph_text(prepared.graph.nodes) == shown("""
        %0 = exp(x)                float32[2]
        y = mul(%0, 3)             float32[2]
        s = _sum_all(y)            float32[]
        %3 = ones_like(s)          float32[]   of s
        %4 = expand(%3, size=[2])  float32[2]  of s
        %5 = mul(%4, 3)            float32[2]  of y
        %6 = mul(%5, %0)           float32[2]  of exp
        """)
    assert plan_text(prepared.plan) == shown("""
        %0 = exp(x)        float32[2]
        y = mul(%0, 3)     float32[2]
        s = _sum_all(y)    float32[]   frees y
        %6 = mul(3.0, %0)  float32[2]  frees %0
        -> s, %6
        """)


def test_a_choice_shows_its_branches() -> None:
    choice = {
        "id": "c",
        "op": "cond",
        "in": ["p"],
        "then": {"yield": {"op": "mul", "in": ["x", 2]}},
        "else": {"do": [{"id": "noise", "op": "randn", "in": [[2]]}], "yield": "w"},
    }
    inputs = {"x": engine.ones(2, requires_grad=True), "w": engine.ones(2), "p": engine.tensor(True)}
    prepared = engine.Program([choice]).prepare(inputs, gradient=engine.ones(2))
    assert graph_text(prepared.graph.nodes) == shown("""
        c, %0.state = cond(p, x, w)             float32[2], int64[]
        %1.0 = cond_vjp(%0.state, p, x, w, %a)  float32[2]           of c
        """)
    assert plan_text(prepared.plan) == shown("""
        c, %0.record = cond(p, x, w)  float32[2], int64[]
            then(x, w):
              %0 = mul(x, 2)  float32[2]
              -> %0
            else(x, w):
              noise = randn(size=[2])  float32[2]  frees noise
              -> w
        %1.0 = cond_vjp(p, %a)        float32[2]
            then(%a):
              %1 = mul(%a, 2)  float32[2]
              -> %1
            else(%a):
              -> 0.0
        -> c, %1.0, %0.record
        """)


def test_several_results_and_sizes_of_the_run() -> None:
    builder = GraphBuilder(Graph(), Limits())
    x = builder.graph.input(Type((3, 2), engine.float32), name="x")
    values, _ = builder.F.max(x, -1)
    kept = builder.F.getitem(x, builder.F.gt(x, 0))
    assert plan_text(Plan(builder.graph.nodes, [x], [values, kept])) == shown("""
        %0.0, %0.1 = _max_dim(x, dim=-1)  float32[3], int64[3]  frees %0.1
        %1 = gt(x, 0)                     bool[3, 2]
        %2 = _index(x, %1)                float32[≤6]           frees %1
        -> %0.0, %2
        """)


def test_what_is_fused_stands_under_its_group() -> None:
    product = {"id": "y", "op": "mul", "in": [{"op": "exp", "in": ["x"]}, 3]}
    program = engine.Program([product, {"id": "s", "op": "sum", "in": ["y"]}])
    prepared = program.prepare({"x": engine.ones(100_000, requires_grad=True)})
    assert plan_text(prepared.plan) == shown("""
        s, %6 = together, 1 × 100000 rows:  float32[], float32[100000]
            %0 = exp(x)        float32[100000]
            y = mul(%0, 3)     float32[100000]
            s = _sum_all(y)    float32[]
            %6 = mul(3.0, %0)  float32[100000]
        -> s, %6
        """)
