"""Push each new tweet onto its followers' warm home timelines.

EventLog -> FanOut -> FollowerView, TimelineCache -> queries.home_timeline

Fair: the first FOLLOWERS_AT_ONCE are pushed to at once; what is left of a larger fan-out stands back behind what others
post meanwhile, so that an author with millions delays nobody.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from roost.domain.events import Event, FanOutRest, TweetPosted
from roost.domain.ids import Position, TweetId, UserId
from roost.ports.cache import TimelineCache
from roost.ports.log import EventLog, Logged
from roost.views.celebrities import CelebrityView
from roost.views.relations import FOLLOWERS_A_PAGE, NOBODY, FollowerView

FOLLOWERS_AT_ONCE = FOLLOWERS_A_PAGE
"""Some 0.1 ms of pushing: the longest that one tweet holds the loop. Few authors have more."""
FOLLOWERS_A_TURN = FOLLOWERS_A_PAGE
"""Of what is left, between two looks at whatever else is due. A tweet takes some eight steps of the loop until it
stands on a timeline, and waits for a turn at each."""
RESTS_MAX = 10_000
"""Large fan-outs under way at a time in one process, some 160 bytes each. Beyond it the reaction waits."""
_NOWHERE = Position("")


class Rests(Protocol):
    """Where the rest of a large fan-out waits for its turn."""

    @property
    def followers_a_turn(self) -> int:
        """How many followers a rest is served of, until what is left then goes back."""
        ...

    async def leave(self, rest: FanOutRest) -> None: ...


@dataclass(frozen=True, slots=True)
class LoggedRests:
    """On the log, behind what was posted meanwhile: for timelines that outlive the process which fills them."""

    log: EventLog
    followers_a_turn: int = 10 * FOLLOWERS_AT_ONCE
    """Each turn costs a durable write: 100 of them for a million followers."""

    async def leave(self, rest: FanOutRest) -> None:
        await self.log.append([rest])


@dataclass(slots=True)
class OwnRests:
    """In this process's memory, one turn each in a row: for timelines that are in it too, and go with it.

    Read like a log, by a reaction that runs beside the one that reads the log itself.
    """

    followers_a_turn: int = FOLLOWERS_A_TURN
    rests_max: int = RESTS_MAX
    _waiting: "deque[FanOutRest]" = field(default_factory=deque)
    _served: TweetId | None = None
    _some: asyncio.Event = field(default_factory=asyncio.Event)
    _room: asyncio.Event = field(default_factory=asyncio.Event)

    def __len__(self) -> int:
        return len(self._waiting)

    async def leave(self, rest: FanOutRest) -> None:
        while len(self._waiting) >= self.rests_max and rest.tweet_id != self._served:
            self._room.clear()
            await self._room.wait()
        self._waiting.append(rest)
        self._some.set()

    async def batch(self) -> Sequence[Logged]:
        self._served = None
        self._room.set()
        await asyncio.sleep(0)  # whatever else is due goes first
        while not self._waiting:
            self._some.clear()
            await self._some.wait()
        rest = self._waiting.popleft()
        self._served = rest.tweet_id
        return [Logged(_NOWHERE, rest)]

    async def confirm(self, position: Position) -> None:
        """Nothing is kept."""


@dataclass(slots=True)
class FanOut:
    """Safe to repeat: pushing twice changes nothing. `delivered` counts pushes onto warm timelines."""

    followers: FollowerView
    homes: TimelineCache
    celebrities: CelebrityView
    rests: Rests
    delivered: int = 0
    at_once: int = FOLLOWERS_AT_ONCE

    async def __call__(self, event: Event) -> None:
        if isinstance(event, TweetPosted):
            # Whether he is a celebrity now counts too: a demotion rebuilds homes only of what was posted before it.
            if event.fan_out or self.celebrities.is_fanned_out(event.author_id):
                await self._push(event.tweet_id, event.author_id, NOBODY, self.at_once)
        elif isinstance(event, FanOutRest):
            await self._push(event.tweet_id, event.author_id, event.after_follower, self.rests.followers_a_turn)

    async def _push(self, tweet: TweetId, author: UserId, after: UserId, most: int) -> None:
        page = await self.followers.page(author, after, most)
        self.delivered += await self.homes.push(tweet, page)
        if len(page) == most:
            await self.rests.leave(FanOutRest(tweet, author, page[-1]))
