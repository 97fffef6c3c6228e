"""The tweet: what one is. What is acceptable is decided in commands.post_tweet by the rules of domain.text."""

from dataclasses import dataclass
from enum import StrEnum

from roost.domain.ids import ContentId, TweetId, UserId, Version, ms_of
from roost.domain.text import Cashtag, Hashtag, Url

IMAGES_MAX = 4
VIDEOS_MAX = 1
REF_LENGTH_MAX = 64
CLIENT_TIME_LENGTH_MAX = 64
REF_KEPT_MS = 86_400_000


class Audience(StrEnum):
    """Who may see a tweet, before blocks and protection."""

    PUBLIC = "public"
    UNLISTED = "unlisted"  # everybody, but kept out of search, hashtags and trends
    FOLLOWERS = "followers"  # the author's followers and those mentioned
    MENTIONED = "mentioned"  # those mentioned


@dataclass(frozen=True, slots=True)
class MentionedUser:
    """`@username` in a message, where somebody has the name. Offsets count code points."""

    username: str
    user_id: UserId
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Tweet:
    """A tweet, reply, retweet or quote: one row of the user tweets table, which refers to itself.

    `*_author` are kept beside the ids, so that a rule about the other author holds when his tweet is gone.
    `fanned_out` says whether followers were pushed to; else it is merged when read. A deleted tweet
    remains as a tombstone; its message stays until the index has dropped it.
    """

    id: TweetId
    author: UserId
    message: str
    version: Version
    hashtags: tuple[Hashtag, ...] = ()
    mentions: tuple[MentionedUser, ...] = ()
    urls: tuple[Url, ...] = ()
    cashtags: tuple[Cashtag, ...] = ()
    content: tuple[ContentId, ...] = ()
    reply_to: TweetId | None = None
    reply_to_author: UserId | None = None
    retweet_of: TweetId | None = None
    retweet_of_author: UserId | None = None
    quote_of: TweetId | None = None
    quote_of_author: UserId | None = None
    audience: Audience = Audience.PUBLIC
    lang: str = "und"
    client_time: str | None = None
    fanned_out: bool = True
    deleted: bool = False

    @property
    def created_ms(self) -> int:
        """Unix time in milliseconds: the id carries it."""
        return ms_of(self.id)

    @property
    def nested(self) -> TweetId | None:
        """The tweet shown within this one, if any."""
        return self.retweet_of or self.quote_of


@dataclass(frozen=True, slots=True)
class TweetCounts:
    """What everybody sees, the same for all: every act that exists, whoever did it."""

    replies: int = 0
    retweets: int = 0
    likes: int = 0
    quotes: int = 0


NO_COUNTS = TweetCounts()


@dataclass(frozen=True, slots=True)
class Ref:
    """A client's own name of a post, so that repeating it posts once. One namespace a user.

    `digest` identifies the payload; the client's time is not part of it.
    """

    user_id: UserId
    ref: str
    digest: bytes
    expires_ms: int
