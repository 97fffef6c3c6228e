"""The JSON shapes of the native interface: what /openapi.json documents and what answers are made of.

Tweets are rendered by edge.rendering as bytes; their shape here documents them, and a test reads them back by it.
"""

from typing import Annotated, Any

import msgspec

from roost.domain.user import User
from roost.edge.rendering import ContentAddresses
from roost.edge.times import rfc3339
from roost.queries.user_profile import Profile


class UserBrief(msgspec.Struct, frozen=True):
    """A user as the author of something."""

    user_id: str
    username: str
    display_name: str
    avatar_url: str | None
    protected: bool


class UserTotals(msgspec.Struct, frozen=True):
    tweets: int
    followers: int
    following: int


class UserStanding(msgspec.Struct, frozen=True):
    """How the reader stands to the user; all false for a stranger."""

    following: bool
    requested: bool
    followed_by: bool
    blocking: bool
    muting: bool


class UserShape(msgspec.Struct, frozen=True):
    """A user's profile. E-mail and mobile are there for the owner alone."""

    user_id: str
    username: str
    display_name: str
    bio: str
    avatar_url: str | None
    protected: bool
    created_at: str
    counts: UserTotals
    viewer: UserStanding
    email: str | msgspec.UnsetType = msgspec.UNSET
    email_confirmed: bool | msgspec.UnsetType = msgspec.UNSET
    mobile: str | msgspec.UnsetType | None = msgspec.UNSET


class HashtagShape(msgspec.Struct, frozen=True):
    """Offsets count code points of the message, here and below."""

    tag: str
    start: int
    end: int


class MentionShape(msgspec.Struct, frozen=True):
    username: str
    user_id: str
    start: int
    end: int


class UrlShape(msgspec.Struct, frozen=True):
    url: str
    start: int
    end: int


class CashtagShape(msgspec.Struct, frozen=True):
    cashtag: str
    start: int
    end: int


class EntitiesShape(msgspec.Struct, frozen=True):
    hashtags: list[HashtagShape]
    mentions: list[MentionShape]
    urls: list[UrlShape]
    cashtags: list[CashtagShape]


class ContentShape(msgspec.Struct, frozen=True):
    content_id: str
    kind: str
    url: str
    preview_url: str
    width: int
    height: int
    duration_ms: int | None
    alt: str


class TweetTotals(msgspec.Struct, frozen=True):
    """The same for all readers."""

    replies: int
    retweets: int
    likes: int
    quotes: int


class TweetActs(msgspec.Struct, frozen=True):
    """What the reader did to the tweet."""

    liked: bool
    retweeted: bool


class TweetShape(msgspec.Struct, frozen=True):
    """A tweet. `retweet_of` and `quote_of` hold a tweet that has no tweet of its own in it."""

    tweet_id: str
    user: UserBrief
    message: str
    created_at: str
    client_time: str | None
    lang: str
    audience: str
    entities: EntitiesShape
    content: list[ContentShape]
    reply_to_tweet_id: str | None
    reply_to_user_id: str | None
    retweet_of: "TweetShape | None"
    quote_of: "TweetShape | None"
    counts: TweetTotals
    viewer: TweetActs


class HiddenTweet(msgspec.Struct, frozen=True):
    """An ancestor that is deleted or that the reader may not see."""

    tweet_id: str
    hidden: bool = True


class TweetPage(msgspec.Struct, frozen=True):
    """Newest first. `before` is null only where nothing older is left."""

    tweets: list[TweetShape]
    before: str | None
    after: str | None


Ancestor = Annotated[
    Any,
    # A union of two structs, which msgspec writes for tagged ones only.
    msgspec.Meta(
        extra_json_schema={
            "anyOf": [
                {"$ref": "#/components/schemas/TweetShape"},
                {
                    "title": "HiddenTweet",
                    "type": "object",
                    "properties": {"tweet_id": {"type": "string"}, "hidden": {"const": True}},
                    "required": ["tweet_id", "hidden"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]


class ThreadShape(msgspec.Struct, frozen=True):
    """Ancestors root first, replies oldest first; `after` to go on with more of them."""

    ancestors: list[Ancestor]
    tweet: TweetShape
    replies: list[TweetShape]
    after: str | None


class UserPage(msgspec.Struct, frozen=True):
    """`before` is null only where nothing is left."""

    users: list[UserShape]
    before: str | None


class NotificationShape(msgspec.Struct, frozen=True):
    """`kind` is mention, reply, quote, retweet, like, follow or follow_request; `tweet` is null for the last two."""

    notification_id: str
    kind: str
    user: UserBrief
    tweet: TweetShape | None
    created_at: str


class NotificationPage(msgspec.Struct, frozen=True):
    notifications: list[NotificationShape]
    before: str | None


class TrendShape(msgspec.Struct, frozen=True):
    """`count` authors used the tag in the last hours; `rise` is how far that exceeds what is usual."""

    tag: str
    count: int
    rise: float


class TrendList(msgspec.Struct, frozen=True):
    trends: list[TrendShape]


class TicketShape(msgspec.Struct, frozen=True):
    """Opens one WebSocket within 30 s, as `/ws?ticket=…`."""

    ticket: str


class ReportBody(msgspec.Struct, frozen=True):
    """One of `tweet_id` and `user_id` says what is reported."""

    reason: str
    tweet_id: str | None = None
    user_id: str | None = None


class ReportShape(msgspec.Struct, frozen=True):
    report_id: str
    reporter_id: str
    user_id: str
    tweet_id: str | None
    reason: str
    created_at: str


class ReportPage(msgspec.Struct, frozen=True):
    reports: list[ReportShape]
    before: str | None


class Health(msgspec.Struct, frozen=True):
    status: str


_encode = msgspec.json.Encoder().encode


def user_brief(user: User, addresses: ContentAddresses) -> UserBrief:
    avatar = None if user.avatar is None else addresses.public(user.avatar)[1]
    return UserBrief(str(user.id), user.username, user.display_name, avatar, user.protected)


def user_shape(profile: Profile, addresses: ContentAddresses) -> UserShape:
    """The profile; with the private part where the query gave it, which it does to the owner alone."""
    user, counts, standing, account = profile.user, profile.counts, profile.standing, profile.account
    shape = UserShape(
        str(user.id),
        user.username,
        user.display_name,
        user.bio,
        None if user.avatar is None else addresses.public(user.avatar)[1],
        user.protected,
        rfc3339(user.created_ms),
        UserTotals(counts.tweets, counts.followers, counts.following),
        UserStanding(standing.following, standing.requested, standing.followed_by, standing.blocking, standing.muting),
    )
    if account is None:
        return shape
    return msgspec.structs.replace(
        shape, email=account.email, email_confirmed=account.email_confirmed, mobile=account.mobile
    )
