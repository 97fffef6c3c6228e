"""GET /openapi.json: OpenAPI 3.1 of every endpoint, made of the very values that are served.

Endpoints -> document -> OpenApi (an endpoint itself)
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from roost.domain.errors import (
    DependencyDown,
    Draining,
    Forbidden,
    Invalid,
    NotSignedIn,
    Overloaded,
    RoostError,
    TooLarge,
    TooManyRequests,
)
from roost.edge.native.auth import SAFE_METHODS
from roost.edge.native.endpoint import Answer, Call, Described, Endpoint, Parameter, SignedIn
from roost.edge.problems import PROBLEM_JSON, Malformed, Problem, kind_of

Json = dict[str, Any]

_REF = "#/components/schemas/{name}"

ABOUT = """\
The native interface of roost, a self-hosted Twitter.

Ids are decimal strings of 64-bit numbers, times are RFC 3339 in UTC. Every refusal is a problem (RFC 9457) whose `type`
is `/problems/NAME`. Pages are newest first; pass on the `before` that a page gives until it is null. Unknown fields of
a body are passed over, and of a field given twice the last one counts; a body that is no JSON is 400, a wrong type 422.

`X-RateLimit-Limit` says how many requests may come at once, `X-RateLimit-Remaining` how many are left, and
`X-RateLimit-Reset` after how many seconds one more will be. A read that carries in `X-Roost-Position` what the answer
to a tweet gave there sees that tweet on every node. The WebSocket is at `/ws`.
"""


class ApiDocument(msgspec.Struct, frozen=True):
    """OpenAPI 3.1."""

    openapi: str
    info: dict[str, Any]
    paths: dict[str, Any]
    components: dict[str, Any]


@dataclass(frozen=True, slots=True)
class OpenApi:
    """`others` are all endpoints but this one."""

    others: Sequence[Endpoint]
    version: str

    def endpoints(self) -> list[Endpoint]:
        document_body = b""

        async def read(_: Call[None]) -> Answer:
            return Answer(200, document_body, (("Cache-Control", "public, max-age=300"),))

        own = Endpoint(
            "GET",
            "/openapi.json",
            read,
            "This document",
            {200: Described("OpenAPI 3.1", ApiDocument)},
            SignedIn.NONE,
        )
        document_body = msgspec.json.encode(document([*self.others, own], self.version))
        return [own]


def document(endpoints: Sequence[Endpoint], version: str) -> Json:
    """The whole document."""
    shapes = list(dict.fromkeys(shape for endpoint in endpoints for shape in _shapes(endpoint)))
    refs, components = msgspec.json.schema_components([*shapes, Problem], ref_template=_REF)
    by_shape: dict[type, Json] = dict(zip([*shapes, Problem], refs, strict=True))
    paths: dict[str, Json] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, by_shape)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "roost",
            "version": version,
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "cookie": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "roost",
                    "description": "`__Host-roost` behind TLS; changes need the header X-CSRF-Token too",
                },
            },
        },
    }


def _shapes(endpoint: Endpoint) -> Iterable[type[msgspec.Struct]]:
    if endpoint.body is not None:
        yield endpoint.body
    for described in endpoint.answers.values():
        if described.shape is not None:
            yield described.shape


def _operation(endpoint: Endpoint, refs: Mapping[type, Json]) -> Json:
    operation: Json = {
        "operationId": f"{endpoint.method.lower()}{endpoint.path.replace('{', '').replace('}', '')}".replace("/", "_"),
        "summary": endpoint.summary,
        "security": _security(endpoint),
        "parameters": [_parameter(one) for one in endpoint.parameters],
        "responses": {
            **{str(status): _response(described, refs) for status, described in endpoint.answers.items()},
            **_problems(endpoint, refs),
        },
    }
    if endpoint.tag:
        operation["tags"] = [endpoint.tag]
    if endpoint.body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": refs[endpoint.body]}}}
    if endpoint.raw_body is not None:
        raw = endpoint.raw_body
        operation["requestBody"] = {"required": True, "content": {raw.media_type: {"schema": dict(raw.schema)}}}
    return operation


def _security(endpoint: Endpoint) -> list[Json]:
    signed_in: list[Json] = [{"bearer": []}, {"cookie": []}]
    match endpoint.signed_in:
        case SignedIn.REQUIRED:
            return signed_in
        case SignedIn.OPTIONAL | SignedIn.JUDGED:
            return [{}, *signed_in]
        case SignedIn.NONE:
            return []


def _parameter(parameter: Parameter[Any]) -> Json:
    return {
        "name": parameter.name,
        "in": str(parameter.place),
        "required": parameter.required,
        "description": parameter.meaning,
        "schema": dict(parameter.schema),
    }


def _response(described: Described, refs: Mapping[type, Json]) -> Json:
    response: Json = {"description": described.meaning}
    if described.headers:
        response["headers"] = {name: {"schema": {"type": "string"}} for name in described.headers}
    if described.shape is not None:
        response["content"] = {described.media_type: {"schema": refs[described.shape]}}
    elif described.media_type != "application/json":
        response["content"] = {described.media_type: {}}
    return response


def _problems(endpoint: Endpoint, refs: Mapping[type, Json]) -> dict[str, Json]:
    """One response a status, naming the problems that come with it."""
    names: dict[int, list[str]] = {}
    for error in dict.fromkeys((*endpoint.refusals, *_implied(endpoint))):
        kind = kind_of(error)
        if kind.name not in names.setdefault(kind.status, []):
            names[kind.status].append(kind.name)
    schema = refs[Problem]
    return {
        str(status): {
            "description": "problems: " + ", ".join(sorted(kinds)),
            "content": {PROBLEM_JSON: {"schema": schema}},
        }
        for status, kinds in sorted(names.items())
    }


def _implied(endpoint: Endpoint) -> Iterable[type[RoostError]]:
    """The errors that follow from what the endpoint takes."""
    if endpoint.signed_in is not SignedIn.NONE:
        yield NotSignedIn
    if endpoint.method not in SAFE_METHODS:
        yield Forbidden
    if endpoint.parameters or endpoint.body or endpoint.raw_body:
        yield Invalid
        yield Malformed
    if endpoint.body or endpoint.raw_body:
        yield TooLarge
    if endpoint.rate_limit is not None:
        yield TooManyRequests
    yield from (Overloaded, Draining, DependencyDown)
