"""Post a tweet, a reply, a retweet or a quote.

edge.live.session, edge.native.tweets -> PostTweet -> TweetStore (with the announcement) -> reactions
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from roost.domain.content import check_together
from roost.domain.errors import Forbidden, Gone, Invalid, RefReused
from roost.domain.events import TweetPosted
from roost.domain.ids import ContentId, Position, TweetId, UserId
from roost.domain.text import MESSAGE_WEIGHT_MAX, Entities, extract_entities, normalise, weighted_length
from roost.domain.tweet import (
    CLIENT_TIME_LENGTH_MAX,
    NO_COUNTS,
    REF_KEPT_MS,
    REF_LENGTH_MAX,
    Audience,
    MentionedUser,
    Ref,
    Tweet,
)
from roost.domain.visibility import may_share
from roost.ports.clock import Clock
from roost.ports.contents import ContentStore
from roost.ports.ids import IdSource
from roost.ports.language import LanguageDetector
from roost.ports.log import NodeProgress
from roost.ports.tweets import Posted, TweetStore
from roost.views.celebrities import CelebrityView
from roost.views.posting_right import PostingRight
from roost.views.sight import Seen, Sight
from roost.views.tweets import TweetView
from roost.views.users import UserView

CONTENT_IDS_MAX = 4
LANG_LENGTH_MAX = 35  # the longest tag that RFC 5646 recommends to make room for


@dataclass(frozen=True, slots=True)
class Draft:
    """What a user wants to post. A reply without message and content is a retweet."""

    message: str = ""
    content_ids: tuple[ContentId, ...] = ()
    reply_to: TweetId | None = None
    quote_of: TweetId | None = None
    audience: Audience = Audience.PUBLIC
    lang: str | None = None
    client_time: str | None = None
    ref: str | None = None

    def __post_init__(self) -> None:
        if self.reply_to is not None and self.quote_of is not None:
            raise Invalid("a tweet answers one tweet or quotes one, not both")
        if len(self.content_ids) > CONTENT_IDS_MAX:
            raise Invalid.field("content_ids", f"{len(self.content_ids)} contents, at most {CONTENT_IDS_MAX} allowed")
        if len(set(self.content_ids)) < len(self.content_ids):
            raise Invalid.field("content_ids", "a content is named twice")
        if self.ref is not None and not 1 <= len(self.ref) <= REF_LENGTH_MAX:
            raise Invalid.field("ref", f"{len(self.ref)} characters, 1 to {REF_LENGTH_MAX} allowed")
        _check_lang(self.lang)
        _check_client_time(self.client_time)

    @property
    def is_retweet(self) -> bool:
        return self.reply_to is not None and not self.message.strip() and not self.content_ids

    @property
    def digest(self) -> bytes:
        """Identifies the payload; the client's time is not part of it."""
        parts = (self.message, *self.content_ids, self.reply_to, self.quote_of, self.audience, self.lang)
        return hashlib.blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The tweet as its author sees it, and where its announcement stands."""

    seen: Seen
    position: Position | None


@dataclass(frozen=True, slots=True)
class PostTweet:
    store: TweetStore
    contents: ContentStore
    ids: IdSource
    clock: Clock
    language: LanguageDetector
    tweets: TweetView
    users: UserView
    celebrities: CelebrityView
    sight: Sight
    progress: NodeProgress
    right: PostingRight | None = None

    async def __call__(self, author: UserId, draft: Draft) -> Acknowledged:
        """Return once the tweet is durable together with its announcement, and this node shows it.

        Raises Invalid, NotFound (what is answered, shared or quoted is not to be seen), Forbidden (it may not be
        shared, or the author may not post), RefReused, Gone (the ref's tweet was deleted), Unavailable.
        """
        if self.right is not None:
            await self.right.check(author)
        repeated = await self._by_ref(author, draft)
        if repeated is not None:
            return repeated
        tweet = await self._compose(author, draft)
        # Nobody can have reacted yet, so the first reader need not ask. Before the write, lest it undo a count.
        await self.tweets.count_cache.put(tweet.id, NO_COUNTS)
        posted = await self._add(tweet, self._ref(author, draft))
        return await self._acknowledge(author, posted)

    async def _by_ref(self, author: UserId, draft: Draft) -> Acknowledged | None:
        if draft.ref is None:
            return None
        known = await self.store.posted_by_ref(author, draft.ref, self.clock.now_ms())
        if known is None:
            return None
        tweet_id, digest = known
        if digest != draft.digest:
            raise RefReused(f"ref {draft.ref!r} was used for another tweet within the last 24 hours")
        return Acknowledged(await self._shown(author, tweet_id), None)

    def _ref(self, author: UserId, draft: Draft) -> Ref | None:
        if draft.ref is None:
            return None
        return Ref(author, draft.ref, draft.digest, self.clock.now_ms() + REF_KEPT_MS)

    async def _add(self, tweet: Tweet, ref: Ref | None) -> Posted:
        # Into the cache first: a deletion that comes right after the write must find nothing put back after it.
        await self.tweets.cache.put(tweet.id, tweet)
        kept = False
        try:
            posted = await self.store.add(tweet, ref, [TweetPosted.of(tweet)])
            kept = not posted.repeated
        finally:
            if not kept:
                await self.tweets.cache.forget(tweet.id)
        return posted

    async def _acknowledge(self, author: UserId, posted: Posted) -> Acknowledged:
        if posted.position is not None:
            await self.progress.reached(posted.position)
        return Acknowledged(await self._shown(author, posted.tweet_id), posted.position)

    async def _shown(self, author: UserId, id: TweetId) -> Seen:
        tweet = await self.tweets.get(id)
        if tweet is None or tweet.deleted:
            raise Gone(f"tweet {id} was deleted")
        return await self.sight.one(id, author)

    async def _compose(self, author: UserId, draft: Draft) -> Tweet:
        if draft.is_retweet:
            return await self._retweet(author, draft)
        message = normalise(draft.message)
        if not message.strip() and not draft.content_ids:
            raise Invalid.field("message", "0 characters and no content, at least one of them is required")
        weight = weighted_length(message)
        if weight > MESSAGE_WEIGHT_MAX:
            raise Invalid.field("message", f"{weight} characters, at most {MESSAGE_WEIGHT_MAX} allowed")
        await self._check_content(author, draft.content_ids)
        answered = None if draft.reply_to is None else await self._target(author, draft.reply_to)
        quoted = None if draft.quote_of is None else await self._shareable(author, draft.quote_of)
        entities = extract_entities(message)
        tweet = self._blank(author, message, draft, [target.id for target in (answered, quoted) if target])
        return replace(
            tweet,
            hashtags=entities.hashtags,
            mentions=await self._mentions(entities),
            urls=entities.urls,
            cashtags=entities.cashtags,
            content=draft.content_ids,
            reply_to=None if answered is None else answered.id,
            reply_to_author=None if answered is None else answered.author,
            quote_of=None if quoted is None else quoted.id,
            quote_of_author=None if quoted is None else quoted.author,
            lang=draft.lang or self.language.detect(message),
        )

    async def _retweet(self, author: UserId, draft: Draft) -> Tweet:
        if draft.reply_to is None:
            raise AssertionError("a retweet has a target")
        original = await self._shareable(author, draft.reply_to)
        tweet = self._blank(author, "", draft, [original.id])
        return replace(tweet, retweet_of=original.id, retweet_of_author=original.author)

    def _blank(self, author: UserId, message: str, draft: Draft, after: Sequence[TweetId]) -> Tweet:
        return Tweet(
            id=self.ids.next_tweet_id(author, after),
            author=author,
            message=message,
            version=self.ids.next_version(),
            audience=draft.audience,
            client_time=draft.client_time,
            fanned_out=self.celebrities.is_fanned_out(author),
        )

    async def _target(self, author: UserId, id: TweetId) -> Tweet:
        """The tweet that is meant: what is aimed at a retweet goes to the original."""
        seen = await self.sight.one(id, author)
        if seen.tweet.retweet_of is None:
            return seen.tweet
        return (await self.sight.one(seen.tweet.retweet_of, author)).tweet

    async def _shareable(self, author: UserId, id: TweetId) -> Tweet:
        target = await self._target(author, id)
        seen = await self.sight.one(target.id, author)
        if not may_share(target, seen.author, await self.sight.relations.of(author)):
            raise Forbidden(f"tweet {target.id} is not public: it may not be retweeted or quoted")
        return target

    async def _mentions(self, entities: Entities) -> tuple[MentionedUser, ...]:
        names = {mention.username for mention in entities.mentions}
        if not names:
            return ()
        ids = await self.users.ids_by_name(names)
        users = await self.users.get_many(set(ids.values()))
        present = {name: id for name, id in ids.items() if id in users and not users[id].deleted}
        return tuple(
            MentionedUser(mention.username, present[mention.username], mention.start, mention.end)
            for mention in entities.mentions
            if mention.username in present
        )

    async def _check_content(self, author: UserId, ids: Sequence[ContentId]) -> None:
        if not ids:
            return
        contents = await self.contents.get_many(ids)
        for id in ids:
            content = contents.get(id)
            if content is None or content.owner != author or not content.ready:
                raise Invalid.field("content_ids", f"no content {id[:40]} of yours that is ready")
            if content.tweet_id is not None:
                raise Invalid.field("content_ids", f"content {id[:40]} is in a tweet already")
        check_together([kind for kind in (contents[id].kind for id in ids) if kind is not None])


def _check_lang(lang: str | None) -> None:
    if lang is None:
        return
    letters = lang.replace("-", "")
    if not (2 <= len(lang) <= LANG_LENGTH_MAX and letters.isascii() and letters.isalnum()):  # noqa: PLR2004 - `de`
        raise Invalid.field("lang", f"{lang[:40]!r} is not a language tag of 2 to {LANG_LENGTH_MAX} characters")


def _check_client_time(text: str | None) -> None:
    if text is None:
        return
    detail = f"{text[:40]!r} is not an RFC 3339 time of at most {CLIENT_TIME_LENGTH_MAX} characters"
    if len(text) > CLIENT_TIME_LENGTH_MAX:
        raise Invalid.field("time", detail)
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise Invalid.field("time", detail) from None
