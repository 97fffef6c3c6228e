"""Views made anew from the rows, and what a rebuild must leave alone."""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass

import pytest

from contract.store_adapters import ANA, BEN, CEM, DEE, Stores, memory_stores, quote, reply, retweet, tweet
from roost.adapters.cache.memory import MemoryReadThrough
from roost.adapters.cache.memory_timelines import MemoryTimelines
from roost.adapters.clock.manual import ManualClock
from roost.adapters.clock.mint import Mint
from roost.domain.celebrity import Celebrity, CelebrityState
from roost.domain.ids import ID_MAX, TweetId, UserId, Version
from roost.domain.notification import Notification, NotificationKind
from roost.domain.relation import Relation, RelationKind
from roost.domain.tweet import MentionedUser, TweetCounts
from roost.domain.user import UserCounts
from roost.ports.likes import Like
from roost.reactions.celebrate import Celebrate
from roost.reactions.count import Count
from roost.reactions.notify import Notify
from roost.views.celebrities import CelebrityView
from roost.views.relations import FollowerView
from roost.views.tweets import TweetView

ALL_SETTLED = ID_MAX
EVERYBODY = (ANA, BEN, CEM, DEE)


@dataclass
class AllUsers:
    """What a rebuild asks of accounts: who there is."""

    ids: Collection[UserId] = EVERYBODY

    async def user_ids(self, after: UserId, limit: int) -> list[UserId]:
        return sorted(id for id in self.ids if id > after)[:limit]


@pytest.fixture
def stores() -> Stores:
    return memory_stores()


async def run(rebuild: AsyncIterator[int]) -> int:
    """How many rows were looked at."""
    done = 0
    async for rows in rebuild:
        assert rows > done
        done = rows
    return done


def notify(stores: Stores) -> Notify:
    now = ManualClock().monotonic_s
    tweets = TweetView(stores.tweets, MemoryReadThrough(9, 9, now), stores.counts, MemoryReadThrough(9, 9, now))
    return Notify(stores.notifications, tweets, stores.likes, stores.relations)


async def all_told(stores: Stores) -> set[Notification]:
    return set(await stores.notifications.scan(None, 1_000))


async def test_every_kind_of_notification_comes_back_from_the_rows(stores: Stores) -> None:
    first = tweet(1, ANA, mentions=(MentionedUser("ben", BEN, 0, 4), MentionedUser("ana", ANA, 5, 9)))
    gone = tweet(9, DEE, mentions=(MentionedUser("ana", ANA, 0, 4),))
    for each in (first, reply(2, first, BEN), retweet(3, first, CEM), quote(4, first, DEE), reply(5, first, ANA), gone):
        await stores.post(each)
    await stores.delete(gone)
    await stores.likes.add(Like(BEN, first.id, ANA, Version(11)))
    await stores.likes.add(Like(ANA, first.id, ANA, Version(12)))
    await stores.follow(CEM, ANA, 13)
    await stores.relations.add(Relation(RelationKind.REQUEST, DEE, ANA, Version(14)), following_max=9)
    await stores.relations.add(Relation(RelationKind.MUTE, DEE, BEN, Version(15)), following_max=9)
    before = await stores.left()

    assert await run(notify(stores).rebuild(ALL_SETTLED)) > 0

    assert await all_told(stores) == {
        Notification(1, BEN, NotificationKind.MENTION, ANA, TweetId(1)),
        Notification(2, ANA, NotificationKind.REPLY, BEN, TweetId(2)),
        Notification(3, ANA, NotificationKind.RETWEET, CEM, TweetId(3)),
        Notification(4, ANA, NotificationKind.QUOTE, DEE, TweetId(4)),
        Notification(11, ANA, NotificationKind.LIKE, BEN, TweetId(1)),
        Notification(13, ANA, NotificationKind.FOLLOW, CEM),
        Notification(14, ANA, NotificationKind.FOLLOW_REQUEST, DEE),
    }
    assert await stores.left() == before  # nobody is told again


