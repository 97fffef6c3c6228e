"""The IdSource contract, over the mint with clocks that stand, run and leap; and the mint's own refusals."""

import contextlib
import itertools
from collections.abc import Callable, Iterable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from roost.adapters.clock.manual import ManualClock, SeededRandomness
from roost.adapters.clock.mint import AHEAD_MS_MAX, LEAP_MS_MAX, LEAP_SETTLE_MS, Mint
from roost.adapters.clock.system import SystemClock, SystemRandomness
from roost.domain.errors import DependencyDown, Unavailable
from roost.domain.ids import (
    EPOCH_MS,
    ID_MAX,
    NODES,
    TweetId,
    UserId,
    Version,
    compose_id,
    first_id_at,
    ms_of,
    shard_in,
    shard_of,
)
from roost.ports.ids import IdSource

NODE = 7
ADA, BEN = UserId(1 << 40), UserId(2 << 40)
MANY = 5_000  # more than a millisecond holds in all shards

ID_SOURCES: dict[str, Callable[[], IdSource]] = {
    "standing clock": lambda: Mint(ManualClock(), NODE),
    "system clock": lambda: Mint(SystemClock(), NODE),
}


@pytest.fixture(params=ID_SOURCES)
def ids(request: pytest.FixtureRequest) -> IdSource:
    return ID_SOURCES[str(request.param)]()


def test_an_authors_tweets_increase_and_lie_in_the_authors_shard(ids: IdSource) -> None:
    given_ids = [ids.next_tweet_id(ADA) for _ in range(100)]
    assert given_ids == sorted(set(given_ids))
    assert {shard_in(id) for id in given_ids} == {shard_of(ADA)}


def test_an_answer_is_greater_than_what_it_answers(ids: IdSource) -> None:
    newest = ids.next_tweet_id(ADA)
    # From another node, whose clock is ahead by 3 s; and the greatest that its millisecond can hold.
    answered = compose_id(ms_of(newest) + 3_000, 4095, NODES - 1)
    assert ids.next_tweet_id(BEN, after=(5, answered, newest)) > answered


def test_versions_increase_and_exceed_what_they_come_after(ids: IdSource) -> None:
    versions = [ids.next_version() for _ in range(MANY)]
    assert all(older < newer for older, newer in itertools.pairwise(versions))
    elsewhere = Version(versions[-1] + (3_000 << 22) + 5)
    assert ids.next_version(elsewhere) > elsewhere
    assert ids.next_version() > elsewhere


def test_no_id_comes_twice_among_users_tweets_and_versions(ids: IdSource) -> None:
    authors = [ids.next_user_id() for _ in range(MANY)]
    tweets = [ids.next_tweet_id(author) for author in authors]
    versions = [ids.next_version() for _ in range(MANY)]
    more_tweets = [ids.next_tweet_id(author) for author in authors]
    everything: list[int] = [*authors, *tweets, *versions, *more_tweets]
    assert len(set(everything)) == len(everything)
    assert all(0 < id <= ID_MAX for id in everything)


class ForgetsTheShard(Mint):
    def next_tweet_id(self, author: UserId, after: Iterable[int] = ()) -> TweetId:
        return super().next_tweet_id(UserId(3), after)


class ForgetsWhatIsAnswered(Mint):
    def next_tweet_id(self, author: UserId, after: Iterable[int] = ()) -> TweetId:
        return super().next_tweet_id(author)


class GivesTheMillisecondTwice(Mint):
    def next_tweet_id(self, author: UserId, after: Iterable[int] = ()) -> TweetId:
        return TweetId(compose_id(ManualClock().now_ms(), shard_of(author), NODE))


class CountsVersionsApart(Mint):
    last = compose_id(ManualClock().now_ms(), 0, NODE)

    def next_version(self, after: int = 0) -> Version:
        self.last = max(self.last, after) + (1 << 10)
        return Version(self.last)


class ForgetsWhatTheVersionFollows(Mint):
    def next_version(self, after: int = 0) -> Version:
        return super().next_version()


class TakesVersionsFromTheUsers(Mint):
    def next_version(self, after: int = 0) -> Version:
        return Version(max(self.next_user_id(), after + (1 << 10)))


class GivesUsersTheirNumber(Mint):
    def next_user_id(self) -> UserId:
        super().next_user_id()
        return UserId(compose_id(ManualClock().now_ms(), self._users % 4096, NODE))


