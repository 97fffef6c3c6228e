"""What is done at one edge of a cluster holds at the other."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import httpx

from api.waiting import eventually

POSITION = "X-Roost-Position"


@dataclass
class TwoEdges:
    """Acts at the first, looks at the second. `took_s` is how long each thing took to hold there."""

    here: httpx.AsyncClient
    there: httpx.AsyncClient
    took_s: dict[str, float] = field(default_factory=dict)

    async def sign_up(self, name: str) -> "Person":
        account = {"username": name, "password": f"a long word of {name}", "email": f"{name}@example.org"}
        made = await self.here.post("/create/user", json=account)
        assert made.status_code == HTTPStatus.CREATED, made.text
        return Person(made.json()["user_id"], {"authorization": f"Bearer {made.json()['token']}"})

    async def comes(self, what: str, holds: Callable[[], Awaitable[bool]]) -> None:
        began_s = time.monotonic()
        await eventually(holds)
        self.took_s[what] = round(time.monotonic() - began_s, 2)


@dataclass
class Person:
    id: str
    signed: dict[str, str]

    @property
    def home(self) -> str:
        return f"/user/timeline/{self.id}?timeline=home"


async def check_coherence(here: str, there: str) -> dict[str, float]:
    """Raises AssertionError, or TimeoutError where something never holds."""
    async with (
        httpx.AsyncClient(base_url=here, timeout=20, trust_env=False) as first,
        httpx.AsyncClient(base_url=there, timeout=20, trust_env=False) as second,
    ):
        edges = TwoEdges(first, second)
        ana, ben = await edges.sign_up("coherent_ana"), await edges.sign_up("coherent_ben")
        await _posts(edges, ana, ben)
        await _changes_of_sight(edges, ana, ben)
        return edges.took_s


async def _posts(edges: TwoEdges, ana: Person, ben: Person) -> None:
    followed = await edges.here.post(f"/user/{ana.id}/follow", headers=ben.signed)
    await edges.comes("follow", lambda: _follows(edges, ana, ben))
    assert await _ids(edges.there, ben) == []  # warm there
    posted = await edges.here.post("/tweet", json={"message": "seen at once"}, headers=ana.signed)
    tweet, position = posted.json()["tweet_id"], posted.headers[POSITION]
    assert tweet in await _ids(edges.here, ana), "one's own, where one wrote it"
    assert tweet in await _ids(edges.there, ana, position), "one's own, elsewhere, with the position"
    await edges.comes("tweet", lambda: _has(edges.there, ben, tweet))
    assert (await edges.there.get(f"/tweet/{tweet}", headers=ben.signed)).status_code == HTTPStatus.OK
    await edges.here.delete(f"/tweet/{tweet}", headers=ana.signed)
    await edges.comes(
        "deletion", lambda: _status(edges.there, f"/tweet/{tweet}", ben, HTTPStatus.GONE, HTTPStatus.NOT_FOUND)
    )
    assert tweet not in await _ids(edges.there, ben)
    assert followed.status_code == HTTPStatus.NO_CONTENT


async def _changes_of_sight(edges: TwoEdges, ana: Person, ben: Person) -> None:
    tweet = (await edges.here.post("/tweet", json={"message": "for friends"}, headers=ana.signed)).json()["tweet_id"]
    await edges.comes("second tweet", lambda: _has(edges.there, ben, tweet))
    nobody = Person("", {})
    assert (await edges.there.get(f"/tweet/{tweet}")).status_code == HTTPStatus.OK
    changed = await edges.here.patch(f"/user/{ana.id}", json={"protected": True}, headers=ana.signed)
    assert changed.is_success, changed.text
    await edges.comes("protection", lambda: _status(edges.there, f"/tweet/{tweet}", nobody, HTTPStatus.NOT_FOUND))
    assert tweet in await _ids(edges.there, ben), "a follower still sees it"
    await edges.here.post(f"/user/{ben.id}/block", headers=ana.signed)
    await edges.comes("block", lambda: _status(edges.there, f"/tweet/{tweet}", ben, HTTPStatus.NOT_FOUND))
    assert tweet not in await _ids(edges.there, ben)
    assert (await edges.here.post("/logout", headers=ben.signed)).is_success
    await edges.comes("dead token", lambda: _status(edges.there, ben.home, ben, HTTPStatus.UNAUTHORIZED))


async def _follows(edges: TwoEdges, ana: Person, ben: Person) -> bool:
    profile = (await edges.there.get(f"/user/{ana.id}", headers=ben.signed)).json()
    return bool(profile["viewer"]["following"])


async def _ids(client: httpx.AsyncClient, reader: Person, position: str = "") -> list[str]:
    headers = reader.signed | ({POSITION: position} if position else {})
    page: Any = (await client.get(reader.home, headers=headers)).json()
    return [tweet["tweet_id"] for tweet in page["tweets"]]


async def _has(client: httpx.AsyncClient, reader: Person, tweet: str) -> bool:
    return tweet in await _ids(client, reader)


async def _status(client: httpx.AsyncClient, path: str, reader: Person, *wanted: int) -> bool:
    return (await client.get(path, headers=reader.signed)).status_code in wanted
