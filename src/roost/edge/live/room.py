"""The users connected to this node, and what each of them is told.

EventLog -> Room -> sessions. Every node reads every fact, and knows which user ids it holds.

What is sent is judged by follows, blocks, mutes and protection at the moment of sending.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from roost.domain.events import Event, Notified, RelationChanged, SessionsEnded, TweetDeleted, TweetPosted
from roost.domain.ids import Position, TweetId, UserId
from roost.domain.relation import RelationKind
from roost.domain.tweet import Audience
from roost.domain.visibility import Place, home_shows_plain, is_plain, may_see_tweets_of
from roost.edge.live import speech
from roost.edge.live.channels import Channels
from roost.edge.live.frames import Frame, text_frame
from roost.edge.live.local_follows import LocalFollows
from roost.edge.live.order import InOrder
from roost.edge.rendering import TweetRenderer, is_personal
from roost.ports.log import EventLog, Logged
from roost.ports.tweets import TweetStore
from roost.views.documents import document_of
from roost.views.sight import Loaded, Seen, Sight
from roost.views.viewer_acts import ViewerActs

RETWEETS_LOOKED_AT_MAX = 200
"""Of a deleted tweet: the followers of so many who retweeted it are told; a fetch corrects the rest."""

NOTIFICATIONS_REMEMBERED = 10_000
"""The latest that were pushed: a log that repeats itself is not noticed."""

NotificationBytes = Callable[[UserId, int], Awaitable[bytes | None]]
"""A notification as JSON if its user may be told of it now."""


class Listener(Protocol):
    """One session, as the room sees it."""

    @property
    def number(self) -> int: ...
    @property
    def user_id(self) -> UserId: ...
    @property
    def session_id(self) -> str: ...
    def tell(self, frame: Frame, tweet: tuple[TweetId, str] | None = None) -> None:
        """Push a frame; `tweet` is the id and channel that it brings, so that a session can tell what it sent."""

    def end(self, reason: str) -> None:
        """The session's token is dead: close the socket."""


@dataclass(frozen=True, slots=True)
class _Telling:
    """A frame for all sessions of a user, or for the one of that number."""

    user: UserId
    number: int | None
    frame: Frame
    channel: str


