"""Any course of posts, deletions, likes and counts leaves the same rows, lists and events in every adapter."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from contract.store_adapters import NOW_MS, STORES, Stores, ref
from roost.domain.celebrity import Celebrity, CelebrityState
from roost.domain.errors import Refused
from roost.domain.ids import TweetId, UserId, Version
from roost.domain.notification import Notification, NotificationKind
from roost.domain.timeline import Page
from roost.domain.tweet import REF_KEPT_MS, Ref, Tweet
from roost.ports.likes import Like

T = TypeVar("T")

USERS = [UserId(id) for id in range(1, 5)]
TWEETS = [TweetId(id) for id in range(1, 25)]

users, tweets = st.sampled_from(USERS), st.sampled_from(TWEETS)
authors = st.lists(users, min_size=1, max_size=6)
cursors = st.none() | st.integers(0, 26).map(TweetId)
limits = st.integers(1, 12)
names = st.none() | st.sampled_from(["r1", "r2"])
kinds = st.sampled_from(["plain", "reply", "retweet", "quote"])
Draft = tuple[TweetId, UserId, str, TweetId, UserId, str | None]
"""Id, author, kind, what it aims at and whose that is, and the client's name for it."""
drafts: st.SearchStrategy[Draft] = st.tuples(tweets, users, kinds, tweets, users, names)


