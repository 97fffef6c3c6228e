"""Read all that is one's own, to take it away.

edge.native.export -> Export -> every store, page by page

Of others there is nothing but who they are: their tweets are named by id, however the user stands to them now.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from roost.domain.content import Blob, Content
from roost.domain.errors import NotFound
from roost.domain.ids import ContentId, TweetId, UserId, Version, ms_of
from roost.domain.relation import Relation, RelationKind, Relations
from roost.domain.tweet import Tweet
from roost.domain.user import Account, Session, User
from roost.domain.visibility import may_see_user
from roost.ports.accounts import AccountStore, SessionStore
from roost.ports.content_bytes import ContentBytes
from roost.ports.contents import ContentStore
from roost.ports.likes import LikeStore
from roost.ports.relations import RelationStore
from roost.ports.tweets import TweetStore
from roost.views.relations import RelationView

ROWS_A_PAGE = 200
"""Rows in memory at a time: some 200 kB of tweets."""


@dataclass(frozen=True, slots=True)
class Time:
    """Unix milliseconds that are to be shown as a time."""

    ms: int


Value = str | bool | Time | None | Sequence["Value"] | Mapping[str, "Value"]
Record = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class ExportedTable:
    """Records under a name, oldest or newest first as their store has them."""

    name: str
    pages: AsyncIterator[Sequence[Record]]


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """The bytes of a content under its file's name."""

    name: str
    chunks: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class Export:
    """Each part is read when it is asked for: what changes meanwhile may be in one part and not in another."""

    accounts: AccountStore
    sessions: SessionStore
    tweets: TweetStore
    likes: LikeStore
    relation_rows: RelationStore
    relations: RelationView
    contents: ContentStore
    content_bytes: ContentBytes

    async def __call__(self, user_id: UserId) -> AsyncIterator[ExportedTable | ExportedFile]:
        """Raises NotFound for who is deleted, before the first part."""
        user = (await self.accounts.users([user_id])).get(user_id)
        account = await self.accounts.account(user_id)
        if user is None or user.deleted or account is None:
            raise NotFound(f"no user {user_id}")
        return self._parts(user, account)

    async def _parts(self, user: User, account: Account) -> AsyncIterator[ExportedTable | ExportedFile]:
        yield ExportedTable("profile", _one(_profile(user)))
        yield ExportedTable("account", _one(_account(account)))
        yield ExportedTable("sessions", self._sessions(user.id))
        yield ExportedTable("tweets", self._tweets(user.id))
        yield ExportedTable("likes", self._likes(user.id))
        for name, kind in _DONE_BY_USER.items():
            yield ExportedTable(name, self._related(user.id, kind, to_user=False))
        for name, kind in _DONE_TO_USER.items():
            yield ExportedTable(name, self._related(user.id, kind, to_user=True))
        yield ExportedTable("content", self._contents(user.id))
        async for page in self._content_pages(user.id):
            for content in page:
                original = content.original
                if original is not None and await self.content_bytes.size(original.digest) is not None:
                    yield ExportedFile(_file_name(content, original), self.content_bytes.read(original.digest))

    async def _sessions(self, user_id: UserId) -> AsyncIterator[Sequence[Record]]:
        yield [_session(session) for session in await self.sessions.sessions_of(user_id)]

    async def _tweets(self, user_id: UserId) -> AsyncIterator[Sequence[Record]]:
        before: TweetId | None = None
        while ids := await self.tweets.by_authors([user_id], before, None, ROWS_A_PAGE):
            tweets = await self.tweets.get_many(ids)  # one may have been deleted since its id was read
            yield [_tweet(tweets[id]) for id in ids if id in tweets and not tweets[id].deleted]
            before = ids[-1]

    async def _likes(self, user_id: UserId) -> AsyncIterator[Sequence[Record]]:
        before: Version | None = None
        while likes := await self.likes.by_user(user_id, before, ROWS_A_PAGE):
            yield [{"tweet_id": str(like.tweet_id), "liked_at": Time(ms_of(like.version))} for like in likes]
            before = likes[-1].version

    async def _related(self, user_id: UserId, kind: RelationKind, *, to_user: bool) -> AsyncIterator[Sequence[Record]]:
        read = self.relation_rows.of_object if to_user else self.relation_rows.of_subject
        before: Version | None = None
        while rows := await read(kind, user_id, before, ROWS_A_PAGE):
            others = [row.subject if to_user else row.object for row in rows]
            users = await self.accounts.users(others)
            viewer = await self.relations.of(user_id)
            yield [_other(row, id, users, viewer) for row, id in zip(rows, others, strict=True)]
            before = rows[-1].version

    async def _contents(self, user_id: UserId) -> AsyncIterator[Sequence[Record]]:
        async for page in self._content_pages(user_id):
            yield [_content(content) for content in page if content.ready]

    async def _content_pages(self, user_id: UserId) -> AsyncIterator[Sequence[Content]]:
        after: ContentId | None = None
        while page := await self.contents.of_owner(user_id, after, ROWS_A_PAGE):
            yield page
            after = page[-1].id


_DONE_BY_USER = {
    "following": RelationKind.FOLLOW,
    "requested": RelationKind.REQUEST,
    "blocks": RelationKind.BLOCK,
    "mutes": RelationKind.MUTE,
}
_DONE_TO_USER = {"followers": RelationKind.FOLLOW, "follow_requests": RelationKind.REQUEST}


async def _one(record: Record) -> AsyncIterator[Sequence[Record]]:
    yield [record]


def _profile(user: User) -> Record:
    return {
        "user_id": str(user.id),
        "username": user.username,
        "display_name": user.display_name,
        "bio": user.bio,
        "avatar_content_id": user.avatar,
        "protected": user.protected,
        "created_at": Time(user.created_ms),
    }


def _account(account: Account) -> Record:
    """Without the hash of the password: it is the server's, and a target for guessing."""
    return {"email": account.email, "email_confirmed": account.email_confirmed, "mobile": account.mobile}


def _session(session: Session) -> Record:
    return {
        "session_id": session.session_id,
        "created_at": Time(session.created_ms),
        "last_used_at": Time(session.last_used_ms),
        "expires_at": Time(session.expires_ms),
        "client": session.client,
    }


def _tweet(tweet: Tweet) -> Record:
    return {
        "tweet_id": str(tweet.id),
        "created_at": Time(tweet.created_ms),
        "client_time": tweet.client_time,
        "message": tweet.message,
        "lang": tweet.lang,
        "audience": tweet.audience.value,
        "content_ids": list(tweet.content),
        "reply_to_tweet_id": _id(tweet.reply_to),
        "retweet_of_tweet_id": _id(tweet.retweet_of),
        "quote_of_tweet_id": _id(tweet.quote_of),
    }


def _other(row: Relation, id: UserId, users: Mapping[UserId, User], viewer: Relations) -> Record:
    """A name only of those whom the user may know of: not of the deleted, nor of whoever blocked him."""
    user = users.get(id)
    name = None if user is None or not may_see_user(user, viewer) else user.username
    return {"user_id": str(id), "username": name, "since": Time(ms_of(row.version))}


def _content(content: Content) -> Record:
    return {
        "content_id": content.id,
        "file": None if content.original is None else _file_name(content, content.original),
        "created_at": Time(content.created_ms),
        "alt": content.alt,
        "tweet_id": _id(content.tweet_id),
    }


def _file_name(content: Content, original: Blob) -> str:
    return f"content/{content.id}.{original.mime.value.rpartition('/')[2]}"


def _id(id: int | None) -> str | None:
    return None if id is None else str(id)
