"""The OpenAPI 3.1 document, made from the calls themselves: routes, docstrings and the schemas they name."""

import re
from typing import Any

from flask import current_app
from werkzeug.routing import Rule

from portal.config import settings
from portal.domain.components import metadata_objects
from portal.web.api.blueprint import Described, bp, described
from portal.web.api.schemas import SCHEMAS, TEXT, WHOLE, maybe, ref, some, thing


@bp.get("/openapi.json")
@described(gives=("application/json",))
def describe():
    """This description."""
    paths: dict[str, dict] = {}
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
    told: Described = getattr(view, "described", Described())
    operation: dict[str, Any] = {
        "operationId": rule.endpoint.removeprefix("api."),
        "summary": words.partition(". ")[0],
        "description": words,
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": kind_of(rule, name)}
            for name in sorted(rule.arguments)
        ],
        "responses": answers(told)
        | {
            "default": {"description": "A refusal", "content": {"application/problem+json": {"schema": ref("Problem")}}}
        },
    }
    content: dict[str, Any] = {media: {"schema": {}} for media in told.takes}
    if told.body:
        content["application/json"] = {"schema": ref(told.body)}
    if rule.endpoint == "api.submit":
        content["multipart/form-data"] = {
            "schema": thing(dict.fromkeys((*metadata_objects.ALL, "ACTION", "HOLD_DATE"), TEXT))
        }
        operation["security"] = [{"bearer": []}, {"basic": []}]
    if content:
        operation["requestBody"] = {"content": content}
    return {method.lower(): operation for method in sorted(asked(rule))}


def asked(rule: Rule) -> set[str]:
    """The methods that a call was written for: HEAD and OPTIONS only where they are calls of their own."""
    methods = set(rule.methods or ())
    return methods - {"HEAD", "OPTIONS"} or methods


def kind_of(rule: Rule, name: str) -> dict[str, Any]:
    return WHOLE if re.search(rf"<int:{name}>", rule.rule) else TEXT


def answers(told: Described) -> dict[str, Any]:
    found: dict[str, Any] = {str(told.status): answer(told)}
    if told.also is not None:
        found[str(told.also)] = {"description": "Done"} if told.also == 204 else answer(told)
    return found


def answer(told: Described) -> dict[str, Any]:
    found: dict[str, Any] = {"description": "Done"}
    if told.answer:
        one = ref(told.answer)
        schema = thing({"items": some(one), "next": maybe(TEXT)}, "items", "next") if told.lists else one
        found["content"] = {"application/json": {"schema": schema}}
    if told.gives:
        found["content"] = {media: {"schema": {}} for media in told.gives}
    return found
