"""The OpenAPI document: FastAPI's for the GET routes, the POST routes' own, one error shape, examples."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.routing import BaseRoute

from app import __version__
from app.codes import CODES
from app.errors import MEDIA_TYPE, ProblemDocument

EXAMPLES = Path(__file__).resolve().parents[1] / "openapi" / "examples"
REF = "#/components/schemas/{model}"
TITLE = "gradwire"
SUMMARY = "Gradients on request: torch.autograd's semantics for a JSON expression graph."
DESCRIPTION = """\
Post an expression graph and tensor values; get the outputs, the `.grad` of every leaf, the `grad_fn` trace;
or a Jacobian, a Hessian, a product with either; for one sample or a batch of them.
Names, dtypes, kinks and error texts are those of PyTorch. Every answer is a function of its request alone.

Every error is an `application/problem+json` document with a `code` of a closed list (`GET /errors`).
"""
TAGS = [
    {"name": "gradients", "description": "Evaluate a graph and differentiate it."},
    {"name": "graphs", "description": "Graphs that the service keeps, with constants and weights."},
    {"name": "catalogue", "description": "What a graph can say, and what can go wrong."},
    {"name": "service", "description": "State and limits of this server."},
]


def problems(*codes: str) -> dict[int | str, dict[str, Any]]:
    """The error responses of a route that answers these codes itself; any other error has the same shape."""
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(CODES[code].status, []).append(code)
    found: dict[int | str, dict[str, Any]] = {
        status: _problem(" · ".join(f"`{name}`" for name in names), names)
        for status, names in sorted(by_status.items())
    }
    return {**found, "default": _problem("Any other error, in the same shape.", ["internal"])}


def _problem(description: str, codes: Iterable[str]) -> dict[str, Any]:
    shown = {
        "schema": {"$ref": REF.format(model="Problem")},
        "examples": {each: _outline(each) for each in codes},
    }
    return {"description": description, "content": {MEDIA_TYPE: shown}}


def _outline(name: str) -> dict[str, Any]:
    code = CODES[name]
    value = {"type": code.type, "title": code.title, "status": code.status, "detail": "…", "code": name}
    return {"summary": name, "description": code.description, "value": value}


def describe(
    routes: Iterable[BaseRoute],
    paths: Mapping[str, Mapping[str, Any]],
    models: Iterable[type[BaseModel]],
) -> dict[str, Any]:
    """The document of FastAPI `routes` and of `paths`, path items written by hand over `models`."""
    found = get_openapi(
        title=TITLE,
        version=__version__,
        summary=SUMMARY,
        description=DESCRIPTION,
        routes=list(routes),
        tags=TAGS,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    documented: list[type[BaseModel]] = [*models, ProblemDocument]
    _, definitions = models_json_schema([(model, "validation") for model in documented], ref_template=REF)
    schemas = {**found["components"]["schemas"], **definitions["$defs"]}
    schemas["Problem"] = schemas.pop("ProblemDocument")
    found["components"]["schemas"] = {name: _any_of(schemas[name]) for name in sorted(schemas)}
    found["paths"] = {**json.loads(json.dumps(paths)), **found["paths"]}
    for name, example in examples().items():
        _show(found["paths"], name, example)
    return found


def _any_of(schema: Any) -> Any:
    """The schema with pydantic's `oneOf` as `anyOf`: a function chooses there, the branches may overlap."""
    if isinstance(schema, dict):
        overlapping = "oneOf" in schema and "discriminator" not in schema
        names = {"oneOf": "anyOf"} if overlapping else {}
        return {names.get(name, name): _any_of(value) for name, value in schema.items()}
    return [_any_of(each) for each in schema] if isinstance(schema, list) else schema


def examples(directory: Path = EXAMPLES) -> dict[str, Any]:
    """Recorded exchanges by name: `{summary, request: {method, path, body}, response: {status, body}}`."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(directory.glob("*.json"))}


def _show(paths: dict[str, Any], name: str, example: Mapping[str, Any]) -> None:
    """Put an example where the docs show it: at the body of its request and at the response of its status."""
    request, response = example["request"], example["response"]
    operation = find(paths, request["method"], request["path"])
    if "body" in request:
        _put(operation["requestBody"], name, _example(example, request["body"]))
    answers = operation["responses"]
    answer = answers.get(str(response["status"]), answers.get("default", {}))
    _put(answer, name, _example(example, response["body"]))


def _put(described: dict[str, Any], name: str, example: dict[str, Any]) -> None:
    """Put the example at each media type that is JSON."""
    for media, content in described.get("content", {}).items():
        if media.endswith("json"):
            content.setdefault("examples", {})[name] = example


def find(paths: Mapping[str, Any], method: str, path: str) -> dict[str, Any]:
    """The operation that a request reaches."""
    for template, item in paths.items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) and method.lower() in item:
            operation: dict[str, Any] = item[method.lower()]
            return operation
    raise LookupError(f"an example asks for {method} {path}, which is not described")


def _example(example: Mapping[str, Any], value: Any) -> dict[str, Any]:
    return {"summary": example["summary"], "value": value}
