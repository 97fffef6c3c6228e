"""The reference: what everybody should see, computed from the plan in the most obvious way."""

import unicodedata
from collections.abc import Callable

from roost_loadgen.plan import Plan


class Model:
    """Tweets are known by the ids that the server gave them. All lists are newest first."""

    def __init__(self, plan: Plan, tweet_ids: list[int]) -> None:
        self.usernames = plan.usernames
        self.following = [set(followed) for followed in plan.following()]
        self.author_of = {id: tweet.author for id, tweet in zip(tweet_ids, plan.tweets, strict=True)}
        self.message_of = {
            id: unicodedata.normalize("NFC", tweet.message) for id, tweet in zip(tweet_ids, plan.tweets, strict=True)
        }
        self._posted_by: list[list[int]] = [[] for _ in plan.usernames]
        for id, author in self.author_of.items():
            self._posted_by[author].append(id)
        self._followers = [0] * len(plan.usernames)
        for followed in self.following:
            for user in followed:
                self._followers[user] += 1

    def user_timeline(self, user: int) -> list[int]:
        """All that the user posted."""
        return sorted(self._posted_by[user], reverse=True)

    def home_timeline(self, user: int) -> list[int]:
        """All that the user and those whom he follows posted."""
        seen_by_him = {user} | self.following[user]
        return sorted((id for author in seen_by_him for id in self._posted_by[author]), reverse=True)

    def home_length(self, user: int) -> int:
        return sum(len(self._posted_by[author]) for author in {user} | self.following[user])

    def counts(self, user: int) -> tuple[int, int, int]:
        """How many tweets, followers and followed."""
        return len(self._posted_by[user]), self._followers[user], len(self.following[user])

    def scan(self, matches: Callable[[str, str], bool]) -> list[int]:
        """All tweets whose author's name and message match."""
        return sorted(
            (id for id, message in self.message_of.items() if matches(self.usernames[self.author_of[id]], message)),
            reverse=True,
        )
