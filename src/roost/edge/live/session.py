"""One user on one socket: posts, subscribes, resumes, and is told what enters the home timeline.

edge.live.live_socket -> LiveSession -> commands.post_tweet; edge.live.room -> LiveSession.tell -> LiveSocket
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec
import structlog

from roost.commands.post_tweet import PostTweet
from roost.domain.errors import Invalid, NotSignedIn, RoostError
from roost.domain.ids import Position, TweetId, UserId
from roost.domain.tweet import REF_LENGTH_MAX
from roost.domain.user import Session as SignIn
from roost.edge.drafts import DraftBody, draft_of
from roost.edge.live import speech
from roost.edge.live.door import LiveSocket
from roost.edge.live.frames import INTERNAL_ERROR, POLICY, Frame
from roost.edge.live.resume import Resume
from roost.edge.live.room import Room
from roost.edge.native.request import decode
from roost.edge.rendering import TweetRenderer
from roost.views.sessions import SessionView

log = structlog.get_logger("roost.live")

CURSOR_LENGTH_MAX = 200


class Message(DraftBody, frozen=True, kw_only=True):
    """What a client sends: a tweet's payload, unless `type` says otherwise."""

    type: str = "tweet"
    cursor: str | None = None
    channel: str | None = None


class _RefOnly(msgspec.Struct):
    ref: str | None = None


_MESSAGES = msgspec.json.Decoder(Message)
_REFS = msgspec.json.Decoder(_RefOnly)


@dataclass(frozen=True, slots=True)
class LiveDesk:
    """What all sessions of a node share. `count_post` and `count_search` raise TooManyRequests."""

    room: Room
    post: PostTweet
    renderer: TweetRenderer
    resume: Resume
    sign_ins: SessionView
    count_post: Callable[[UserId], None]
    count_search: Callable[[UserId], None]


