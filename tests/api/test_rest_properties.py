"""Arbitrary requests to every endpoint: each is answered, refusals are problems, and none is the server's fault."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from api.native_app import NativeServer, Person, native_server
from roost.edge.native.endpoint import Place
from roost.edge.native.routes import Route

EXAMPLES_MAX = 800
SELDOM = st.sampled_from([False] * 14 + [True])
OTHER_METHODS = st.sampled_from(["PUT", "HEAD", "OPTIONS"])
RAW_HEADERS = st.sampled_from([b"authorization", b"cookie", b"origin", b"host", b"idempotency-key"])
Scope = dict[str, Any]


class World(NamedTuple):
    """A server with some people and tweets, on a loop of its own, so that examples follow one another."""

    loop: asyncio.Runner
    server: NativeServer
    people: list[Person]
    ids: list[str]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        world = runner.run(_peopled(stack, runner, tmp_path_factory.mktemp("uploads")))
        try:
            yield world
        finally:
            runner.run(stack.aclose())


async def _peopled(stack: AsyncExitStack, runner: asyncio.Runner, folder: Path) -> World:
    server = await stack.enter_async_context(native_server(folder))
    people = [
        await server.join("ada", operator=True),
        await server.join("bo"),
        await server.join("shy", protected=True),
    ]
    ids = [person.id for person in people]
    for person in people:
        tweet = await person.tweet("hello @ada #tag")
        reply = await person.tweet("reply", ReplyToTweetId=tweet["tweet_id"])
        retweet = await person.tweet("", ReplyToTweetId=tweet["tweet_id"])
        ids += [tweet["tweet_id"], reply["tweet_id"], retweet["tweet_id"]]
    return World(runner, server, people, ids)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
TEXTS = st.text(max_size=30) | st.sampled_from(
    ["", "-1", "0", "1", "9223372036854775807", "9223372036854775808", "home"]
)


@st.composite
def _requests(draw: st.DrawFn, world: World) -> tuple[Route, Scope, list[bytes]]:
    routes = world.server.app.tree.routes
    route = routes[draw(st.integers(0, len(routes) - 1))]
    texts = TEXTS | st.sampled_from(world.ids)
    segments = [
        draw(texts).replace("/", "") or "x" if segment.startswith("{") else segment
        for segment in route.endpoint.path.split("/")
    ]
    names = [one.name for one in route.endpoint.parameters if one.place is Place.QUERY]
    pairs = draw(st.lists(st.tuples(st.sampled_from([*names, "other"]), texts | st.just("20")), max_size=3))
    query = "&".join(f"{name}={text}" for name, text in pairs).encode("utf-8", "surrogatepass")
    scope = {
        "type": "http",
        "method": draw(OTHER_METHODS) if draw(SELDOM) else route.endpoint.method,
        "path": "/".join(segments),
        "query_string": draw(st.binary(max_size=30)) if draw(SELDOM) else query,
        "headers": draw(_headers(world)),
        "client": draw(st.sampled_from([("127.0.0.1", 1), ("192.0.2.1", 1), None])),
    }
    return route, scope, draw(_bodies(route, texts))


def _headers(world: World) -> st.SearchStrategy[list[tuple[bytes, bytes]]]:
    tokens = [(b"authorization", b"Bearer " + person.token.encode()) for person in world.people]
    token = st.sampled_from([*tokens, *tokens, (b"x-none", b"")])
    header = st.one_of(
        st.tuples(RAW_HEADERS, st.binary(max_size=50)),
        st.tuples(st.just(b"x-roost-position"), st.sampled_from([b"0", b"x", b"", b"-1", b"\xff", b"9" * 30])),
        st.tuples(st.just(b"content-length"), st.sampled_from([b"0", b"1", b"x", b"99999999999999999999999"])),
        st.tuples(st.just(b"cookie"), st.just(b"roost=" + world.people[0].token.encode())),
    )
    return st.tuples(token, st.lists(header, max_size=2)).map(lambda drawn: [drawn[0], *drawn[1]])


def _bodies(route: Route, texts: st.SearchStrategy[str]) -> st.SearchStrategy[list[bytes]]:
    fields = [] if route.endpoint.body is None else list(route.endpoint.body.__struct_encode_fields__)
    values = texts | JSON | st.lists(texts, max_size=5)
    objects = st.dictionaries(st.sampled_from([*fields, "other"]), values, max_size=5) if fields else JSON
    bodies = (objects | JSON).map(lambda value: json.dumps(value).encode()) | st.binary(max_size=50)
    return bodies.flatmap(lambda body: st.integers(0, len(body)).map(lambda cut: [body[:cut], body[cut:]]))


async def _ask(server: NativeServer, scope: Scope, chunks: list[bytes]) -> tuple[int, dict[bytes, bytes], bytes]:
    waiting = [
        {"type": "http.request", "body": chunk, "more_body": index + 1 < len(chunks)}
        for index, chunk in enumerate(chunks)
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if waiting:
            return waiting.pop(0)
        return await asyncio.Future()  # the client stays

    async def send(message: Any) -> None:
        sent.append(message)

    await server.app(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], dict(sent[0]["headers"]), body


@settings(
    max_examples=EXAMPLES_MAX,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_whatever_is_asked_is_answered_and_never_by_a_fault(world: World, data: st.DataObject) -> None:
    route, scope, chunks = data.draw(_requests(world))
    status, headers, body = world.loop.run(_ask(world.server, scope, chunks))
    event(f"{scope['method']} {route.endpoint.path} {status}")
    assert status < 500, body
    if status >= 400:
        assert headers[b"content-type"] == b"application/problem+json"
        if scope["method"] != "HEAD":
            problem = json.loads(body)
            assert problem["status"] == status
            assert problem["type"].startswith("/problems/")
            assert problem["detail"]
    elif scope["method"] == route.endpoint.method:
        assert status in route.endpoint.answers
    if scope["method"] != "HEAD" and b"content-length" in headers:
        assert headers[b"content-length"] == b"%d" % len(body)


async def test_the_people_of_these_requests_are_still_served_after_them(tmp_path: Path) -> None:
    async with native_server(tmp_path) as server:
        ada = await server.join("ada")
        for scope_headers in ([(b"authorization", b"\xff" * 60)], [(b"cookie", b"roost=\xff; ;=;")]):
            scope = {"type": "http", "method": "GET", "path": "/trends", "query_string": b"", "headers": scope_headers}
            await _ask(server, scope, [b""])
        await ada.tweet("still here")
