"""The OpenAPI 3.1 document, made from the calls themselves: routes, docstrings and the schemas they name."""

import re
from typing import Any

from flask import current_app
from werkzeug.routing import Rule

from portal.config import settings
from portal.domain.components import metadata_objects
from portal.web.api.blueprint import Described, bp, described, described_as
from portal.web.api.schemas import SCHEMAS
from portal.web.api.schemas.kinds import TEXT, WHOLE, maybe, ref, some, thing


@bp.get("/openapi.json")
@described(gives=("application/json",))
def describe() -> dict[str, Any]:
    """This description."""
    paths: dict[str, dict[str, Any]] = {}
    for rule in current_app.url_map.iter_rules():
        if rule.endpoint.startswith("api."):
            address = re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule.rule)
            paths.setdefault(address, {}).update(operations(rule))
    return {
        "openapi": "3.1.0",
        "info": {"title": f"{settings().site_name} API", "version": "1", "contact": {"email": settings().contact}},
        "security": [{"bearer": []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {name: {"type": "http", "scheme": name} for name in ("bearer", "basic")},
        },
    }


def operations(rule: Rule) -> dict[str, Any]:
    view = current_app.view_functions[rule.endpoint]
    words = " ".join((view.__doc__ or "").split())
    call = described_as(rule.endpoint)
    operation: dict[str, Any] = {
        "operationId": rule.endpoint.removeprefix("api."),
        "summary": words.partition(". ")[0],
        "description": words,
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": kind_of(rule, name)}
            for name in sorted(rule.arguments)
        ],
        "responses": answers(call)
        | {
            "default": {"description": "A refusal", "content": {"application/problem+json": {"schema": ref("Problem")}}}
        },
    }
    content: dict[str, Any] = {media: {"schema": {}} for media in call.takes}
    if call.body:
        content["application/json"] = {"schema": ref(call.body)}
    if rule.endpoint == "api.submit":
        content["multipart/form-data"] = {
            "schema": thing(dict.fromkeys((*metadata_objects.ALL, "ACTION", "HOLD_DATE"), TEXT))
        }
        operation["security"] = [{"bearer": []}, {"basic": []}]
    if content:
        operation["requestBody"] = {"content": content}
    return {method.lower(): operation for method in sorted(methods_of(rule))}


def methods_of(rule: Rule) -> set[str]:
    """The methods that a call was written for: HEAD and OPTIONS only where they are calls of their own."""
    methods = set(rule.methods or ())
    return methods - {"HEAD", "OPTIONS"} or methods


def kind_of(rule: Rule, name: str) -> dict[str, Any]:
    return WHOLE if re.search(rf"<int:{name}>", rule.rule) else TEXT


def answers(call: Described) -> dict[str, Any]:
    responses: dict[str, Any] = {str(call.status): answer(call)}
    if call.also is not None:
        responses[str(call.also)] = {"description": "Done"} if call.also == 204 else answer(call)
    return responses


def answer(call: Described) -> dict[str, Any]:
    response: dict[str, Any] = {"description": "Done"}
    if call.answer:
        item = ref(call.answer)
        schema = thing({"items": some(item), "next": maybe(TEXT)}, "items", "next") if call.lists else item
        response["content"] = {"application/json": {"schema": schema}}
    if call.gives:
        response["content"] = {media: {"schema": {}} for media in call.gives}
    return response