@pytest.mark.parametrize(
    ("saboteur", "promise"),
    [
        (ForgetsTheShard, test_an_authors_tweets_increase_and_lie_in_the_authors_shard),
        (GivesTheMillisecondTwice, test_an_authors_tweets_increase_and_lie_in_the_authors_shard),
        (ForgetsWhatIsAnswered, test_an_answer_is_greater_than_what_it_answers),
        (ForgetsWhatTheVersionFollows, test_versions_increase_and_exceed_what_they_come_after),
        (TakesVersionsFromTheUsers, test_versions_increase_and_exceed_what_they_come_after),
        (CountsVersionsApart, test_no_id_comes_twice_among_users_tweets_and_versions),
        (GivesUsersTheirNumber, test_no_id_comes_twice_among_users_tweets_and_versions),
    ],
)
def test_a_saboteur_is_caught(saboteur: type[Mint], promise: Callable[[IdSource], None]) -> None:
    with pytest.raises(AssertionError):
        promise(saboteur(ManualClock(), NODE))


class ClockLedAbout(RuleBasedStateMachine):
    """Tweets, users and versions minted between any steps of the clock and restarts of the node."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.mint = Mint(self.clock, NODE)
        self.newest: dict[UserId, int] = {UserId(number): 0 for number in range(1, 5)}
        self.last_version = 0
        self.seen = set[int]()

    @rule(ms=st.integers(0, 2_000))
    def time_passes(self, ms: int) -> None:
        self.clock.advance(ms)

    @rule(ms=st.integers(-30_000, 90_000))
    def the_clock_is_set(self, ms: int) -> None:
        self.clock.step_to(self.clock.now_ms() + ms)

    @rule()
    def the_node_starts_again(self) -> None:
        self.mint = Mint(self.clock, NODE, floor_ms=self.mint.greatest_ms)

    @rule(author=st.integers(1, 4), answers=st.booleans())
    def an_author_tweets(self, author: int, answers: bool) -> None:
        older = [self.newest[UserId(author)], *([max(self.newest.values())] if answers else [])]
        with contextlib.suppress(Unavailable):
            id = self.mint.next_tweet_id(UserId(author), older[1:])
            assert id > max(older)
            self.newest[UserId(author)] = id
            self.is_new(id)

    @rule(count=st.integers(1, 40))
    def versions_are_taken(self, count: int) -> None:
        with contextlib.suppress(Unavailable):
            for _ in range(count):
                version = self.mint.next_version()
                assert version > self.last_version
                self.last_version = version
                self.is_new(version)

    @rule(count=st.integers(1, 40))
    def users_come(self, count: int) -> None:
        with contextlib.suppress(Unavailable):
            for _ in range(count):
                self.is_new(self.mint.next_user_id())

    def is_new(self, id: int) -> None:
        assert id not in self.seen
        assert ms_of(id) <= self.clock.now_ms() + AHEAD_MS_MAX
        self.seen.add(id)

    def teardown(self) -> None:
        """However it was led about, the node mints again once the clock has caught up and settled."""
        self.clock.step_to(max(self.clock.now_ms(), self.mint.greatest_ms))
        with contextlib.suppress(Unavailable):
            self.mint.next_version()
        self.clock.advance(LEAP_SETTLE_MS)
        self.is_new(self.mint.next_version())


def test_ids_of_an_author_increase_and_none_comes_twice_whatever_the_clock_does() -> None:
    run_state_machine_as_test(ClockLedAbout, settings=settings(max_examples=60, stateful_step_count=40, deadline=None))


def test_ids_keep_the_time() -> None:
    clock = ManualClock()
    mint = Mint(clock, NODE)
    clock.advance(86_400_000)
    assert ms_of(mint.next_user_id()) == ms_of(mint.next_tweet_id(ADA)) == ms_of(mint.next_version()) == clock.now_ms()


def test_user_ids_of_one_millisecond_are_as_many_as_there_are_shards() -> None:
    clock = ManualClock()
    mint = Mint(clock, NODE)
    assert {ms_of(mint.next_user_id()) for _ in range(4096)} == {clock.now_ms()}
    assert ms_of(mint.next_user_id()) == clock.now_ms() + 1


def test_a_version_passes_over_a_crowded_millisecond_at_once() -> None:
    clock = ManualClock()
    mint = Mint(clock, NODE)
    for _ in range(4096 * 5):
        mint.next_user_id()
    assert ms_of(mint.next_version()) == clock.now_ms() + 5


def test_nothing_is_minted_at_or_below_the_floor() -> None:
    clock = ManualClock()
    floor_ms = clock.now_ms() + 500
    floor_id = first_id_at(floor_ms + 1)
    assert Mint(clock, NODE, floor_ms).next_user_id() >= floor_id
    assert Mint(clock, NODE, floor_ms).next_tweet_id(ADA) >= floor_id
    assert Mint(clock, NODE, floor_ms).next_version() >= floor_id


def test_a_clock_far_behind_the_ids_is_refused_until_it_has_caught_up() -> None:
    clock = ManualClock()
    mint = Mint(clock, NODE)
    mint.next_tweet_id(ADA)
    clock.step_to(clock.now_ms() - AHEAD_MS_MAX - 500)
    with pytest.raises(DependencyDown, match=r"10\.5 s behind the ids in use, at most 10 s allowed") as refused:
        mint.next_tweet_id(ADA)
    assert refused.value.retry_after_s == pytest.approx(0.501)
    clock.advance(501)
    mint.next_tweet_id(ADA)


def test_an_id_from_a_far_future_is_refused_and_spoils_nothing() -> None:
    clock = ManualClock()
    mint = Mint(clock, NODE)
    future = compose_id(clock.now_ms() + 3_600_000, 0, 0)
    with pytest.raises(DependencyDown):
        mint.next_tweet_id(ADA, [future])
    with pytest.raises(DependencyDown):
        mint.next_version(future)
    assert ms_of(mint.next_tweet_id(ADA)) == ms_of(mint.next_version()) == clock.now_ms()


def test_a_leap_of_the_clock_is_believed_only_after_it_has_settled() -> None:
    clock = ManualClock()
    mint = Mint(clock, NODE)
    clock.step_to(clock.now_ms() + LEAP_MS_MAX + 1_000)
    with pytest.raises(DependencyDown, match=r"leapt 61\.0 s ahead, at most 60 s allowed"):
        mint.next_tweet_id(ADA)
    clock.advance(LEAP_SETTLE_MS - 1)
    with pytest.raises(DependencyDown):
        mint.next_version()
    clock.advance(1)
    assert ms_of(mint.next_tweet_id(ADA)) == clock.now_ms()


def test_a_leap_that_is_taken_back_leaves_no_id_behind() -> None:
    clock = ManualClock()
    mint = Mint(clock, NODE)
    right_ms = clock.now_ms()
    clock.step_to(right_ms + 365 * 86_400_000)
    with pytest.raises(DependencyDown):
        mint.next_user_id()
    clock.step_to(right_ms)
    assert ms_of(mint.next_user_id()) == right_ms


@pytest.mark.parametrize("now_ms", [0, EPOCH_MS - AHEAD_MS_MAX - 1])
def test_a_clock_before_the_epoch_of_ids_is_refused(now_ms: int) -> None:
    with pytest.raises(DependencyDown, match="behind"):
        Mint(ManualClock(now_ms), NODE).next_version()


def test_a_clock_beyond_the_last_id_is_refused() -> None:
    with pytest.raises(DependencyDown, match="2075"):
        Mint(ManualClock(EPOCH_MS + (1 << 41)), NODE).next_user_id()


@pytest.mark.parametrize("node", [-1, NODES])
def test_a_node_number_that_does_not_fit_is_refused(node: int) -> None:
    with pytest.raises(ValueError, match=f"node {node} is not within 0..1023"):
        Mint(ManualClock(), node)


def test_two_nodes_never_give_the_same_id() -> None:
    clock = ManualClock()
    one, other = Mint(clock, 1), Mint(clock, 2)
    assert one.next_tweet_id(ADA) != other.next_tweet_id(ADA)
    assert one.next_version() != other.next_version()
    assert one.next_user_id() != other.next_user_id()


def test_the_steady_clock_of_the_system_never_goes_back_and_its_wall_clock_is_in_milliseconds() -> None:
    clock = SystemClock()
    readings = [clock.monotonic_s() for _ in range(1_000)]
    assert readings == sorted(readings)
    assert len(str(clock.now_ms())) == 13


def test_randomness_has_the_size_asked_for_and_repeats_only_where_seeded() -> None:
    assert {len(SystemRandomness().token_bytes(size)) - size for size in (0, 1, 32)} == {0}
    assert SystemRandomness().token_bytes(32) != SystemRandomness().token_bytes(32)
    assert SeededRandomness(1).token_bytes(32) == SeededRandomness(1).token_bytes(32)
    assert SeededRandomness(1).token_bytes(32) != SeededRandomness(2).token_bytes(32)


def test_time_of_a_manual_clock_does_not_run_back() -> None:
    with pytest.raises(ValueError, match="-1 ms"):
        ManualClock().advance(-1)
