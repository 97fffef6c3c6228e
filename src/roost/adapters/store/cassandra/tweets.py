"""The user tweets table in Cassandra, with the lists that name its rows.

commands/post_tweet -> (here) -> adapters/store/cassandra/session, outbox

A plain tweet costs two reads (is it there, is it a retweet again) and one logged batch: its row, its place among the
author's, its announcement. A ref, a retweet and content each add a decision before it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from roost.adapters.store.cassandra.bodies import Bodies, put
from roost.adapters.store.cassandra.claims import ClaimKind, Claims
from roost.adapters.store.cassandra.cql import Cql
from roost.adapters.store.cassandra.merging import Stretch
from roost.adapters.store.cassandra.outbox import CassandraOutbox
from roost.adapters.store.cassandra.places import Places
from roost.adapters.store.cassandra.refs import Refs, check_encodable
from roost.adapters.store.cassandra.session import CassandraSession, each_of
from roost.adapters.store.cassandra.spans import Spans, month_of
from roost.adapters.store.cassandra.tweet_lists import TweetLists
from roost.adapters.store.cassandra.tweet_walk import TweetWalk, spans_of_body
from roost.domain.errors import Refused
from roost.domain.events import Event
from roost.domain.ids import ContentId, Position, TweetId, UserId, Version
from roost.domain.timeline import Page
from roost.domain.tweet import Ref, Tweet
from roost.ports.tweets import Posted

_RETWEETS = Cql("SELECT tweet_id, retweet_id FROM retweet_by WHERE user_id = ? AND month = ? AND tweet_id IN ?")


class ContentClaims(Protocol):
    async def claim(self, owner: UserId, ids: Collection[ContentId], tweet_id: TweetId) -> None:
        """Put all of them in the tweet, or raise Invalid and put none."""


@dataclass(frozen=True, slots=True)
class _Earlier:
    """A tweet that stands in the place of the one that was to be posted."""

    tweet_id: TweetId

    @property
    def posted(self) -> Posted:
        return Posted(self.tweet_id, None, repeated=True)


class CassandraTweetStore:
    def __init__(
        self, session: CassandraSession, spans: Spans, outbox: CassandraOutbox, contents: ContentClaims
    ) -> None:
        self._session = session
        self._spans = spans
        self._outbox = outbox
        self._contents = contents
        self._bodies = Bodies(session)
        self._refs = Refs(session, self._bodies, outbox)
        self._claims = Claims(session, outbox.now_ms)
        self._places = Places(session)
        self._lists = TweetLists(session, spans)
        self._walk = TweetWalk(session, spans, self._bodies, outbox.now_ms)

    async def add(self, tweet: Tweet, ref: Ref | None, events: Sequence[Event]) -> Posted:
        """A post whose outcome is unknown (DependencyDown) may be there or come to be there: its ref tells."""
        if ref is not None:
            check_encodable(ref)
            known = await self._refs.posted_by(ref)
            if known is not None:
                return known
        earlier = await self._posted_already(tweet) or await self._claim_retweet(tweet)
        if ref is not None:
            known = await self._refs.claim(ref, tweet.id if earlier is None else earlier.tweet_id)
            if known is not None:
                if earlier is None:
                    await self._release_retweet(tweet)
                return known
        if earlier is not None:
            return earlier.posted
        await self._claim_content(tweet, ref)
        return await self._insert(tweet, ref, events)

    async def posted_by_ref(self, user_id: UserId, ref: str, now_ms: int) -> tuple[TweetId, bytes] | None:
        return await self._refs.tweet_of(user_id, ref, now_ms)

    async def get_many(self, ids: Collection[TweetId]) -> Mapping[TweetId, Tweet]:
        return await self._bodies.get_many(ids)

    async def by_author(self, author: UserId, page: Page) -> Sequence[TweetId]:
        return await self.by_authors((author,), page.before, page.after, page.limit)

    async def by_authors(
        self, authors: Collection[UserId], before: TweetId | None, after: TweetId | None, limit: int
    ) -> Sequence[TweetId]:
        """Two reads an author, more for those who have more to give or posted nothing for months."""
        upwards = after is not None and before is None
        stretch = replace(Stretch.below(before), after=after or 0, newest_first=not upwards)
        ids = await self._lists.of_authors(authors, stretch, limit)
        return ids[::-1] if upwards else ids

    async def replies_to(self, tweet_id: TweetId, after: TweetId | None, limit: int) -> Sequence[TweetId]:
        return await self._lists.replies_to(tweet_id, Stretch.above(after), limit)

    async def retweets_of(self, tweet_id: TweetId, before: TweetId | None, limit: int) -> Sequence[TweetId]:
        return await self._lists.retweets_of(tweet_id, Stretch.below(before), limit)

    async def quotes_of(self, tweet_id: TweetId, before: TweetId | None, limit: int) -> Sequence[TweetId]:
        return await self._lists.quotes_of(tweet_id, Stretch.below(before), limit)

    async def retweeted_by(self, user_id: UserId, tweet_ids: Collection[TweetId]) -> Mapping[TweetId, TweetId]:
        months: dict[int, list[TweetId]] = {}
        for id in tweet_ids:
            months.setdefault(month_of(id), []).append(id)
        reads = [(user_id, month, ids) for month, ids in months.items()]
        answers = await each_of(lambda read: self._session.rows(_RETWEETS, *read), reads)
        return {TweetId(original): TweetId(retweet) for rows in answers for original, retweet in rows}

    async def retweets_by(self, user_id: UserId, limit: int) -> Sequence[TweetId]:
        return await self._lists.retweets_by(user_id, limit)

    async def delete(self, tweet: Tweet, version: Version, events: Sequence[Event]) -> Position | None:
        """Its places go; its message and its content's rows are erased by others, later."""
        kept = await self._bodies.get(tweet.id)
        if kept is None or kept.tweet.deleted:
            return None
        gone = replace(kept.tweet, deleted=True, version=max(kept.tweet.version, version))
        left = self._outbox.leave(events)
        statements = [put(gone), *await self._places.removed(kept.tweet), *left.rows]
        # Later than the post, also where the clock that posted was ahead of this one.
        await self._session.write_together(statements, self._later(kept.written_us))
        await self._release_retweet(kept.tweet)
        return await self._outbox.tell(left)

    async def forget_message(self, ids: Collection[TweetId]) -> None:
        """What was said goes; who was mentioned stays, for reactions that meet the deletion late."""

        async def forget(id: TweetId) -> None:
            kept = await self._bodies.get(id)
            if kept is not None and kept.tweet.deleted and kept.tweet.message:
                blank = replace(kept.tweet, message="", hashtags=(), urls=(), cashtags=())
                await self._session.write_together([put(blank)], self._later(kept.written_us))

        await each_of(forget, list(dict.fromkeys(ids)))

    async def scan(self, after: TweetId, limit: int) -> Sequence[Tweet]:
        return await self._walk.scan(after, limit)

    async def newest_id(self) -> TweetId:
        return await self._walk.newest_id()

    async def _insert(self, tweet: Tweet, ref: Ref | None, events: Sequence[Event]) -> Posted:
        left = self._outbox.leave(events)
        places, spans = await self._places.added(tweet)
        await self._spans.write([put(tweet), *places, *left.rows], [*spans_of_body(tweet.id), *spans])
        posted = Posted(tweet.id, await self._outbox.tell(left) if events else None)
        if posted.position == self._outbox.before_all:
            return replace(posted, position=None)
        if ref is not None and posted.position is not None:
            await self._refs.note_position(ref, posted)
        return posted

    async def _posted_already(self, tweet: Tweet) -> _Earlier | None:
        if tweet.retweet_of is not None:
            retweets = await self.retweeted_by(tweet.author, [tweet.retweet_of])
            if retweets:
                return _Earlier(retweets[tweet.retweet_of])
        return None if await self._bodies.is_kept(tweet.id) is None else _Earlier(tweet.id)

    async def _claim_retweet(self, tweet: Tweet) -> _Earlier | None:
        """Of all who retweet at once for one user, one does; None for that one, and for what is no retweet."""
        if tweet.retweet_of is None:
            return None
        key = _retweet_key(tweet.author, tweet.retweet_of)
        holder = await self._claims.claim(ClaimKind.RETWEET, key, tweet.id, self._bodies.is_kept)
        return None if holder == tweet.id else _Earlier(TweetId(holder))

    async def _release_retweet(self, tweet: Tweet) -> None:
        if tweet.retweet_of is not None:
            await self._claims.release(ClaimKind.RETWEET, _retweet_key(tweet.author, tweet.retweet_of), tweet.id)

    async def _claim_content(self, tweet: Tweet, ref: Ref | None) -> None:
        if not tweet.content:
            return
        try:
            await self._contents.claim(tweet.author, tweet.content, tweet.id)
        except Refused:
            if ref is not None:
                await self._refs.release(ref, tweet.id)
            await self._release_retweet(tweet)
            raise

    def _later(self, written_us: int) -> int:
        return max(self._outbox.now_ms() * 1_000, written_us + 1)


def _retweet_key(user: UserId, original: TweetId) -> str:
    return f"{user}:{original}"
