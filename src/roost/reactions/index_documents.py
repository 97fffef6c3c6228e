"""Keep the search index up to date.

EventLog -> IndexDocuments -> TweetIndex, UserIndex -> queries.search

A fact only says which row to read again. The index keeps, with its documents, the position up to which it is
complete: a crash repeats at most a batch.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field

from roost.domain.events import Counted, Event, TweetDeleted, TweetPosted, UserChanged
from roost.domain.ids import Position, TweetId, UserId
from roost.domain.search.people import IndexedUser
from roost.domain.tweet import Tweet
from roost.domain.user import User
from roost.ports.accounts import AccountStore
from roost.ports.index import AuthorPublic, TweetBatch, TweetIndex, UserBatch, UserIndex
from roost.ports.log import EventLog
from roost.ports.tweets import TweetStore
from roost.views.documents import document_of
from roost.views.tweets import TweetView
from roost.views.users import UserView

REBUILD_BATCH = 200
"""Rows read and written in one step: some 10 ms of the loop, so that a serving node hardly notices."""
CHANGES_MAX = 2_000
"""Rows marked for one batch of the index; beyond it they are written before more facts are read."""


@dataclass(slots=True)
class IndexDocuments:
    tweet_index: TweetIndex
    user_index: UserIndex
    tweets: TweetView
    users: UserView
    tweet_store: TweetStore
    account_store: AccountStore
    log: EventLog
    _tweets: set[TweetId] = field(default_factory=set)
    _users: set[UserId] = field(default_factory=set)
    _recounted: set[UserId] = field(default_factory=set)
    _incomplete: bool = False

    async def __call__(self, event: Event) -> None:
        match event:
            case TweetPosted() | TweetDeleted():
                self._tweets.add(event.tweet_id)
            case UserChanged():
                self._users.add(event.user_id)
            case Counted():
                self._recounted.update(user for user, _ in event.users)
            case _:
                return
        if len(self._tweets) + len(self._users) + len(self._recounted) >= CHANGES_MAX:
            await self._write(None)

    async def flush(self, position: Position) -> None:
        """Write what is marked; from here on a restart begins after `position`."""
        await self._write(None if self._incomplete else position)

    async def applied(self) -> Position | None:
        """Where to go on after a restart; None where a rebuild is due."""
        tweets, users = await self.tweet_index.applied(), await self.user_index.applied()
        if tweets is None or users is None:
            return None
        # Written one after the other: going on from the earlier repeats what the other has already.
        return tweets if self.log.is_reached(tweets, by=users) else users

    async def rebuild(self, position: Position) -> AsyncIterator[int]:
        """Index everything from the stores, and go on after `position`, which this node's views had reached before.

        Yields how many rows are done, after each step. Facts may be dealt with between steps, not within one. The
        index is searched meanwhile and finds what is done; until the end it keeps no position, so that a rebuild
        that is cut short begins anew at the next start.
        """
        self._incomplete = True
        await self.tweet_index.clear()
        await self.user_index.clear()
        done, user = 0, UserId(0)
        while ids := await self.account_store.user_ids(user, REBUILD_BATCH):
            await self._write_users(ids, ids)
            user, done = ids[-1], done + len(ids)
            yield done
        tweet = TweetId(0)
        while rows := await self.tweet_store.scan(tweet, REBUILD_BATCH):
            await self._write_tweets(rows, None)
            tweet, done = rows[-1].id, done + len(rows)
            yield done
        await self.tweet_index.apply(TweetBatch(), position)
        await self.user_index.apply(UserBatch(), position)
        self._incomplete = False

    async def _write(self, position: Position | None) -> None:
        tweets, users, recounted = self._tweets, self._users, self._recounted | self._users
        self._tweets, self._users, self._recounted = set(), set(), set()
        try:
            rows = await self.tweets.get_many(tweets)
            await self._write_users(users, recounted)
            await self._write_tweets(list(rows.values()), position)
            if position is not None:
                await self.user_index.apply(UserBatch(), position)
        except BaseException:
            self._tweets |= tweets
            self._users |= users
            self._recounted |= recounted
            raise

    async def _write_tweets(self, rows: Sequence[Tweet], position: Position | None) -> None:
        removed = tuple(row.id for row in rows if row.deleted)
        added = tuple(document_of(row) for row in rows if not row.deleted)
        if rows or position is not None:
            await self.tweet_index.apply(TweetBatch(added=added, removed=removed), position)
        gone = [row.id for row in rows if row.deleted and row.message]
        if gone:
            await self.tweet_store.forget_message(gone)

    async def _write_users(self, changed: Collection[UserId], recounted: Collection[UserId]) -> None:
        """`changed` rows tell whether tweets are public; `recounted` ones only their followers."""
        if not recounted:
            return
        users = await self.users.get_many(recounted)
        counts = await self.users.counts(list(users))
        live = [user for user in users.values() if not user.deleted]
        await self.user_index.put([_indexed(user, counts[user.id].followers) for user in live])
        await self.user_index.remove([user.id for user in users.values() if user.deleted])
        authors = (users[id] for id in changed if id in users)
        public = tuple(AuthorPublic(user.id, not user.protected and not user.deleted, user.version) for user in authors)
        if public:
            await self.tweet_index.apply(TweetBatch(authors=public))


def _indexed(user: User, followers: int) -> IndexedUser:
    return IndexedUser(user.id, user.username, user.display_name, followers, user.version)
