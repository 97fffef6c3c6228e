"""The load generator's tweeting, against a WebSocket server that misbehaves as it is told to."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from roost_loadgen.address import Address
from roost_loadgen.client import Account, Client
from roost_loadgen.faults import Rejected
from roost_loadgen.parallel import Meter
from roost_loadgen.patience import Patience
from roost_loadgen.plan import Plan, PlannedTweet
from roost_loadgen.sockets import SocketPool
from roost_loadgen.tweeting import tweet_all
from roost_loadgen.wire import ServerMessage
from unit.test_loadgen_client import ADA, Waits

Handle = Callable[[ServerConnection, dict[str, Any]], Awaitable[None]]


@dataclass
class _LiveServer:
    """Greets, hands each tweet to `handle`, counts open sockets."""

    handle: Handle
    open: int = 0
    open_max: int = 0
    opened: int = 0
    refusals: list[int] = field(default_factory=list)

    async def talk(self, connection: ServerConnection) -> None:
        self.opened += 1
        self.open += 1
        self.open_max = max(self.open_max, self.open)
        try:
            await connection.send('{"type":"hello","user_id":"7","cursor":"c"}')
            async for frame in connection:
                await self.handle(connection, json.loads(frame))
        finally:
            self.open -= 1

    def admit(self, connection: ServerConnection, request: Request) -> Response | None:
        if not self.refusals:
            return None
        response = connection.respond(self.refusals.pop(0), "")
        response.headers["Retry-After"] = "9"
        return response


@asynccontextmanager
async def _live(handle: Handle, waits: Waits | None = None) -> AsyncIterator[tuple[Client, Any]]:
    state = _LiveServer(handle)
    async with serve(state.talk, "127.0.0.1", 0, process_request=state.admit, compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        patience = Patience(attempts_max=3, sleep=waits or Waits())
        yield Client(Address.parse(f"http://127.0.0.1:{port}"), patience=patience), state


async def _ack(connection: ServerConnection, frame: dict[str, Any]) -> None:
    tweet = {"tweet_id": f"id of {frame['message']}", "message": "", "user": {"user_id": "7"}}
    await connection.send(json.dumps({"type": "ack", "ref": frame["ref"], "tweet": tweet}))


def _plan(*authors: int) -> tuple[Plan, list[Account]]:
    users = tuple(f"u{number}" for number in range(max(authors) + 1))
    tweets = tuple(PlannedTweet(author, f"m{index}") for index, author in enumerate(authors))
    accounts = [Account(name, "", f"id of {name}", f"token of {name}") for name in users]
    return Plan(users, (), tweets), accounts


async def test_each_authors_tweets_arrive_in_order_and_their_ids_come_back() -> None:
    arrived: dict[str, list[int]] = {}

    async def handle(connection: ServerConnection, frame: dict[str, Any]) -> None:
        assert connection.request is not None
        author = connection.request.headers["Authorization"]
        arrived.setdefault(author, []).append(int(frame["message"][1:]))
        await _ack(connection, frame)

    authors = [0, 1, 0, 2, 0, 1, 0, 0, 2, 1] * 5
    plan, accounts = _plan(*authors)
    async with _live(handle) as (client, state):
        ids = await tweet_all(client, plan, accounts, Meter("tweets", 50))
    assert ids == [f"id of m{index}" for index in range(50)]
    assert state.opened == 3
    assert arrived == {
        f"Bearer token of u{who}": [i for i, author in enumerate(authors) if author == who] for who in range(3)
    }


async def test_tweets_at_a_rate_all_go_out() -> None:
    plan, accounts = _plan(0, 1, 0, 1)
    meter = Meter("tweets", 4)
    async with _live(_ack) as (client, _):
        ids = await tweet_all(client, plan, accounts, meter, rate=1000)
    assert ids == ["id of m0", "id of m1", "id of m2", "id of m3"]
    assert meter.done == 4


async def test_a_tweet_refused_for_now_is_sent_again_with_the_same_ref() -> None:
    refs = []
    waits = Waits()

    async def handle(connection: ServerConnection, frame: dict[str, Any]) -> None:
        refs.append(frame["ref"])
        if len(refs) > 2:
            await _ack(connection, frame)
        else:
            problem = {"status": 429, "title": "Too many", "retry_after": 12}
            error = {"type": "error", "ref": frame["ref"], "problem": problem}
            await connection.send(json.dumps(error))

    plan, accounts = _plan(0)
    async with _live(handle, waits) as (client, state):
        assert await tweet_all(client, plan, accounts, Meter("tweets", 1)) == ["id of m0"]
    assert len(refs) == 3
    assert len(set(refs)) == 1
    assert state.opened == 1
    assert all(12 <= seconds <= 13.2 for seconds in waits.seconds)


async def test_a_tweet_on_a_socket_that_dies_is_sent_again_on_another_with_the_same_ref() -> None:
    refs = []

    async def handle(connection: ServerConnection, frame: dict[str, Any]) -> None:
        refs.append(frame["ref"])
        if len(refs) == 1:
            await connection.close(1001)
        else:
            await _ack(connection, frame)

    plan, accounts = _plan(0)
    async with _live(handle) as (client, state):
        assert await tweet_all(client, plan, accounts, Meter("tweets", 1)) == ["id of m0"]
    assert refs[0] == refs[1]
    assert state.opened == 2


async def test_a_tweet_that_breaks_a_rule_ends_the_load_with_the_servers_reason() -> None:
    async def handle(connection: ServerConnection, frame: dict[str, Any]) -> None:
        problem = {"status": 422, "title": "Invalid", "detail": "612 characters, at most 280"}
        error = {"type": "error", "ref": frame["ref"], "problem": problem}
        await connection.send(json.dumps(error))

    plan, accounts = _plan(0, 1, 2)
    async with _live(handle) as (client, _):
        with pytest.raises(Rejected, match="422: 612 characters, at most 280"):
            await tweet_all(client, plan, accounts, Meter("tweets", 3))


async def test_a_refused_upgrade_is_waited_out() -> None:
    waits = Waits()
    async with _live(_ack, waits) as (client, state):
        state.refusals = [503, 429]
        socket = await client.open_socket(ADA)
        socket.close()
        state.refusals = [401]
        with pytest.raises(Rejected, match=r"opening a WebSocket.*401"):
            await client.open_socket(ADA)
    assert len(waits.seconds) == 2
    assert all(9 <= seconds <= 9.9 for seconds in waits.seconds)


async def test_no_more_sockets_are_open_than_the_pool_allows() -> None:
    async with _live(_ack) as (client, state):
        pool = SocketPool(client, sockets_max=2)

        async def post(user: int) -> None:
            account = Account("", "", f"{user}", f"token {user}")
            async with pool.lease(account) as socket:
                await socket.tweet(f"by {user}", f"{user}")

        await asyncio.gather(*(post(user % 7) for user in range(7)))
        assert state.opened == 7
        pool.close()
    # A socket that makes room is closed at this end first; the server hears of it a moment later.
    assert state.open_max <= 4


async def test_pushes_and_a_ping_come_through_in_their_order() -> None:
    async def handle(connection: ServerConnection, frame: dict[str, Any]) -> None:
        tweet = {"tweet_id": "1", "message": "hi", "user": {"user_id": "2"}}
        push = {"type": "tweet", "cursor": "c", "channel": "home", "tweet": tweet}
        await connection.send(json.dumps(push))
        await connection.send('{"type":"pong","cursor":"c"}')

    received: list[ServerMessage] = []
    async with _live(handle) as (client, _):
        socket = await client.open_socket(ADA, received.append)
        await socket.ping()
        socket.close()
    assert [(one.type, one.tweet and one.tweet.message) for one in received] == [("tweet", "hi")]