class StoresAgree(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.exits = AsyncExitStack()
        self.stores = self.runner.run(self.opened())
        self.version = 0
        self.now_ms = NOW_MS

    async def opened(self) -> list[Stores]:
        folder = Path(self.folder.name)
        return [await self.exits.enter_async_context(adapter(folder)) for adapter in STORES.values()]

    def teardown(self) -> None:
        self.runner.run(self.exits.aclose())
        self.runner.close()
        self.folder.cleanup()

    def in_all(self, act: Callable[[Stores], Awaitable[T]]) -> T | str:
        """Do it everywhere; the answer or refusal, which is the same everywhere."""

        async def answer(stores: Stores) -> T | str:
            try:
                return await act(stores)
            except Refused as refused:
                return type(refused).__name__

        answers = [self.runner.run(answer(stores)) for stores in self.stores]
        assert all(each == answers[0] for each in answers), answers
        return answers[0]

    def next_version(self) -> Version:
        self.version += 1
        return Version(self.version)

    @rule(draft=drafts)
    def post(self, draft: Draft) -> None:
        post = self.made(draft)
        self.in_all(lambda stores: stores.post(*post))

    @rule(crowd=st.lists(drafts, min_size=2, max_size=12))
    def post_at_once(self, crowd: list[Draft]) -> None:
        """As if one came after the other: an adapter that writes several together must tell them apart."""
        posts = [self.made(draft) for draft in crowd]

        async def act(stores: Stores) -> list[object]:
            steps = [posts] if stores.is_ordered else [[post] for post in posts]
            met = []
            for step in steps:
                met += await asyncio.gather(*(stores.post(*post) for post in step), return_exceptions=True)
            for error in met:
                if isinstance(error, BaseException) and not isinstance(error, Refused):
                    raise error
            return [type(each).__name__ if isinstance(each, Refused) else each for each in met]

        self.in_all(act)

    def made(self, draft: Draft) -> tuple[Tweet, Ref | None]:
        id, author, kind, at, at_author, name = draft
        on = {} if kind == "plain" else {f"{kind}_{'to' if kind == 'reply' else 'of'}": at}
        by = {f"{field}_author": at_author for field in on}
        tweet = Tweet(id, author, kind, self.next_version(), **on, **by)  # type: ignore[arg-type]  # fields by name
        named = None if name is None else ref(name, kind.encode(), user_id=author, at_ms=self.now_ms)
        return tweet, named

    @rule(part=st.sampled_from([1, 2]))
    def wait(self, part: int) -> None:
        self.now_ms += REF_KEPT_MS // part

    @rule(id=tweets)
    def delete(self, id: TweetId) -> None:
        version = self.next_version()

        async def act(stores: Stores) -> bool:
            kept = await stores.tweets.get_many([id])
            return bool(kept) and await stores.delete(kept[id], version) is not None

        self.in_all(act)

    @rule(ids=st.lists(tweets, max_size=4))
    def forget(self, ids: list[TweetId]) -> None:
        self.in_all(lambda stores: stores.tweets.forget_message(ids))

    @rule(user=users, tweet=tweets, given=st.booleans())
    def like(self, user: UserId, tweet: TweetId, given: bool) -> None:
        like = Like(user, tweet, USERS[0], self.next_version())

        async def act(stores: Stores) -> bool:
            changed = stores.likes.add(like) if given else stores.likes.remove(user, tweet)
            return await changed is not None

        self.in_all(act)

    @rule(one=users, other=users)
    def follow(self, one: UserId, other: UserId) -> None:
        version = self.next_version()
        self.in_all(lambda stores: stores.follow(one, other, version))

    @rule(some=st.lists(tweets, max_size=5, unique=True), who=st.lists(users, max_size=1), late=st.integers(0, 3))
    def recount(self, some: list[TweetId], who: list[UserId], late: int) -> None:
        version = Version(max(self.next_version() - late, 0))
        self.in_all(lambda stores: stores.counts.recount(sorted(some), who, version))

    @rule(user=users, id=st.integers(1, 6), kind=st.sampled_from(NotificationKind), kept=st.booleans())
    def notify(self, user: UserId, id: int, kind: NotificationKind, kept: bool) -> None:
        told = Notification(id, user, kind, USERS[0])
        if kept:
            self.in_all(lambda stores: stores.notifications.add([told]))
        else:
            self.in_all(lambda stores: stores.notifications.remove(user, [id]))

    @rule(user=users, version=st.integers(1, 6).map(Version), state=st.none() | st.sampled_from(CelebrityState))
    def celebrate(self, user: UserId, version: Version, state: CelebrityState | None) -> None:
        async def act(stores: Stores) -> bool:
            if state is None:
                return await stores.celebrities.remove(user, version) is not None
            return await stores.celebrities.put(Celebrity(user, state, version)) is not None

        self.in_all(act)

    @rule(who=authors, before=cursors, after=cursors, limit=limits)
    def read_authors(self, who: list[UserId], before: TweetId | None, after: TweetId | None, limit: int) -> None:
        self.in_all(lambda stores: stores.tweets.by_authors(who, before, after, limit))
        if before is None or after is None:
            self.in_all(lambda stores: stores.tweets.by_author(who[0], Page(limit, before, after)))

    @rule(of=tweets, cursor=cursors, limit=limits)
    def read_lists(self, of: TweetId, cursor: TweetId | None, limit: int) -> None:
        self.in_all(lambda stores: stores.tweets.replies_to(of, cursor, limit))
        self.in_all(lambda stores: stores.tweets.retweets_of(of, cursor, limit))
        self.in_all(lambda stores: stores.tweets.quotes_of(of, cursor, limit))
        self.in_all(lambda stores: stores.tweets.scan(cursor or TweetId(0), limit))
        self.in_all(lambda stores: stores.likes.of_tweet(of, None if cursor is None else Version(cursor), limit))

    @rule(user=users, cursor=cursors, limit=limits, name=st.sampled_from(["r1", "r2"]), days=st.integers(0, 3))
    def read_user(self, user: UserId, cursor: TweetId | None, limit: int, name: str, days: int) -> None:
        self.in_all(lambda stores: stores.tweets.retweets_by(user, limit))
        self.in_all(lambda stores: stores.tweets.posted_by_ref(user, name, self.now_ms + days * REF_KEPT_MS))
        self.in_all(lambda stores: stores.likes.by_user(user, None if cursor is None else Version(cursor), limit))
        self.in_all(lambda stores: stores.likes.newest_liked(user, limit))
        self.in_all(lambda stores: stores.notifications.page(user, cursor, limit))

    @invariant()
    def all_keep_the_same(self) -> None:
        self.in_all(lambda stores: stores.tweets.get_many(TWEETS))
        self.in_all(lambda stores: stores.tweets.newest_id())
        self.in_all(lambda stores: stores.counts.tweets(TWEETS))
        self.in_all(lambda stores: stores.counts.users(USERS))
        self.in_all(lambda stores: stores.celebrities.all())
        self.in_all(lambda stores: stores.tweets.retweeted_by(USERS[0], TWEETS))
        self.in_all(lambda stores: stores.likes.liked_among(USERS[0], TWEETS))

    @invariant()
    def all_told_the_same(self) -> None:
        self.in_all(lambda stores: stores.left())


StoresAgree.TestCase.settings = settings(max_examples=20, stateful_step_count=40, deadline=None)
TestStoresAgree = StoresAgree.TestCase
