"""What a user is told about: one act of another, once."""

from dataclasses import dataclass
from enum import StrEnum

from roost.domain.ids import TweetId, UserId, ms_of


class NotificationKind(StrEnum):
    MENTION = "mention"
    REPLY = "reply"
    QUOTE = "quote"
    RETWEET = "retweet"
    LIKE = "like"
    FOLLOW = "follow"
    FOLLOW_REQUEST = "follow_request"


@dataclass(frozen=True, slots=True)
class Notification:
    """`id` is the act's own: the tweet's id, or the version of the like or follow.

    So an act told twice is one notification, and ids order notifications by time. A tweet that both answers
    and mentions is told once, by the first of reply, quote, mention.
    """

    id: int
    user_id: UserId
    kind: NotificationKind
    actor: UserId
    tweet_id: TweetId | None = None

    @property
    def created_ms(self) -> int:
        return ms_of(self.id)