@dataclass(slots=True)
class Room:
    """`position` is how far the room has come along the log: the cursor of all that is sent."""

    log: EventLog
    sight: Sight
    acts: ViewerActs
    tweets: TweetStore
    renderer: TweetRenderer
    notification: NotificationBytes
    channels: Channels
    order: InOrder
    position: Position
    pushed: int = 0
    _listeners: dict[int, Listener] = field(default_factory=dict)
    _by_user: dict[UserId, dict[int, Listener]] = field(default_factory=dict)
    _follows: LocalFollows = field(init=False)
    _notified_of: OrderedDict[tuple[UserId, int], None] = field(default_factory=OrderedDict)
    # Held while a fact is told: who enters meanwhile would be told a half of it.
    _telling: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self._follows = LocalFollows(self.sight.relations, self._by_user)

    @property
    def users(self) -> int:
        """User ids that this node holds."""
        return len(self._by_user)

    def has_told(self, position: Position) -> bool:
        """Whether what is told from now on comes after that position, which must be one of the log's."""
        return self.log.is_reached(position, by=self.position)

    async def enter(self, listener: Listener) -> Position:
        """From the position that this answers on, the listener is told everything."""
        await self.sight.relations.of(listener.user_id)  # so that nobody waits for the store below
        async with self._telling:
            # First, so that `noticed` marks what changes while the follows are read.
            self._by_user.setdefault(listener.user_id, {})[listener.number] = listener
            self._listeners[listener.number] = listener
            await self._follows.note(listener.user_id)
            return self.position

    def leave(self, listener: Listener) -> None:
        """Harmless for one who is not in."""
        self.channels.leave(listener.number)
        self._listeners.pop(listener.number, None)
        own = self._by_user.get(listener.user_id)
        if own is not None and own.pop(listener.number, None) is not None and not own:
            del self._by_user[listener.user_id]
            self._follows.forget(listener.user_id)

    def noticed(self, event: Event) -> None:
        """This node's views have a fact, before anybody is told that it is done: whom a listener follows counts from
        then on, however late or out of order the log tells the room.
        """
        if isinstance(event, RelationChanged) and event.kind in (RelationKind.FOLLOW, RelationKind.BLOCK):
            self._follows.changed.update(user for user in (event.subject, event.object) if user in self._by_user)

    async def __call__(self, logged: Logged) -> None:
        """One fact. The cursor moves on only when all of it is pushed."""
        async with self._telling:
            await self._tell_of(logged.event, logged.position)
            self.position = logged.position

    async def _tell_of(self, event: Event, cursor: Position) -> None:
        match event:
            case TweetPosted() if not self._is_heard(event.author_id):
                # Also while nobody listens: what was posted by then is not told to who comes later.
                self.order.told(event.author_id, event.tweet_id)
            case TweetPosted():
                for id in await self.order.due(event.author_id, event.tweet_id):
                    await self._tweet(id, event.author_id, cursor)
                    self.order.told(event.author_id, id)
            case TweetDeleted() if self._listeners:
                await self._deleted(event, cursor)
            case Notified():
                await self._notified(event, cursor)
            case RelationChanged():
                self.noticed(event)
            case SessionsEnded():
                for listener in list(self._by_user.get(event.user_id, {}).values()):
                    if listener.session_id in event.session_ids:
                        listener.end("the session ended")
            case _:
                pass

    def _is_heard(self, author: UserId) -> bool:
        """Whether anybody here might be told of what he posts."""
        return author in self._by_user or self._follows.may_have(author) or self.channels.has_members()

    async def _tweet(self, id: TweetId, author: UserId, cursor: Position) -> None:
        """All frames are made before the first is told: where that fails, it is tried again and nothing comes twice."""
        await self._follows.note_changes()
        viewers = self._follows.of_author(author) | {author}
        viewers = {viewer for viewer in viewers if viewer in self._by_user}
        if not viewers and not self.channels.has_members():
            return
        loaded = await self.sight.load([id])
        frames: dict[object, Frame] = {}
        telling: list[_Telling] = []
        if not await self._plain_to_homes(id, loaded, viewers, cursor, frames, telling):
            for viewer in viewers:
                seen = loaded.seen_by(id, await self.sight.relations.of(viewer), Place.HOME)
                if seen is not None:
                    frame = await self._frame(seen, viewer, "home", cursor, frames)
                    telling.append(_Telling(viewer, None, frame, "home"))
        if self.channels.has_members():
            await self._into_channels(id, loaded, cursor, frames, telling)
        for one in telling:
            own = self._by_user.get(one.user, {})
            listeners = own.values() if one.number is None else [own[one.number]] if one.number in own else []
            self._tell(listeners, one.frame, (id, one.channel))

    async def _plain_to_homes(
        self,
        id: TweetId,
        loaded: Loaded,
        viewers: Collection[UserId],
        cursor: Position,
        frames: dict[object, Frame],
        telling: "list[_Telling]",
    ) -> bool:
        """Most tweets look the same to all and hang on their author alone: one look a viewer. False for the others,
        which are then judged for each.
        """
        tweet = loaded.tweets.get(id)
        author = None if tweet is None else loaded.users.get(tweet.author)
        if tweet is None or author is None or not is_plain(tweet, author):
            return False
        seen = Seen(tweet, author)
        if is_personal(seen):
            return False
        frame = await self._frame(seen, author.id, "home", cursor, frames)
        peek = self.sight.relations.cache.peek
        for viewer in viewers:
            relations = peek(viewer) or await self.sight.relations.of(viewer)
            if home_shows_plain(author.id, relations):
                telling.append(_Telling(viewer, None, frame, "home"))
        return True

    async def _into_channels(
        self,
        id: TweetId,
        loaded: Loaded,
        cursor: Position,
        frames: dict[object, Frame],
        telling: "list[_Telling]",
    ) -> None:
        tweet = loaded.tweets.get(id)
        if tweet is None or tweet.audience is not Audience.PUBLIC:
            return
        for number, channel in self.channels.listening(document_of(tweet)):
            listener = self._listeners.get(number)
            if listener is None:
                continue
            user = listener.user_id
            seen = loaded.seen_by(id, await self.sight.relations.of(user), Place.LISTED)
            if seen is not None:
                frame = await self._frame(seen, user, channel, cursor, frames)
                telling.append(_Telling(user, number, frame, channel))

    async def _frame(
        self, seen: Seen, viewer: UserId, channel: str, cursor: Position, frames: dict[object, Frame]
    ) -> Frame:
        """One frame for all to whom the tweet looks the same.

        A tweet that is new is shown as liked and retweeted by nobody: to ask that of each listener costs more than
        the push. What is nested in it may be old.
        """
        nested = seen.nested
        personal = is_personal(seen)
        flags: tuple[bool, ...] = ()
        if nested is not None:
            mine = await self.acts.flags(viewer, [seen.tweet.id, nested.id])
            flags = tuple(id in acts for id in (seen.tweet.id, nested.id) for acts in (mine.liked, mine.retweeted))
        key = (seen.tweet.id, channel, flags, nested is not None, viewer if personal else None)
        frame = frames.get(key)
        if frame is None:
            tweet = await self.renderer.one(seen, viewer if personal or nested is not None else None)
            frame = frames[key] = text_frame(speech.tweet_arrived(cursor, channel, tweet))
        return frame

    async def _deleted(self, event: TweetDeleted, cursor: Position) -> None:
        await self._follows.note_changes()
        told: set[UserId] = set()
        for author in await self.shown_by(event):
            told |= self._follows.of_author(author) | {author}
        told |= {self._listeners[number].user_id for number in self.channels.members() if number in self._listeners}
        frame = text_frame(speech.tweet_deleted(cursor, event.tweet_id))
        told = {user for user in told if user in self._by_user and await self.may_hear_of_deletion(event, user)}
        for user in told:
            self._tell(self._by_user.get(user, {}).values(), frame, None)

    async def shown_by(self, event: TweetDeleted) -> set[UserId]:
        """Whose followers may have the deleted tweet on their screens: its author's, and those of who retweeted it."""
        if event.retweet_of is not None:
            return {event.author_id}
        ids = await self.tweets.retweets_of(event.tweet_id, None, RETWEETS_LOOKED_AT_MAX)
        retweets = await self.sight.tweets.get_many(ids)
        return {event.author_id, *(tweet.author for tweet in retweets.values())}

    async def may_hear_of_deletion(self, event: TweetDeleted, user: UserId) -> bool:
        author = await self.sight.users.get(event.author_id)
        if author is None:
            return False
        return author.deleted or may_see_tweets_of(author, await self.sight.relations.of(user))

    async def _notified(self, event: Notified, cursor: Position) -> None:
        key = (event.user_id, event.notification_id)
        if event.user_id not in self._by_user or key in self._notified_of:
            return
        body = await self.notification(event.user_id, event.notification_id)
        if body is not None:
            frame = text_frame(speech.notification_arrived(cursor, body))
            self._tell(self._by_user.get(event.user_id, {}).values(), frame, None)
            self._notified_of[key] = None
            if len(self._notified_of) > NOTIFICATIONS_REMEMBERED:
                self._notified_of.popitem(last=False)

    def _tell(self, listeners: Iterable[Listener], frame: Frame, tweet: tuple[TweetId, str] | None) -> None:
        for listener in listeners:
            listener.tell(frame, tweet)
            self.pushed += 1
