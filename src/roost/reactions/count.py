"""Keep counts: a fact only marks a tweet or user dirty; the count is taken anew from the rows, at most once a second.

EventLog -> Count -> CountStore -> (Counted) -> reactions.refresh

So repeated and reordered facts change nothing. `flush` is called at most once a second, before the reaction confirms
what it has read, and never while it deals with a fact.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from roost.domain.events import Event, LikeChanged, RelationChanged, TweetDeleted, TweetPosted
from roost.domain.ids import TweetId, UserId
from roost.domain.relation import RelationKind
from roost.ports.accounts import AccountStore
from roost.ports.counts import CountStore
from roost.ports.ids import IdSource
from roost.ports.tweets import TweetStore

DIRTY_MAX = 5_000
"""Marked tweets and users of one recount; beyond it a recount is due at once."""
REBUILD_BATCH = 500
"""Tweets or users of one step, and of one announcement."""


@dataclass(slots=True)
class Count:
    counts: CountStore
    ids: IdSource
    tweets: set[TweetId] = field(default_factory=set)
    users: set[UserId] = field(default_factory=set)

    async def __call__(self, event: Event) -> None:
        match event:
            case TweetPosted() | TweetDeleted():
                self.users.add(event.author_id)
                self.tweets.update(id for id in (event.reply_to, event.retweet_of, event.quote_of) if id is not None)
            case LikeChanged():
                self.tweets.add(event.tweet_id)
            case RelationChanged() if event.kind == RelationKind.FOLLOW:
                self.users.update((event.subject, event.object))
            case _:
                return
        if len(self.tweets) + len(self.users) >= DIRTY_MAX:
            await self.flush()

    async def flush(self) -> None:
        """Count what is dirty. What fails stays dirty."""
        if not self.tweets and not self.users:
            return
        tweets, users = frozenset(self.tweets), frozenset(self.users)
        await self.counts.recount(tweets, users, self.ids.next_version())
        self.tweets -= tweets
        self.users -= users

    async def rebuild(self, tweets: TweetStore, accounts: AccountStore) -> AsyncIterator[int]:
        """Count all tweets and users anew, each told as if it had changed.

        Yields how many are done, after each step. Facts may be dealt with between steps, not within one.
        """
        done, user = 0, UserId(0)
        while users := await accounts.user_ids(user, REBUILD_BATCH):
            await self.counts.recount((), users, self.ids.next_version())
            user, done = users[-1], done + len(users)
            yield done
        tweet = TweetId(0)
        while rows := await tweets.scan(tweet, REBUILD_BATCH):
            await self.counts.recount([row.id for row in rows if not row.deleted], (), self.ids.next_version())
            tweet, done = rows[-1].id, done + len(rows)
            yield done
