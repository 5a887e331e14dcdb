"""An answer of the API held to the OpenAPI document: its status and media type are named, its members described."""

import copy
import re
from functools import cache
from typing import Any

from flask import Flask
from jsonschema import Draft202012Validator


@cache
def document(app: Flask) -> dict[str, Any]:
    """The description, with no room for a member that it does not name."""
    found = copy.deepcopy(app.test_client().get("/api/v1/openapi.json").json)
    _close(found)
    return found


def _close(part: Any) -> None:
    if isinstance(part, dict):
        if part.get("type") == "object" and "properties" in part:
            part["additionalProperties"] = False
        part = list(part.values())
    for one in part if isinstance(part, list) else []:
        _close(one)


def check(app: Flask, method: str, path: str, answer) -> None:
    """Fails where an answer is not as described. A refusal may say more than a Problem names."""
    rule, _arguments = app.url_map.bind("localhost").match(path.partition("?")[0], method=method, return_rule=True)
    described = document(app)
    address = re.sub(r"<(?:[^:>]+(?:\([^)]*\))?:)?([^>:]+)>", r"{\1}", rule.rule)
    told = described["paths"][address][method.lower()]["responses"]
    if answer.status_code >= 400:
        assert answer.mimetype == "application/problem+json", answer.mimetype
        assert {"type", "title", "status", "detail", "code"} <= answer.json.keys(), answer.json
        return
    assert str(answer.status_code) in told, f"{method} {address} answers {answer.status_code}"
    content = told[str(answer.status_code)].get("content", {})
    assert content or not answer.data, f"{method} {address} answers something that is not described"
    if content:
        assert answer.mimetype in content, f"{method} {address} answers {answer.mimetype}"
    if "application/json" in content:
        schema = content["application/json"]["schema"] | {"components": described["components"]}
        Draft202012Validator(schema).validate(answer.json)
