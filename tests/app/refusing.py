"""What every refusal must be, and that it leaves nothing behind."""

from typing import Any

import httpx

from app.compute.warm import REQUEST

X = {"data": [1.0, 2.0, 3.0], "requires_grad": True}
Y = [{"id": "y", "op": "mul", "in": ["x", 2]}]


async def still_works(client: httpx.AsyncClient) -> None:
    answer = await client.post("/backward", content=REQUEST, headers={"content-type": "application/json"})
    assert answer.json()["grads"]["x"]["data"] == [[4.5, 4.5], [4.5, 4.5]]


def checked(answer: httpx.Response, status: int, code: str) -> Any:
    """The problem document, of that status and code, and small."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert (found["status"], found["code"]) == (status, code), answer.text
    assert len(answer.content) < 8192
    return found
