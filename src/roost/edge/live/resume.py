"""Send a socket what it missed since a cursor, then let it go on live.

edge.live.session -> Resume -> EventLog, Sight -> LiveSession.replay
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from roost.domain.events import Notified, TweetDeleted, TweetPosted
from roost.domain.ids import Position, TweetId, UserId
from roost.domain.tweet import Audience
from roost.domain.visibility import Place
from roost.edge.live import speech
from roost.edge.live.room import NotificationBytes, Room
from roost.edge.rendering import TweetRenderer
from roost.ports.clock import Clock
from roost.ports.log import EventLog, Logged
from roost.views.documents import document_of
from roost.views.sight import Seen, Sight

READ_MAX = 500


class Replayed(Protocol):
    """The session, as a resume sees it."""

    @property
    def number(self) -> int: ...
    @property
    def user_id(self) -> UserId: ...
    async def replay(self, position: Position, body: bytes, tweet: tuple[TweetId, str] | None) -> bool:
        """Send; `tweet` is the id and channel that it brings. False: the socket is closed, stop."""
        ...

    def went_on(self, position: Position) -> None:
        """All up to here is dealt with."""
        ...

    def gave_up(self) -> None:
        """What was missed is too much, or unknown: tell of a gap, and go on live from now."""
        ...


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
        position, left, sent = cursor, self.events_max, set[TweetId]()
        while True:
            facts = await self.log.read(position, READ_MAX)
            if facts is None or left <= 0 or (facts and self._is_too_old(facts[0])):
                session.gave_up()
                return
            if not facts:
                if self.log.is_reached(self.room.position, by=position):
                    return
                # The room is further than what could be read just now: read again.
                await asyncio.sleep(0)
                continue
            for fact in facts:
                if isinstance(fact.event, TweetPosted):
                    if fact.event.tweet_id in sent:
                        continue  # a log may tell a fact twice
                    sent.add(fact.event.tweet_id)
                if not await self._one(session, fact):
                    return
            position = facts[-1].position
            session.went_on(position)
            left -= len(facts)

    def _is_too_old(self, fact: Logged) -> bool:
        return fact.at_ms < self.clock.now_ms() - self.window_s * 1_000

    async def _one(self, session: Replayed, fact: Logged) -> bool:
        match fact.event:
            case TweetPosted():
                return await self._tweet(session, fact.event, fact.position)
            case TweetDeleted() if await self._shows(session, fact.event):
                return await session.replay(
                    fact.position, speech.tweet_deleted(fact.position, fact.event.tweet_id), None
                )
            case Notified(user_id=user, notification_id=id) if user == session.user_id:
                body_of = await self.notification(user, id)
                if body_of is not None:
                    body = speech.notification_arrived(fact.position, body_of)
                    return await session.replay(fact.position, body, None)
            case _:
                pass
        return True

    async def _tweet(self, session: Replayed, event: TweetPosted, position: Position) -> bool:
        """On the home channel, and on those that the session has beside it."""
        viewer, id = session.user_id, event.tweet_id
        sent = True
        if await self._concerns(viewer, event.author_id):
            for seen in await self.sight.of([id], viewer, Place.HOME):
                sent = await self._send(session, seen, "home", position)
        channels = self.room.channels.of(session.number) if event.audience is Audience.PUBLIC else ()
        if sent and channels:
            for seen in await self.sight.of([id], viewer, Place.LISTED):
                document = document_of(seen.tweet)
                for channel in channels:
                    if sent and channel.takes(document):
                        sent = await self._send(session, seen, channel.name, position)
        return sent

    async def _send(self, session: Replayed, seen: Seen, channel: str, position: Position) -> bool:
        tweet = await self.renderer.one(seen, session.user_id)
        body = speech.tweet_arrived(position, channel, tweet)
        return await session.replay(position, body, (seen.tweet.id, channel))

    async def _shows(self, session: Replayed, event: TweetDeleted) -> bool:
        """Whether this user may have the deleted tweet on the screen."""
        if not await self.room.may_hear_of_deletion(event, session.user_id):
            return False
        if self.room.channels.of(session.number):
            return True
        authors = await self.room.shown_by(event)
        return session.user_id in authors or not authors.isdisjoint(await self._followed(session.user_id))

    async def _concerns(self, viewer: UserId, author: UserId) -> bool:
        return author == viewer or author in await self._followed(viewer)

    async def _followed(self, viewer: UserId) -> Collection[UserId]:
        return (await self.sight.relations.of(viewer)).follows
