"""Send a socket what it missed since a cursor, then let it go on live.

edge.live.session -> Resume -> EventLog, Sight -> LiveSession.replay
"""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from roost.domain.events import Notified, TweetDeleted, TweetPosted
from roost.domain.ids import Position, TweetId, UserId
from roost.domain.visibility import Place
from roost.edge.live import speech
from roost.edge.live.room import NotificationBytes, Room
from roost.edge.rendering import TweetRenderer
from roost.ports.clock import Clock
from roost.ports.log import EventLog, Logged
from roost.views.sight import Sight

READ_MAX = 500


class Replayed(Protocol):
    """The session, as a resume sees it."""

    @property
    def user_id(self) -> UserId: ...
    async def replay(self, position: Position, body: bytes, tweet: TweetId | None) -> bool:
        """Send; False: stop."""
        ...

    def went_on(self, position: Position) -> None: ...


@dataclass(frozen=True, slots=True)
class Resume:
    """Cursors older than `window_s`, or more than `events_max` facts back, are answered by a gap."""

    log: EventLog
    room: Room
    sight: Sight
    renderer: TweetRenderer
    notification: NotificationBytes
    clock: Clock
    window_s: int
    events_max: int

    async def __call__(self, session: Replayed, cursor: Position) -> None:
        """Return once nothing lies between what was sent and what the room sends next."""
        position, left = cursor, self.events_max
        while True:
            facts = await self.log.read(position, READ_MAX)
            if facts is None or left <= 0 or (facts and self._is_too_old(facts[0])):
                await session.replay(self.room.position, speech.something_skipped(self.room.position), None)
                return
            if not facts:
                if self.log.is_reached(self.room.position, by=position):
                    return
                # The room is further than what could be read just now: read again.
                await asyncio.sleep(0)
                continue
            for fact in facts:
                if not await self._one(session, fact):
                    return
            position = facts[-1].position
            session.went_on(position)
            left -= len(facts)

    def _is_too_old(self, fact: Logged) -> bool:
        return fact.at_ms < self.clock.now_ms() - self.window_s * 1_000

    async def _one(self, session: Replayed, fact: Logged) -> bool:
        match fact.event:
            case TweetPosted(tweet_id=tweet_id, author_id=author) if await self._concerns(session.user_id, author):
                seen = await self.sight.of([tweet_id], session.user_id, Place.HOME)
                if seen:
                    tweet = await self.renderer.one(seen[0], session.user_id)
                    body = speech.tweet_arrived(fact.position, "home", tweet)
                    return await session.replay(fact.position, body, tweet_id)
            case TweetDeleted(tweet_id=tweet_id, author_id=author) if await self._concerns(session.user_id, author):
                return await session.replay(fact.position, speech.tweet_deleted(fact.position, tweet_id), None)
            case Notified(user_id=user, notification_id=id) if user == session.user_id:
                body_of = await self.notification(user, id)
                if body_of is not None:
                    body = speech.notification_arrived(fact.position, body_of)
                    return await session.replay(fact.position, body, None)
            case _:
                pass
        return True

    async def _concerns(self, viewer: UserId, author: UserId) -> bool:
        return author == viewer or author in (await self.sight.relations.of(viewer)).follows
