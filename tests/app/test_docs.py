"""The contract and its page: complete, valid, and served from here alone."""

import re
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from openapi_spec_validator import validate

from app import openapi
from app.codes import CODES
from app.main import app

pytestmark = pytest.mark.anyio
DOCUMENT = app.openapi()
OPERATIONS = [(path, method) for path, item in DOCUMENT["paths"].items() for method in item]
UNDOCUMENTED = {"/docs", "/docs/{name}", "/openapi.json"}


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.scripts: list[str | None] = []
        self.handlers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "script":
            self.scripts.append(given.get("src"))
        self.loads += [url for name in ("src", "href") if (url := given.get(name))]
        self.handlers += [name for name in given if name.startswith("on") or name == "style"]


async def test_the_page_needs_no_other_server_and_no_inline_script(client: httpx.AsyncClient) -> None:
    answer = await client.get("/docs")
    page = Page(answer.text)
    assert answer.headers["content-type"].startswith("text/html")
    assert "script-src 'self';" in answer.headers["content-security-policy"]
    assert None not in page.scripts
    assert not page.handlers
    assert len(page.loads) >= 4
    for url in page.loads:
        assert "//" not in url
        loaded = await client.get("/" + url)
        assert loaded.status_code == 200
        assert loaded.content


async def test_the_pages_own_script_names_no_other_server(client: httpx.AsyncClient) -> None:
    script = (await client.get("/docs/docs.js")).text
    assert "//" not in script.replace("// nothing leaves this server", "")
    assert (await client.get("/" + re.findall(r'url: "([^"]+)"', script)[0])).json() == DOCUMENT


async def test_assets_have_their_types(client: httpx.AsyncClient) -> None:
    for name, media_type in (("swagger-ui-bundle.js", "text/javascript"), ("swagger-ui.css", "text/css")):
        assert (await client.get(f"/docs/{name}")).headers["content-type"].startswith(media_type)


def test_the_document_is_valid_openapi() -> None:
    validate(DOCUMENT)
    assert DOCUMENT["openapi"].startswith("3.1")


def test_every_route_is_described_and_nothing_else() -> None:
    served = {
        (path, method.lower())
        for route in iter_route_contexts(app.routes)
        if (path := route.path_format or "") not in UNDOCUMENTED
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert served == set(OPERATIONS)


@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=str)
def test_every_operation_says_what_it_is_and_how_it_fails(path: str, method: str) -> None:
    operation = DOCUMENT["paths"][path][method]
    assert operation["summary"]
    assert operation["tags"]
    assert operation["operationId"]
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status, response in operation["responses"].items():
        if status not in ("200", "201", "204", "304"):
            content = {media: {"schema": shown["schema"]} for media, shown in response["content"].items()}
            assert content == problem
    assert "default" in operation["responses"]


def test_the_framework_error_shape_is_nowhere() -> None:
    assert "HTTPValidationError" not in DOCUMENT["components"]["schemas"]
    assert DOCUMENT["components"]["schemas"]["Problem"]["properties"]["code"]["enum"] == list(CODES)


def test_an_example_of_nothing_is_noticed() -> None:
    with pytest.raises(LookupError, match="DELETE /ops/add"):
        openapi.find(DOCUMENT["paths"], "DELETE", "/ops/add")


@pytest.mark.parametrize("name", openapi.examples())
def test_every_example_is_shown(name: str) -> None:
    example = openapi.examples()[name]
    operation = openapi.find(DOCUMENT["paths"], example["request"]["method"], example["request"]["path"])
    assert any(name in place for place in shown(operation["responses"]))
    if "body" in example["request"]:
        assert any(name in place for place in shown({"body": operation["requestBody"]}))


def shown(responses: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        content.get("examples", {})
        for each in responses.values()
        for content in each.get("content", {}).values()
    ]
