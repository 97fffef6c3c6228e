"""A report: somebody asks the operators to look at a tweet or a user."""

from dataclasses import dataclass

from roost.domain.ids import TweetId, UserId

REASON_LENGTH_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Report:
    id: int
    reporter: UserId
    user_id: UserId
    tweet_id: TweetId | None
    reason: str
    created_ms: int
    closed_by: UserId | None = None
