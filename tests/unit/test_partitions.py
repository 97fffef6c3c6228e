"""How evenly rows lie: by the hash of their user, and over the nodes of a ring."""

import pytest

from roost.adapters.clock.mint import Mint
from roost.adapters.clock.system import SystemClock
from roost.adapters.log.memory import MemoryEventLog
from roost.adapters.store.memory.accounts import MemoryAccountStore
from roost.adapters.store.memory.contents import MemoryContentStore
from roost.adapters.store.memory.sessions import MemoryOneTimeTokenStore, MemorySessionStore
from roost.adapters.store.memory.tweets import MemoryTweetStore
from roost.assembly.cluster.partitions import RING, ShardCounts, Table, shares_of, spread_of
from roost.domain.ids import Version
from roost.domain.tweet import Tweet
from roost.domain.user import Account, User
from roost_loadgen.plan import read_plan
from scenarios.main_job.size import GRAPH, TWEETS

SPREAD_MAX = 20.0


@pytest.mark.skipif(not (GRAPH.exists() and TWEETS.exists()), reason=f"no real input at {GRAPH.parent}")
async def test_real_users_and_tweets_lie_evenly_over_the_shards() -> None:
    plan = read_plan(GRAPH, TWEETS, users_max=None, tweets_max=100_000, seed=1)
    clock = SystemClock()
    mint, log = Mint(clock, 1), MemoryEventLog(clock.now_ms)
    accounts = MemoryAccountStore(log.leave, MemorySessionStore(log.leave), MemoryOneTimeTokenStore())
    tweets = MemoryTweetStore(log.leave, MemoryContentStore(accounts.is_avatar))
    users = []
    for name in plan.usernames:
        users.append(mint.next_user_id())
        user = User(users[-1], name, name, created_ms=1, version=Version(1))
        await accounts.create(user, Account(user.id, f"{name}@x", f"{name}@x", None, "hash"), None, [])
    # Real authors post unevenly, as Zipf says; the busiest alone are more than a shard's share. Here all post alike.
    for number, planned in enumerate(plan.tweets):
        author = users[number % len(users)]
        await tweets.add(Tweet(mint.next_tweet_id(author), author, planned.message, version=Version(1)), None, [])
    counts = ShardCounts()
    await counts.count(accounts, tweets)
    assert (sum(counts.users), sum(counts.tweets)) == (len(users), len(plan.tweets))
    assert 0 < counts.table.spread <= SPREAD_MAX


def test_the_spread_is_the_most_uneven_columns() -> None:
    assert spread_of([]) == spread_of([0, 0]) == 0
    assert spread_of([9, 10, 11]) == pytest.approx(20)
    assert Table("t", ("a", "b"), {"x": (10, 9), "y": (10, 11)}).spread == pytest.approx(20)


def test_copies_of_a_range_lie_on_the_next_other_nodes() -> None:
    quarter = RING // 4
    ring = {"a": [-quarter], "b": [0], "c": [quarter], "d": [2 * quarter - 1]}
    assert shares_of(ring, 1) == pytest.approx(dict.fromkeys(ring, 0.25), abs=1e-6)
    assert shares_of(ring, 3) == pytest.approx(dict.fromkeys(ring, 0.75), abs=1e-6)
    assert shares_of({"a": [0], "b": [quarter]}, 3) == pytest.approx({"a": 1.0, "b": 1.0})
    assert shares_of({"a": [0, 5], "b": [quarter]}, 1) == pytest.approx({"a": 0.75, "b": 0.25})