async def test_what_no_row_bears_out_is_dropped(stores: Stores) -> None:
    await stores.post(tweet(1, ANA))
    await stores.follow(CEM, ANA, 13)
    right = Notification(13, ANA, NotificationKind.FOLLOW, CEM)
    await stores.notifications.add(
        [
            right,
            Notification(12, ANA, NotificationKind.FOLLOW, BEN),  # follows no more
            Notification(11, ANA, NotificationKind.LIKE, BEN, TweetId(1)),  # likes it no more
            Notification(7, ANA, NotificationKind.MENTION, BEN, TweetId(7)),  # such a tweet never was
            Notification(1, BEN, NotificationKind.MENTION, ANA, TweetId(1)),  # which does not name him
        ]
    )
    await run(notify(stores).rebuild(ALL_SETTLED))
    assert await all_told(stores) == {right}


async def test_young_acts_are_left_to_their_facts(stores: Stores) -> None:
    old, young = tweet(10, ANA), tweet(20, ANA)
    for each in (old, young, reply(11, old, BEN), reply(21, young, BEN)):
        await stores.post(each)
    told_by_its_fact = Notification(25, ANA, NotificationKind.FOLLOW, CEM)
    await stores.notifications.add([told_by_its_fact])
    await run(notify(stores).rebuild(20))
    assert await all_told(stores) == {
        Notification(11, ANA, NotificationKind.REPLY, BEN, TweetId(11)),
        told_by_its_fact,
    }


async def test_all_counts_are_taken_anew(stores: Stores) -> None:
    first = tweet(1, ANA)
    for each in (first, reply(2, first, BEN), retweet(3, first, CEM)):
        await stores.post(each)
    await stores.follow(BEN, ANA, 13)
    count = Count(stores.counts, Mint(ManualClock(), 1))
    assert await run(count.rebuild(stores.tweets, AllUsers())) == 4 + 3  # type: ignore[arg-type]  # all it asks for
    assert (await stores.counts.tweets([first.id]))[first.id] == TweetCounts(replies=1, retweets=1)
    assert (await stores.counts.users([ANA]))[ANA] == UserCounts(tweets=1, followers=1)


async def celebrate(stores: Stores, threshold: int, count_max: int) -> Celebrate:
    clock = ManualClock()
    view = CelebrityView(stores.celebrities)
    await view.load()
    followers = FollowerView(stores.relations, MemoryReadThrough(9, 9, clock.monotonic_s))
    homes = MemoryTimelines(9, 9, 9, clock.monotonic_s)
    return Celebrate(stores.celebrities, view, followers, homes, Mint(clock, 1), threshold, count_max)


async def states(stores: Stores) -> dict[UserId, CelebrityState]:
    return {id: row.state for id, row in (await stores.celebrities.all()).items()}


async def follow_all(stores: Stores, followers: dict[UserId, int]) -> None:
    """Give users so many followers each."""
    version = 100
    for user, count in followers.items():
        for follower in range(count):
            version += 1
            await stores.follow(UserId(1_000 + follower), user, version)


async def test_the_most_followed_become_celebrities_where_there_is_room_for_some(stores: Stores) -> None:
    await follow_all(stores, {ANA: 3, BEN: 5, CEM: 4, DEE: 1})
    reaction = await celebrate(stores, threshold=3, count_max=2)
    assert await run(reaction.rebuild(AllUsers())) == 4  # type: ignore[arg-type]  # all it asks for
    assert await states(stores) == {BEN: CelebrityState.MERGED, CEM: CelebrityState.MERGED}


async def test_who_has_too_few_followers_returns_and_who_was_returning_leaves(stores: Stores) -> None:
    await follow_all(stores, {ANA: 10, BEN: 1, CEM: 1, DEE: 10})
    for user, state in (
        (ANA, CelebrityState.MERGED),
        (BEN, CelebrityState.MERGED),
        (CEM, CelebrityState.RETURNING),
        (DEE, CelebrityState.RETURNING),
    ):
        await stores.celebrities.put(Celebrity(user, state, Version(1)))
    await run((await celebrate(stores, threshold=5, count_max=9)).rebuild(AllUsers()))  # type: ignore[arg-type]  # as above
    assert await states(stores) == {
        ANA: CelebrityState.MERGED,
        BEN: CelebrityState.RETURNING,
        DEE: CelebrityState.MERGED,
    }
