"""The interface against its own description: what Schemathesis makes of /openapi.json, well-formed and not."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from api.native_app import NativeServer, Person, native_server

EXAMPLES_AN_OPERATION = 12


class World(NamedTuple):
    """A server on a loop of its own, somebody who is signed in, and the operations of its description."""

    loop: asyncio.Runner
    server: NativeServer
    ada: Person
    operations: dict[str, Any]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        server = runner.run(stack.enter_async_context(native_server(tmp_path_factory.mktemp("uploads"))))
        try:
            ada = runner.run(server.join("ada", operator=True))
            described = runner.run(server.get("/openapi.json")).json()
            schema = schemathesis.openapi.from_dict(described)
            found = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
            yield World(runner, server, ada, {operation.label: operation for operation in found})
        finally:
            runner.run(stack.aclose())


def _ask(world: World, case: Case[Any]) -> httpx.Response:
    kwargs = case.as_transport_kwargs(base_url="http://roost.example")
    request = httpx.Request(
        kwargs["method"],
        kwargs["url"],
        params=kwargs.get("params"),
        headers={**(kwargs.get("headers") or {}), "Authorization": f"Bearer {world.ada.token}"},
        json=kwargs.get("json"),
        content=kwargs.get("data"),
        cookies=kwargs.get("cookies"),
    )
    return world.loop.run(world.server.client.send(request))


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["good", "bad"])
def test_every_operation_keeps_to_its_description(world: World, mode: GenerationMode) -> None:
    assert len(world.operations) > 30
    for operation in world.operations.values():
        if mode is GenerationMode.POSITIVE or _takes_something(operation.definition.raw):
            _check(world, operation, mode)


def _takes_something(operation: dict[str, Any]) -> bool:
    """Only then there is something to get wrong."""
    return bool(operation["parameters"]) or "requestBody" in operation


def _check(world: World, operation: Any, mode: GenerationMode) -> None:
    @settings(
        max_examples=EXAMPLES_AN_OPERATION,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def conforms(case: Case[Any]) -> None:
        response = _ask(world, case)
        # Left out: that the same without a token is refused, which tests of requests show; and that each well-formed
        # request succeeds, since a random id names nobody.
        case.validate_response(response, excluded_checks=[ignored_auth, positive_data_acceptance])

    conforms()