class LiveSession:
    """Messages are answered one after the other, so that a client's tweets stand in the order he sent them."""

    __slots__ = (
        "_cursor",
        "_desk",
        "_last",
        "_live",
        "_resume_from",
        "_resumed",
        "_resumed_to",
        "_sign_in",
        "_socket",
        "number",
    )

    def __init__(self, desk: LiveDesk, sign_in: SignIn, number: int, resume_from: str | None) -> None:
        self._desk = desk
        self._sign_in = sign_in
        self.number = number
        self._resume_from = resume_from
        self._socket: LiveSocket
        self._last: asyncio.Future[None] | None = None
        self._live = True
        self._cursor = Position("")
        # What a resume sent, by channel: live pushes of the same facts are left out until the room is beyond them.
        self._resumed: set[tuple[TweetId, str]] = set()
        self._resumed_to = Position("")

    @property
    def user_id(self) -> UserId:
        return self._sign_in.user_id

    @property
    def session_id(self) -> str:
        return self._sign_in.session_id

    # What the transport calls.

    def opened(self, socket: LiveSocket) -> None:
        self._socket = socket
        self._last = self._chain(self._enter)

    def received(self, text: str) -> asyncio.Future[None]:
        return self._chain(lambda: self._answer(text))

    def gap(self) -> Frame:
        return speech.frame(speech.something_skipped(self._now()))

    def closed(self) -> None:
        self._desk.room.leave(self)
        if self._last is not None and not self._last.done():
            # Whatever is still being answered goes on: a post is finished, its ack has nowhere to go.
            self._last.add_done_callback(lambda _: self._desk.room.leave(self))

    # What the room calls.

    def tell(self, frame: Frame, tweet: tuple[TweetId, str] | None = None) -> None:
        if not self._live or (self._resumed and self._was_resumed(tweet)):
            return
        self._socket.push(frame)

    def end(self, reason: str) -> None:
        self._socket.close(POLICY, reason)

    def _was_resumed(self, tweet: tuple[TweetId, str] | None) -> bool:
        if self._desk.room.has_told(self._resumed_to):
            self._resumed.clear()
        return tweet in self._resumed

    def _now(self) -> Position:
        return self._desk.room.position if self._live else self._cursor

    def _chain(self, answer: Callable[[], Awaitable[None]]) -> asyncio.Future[None]:
        task = asyncio.ensure_future(_after(self._last, answer))
        self._last = task
        return task

    async def _enter(self) -> None:
        try:
            cursor = await self._desk.room.enter(self)
            # It may have ended between the door and the room, which was told of it before this socket was in.
            await self._desk.sign_ins.by_token(self._sign_in.token_hash)
        except NotSignedIn:
            self.end("the session ended")
            return
        except Exception:
            log.exception("a session could not begin", user_id=self.user_id)
            self._socket.close(INTERNAL_ERROR, "try again")
            return
        self._socket.send(speech.hello(self.user_id, cursor))
        if self._resume_from is not None:
            await self._guarded(None, lambda: self._resume(None, self._resume_from))

    async def _answer(self, text: str) -> None:
        try:
            message: Message = decode(_MESSAGES, text)
        except RoostError as error:
            self._socket.send(speech.refused(_ref_in(text), error))
            return
        await self._guarded(message.ref, lambda: self._obey(message))

    async def _guarded(self, ref: str | None, act: Callable[[], Awaitable[None]]) -> None:
        try:
            await act()
        except RoostError as error:
            self._socket.send(speech.refused(ref, error))
        except Exception:
            log.exception("a message failed", user_id=self.user_id)
            self._socket.send(speech.failed(ref))

    async def _obey(self, message: "Message") -> None:
        ref = message.ref
        if ref is not None and not 1 <= len(ref) <= REF_LENGTH_MAX:
            raise Invalid.field("ref", f"{len(ref)} characters, 1 to {REF_LENGTH_MAX} allowed")
        match message.type:
            case "tweet":
                await self._post(message)
            case "ping":
                self._socket.send(speech.pong(ref, self._now()))
            case "resume":
                await self._resume(ref, message.cursor)
            case "subscribe":
                await self._subscribe(ref, message.channel)
            case "unsubscribe":
                self._desk.room.channels.unsubscribe(self.number, message.channel or "")
                self._socket.send(speech.done("unsubscribed", ref, self._now(), message.channel))
            case other:
                raise Invalid.field("type", f"{other[:40]!r} is none of tweet, resume, subscribe, unsubscribe, ping")

    async def _post(self, message: "Message") -> None:
        draft = draft_of(message)
        self._desk.count_post(self.user_id)
        posted = await self._desk.post(self.user_id, draft)
        tweet = await self._desk.renderer.one(posted.seen, self.user_id)
        self._socket.send(speech.acknowledged(draft.ref, tweet, posted.position))

    async def _subscribe(self, ref: str | None, name: str | None) -> None:
        channel = await self._desk.room.channels.parse(name)
        if channel.query is not None:
            self._desk.count_search(self.user_id)
        self._desk.room.channels.subscribe(self.number, channel)
        self._socket.send(speech.done("subscribed", ref, self._now(), channel.name))

    async def _resume(self, ref: str | None, cursor: str | None) -> None:
        if cursor is None or len(cursor) > CURSOR_LENGTH_MAX:
            raise Invalid.field("cursor", f"a cursor is a text of at most {CURSOR_LENGTH_MAX} characters")
        self._live = False
        self._cursor = Position(cursor)
        try:
            await self._desk.resume(self, Position(cursor))
        finally:
            self._live = True
        self._socket.send(speech.done("resumed", ref, self._now()))

    # What a resume calls.

    async def replay(self, position: Position, body: bytes, tweet: tuple[TweetId, str] | None) -> bool:
        """Send what was missed, at the client's pace. False: the socket is closed, stop."""
        self._cursor = position
        if tweet is not None and not self._desk.room.has_told(position):
            self._resumed_to = position
            self._resumed.add(tweet)
        self._socket.send(body)
        return await self._socket.drained()

    def went_on(self, position: Position) -> None:
        """All up to here is dealt with, sent or not for this user."""
        self._cursor = position

    def gave_up(self) -> None:
        """Live first: what comes after the gap's cursor must not be left out."""
        self._live = True
        self._socket.send(speech.something_skipped(self._now()))


async def _after(previous: "asyncio.Future[None] | None", answer: Callable[[], Awaitable[None]]) -> None:
    if previous is not None:
        await asyncio.wait([previous])
    await answer()


def _ref_in(text: str) -> str | None:
    """The ref of a message that cannot be obeyed, if that much can be read."""
    try:
        return _REFS.decode(text).ref
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
