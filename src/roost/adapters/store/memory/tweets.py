"""Tweets in dictionaries, and the lists that name them in sorted lists."""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from heapq import nlargest, nsmallest
from typing import Protocol

from roost.domain.errors import RefReused
from roost.domain.events import Event
from roost.domain.ids import ID_MAX, ContentId, Position, TweetId, UserId, Version
from roost.domain.timeline import Page
from roost.domain.tweet import REF_KEPT_MS, Ref, Tweet
from roost.ports.tweets import Posted


class ContentClaims(Protocol):
    def claim(self, owner: UserId, ids: Collection[ContentId], tweet_id: TweetId) -> None:
        """Put all of them in the tweet, or raise Invalid and put none."""


class MemoryTweetStore:
    """No method waits for anything before it is done: so each is one step, as a transaction is."""

    def __init__(self, leave: Callable[[Sequence[Event]], Position], contents: ContentClaims) -> None:
        self._leave = leave
        self._contents = contents
        self._tweets: dict[TweetId, Tweet] = {}
        self._user_tweets: defaultdict[UserId, list[TweetId]] = defaultdict(list)
        self._replies: defaultdict[TweetId, list[TweetId]] = defaultdict(list)
        self._retweets_of: defaultdict[TweetId, list[TweetId]] = defaultdict(list)
        self._quotes_of: defaultdict[TweetId, list[TweetId]] = defaultdict(list)
        self._retweet_by: defaultdict[UserId, dict[TweetId, TweetId]] = defaultdict(dict)
        self._refs: dict[tuple[UserId, str], tuple[Ref, Posted]] = {}

    async def add(self, tweet: Tweet, ref: Ref | None, events: Sequence[Event]) -> Posted:
        earlier = None if ref is None else self._posted_by(ref)
        if earlier is None:
            earlier = self._posted_already(tweet)
            if earlier is not None and ref is not None:
                self._refs[ref.user_id, ref.ref] = (ref, earlier)
        if earlier is not None:
            return replace(earlier, repeated=True)
        self._contents.claim(tweet.author, tweet.content, tweet.id)
        self._tweets[tweet.id] = tweet
        for ids in self._places(tweet):
            insort(ids, tweet.id)
        if tweet.retweet_of is not None:
            self._retweet_by[tweet.author][tweet.retweet_of] = tweet.id
        posted = Posted(tweet.id, self._leave(events) if events else None)
        if ref is not None:
            self._refs[ref.user_id, ref.ref] = (ref, posted)
        return posted

    async def posted_by_ref(self, user_id: UserId, ref: str, now_ms: int) -> tuple[TweetId, bytes] | None:
        kept = self._refs.get((user_id, ref))
        if kept is None or kept[0].expires_ms <= now_ms:
            return None
        return kept[1].tweet_id, kept[0].digest

    async def get_many(self, ids: Collection[TweetId]) -> Mapping[TweetId, Tweet]:
        return {id: self._tweets[id] for id in ids if id in self._tweets}

    async def by_author(self, author: UserId, page: Page) -> Sequence[TweetId]:
        return await self.by_authors((author,), page.before, page.after, page.limit)

    async def by_authors(
        self, authors: Collection[UserId], before: TweetId | None, after: TweetId | None, limit: int
    ) -> Sequence[TweetId]:
        between = [id for author in set(authors) for id in _between(self._user_tweets.get(author, []), after, before)]
        if after is not None and before is None:
            return nsmallest(limit, between)[::-1]
        return nlargest(limit, between)

    async def replies_to(self, tweet_id: TweetId, after: TweetId | None, limit: int) -> Sequence[TweetId]:
        return _between(self._replies.get(tweet_id, []), after, None)[:limit]

    async def retweets_of(self, tweet_id: TweetId, before: TweetId | None, limit: int) -> Sequence[TweetId]:
        return nlargest(limit, _between(self._retweets_of.get(tweet_id, []), None, before))

    async def quotes_of(self, tweet_id: TweetId, before: TweetId | None, limit: int) -> Sequence[TweetId]:
        return nlargest(limit, _between(self._quotes_of.get(tweet_id, []), None, before))

    async def retweeted_by(self, user_id: UserId, tweet_ids: Collection[TweetId]) -> Mapping[TweetId, TweetId]:
        retweets = self._retweet_by.get(user_id, {})
        return {id: retweets[id] for id in tweet_ids if id in retweets}

    async def retweets_by(self, user_id: UserId, limit: int) -> Sequence[TweetId]:
        return nlargest(limit, self._retweet_by.get(user_id, {}))

    async def delete(self, tweet: Tweet, version: Version, events: Sequence[Event]) -> Position | None:
        kept = self._tweets.get(tweet.id)
        if kept is None or kept.deleted:
            return None
        self._tweets[kept.id] = replace(kept, deleted=True, version=max(kept.version, version))
        for ids in self._places(kept):
            ids.remove(kept.id)
        if kept.retweet_of is not None:
            del self._retweet_by[kept.author][kept.retweet_of]
        return self._leave(events)

    async def forget_message(self, ids: Collection[TweetId]) -> None:
        """What was said goes; who was mentioned stays, for reactions that meet the deletion late."""
        for id in ids:
            tweet = self._tweets.get(id)
            if tweet is not None and tweet.deleted:
                self._tweets[id] = replace(tweet, message="", hashtags=(), urls=(), cashtags=())

    async def scan(self, after: TweetId, limit: int) -> Sequence[Tweet]:
        return [self._tweets[id] for id in nsmallest(limit, (id for id in self._tweets if id > after))]

    async def newest_id(self) -> TweetId:
        return max(self._tweets, default=TweetId(0))

    def counts(self, tweet_id: TweetId) -> tuple[int, int, int]:
        """How many replies, retweets and quotes there are of it now."""
        lists = (self._replies, self._retweets_of, self._quotes_of)
        replies, retweets, quotes = (len(ids.get(tweet_id, ())) for ids in lists)
        return replies, retweets, quotes

    def count_by(self, author: UserId) -> int:
        """How many tweets the author has now."""
        return len(self._user_tweets.get(author, ()))

    def _places(self, tweet: Tweet) -> list[list[TweetId]]:
        """The lists that name the tweet; none does a tombstone."""
        if tweet.deleted:
            return []
        places = [self._user_tweets[tweet.author]]
        if tweet.reply_to is not None:
            places.append(self._replies[tweet.reply_to])
        if tweet.retweet_of is not None:
            places.append(self._retweets_of[tweet.retweet_of])
        if tweet.quote_of is not None:
            places.append(self._quotes_of[tweet.quote_of])
        return places

    def _posted_by(self, ref: Ref) -> Posted | None:
        kept = self._refs.get((ref.user_id, ref.ref))
        if kept is None or kept[0].expires_ms <= ref.expires_ms - REF_KEPT_MS:  # by the clock of who posts
            return None
        if kept[0].digest != ref.digest:
            raise RefReused(f"ref {ref.ref!r} was used for another tweet within the last 24 hours")
        return kept[1]

    def _posted_already(self, tweet: Tweet) -> Posted | None:
        if tweet.retweet_of is not None:
            earlier = self._retweet_by[tweet.author].get(tweet.retweet_of)
            if earlier is not None:
                return Posted(earlier, None)
        return Posted(tweet.id, None) if tweet.id in self._tweets else None


def _between(ids: list[TweetId], after: TweetId | None, before: TweetId | None) -> list[TweetId]:
    """The ids between the two, both exclusive, rising."""
    start = bisect_left(ids, (after or 0) + 1)
    return ids[start : bisect_left(ids, ID_MAX if before is None else before)]
