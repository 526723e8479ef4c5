"""`python -m tests.contract.examples` sends the requests of openapi/examples anew and stores the answers.

The answers are the service's own, so a changed one has to be read, in the diff, before it is kept. A file
that has no `response` yet gets one.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx

from app.openapi import EXAMPLES
from tests.app.harness import serve

WIDTH = 110


async def exchange(request: dict[str, Any]) -> httpx.Response:
    """The service's answer to `{method, path, body}`."""
    async with serve() as client:
        body = {"json": request["body"]} if "body" in request else {}
        return await client.request(request["method"], request["path"], **body)


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
    answer = anyio.run(exchange, example["request"])
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
