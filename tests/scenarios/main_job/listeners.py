"""Users who only listen: what each got on his socket, in its order."""

import asyncio
from dataclasses import dataclass, field

from roost_loadgen.client import Account, Client
from roost_loadgen.live import LiveSocket
from roost_loadgen.wire import ServerMessage
from scenarios.main_job.model import Model

ALL_ARRIVED_S_MAX = 120.0
_IGNORED = ("notification",)  # mentions and follows: another scenario's business


@dataclass(slots=True)
class Listener:
    """One user at one socket, which must stay open from the first tweet to the last."""

    user: int  # by rank
    got: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    socket: LiveSocket | None = None
    _expected: int | None = None
    _complete: asyncio.Event = field(default_factory=asyncio.Event)

    def receive(self, message: ServerMessage) -> None:
        if message.type == "tweet" and message.tweet is not None and message.channel == "home":
            self.got.append(int(message.tweet.tweet_id))
            if len(self.got) == self._expected:
                self._complete.set()
        elif message.type not in _IGNORED:
            self.wrong.append(f"an unexpected {message.type}")

    async def all_arrived(self, count: int) -> None:
        """Wait until `count` tweets came, and then for whatever the server sent before it answers a ping."""
        self._expected = count
        if len(self.got) < count:
            await self._complete.wait()
        assert self.socket is not None
        await self.socket.ping()

    def leave(self) -> None:
        if self.socket is not None:
            self.socket.close()

    def complaints(self, model: Model, accounts: list[Account]) -> list[str]:
        """Everything that this user got and should not have, or the other way round."""
        name = accounts[self.user].username
        found = [f"{name} got {wrong}" for wrong in self.wrong]
        if self.socket is None or self.socket.lost is not None:
            found.append(f"{name} lost the socket: {self.socket and self.socket.lost}")
        expected, got = set(model.home_timeline(self.user)), set(self.got)
        if len(got) != len(self.got):
            found.append(f"{name} got {len(self.got) - len(got)} tweets twice")
        if expected - got:
            found.append(f"{name} missed {len(expected - got)} of {len(expected)}, first {min(expected - got)}")
        if got - expected:
            found.append(f"{name} got {len(got - expected)} tweets of strangers, first {min(got - expected)}")
        return found + self._disorder(model, name)

    def _disorder(self, model: Model, name: str) -> list[str]:
        last: dict[int | None, int] = {}
        for id in self.got:
            author = model.author_of.get(id)
            if id <= last.get(author, -1):
                return [f"{name} got {id} after {last[author]} of the same author"]
            last[author] = id
        return []


async def listen(client: Client, accounts: list[Account], users: list[int]) -> list[Listener]:
    """A listener for each of the users, connected and greeted."""
    listeners = [Listener(user) for user in users]
    for listener in listeners:
        listener.socket = await client.open_socket(accounts[listener.user], listener.receive)
    return listeners


def who_follow_most(following: list[set[int]], count: int) -> list[int]:
    """Those with the most to hear."""
    return sorted(range(len(following)), key=lambda user: (-len(following[user]), user))[:count]


async def wait_for_all(listeners: list[Listener], model: Model) -> list[str]:
    """Give the last pushes their time; who has been waited for in vain is named."""
    waiting = {asyncio.create_task(one.all_arrived(model.home_length(one.user))): one for one in listeners}
    _, late = await asyncio.wait(waiting, timeout=ALL_ARRIVED_S_MAX)
    for task in late:
        task.cancel()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    return [f"waiting for a listener: {one!r}" for one in results if isinstance(one, Exception)]
