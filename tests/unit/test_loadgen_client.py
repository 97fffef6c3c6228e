"""The load generator's patience, against a server that misbehaves as it is told to."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from roost_loadgen.address import Address
from roost_loadgen.client import Account, Client
from roost_loadgen.faults import BadInput, OutOfPatience, Rejected, Unreachable
from roost_loadgen.parallel import Meter
from roost_loadgen.patience import Patience
from roost_loadgen.phases import follow_all, register_all
from roost_loadgen.plan import Plan, PlannedFollow

ADA = Account("ada", "secret-password", "7", "token-7")
_LOST = b""  # the connection ends without an answer


def _answer(status: int, body: object = None, **headers: str) -> bytes:
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(content)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


_CREATED = _answer(201, {"user_id": "7", "token": "token-7", "username": "ada"})
_DONE = _answer(204)
_TAKEN = _answer(409, {"title": "Already taken", "detail": "the name ada is taken"})


@dataclass
class _Script:
    """Answers in their order, and the requests that got them."""

    answers: list[bytes]
    seen: list[str] = field(default_factory=list)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                text = head.decode()
                length = int(text.lower().split("content-length: ")[1].split("\r\n")[0])
                await reader.readexactly(length)
                self.seen.append(text)
                answer = self.answers.pop(0)
                if answer == _LOST:
                    break
                writer.write(answer)
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


@dataclass
class Waits:
    """Stands in for sleeping: notes how long, and goes on."""

    seconds: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(0)


@asynccontextmanager
async def _http(*answers: bytes, waits: Waits | None = None) -> AsyncIterator[tuple[Client, _Script]]:
    script = _Script(list(answers))
    server = await asyncio.start_server(script.talk, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        patience = Patience(attempts_max=3, sleep=waits or Waits())
        client = Client(Address.parse(f"http://127.0.0.1:{port}"), patience=patience)
        yield client, script
        client.close()


async def test_a_rate_limit_is_waited_out_for_as_long_as_it_says() -> None:
    waits = Waits()
    async with _http(*[_answer(429, Retry_After="30")] * 5, _DONE, waits=waits) as (client, script):
        await client.follow(ADA, "8")
    assert len(script.seen) == 6
    assert all(30 <= seconds <= 33 for seconds in waits.seconds)
    assert len(waits.seconds) == 5


async def test_a_busy_server_is_tried_again_a_bounded_number_of_times() -> None:
    waits = Waits()
    busy = _answer(503, {"detail": "too many at once"}, Retry_After="2")
    async with _http(*[busy] * 9, waits=waits) as (client, script):
        with pytest.raises(OutOfPatience, match=r"given up after 3 attempts.*too many at once"):
            await client.follow(ADA, "8")
    assert len(script.seen) == 3
    assert all(2 <= seconds <= 2.2 for seconds in waits.seconds)


async def test_a_lost_answer_is_asked_for_again_on_a_new_connection() -> None:
    async with _http(_LOST, _DONE) as (client, script):
        await client.follow(ADA, "8")
    assert [line.split("\r\n")[0] for line in script.seen] == ["POST /user/8/follow HTTP/1.1"] * 2


async def test_a_sign_up_whose_answer_was_lost_ends_as_a_sign_in() -> None:
    async with _http(_LOST, _TAKEN, _answer(200, {"user_id": "7", "token": "t"})) as (client, _):
        account = await client.register("ada", "secret-password", "ada@load.example")
    assert account == Account("ada", "secret-password", "7", "t")


async def test_a_name_that_is_somebody_elses_is_reported_as_the_server_says() -> None:
    async with _http(_TAKEN, _answer(401, {"detail": "wrong"})) as (client, _):
        with pytest.raises(Rejected, match=r"creating user ada.*409: the name ada is taken"):
            await client.register("ada", "secret-password", "ada@load.example")


async def test_a_post_over_http_carries_its_ref_and_token() -> None:
    posted = {"tweet_id": "5", "message": "hi", "user": {"user_id": "7"}}
    async with _http(_answer(503), _answer(201, posted)) as (client, script):
        assert (await client.tweet(ADA, "hi", "r-1")).tweet_id == "5"
    assert all("Idempotency-Key: r-1\r\n" in head for head in script.seen)
    assert all("Authorization: Bearer token-7\r\n" in head for head in script.seen)


async def test_an_answer_that_is_no_http_is_an_error_with_bounds() -> None:
    async with _http(*[b"SSH-2.0-nonsense\r\n\r\n"] * 3) as (client, _):
        with pytest.raises(OutOfPatience, match="no HTTP"):
            await client.follow(ADA, "8")


async def test_nobody_listening_is_told_at_once() -> None:
    async with _http() as (client, _):
        pass
    with pytest.raises(Unreachable, match=r"cannot reach http://127\.0\.0\.1"):
        await client.follow(ADA, "8")


async def test_users_and_follows_of_a_plan_are_all_made() -> None:
    plan = Plan(("ada", "bo"), (PlannedFollow(1, 0), PlannedFollow(0, 1)), ())
    users, follows = Meter("users", 2), Meter("follows", 2)
    async with _http(_CREATED, _CREATED, _DONE, _DONE) as (client, script):
        accounts = await register_all(client, plan, users)
        await follow_all(client, plan, accounts, follows)
    assert [account.username for account in accounts] == ["ada", "bo"]
    assert len({account.password for account in accounts}) == 2
    assert (users.done, follows.done, len(script.seen)) == (2, 2, 4)


@pytest.mark.parametrize("url", ["foo", "ftp://x", "http://", "http://x:y", "http://x:99999"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(BadInput, match="--url"):
        Address.parse(url)
