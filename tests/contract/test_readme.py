"""What README.md shows is what happens: its request is sent, its session is run."""

import doctest
import json
import re
import shlex
from pathlib import Path

import anyio
import httpx
import pytest

import app.main

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


def fenced(language: str, text: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.S)


async def post(url: str, headers: dict[str, str], body: str) -> httpx.Response:
    application = app.main.app
    async with (
        application.router.lifespan_context(application),
        httpx.AsyncClient(transport=httpx.ASGITransport(application)) as client,
    ):
        return await client.post(url, headers=headers, content=body)


def test_the_request_is_answered_as_shown() -> None:
    example = README.partition("<!-- example:request -->")[2].partition("<!-- end of example -->")[0]
    words = shlex.split(fenced("sh", example)[0])
    url = next(word for word in words if word.startswith("http"))
    name, _, value = words[words.index("-H") + 1].partition(": ")
    answer = anyio.run(post, url, {name: value}, words[words.index("-d") + 1])
    assert answer.status_code == 200
    assert answer.json() == json.loads(fenced("json", example)[0])


@pytest.mark.parametrize("number", range(len(fenced("pycon", README))))
def test_the_sessions_print_what_they_show(number: int) -> None:
    session = "".join(fenced("pycon", README)[: number + 1])
    test = doctest.DocTestParser().get_doctest(session, {}, "README.md", "README.md", 0)
    said: list[str] = []
    failed, tried = doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    assert tried
    assert not failed, "".join(said)
