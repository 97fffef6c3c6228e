"""Answers of the native interface joined of rendered parts: pages, threads, notifications.

edge.native routes -> here -> Answer
"""

from collections.abc import Sequence

import msgspec

from roost.domain.search.trending import Trend
from roost.edge.native.endpoint import JSON, Answer
from roost.edge.native.shapes import HiddenTweet, TrendShape, UserBrief, UserPage, user_brief, user_shape
from roost.edge.rendering import ContentAddresses
from roost.edge.times import rfc3339
from roost.queries.notifications import SeenNotification
from roost.queries.user_profile import Profile

_encode = msgspec.json.Encoder().encode


class _RawNotification(msgspec.Struct, frozen=True):
    """NotificationShape with the tweet as ready bytes."""

    notification_id: str
    kind: str
    user: UserBrief
    tweet: msgspec.Raw | None
    created_at: str


def user_page(profiles: Sequence[Profile], before: int | None, addresses: ContentAddresses) -> Answer:
    users = [user_shape(profile, addresses) for profile in profiles]
    return Answer(200, _encode(UserPage(users, cursor_text(before))))


def tweet_page(tweets: Sequence[bytes], before: int | None, after: int | None) -> Answer:
    """A page of rendered tweets, joined."""
    return Answer(
        200, b'{"tweets":[%b],"before":%b,"after":%b}' % (b",".join(tweets), _cursor(before), _cursor(after)), (), JSON
    )


def thread(ancestors: Sequence[bytes], tweet: bytes, replies: Sequence[bytes], after: int | None) -> Answer:
    parts = (b",".join(ancestors), tweet, b",".join(replies), _cursor(after))
    return Answer(200, b'{"ancestors":[%b],"tweet":%b,"replies":[%b],"after":%b}' % parts)


def hidden_tweet(id: int) -> bytes:
    return _encode(HiddenTweet(str(id)))


def notification_json(seen: SeenNotification, tweet: bytes | None, addresses: ContentAddresses) -> bytes:
    """One notification, its tweet rendered already: for pages and for sockets."""
    one = seen.notification
    raw = None if tweet is None else msgspec.Raw(tweet)
    brief = user_brief(seen.actor, addresses)
    return _encode(_RawNotification(str(one.id), one.kind, brief, raw, rfc3339(one.created_ms)))


def notification_page(notifications: Sequence[bytes], before: int | None) -> Answer:
    return Answer(200, b'{"notifications":[%b],"before":%b}' % (b",".join(notifications), _cursor(before)))


def trend_shape(trend: Trend) -> TrendShape:
    return TrendShape(trend.tag, trend.count, round(trend.rise, 3))


def cursor_text(cursor: int | None) -> str | None:
    return None if cursor is None else str(cursor)


def _cursor(cursor: int | None) -> bytes:
    return b"null" if cursor is None else b'"%d"' % cursor
