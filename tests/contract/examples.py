"""`python -m tests.contract.examples` sends the requests of openapi/examples anew and stores the answers.

The answers are the service's own, so a changed one has to be read, in the diff, before it is kept. A file
that has no `response` yet gets one. The requests that stand under `before` are sent first.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio
import httpx

from app.openapi import EXAMPLES
from tests.app.harness import INLINE, serve

WIDTH = 110


async def exchange(request: dict[str, Any], before: Sequence[dict[str, Any]] = ()) -> httpx.Response:
    """The service's answer to `{method, path, body}`, after those `before` it; it knows no graph yet."""
    with TemporaryDirectory() as folder:
        async with serve(INLINE.model_copy(update={"store": f"{folder}/graphs.sqlite3"})) as client:
            for each in before:
                await _send(client, each)
            return await _send(client, request)


async def _send(client: httpx.AsyncClient, request: dict[str, Any]) -> httpx.Response:
    body = {"json": request["body"]} if "body" in request else {}
    return await client.request(
        request["method"], request["path"], headers=request.get("headers", {}), **body
    )


def pretty(value: Any, indent: int = 0, lead: int = 0) -> str:
    """JSON in which whatever fits stands on one line; `lead` characters stand before it on its own."""
    line = json.dumps(value, ensure_ascii=False)
    if indent + lead + len(line) <= WIDTH or not isinstance(value, (dict, list)) or not value:
        return line
    inner = "\n" + " " * (indent + 1)
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}{inner}{f',{inner}'.join(_parts(value, indent + 1))}\n{' ' * indent}{closing}"


def _parts(value: Any, indent: int) -> Iterator[str]:
    if isinstance(value, list):
        yield from (pretty(each, indent) for each in value)
    else:
        for key, each in value.items():
            name = json.dumps(key, ensure_ascii=False) + ": "
            yield name + pretty(each, indent, len(name) + 1)


def answered(example: dict[str, Any]) -> dict[str, Any]:
    """The example with the answer that its request gets now."""
    answer = anyio.run(exchange, example["request"], example.get("before", ()))
    return {**example, "response": {"status": answer.status_code, "body": answer.json()}}


def main(names: list[str]) -> None:
    """Answer the examples called `names`, or all."""
    paths = [EXAMPLES / f"{name}.json" for name in names] if names else sorted(Path(EXAMPLES).glob("*.json"))
    for path in paths:
        text = path.read_text(encoding="utf-8")
        new = pretty(answered(json.loads(text))) + "\n"
        if new != text:
            path.write_text(new, encoding="utf-8")
            print(f"wrote {path.name}")


if __name__ == "__main__":
    main(sys.argv[1:])
