"""Tweets as the JSON of the native interface: static bytes rendered once, counts and flags spliced in.

queries -> Seen -> TweetRenderer -> bytes for edge.native and edge.live

A fragment is the part of a tweet that no reader and no act changes. It is kept with the version of its author's
profile and is rendered anew when that differs; so nothing has to tell this cache of a change. Content of authors
who are not public has addresses signed for one viewer, and is never kept.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from roost.domain.content import SIGNED_MS_MAX, Content, sign
from roost.domain.ids import ContentId, TweetId, UserId, Version
from roost.domain.tweet import NO_COUNTS, Audience, Tweet, TweetCounts
from roost.domain.user import User
from roost.edge.times import rfc3339
from roost.ports.clock import Clock
from roost.views.contents import ContentView
from roost.views.sight import Seen
from roost.views.tweets import TweetView
from roost.views.viewer_acts import Flags, ViewerActs

_json = msgspec.json.Encoder().encode

NOTHING_NESTED = b',"retweet_of":null,"quote_of":null'
RETWEET_OF = b',"retweet_of":'
QUOTE_OF = b',"retweet_of":null,"quote_of":'
FLAGGED = {
    (liked, retweeted): b',"viewer":{"liked":%b,"retweeted":%b}}'
    % (b"true" if liked else b"false", b"true" if retweeted else b"false")
    for liked in (False, True)
    for retweeted in (False, True)
}
"""The end of the object, by whether the viewer likes and retweets it."""

NOBODY = UserId(0)
Contents = Mapping[ContentId, Content]


@dataclass(frozen=True, slots=True)
class ContentAddresses:
    """Where contents are fetched. `base_url` is empty for addresses relative to this server."""

    base_url: str
    signing_key: bytes
    clock: Clock

    def public(self, id: ContentId) -> tuple[str, str]:
        """Addresses of the content and of its preview."""
        url = f"{self.base_url}/content/{id}"
        return url, f"{url}/preview"

    def signed(self, id: ContentId, viewer: UserId) -> tuple[str, str]:
        """The same for one viewer alone, for less than 48 hours. Within an hour they stay the same for his cache."""
        hour_ms = 3_600_000
        expires_ms = (self.clock.now_ms() + SIGNED_MS_MAX) // hour_ms * hour_ms
        query = f"?viewer={viewer}&expires={expires_ms}&signature={sign(id, viewer, expires_ms, self.signing_key)}"
        url, preview = self.public(id)
        return url + query, preview + query


@dataclass(slots=True)
class _Fragment:
    author_version: Version
    head: bytes


@dataclass(slots=True)
class TweetRenderer:
    """`fragments_max` bounds the kept fragments: some 700 bytes each."""

    tweets: TweetView
    acts: ViewerActs
    contents: ContentView
    addresses: ContentAddresses
    fragments_max: int
    _fragments: OrderedDict[TweetId, _Fragment] = field(default_factory=OrderedDict)

    async def page(self, seen: Sequence[Seen], viewer: UserId | None) -> list[bytes]:
        """Each tweet as a JSON object, in order."""
        counted = [id for one in seen for id in _shown_ids(one)]
        counts = await self.tweets.counts(counted)
        flags = await self.acts.flags(viewer, counted)
        contents = await self._contents(seen)
        return [self._whole(one, counts, flags, viewer, contents) for one in seen]

    async def one(self, seen: Seen, viewer: UserId | None) -> bytes:
        return (await self.page([seen], viewer))[0]

    def head(self, tweet: Tweet, author: User, viewer: UserId | None, contents: Contents) -> bytes:
        """The object up to where its nested tweets begin, without its closing brace."""
        fragment = self._fragments.get(tweet.id)
        if fragment is not None and fragment.author_version == author.version:
            return fragment.head
        listed = has_public_addresses(tweet, author)
        addressed_to = None if listed else viewer or NOBODY
        shapes = [self._content(contents[id], addressed_to) for id in tweet.content if id in contents]
        head = _json(_shape(tweet, self._user(author), shapes))[:-1]
        if listed or not tweet.content:
            self._fragments[tweet.id] = _Fragment(author.version, head)
            if len(self._fragments) > self.fragments_max:
                self._fragments.popitem(last=False)
        return head

    async def _contents(self, seen: Sequence[Seen]) -> Contents:
        ids = [id for one in seen for id in (*one.tweet.content, *(one.nested.content if one.nested else ()))]
        return await self.contents.get_many(ids) if ids else {}

    def _whole(
        self,
        seen: Seen,
        counts: Mapping[TweetId, TweetCounts],
        flags: Flags,
        viewer: UserId | None,
        contents: Contents,
    ) -> bytes:
        head = self.head(seen.tweet, seen.author, viewer, contents)
        if seen.nested is None or seen.nested_author is None:
            return head + NOTHING_NESTED + _tail(seen.tweet, counts, flags)
        inner_head = self.head(seen.nested, seen.nested_author, viewer, contents)
        inner = inner_head + NOTHING_NESTED + _tail(seen.nested, counts, flags)
        return head + nesting(seen.tweet, inner) + _tail(seen.tweet, counts, flags)

    def _user(self, user: User) -> dict[str, object]:
        avatar = None if user.avatar is None else self.addresses.public(user.avatar)[1]
        return {
            "user_id": str(user.id),
            "username": user.username,
            "display_name": user.display_name,
            "avatar_url": avatar,
            "protected": user.protected,
        }

    def _content(self, content: Content, viewer: UserId | None) -> dict[str, object]:
        url, preview = (
            self.addresses.public(content.id) if viewer is None else self.addresses.signed(content.id, viewer)
        )
        return {
            "content_id": content.id,
            "kind": content.kind,
            "url": url,
            "preview_url": preview,
            "width": content.width,
            "height": content.height,
            "duration_ms": content.duration_ms,
            "alt": content.alt,
        }


def nesting(outer: Tweet, inner: bytes) -> bytes:
    """The two fields for nested tweets, one of them filled."""
    if outer.retweet_of is not None:
        return RETWEET_OF + inner + b',"quote_of":null'
    return QUOTE_OF + inner


def is_personal(seen: Seen) -> bool:
    """Whether the rendering differs from viewer to viewer beyond the flags: addresses signed for one of them."""
    if seen.tweet.content and not has_public_addresses(seen.tweet, seen.author):
        return True
    if seen.nested is None or seen.nested_author is None:
        return False
    return bool(seen.nested.content) and not has_public_addresses(seen.nested, seen.nested_author)


def has_public_addresses(tweet: Tweet, author: User) -> bool:
    return tweet.audience in (Audience.PUBLIC, Audience.UNLISTED) and not author.protected


def _shown_ids(seen: Seen) -> Sequence[TweetId]:
    return (seen.tweet.id,) if seen.nested is None else (seen.tweet.id, seen.nested.id)


def counted(counts: TweetCounts) -> bytes:
    """The field that follows those of nested tweets."""
    return b',"counts":{"replies":%d,"retweets":%d,"likes":%d,"quotes":%d}' % (
        counts.replies,
        counts.retweets,
        counts.likes,
        counts.quotes,
    )


def _tail(tweet: Tweet, counts: Mapping[TweetId, TweetCounts], flags: Flags) -> bytes:
    return counted(counts.get(tweet.id, NO_COUNTS)) + FLAGGED[tweet.id in flags.liked, tweet.id in flags.retweeted]


def _shape(tweet: Tweet, user: dict[str, object], contents: list[dict[str, object]]) -> dict[str, object]:
    return {
        "tweet_id": str(tweet.id),
        "user": user,
        "message": tweet.message,
        "created_at": rfc3339(tweet.created_ms),
        "client_time": tweet.client_time,
        "lang": tweet.lang,
        "audience": tweet.audience,
        "entities": {
            "hashtags": tweet.hashtags,
            "mentions": [
                {"username": m.username, "user_id": str(m.user_id), "start": m.start, "end": m.end}
                for m in tweet.mentions
            ],
            "urls": tweet.urls,
            "cashtags": tweet.cashtags,
        },
        "content": contents,
        "reply_to_tweet_id": _id(tweet.reply_to),
        "reply_to_user_id": _id(tweet.reply_to_author),
    }


def _id(id: int | None) -> str | None:
    return None if id is None else str(id)
