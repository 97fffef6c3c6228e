"""Tweets over WebSockets: each author's in order, all in about the order of the plan.

Without a rate the next tweet goes out when one of those under way is acknowledged (closed loop).
With a rate each tweet is due at its time whatever the server does, and its latency counts from then
(open loop): a server that stalls is charged for everything that had to wait.
"""

import asyncio
import secrets
import time
from collections import deque
from dataclasses import dataclass

from roost_loadgen.client import Account, Client
from roost_loadgen.parallel import Meter, failing_together
from roost_loadgen.plan import Plan
from roost_loadgen.sockets import SocketPool

UNDER_WAY_MAX = 64  # closed loop: sent and not acknowledged
OVERDUE_MAX = 20_000  # open loop: due and not acknowledged; beyond it the pace gives way
RUN_NAME_BYTES = 6


async def tweet_all(
    client: Client, plan: Plan, accounts: list[Account], meter: Meter, *, rate: float | None = None
) -> list[str]:
    """Post every tweet of the plan, `rate` a second when given; their ids in the plan's order."""
    sockets = SocketPool(client)
    tweeting = _Tweeting(client, plan, accounts, meter, sockets)
    try:
        async with failing_together() as tasks:
            await tweeting.send_all(tasks, rate)
    finally:
        sockets.close()
    return tweeting.tweet_ids


@dataclass(frozen=True, slots=True)
class _Due:
    """A tweet whose time has come."""

    index: int
    since_s: float


class _Tweeting:
    def __init__(
        self,
        client: Client,
        plan: Plan,
        accounts: list[Account],
        meter: Meter,
        sockets: SocketPool,
    ) -> None:
        self.tweet_ids = [""] * len(plan.tweets)
        self._client = client
        self._plan = plan
        self._accounts = accounts
        self._meter = meter
        self._sockets = sockets
        # A user's refs must be new to the server, also when it is loaded a second time.
        self._run = secrets.token_hex(RUN_NAME_BYTES)
        self._waiting: dict[int, deque[_Due]] = {}  # by author; present while a task serves him

    async def send_all(self, tasks: asyncio.TaskGroup, rate: float | None) -> None:
        slots = asyncio.Semaphore(UNDER_WAY_MAX if rate is None else OVERDUE_MAX)
        start_s = self._meter.start()
        for index, tweet in enumerate(self._plan.tweets):
            await slots.acquire()
            since_s = time.perf_counter()
            if rate is not None:
                since_s = start_s + index / rate
                if (early_s := since_s - time.perf_counter()) > 0:
                    await asyncio.sleep(early_s)
            due = _Due(index, since_s)
            if tweet.author in self._waiting:
                self._waiting[tweet.author].append(due)
            else:
                self._waiting[tweet.author] = deque([due])
                tasks.create_task(self._serve(tweet.author, slots, paced=rate is not None))

    async def _serve(self, author: int, slots: asyncio.Semaphore, *, paced: bool) -> None:
        """Post one author's due tweets, one after another, until none is left."""
        waiting = self._waiting[author]
        while waiting:
            due = waiting.popleft()
            # In a closed loop the wait behind one's own tweets is this program's, not the server's.
            since_s = due.since_s if paced else time.perf_counter()
            self.tweet_ids[due.index] = await self._post(author, due.index)
            self._meter.add(since_s)
            slots.release()
        del self._waiting[author]

    async def _post(self, author: int, index: int) -> str:
        message, ref = self._plan.tweets[index].message, f"{self._run}-{index}"

        async def attempt() -> str:
            async with self._sockets.lease(self._accounts[author]) as socket:
                return (await socket.tweet(message, ref)).tweet_id

        return await self._client.patience.through(attempt)
