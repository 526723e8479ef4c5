"""Requests that are refused: the status, the code, torch's text; and the next request works."""

from typing import Any

import httpx
import pytest

from tests.app.refusing import X, Y, checked, still_works

pytestmark = pytest.mark.anyio

INTEGERS = {"data": [1, 2], "dtype": "int64", "requires_grad": True}


def case(name: str, code: str, text: str, pointer: str | None = None, **fields: Any) -> Any:
    """A request with the input x and the graph y = 2x, but for `fields`."""
    return pytest.param(
        {"inputs": {"x": X}, "graph": Y, "gradient": [1, 1, 1], **fields}, code, text, pointer, id=name
    )


def graph(*statements: Any) -> dict[str, Any]:
    """Those statements in place of y = 2x."""
    return {"graph": list(statements)}


CASES = [
    case("not-scalar", "not-scalar", "grad can be implicitly created only for scalar outputs", gradient=None),
    case(
        "gradient-shape",
        "shape-mismatch",
        "Mismatch in shape: grad_output[0] has a shape of torch.Size([2]) and "
        "output[0] has a shape of torch.Size([3]).",
        "/gradient",
        gradient=[1, 1],
    ),
    case(
        "integer-leaf",
        "not-differentiable",
        "Only Tensors of floating point and complex dtype can require gradients",
        "/inputs/x",
        inputs={"x": INTEGERS},
    ),
    case(
        "no-gradient",
        "not-differentiable",
        "element 0 of tensors does not require grad and does not have a grad_fn",
        inputs={"x": [1.0, 2.0, 3.0]},
    ),
    case(
        "unknown-op",
        "unknown-op",
        "'mull'",
        "/graph/0/op",
        **graph({"id": "y", "op": "mull", "in": ["x", 2]}),
    ),
    case(
        "unknown-op-that-is-no-name",
        "unknown-op",
        "unknown op '…'",
        "/graph/0/op",
        **graph({"id": "y", "op": "<img src=x>", "in": ["x", 2]}),
    ),
    case(
        "unknown-id",
        "unknown-id",
        "'w'",
        "/graph/0/in/1",
        **graph({"id": "y", "op": "mul", "in": ["x", "w"]}),
    ),
    case(
        "forward-reference",
        "unknown-id",
        "'z'",
        "/graph/0/in/1",
        **graph({"id": "y", "op": "mul", "in": ["x", "z"]}, {"id": "z", "op": "mul", "in": ["x", 2]}),
    ),
    case("duplicate-id", "duplicate-id", "'y'", "/graph/1/id", **graph(*Y, *Y)),
    case(
        "input-id-twice", "duplicate-id", "'x'", "/inputs/x", **graph({"id": "x", "op": "mul", "in": [1, 2]})
    ),
    case("unknown-output", "unknown-id", "'q'", "/outputs/0", outputs=["q"]),
    case("unknown-gradient-name", "unknown-id", "'q'", "/gradient/q", gradient={"q": [1]}),
    case("unknown-field", "unknown-field", "/gradients", "/gradients", gradients=1),
    case(
        "unknown-field-of-a-statement",
        "unknown-field",
        "/graph/0/input",
        "/graph/0/input",
        **graph({"id": "y", "op": "mul", "input": ["x", 2]}),
    ),
    case(
        "unknown-field-of-a-tensor",
        "unknown-field",
        "a tensor has no such field",
        "/inputs/x/type",
        inputs={"x": {"data": 1, "type": "f4"}},
    ),
    case(
        "unknown-field-of-a-nested-node",
        "unknown-field",
        "",
        "/graph/0/in/0/inn",
        **graph({"id": "y", "op": "mul", "in": [{"op": "mul", "inn": ["x", 2]}, 2]}),
    ),
    case(
        "unknown-attribute",
        "unknown-field",
        "'dims'",
        "/graph/0/attrs/dims",
        **graph({"id": "y", "op": "sum", "in": ["x"], "attrs": {"dims": 0}}),
    ),
    case(
        "too-few-arguments",
        "invalid-argument",
        "other",
        "/graph/0",
        **graph({"id": "y", "op": "mul", "in": ["x"]}),
    ),
    case(
        "too-many-arguments",
        "invalid-argument",
        "mul",
        "/graph/0",
        **graph({"id": "y", "op": "mul", "in": ["x", 1, 2]}),
    ),
    case(
        "shapes",
        "shape-mismatch",
        "node 'y' (mul): The size of tensor a (3) must match the size of tensor b (2) at "
        "non-singleton dimension 0",
        "/graph/0",
        **graph({"id": "y", "op": "mul", "in": ["x", {"tensor": [1.0, 2.0]}]}),
    ),
    case(
        "matmul",
        "shape-mismatch",
        "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)",
        "/graph/0",
        **graph({"id": "y", "op": "matmul", "in": ["m", "m"]}),
        inputs={"m": [[1.0, 2, 3], [4, 5, 6]]},
    ),
    case(
        "ragged",
        "shape-mismatch",
        "expected sequence of length 2 at dim 1 (got 1)",
        "/inputs/x/1",
        inputs={"x": [[1, 2], [3]]},
    ),
    case(
        "ragged-literal",
        "shape-mismatch",
        "expected sequence of length 2 at dim 1 (got 1)",
        "/graph/0/in/0/tensor/1",
        **graph({"id": "y", "op": "exp", "in": [{"tensor": [[1, 2], [3]]}]}),
    ),
    case(
        "string-number",
        "invalid-argument",
        "a number is expected, not a string",
        "/inputs/x",
        inputs={"x": "1.5"},
    ),
    case(
        "boolean-float",
        "invalid-argument",
        "a number is expected, not a boolean",
        "/inputs/x/data/0",
        inputs={"x": {"data": [True], "dtype": "float32"}},
    ),
    case(
        "ones",
        "limit-exceeded",
        "elements",
        "/graph/0",
        **graph({"id": "y", "op": "ones", "in": [[10**6, 10**6]]}),
    ),
    case(
        "expand",
        "limit-exceeded",
        "elements",
        "/graph/0",
        **graph({"id": "y", "op": "expand", "in": ["x", [10**6, 10**6, 3]]}),
    ),
    case(
        "shape",
        "limit-exceeded",
        "elements",
        "/inputs/x/shape",
        inputs={"x": {"data": [1], "shape": [10**12]}},
    ),
    case(
        "two-graphs", "invalid-argument", "one of them is enough", "/graph_id", graph_id="sha256:" + "0" * 64
    ),
    case("graph-id", "invalid-argument", "64 hexadecimal digits", "/graph_id", graph_id="sha256:00"),
    case(
        "text",
        "invalid-argument",
        "line 1, column 10: a function is a `def`",
        "/graph",
        graph="y = x * (lambda: 2)",
    ),
    case(
        "hook-in-a-body",
        "not-implemented",
        "register_hook in a body",
        "/graph/0/then/do/0/op",
        **graph(
            {
                "id": "c",
                "op": "cond",
                "in": [True],
                "then": {
                    "do": [{"op": "register_hook", "in": ["x"], "body": {"params": ["g"], "yield": "g"}}],
                    "yield": "x",
                },
                "else": {"yield": "x"},
            }
        ),
    ),
    case(
        "bfloat16",
        "not-implemented",
        "bfloat16",
        "/inputs/x/dtype",
        inputs={"x": {"data": 1, "dtype": "bfloat16"}},
    ),
    case(
        "freed",
        "graph-freed",
        "Trying to backward through the graph a second time",
        backward=[{"tensor": "y", "gradient": [1, 1, 1]}] * 2,
        gradient=None,
        **graph({"id": "y", "op": "mul", "in": ["x", "x"]}),
    ),
    case("no-graph", "invalid-argument", "/graph", "/graph", graph=None),
    case("statement-is-no-object", "invalid-argument", "/graph/0", "/graph/0", graph=["y"]),
    case(
        "id-is-no-name",
        "invalid-argument",
        "/graph/0/id",
        "/graph/0/id",
        **graph({"id": "1y", "op": "exp", "in": ["x"]}),
    ),
    case("input-is-no-name", "invalid-argument", "/inputs", "/inputs/a b", inputs={"a b": 1}),
    case("seed", "invalid-argument", "/seed", "/seed", seed=1.5),
    case("seed-boolean", "invalid-argument", "/seed", "/seed", seed=True),
    case("trace", "invalid-argument", "/trace", "/trace", trace=1),
    case("encoding", "invalid-argument", "/encoding", "/encoding", encoding="hex"),
]


@pytest.mark.parametrize(("request_", "code", "text", "pointer"), CASES)
async def test_refused_in_torchs_words(
    client: httpx.AsyncClient, request_: dict[str, Any], code: str, text: str, pointer: str | None
) -> None:
    found = checked(await client.post("/backward", json=request_), 422, code)
    assert text in found["detail"]
    if pointer is not None:
        assert found["errors"][0]["pointer"] == pointer
    await still_works(client)
