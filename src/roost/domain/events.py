"""Facts on the log, in the past tense.

Every fact carries the version of the row that it tells of. Readers meet facts at least once and in any order:
a view keeps the greater version, or takes the fact as a hint to read the row again. `key` is the user whose
facts a partitioned log keeps together.
"""

from dataclasses import dataclass

from roost.domain.ids import ContentId, TweetId, UserId, Version
from roost.domain.tweet import Audience, Tweet, TweetCounts
from roost.domain.user import UserCounts


@dataclass(frozen=True, slots=True)
class TweetPosted:
    """A tweet, reply, retweet or quote is durable."""

    tweet_id: TweetId
    author_id: UserId
    message: str
    reply_to: TweetId | None
    reply_to_author: UserId | None
    retweet_of: TweetId | None
    retweet_of_author: UserId | None
    quote_of: TweetId | None
    quote_of_author: UserId | None
    content: tuple[ContentId, ...]
    mentioned: tuple[UserId, ...]
    audience: Audience
    version: Version
    fan_out: bool

    @property
    def key(self) -> UserId:
        return self.author_id

    @classmethod
    def of(cls, tweet: Tweet) -> "TweetPosted":
        return cls(
            tweet.id,
            tweet.author,
            tweet.message,
            tweet.reply_to,
            tweet.reply_to_author,
            tweet.retweet_of,
            tweet.retweet_of_author,
            tweet.quote_of,
            tweet.quote_of_author,
            tweet.content,
            tuple(dict.fromkeys(mention.user_id for mention in tweet.mentions)),
            tweet.audience,
            tweet.version,
            tweet.fanned_out,
        )


@dataclass(frozen=True, slots=True)
class TweetDeleted:
    """A tweet became a tombstone. The ids of what it answered or shared are to be counted anew."""

    tweet_id: TweetId
    author_id: UserId
    version: Version
    reply_to: TweetId | None = None
    retweet_of: TweetId | None = None
    quote_of: TweetId | None = None

    @property
    def key(self) -> UserId:
        return self.author_id


@dataclass(frozen=True, slots=True)
class FanOutRest:
    """What is left of a large fan-out: followers with ids above `after_follower`."""

    tweet_id: TweetId
    author_id: UserId
    after_follower: UserId

    @property
    def key(self) -> UserId:
        return self.author_id


@dataclass(frozen=True, slots=True)
class RelationChanged:
    """Follows, requests, blocks or mutes between two users changed: read them again.

    `kind` and `now` say which and whether it holds, for those who tell users of it; `version` is the row's, also
    of the row that was removed.
    """

    subject: UserId
    object: UserId
    kind: str
    now: bool
    version: Version

    @property
    def key(self) -> UserId:
        return self.object


@dataclass(frozen=True, slots=True)
class LikeChanged:
    """A like was given (`now`) or taken back; `version` is the like's."""

    user_id: UserId
    tweet_id: TweetId
    tweet_author: UserId
    now: bool
    version: Version

    @property
    def key(self) -> UserId:
        return self.tweet_author


@dataclass(frozen=True, slots=True)
class UserChanged:
    """A user registered, changed the profile or protection, or was deleted: read the row again.

    `sight` says that others may see more or less of the user's tweets now than before.
    """

    user_id: UserId
    version: Version
    sight: bool = True

    @property
    def key(self) -> UserId:
        return self.user_id


@dataclass(frozen=True, slots=True)
class UserDeleted:
    """A user is to be erased: tweets, content, relations and addresses."""

    user_id: UserId
    version: Version

    @property
    def key(self) -> UserId:
        return self.user_id


@dataclass(frozen=True, slots=True)
class SessionsEnded:
    """These sessions' tokens are dead: forget them, and close their sockets."""

    user_id: UserId
    session_ids: tuple[str, ...]

    @property
    def key(self) -> UserId:
        return self.user_id


@dataclass(frozen=True, slots=True)
class CelebrityChanged:
    """A user entered, changed or left the celebrity table: read the row again."""

    user_id: UserId
    version: Version

    @property
    def key(self) -> UserId:
        return self.user_id


@dataclass(frozen=True, slots=True)
class Counted:
    """Counts taken anew from the rows, at most once a second; `version` orders them."""

    tweets: tuple[tuple[TweetId, TweetCounts], ...]
    users: tuple[tuple[UserId, UserCounts], ...]
    version: Version

    @property
    def key(self) -> UserId:
        return UserId(0)


@dataclass(frozen=True, slots=True)
class Notified:
    """A notification is stored; sockets of its user may be told."""

    user_id: UserId
    notification_id: int

    @property
    def key(self) -> UserId:
        return self.user_id


@dataclass(frozen=True, slots=True)
class TimelinesForgotten:
    """An operator distrusts all timelines that are kept: each is to be rebuilt from the store when it is read."""

    version: Version

    @property
    def key(self) -> UserId:
        return UserId(0)


Event = (
    TweetPosted
    | TweetDeleted
    | FanOutRest
    | RelationChanged
    | LikeChanged
    | UserChanged
    | UserDeleted
    | SessionsEnded
    | CelebrityChanged
    | Counted
    | Notified
    | TimelinesForgotten
)
