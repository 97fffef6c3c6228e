"""Push each new tweet onto its followers' warm home timelines.

EventLog -> FanOut -> FollowerView, TimelineCache -> queries.home_timeline

Fair: the first FOLLOWERS_AT_ONCE are pushed to at once; what is left of a larger fan-out stands back behind what others
post meanwhile, so that an author with millions delays nobody.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from roost.domain.events import Event, FanOutRest, TweetPosted
from roost.domain.ids import Position, TweetId, UserId
from roost.ports.cache import TimelineCache
from roost.ports.log import EventLog, Logged
from roost.views.celebrities import CelebrityView
from roost.views.relations import NOBODY, FollowerView
from roost.views.tweets import TweetView

FOLLOWERS_AT_ONCE = 500
"""Some 50 µs of pushing: the longest that one tweet holds the loop. Few authors have more."""
GIVE_WAY_S, GIVES_WAY_MAX, FEW_RESTS = 0.001, 3, 2
RESTS_MAX = 10_000
"""Large fan-outs under way at a time in one process, some 160 bytes each. Beyond it the reaction waits."""
_NOWHERE = Position("")


class Rests(Protocol):
    """Where the rest of a large fan-out waits for its turn."""

    @property
    def followers_a_turn(self) -> int:
        """How many followers a rest is served of, by whole pages, until what is left then goes back."""
        ...

    async def leave(self, rest: FanOutRest) -> None: ...


@dataclass(frozen=True, slots=True)
class LoggedRests:
    """On the log, behind what was posted meanwhile: for timelines that outlive the process which fills them."""

    log: EventLog
    followers_a_turn: int = 10 * FOLLOWERS_AT_ONCE
    """Each turn costs a durable write: 200 of them for a million followers."""

    async def leave(self, rest: FanOutRest) -> None:
        await self.log.append([rest])


@dataclass(slots=True)
class OwnRests:
    """In this process's memory, one turn each in a row: for timelines that are in it too, and go with it.

    Read like a log, by a reaction that runs beside the one that reads the log itself.
    """

    followers_a_turn: int = 1
    """One page between two looks at whatever else is due: a tweet takes some eight steps of the loop until it stands on
    a timeline, and waits for a turn at each."""
    rests_max: int = RESTS_MAX
    is_writing: Callable[[], bool] = lambda: False
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
        # A writer's thread waits half a millisecond at each statement for the interpreter lock of a busy loop. One
        # very large fan-out has time for it; many must not fall behind.
        for _ in range(GIVES_WAY_MAX):
            if len(self._waiting) > FEW_RESTS or not self.is_writing():
                break
            await asyncio.sleep(GIVE_WAY_S)
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
    tweets: TweetView | None = None
    """Where what was delivered is brought to hand, so that no page has to wait for what another process posted."""

    async def __call__(self, event: Event) -> None:
        if isinstance(event, TweetPosted):
            # Whether he is a celebrity now counts too: a demotion rebuilds homes only of what was posted before it.
            if event.fan_out or self.celebrities.is_fanned_out(event.author_id):
                before = self.delivered
                await self._push(event.tweet_id, event.author_id, NOBODY, self.at_once)
                if self.tweets is not None and self.delivered > before:
                    await self._bring_to_hand(event, self.tweets)
        elif isinstance(event, FanOutRest):
            await self._push(event.tweet_id, event.author_id, event.after_follower, self.rests.followers_a_turn)

    async def _bring_to_hand(self, event: TweetPosted, tweets: TweetView) -> None:
        nested = event.retweet_of or event.quote_of
        ids = [event.tweet_id] if nested is None else [event.tweet_id, nested]
        await tweets.get_many(ids)
        await tweets.counts(ids)

    async def _push(self, tweet: TweetId, author: UserId, after: UserId, most: int) -> None:
        pushed, more = 0, True
        while more and pushed < most:
            page, more = await self.followers.page(author, after)
            self.delivered += await self.homes.push(tweet, page)
            pushed += len(page)
            after = page[-1] if page else after
        if more:
            await self.rests.leave(FanOutRest(tweet, author, after))
