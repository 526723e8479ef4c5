"""The recorded exchanges of openapi/examples happen as recorded, and fit the schemas they illustrate."""

import math
from typing import Any

import anyio
import pytest
from jsonschema import Draft202012Validator

from app import openapi
from app.endpoints import ENDPOINTS
from app.main import app
from tests.contract.examples import exchange

EXAMPLES = openapi.examples()
DOCUMENT = app.openapi()


def same(found: Any, recorded: Any, where: str = "") -> None:
    """Equal, floats to a few units in the last place of float32."""
    if isinstance(recorded, dict) and isinstance(found, dict):
        assert found.keys() == recorded.keys(), where
        for key, value in recorded.items():
            same(found[key], value, f"{where}/{key}")
    elif isinstance(recorded, list) and isinstance(found, list):
        assert len(found) == len(recorded), where
        for number, value in enumerate(recorded):
            same(found[number], value, f"{where}/{number}")
    elif isinstance(recorded, float) and isinstance(found, float):
        assert math.isclose(found, recorded, rel_tol=1e-6, abs_tol=1e-9), where
    else:
        assert (type(found), found) == (type(recorded), recorded), where


def schema(content: dict[str, Any], media_type: str) -> Draft202012Validator:
    wanted: dict[str, Any] = content[media_type]["schema"]
    return Draft202012Validator({**wanted, "components": DOCUMENT["components"]})


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_answer_is_the_recorded_one(name: str) -> None:
    example = EXAMPLES[name]
    answer = anyio.run(exchange, example["request"], example.get("before", ()))
    assert answer.status_code == example["response"]["status"]
    same(answer.json(), example["response"]["body"])


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_exchange_fits_the_schemas(name: str) -> None:
    request, response = EXAMPLES[name]["request"], EXAMPLES[name]["response"]
    operation = openapi.find(DOCUMENT["paths"], request["method"], request["path"])
    if "body" in request and response["status"] in (200, 201):
        schema(operation["requestBody"]["content"], "application/json").validate(request["body"])
    answers = operation["responses"]
    answer = answers.get(str(response["status"]), answers["default"])
    media_type = "application/json" if response["status"] in (200, 201) else "application/problem+json"
    schema(answer["content"], media_type).validate(response["body"])


@pytest.mark.parametrize("route", ENDPOINTS)
def test_every_post_route_has_an_example_of_its_name_and_backward_errors(route: str) -> None:
    assert EXAMPLES[route]["request"]["path"] == f"/{route}"
    assert EXAMPLES[route]["response"]["status"] == 200
    refused = [each["request"]["path"] for each in EXAMPLES.values() if each["response"]["status"] == 422]
    assert route != "backward" or "/backward" in refused
