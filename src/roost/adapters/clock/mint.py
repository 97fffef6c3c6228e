"""The id mint of one node: commands/* take every new user, tweet and version id here.

Uniqueness rests on one table: the last millisecond that each shard field was used in. Tweets, users and
versions all take their (ms, shard) from it, so no id comes twice among the three kinds: a notification's id
may be a tweet's or a version's. 4,096 numbers of 8 bytes, whatever happens.
"""

import threading
from array import array
from collections.abc import Iterable

from roost.domain.errors import DependencyDown
from roost.domain.ids import (
    EPOCH_MS,
    NODE_BITS,
    NODES,
    SHARDS,
    TweetId,
    UserId,
    Version,
    compose_id,
    ms_of,
    shard_of,
)
from roost.ports.clock import Clock

# How far ids may run ahead of the clock: a burst of 10,000 tweets in one shard, or a clock set back by 10 s.
AHEAD_MS_MAX = 10_000
# A clock set forward by more than this is not believed until it has stayed there for LEAP_SETTLE_MS: an id minted
# in a wrong future would make every later one wait for that future.
LEAP_MS_MAX = 60_000
LEAP_SETTLE_MS = 10_000
MS_MAX = EPOCH_MS + (1 << 41) - 1
# Odd, so that stepping by it visits all shards before it comes back; far from a small fraction of them.
USER_SHARD_STRIDE = 2_531


class Mint:
    """Ids of `node`, all later than `floor_ms` (the newest that this node may have minted before it started).

    Mints after its clock's leaps too, within the bounds above; beyond them raises DependencyDown. A clock that was
    wrong from the start cannot be told here: nodes compare clocks when they renew their leases.
    """

    def __init__(self, clock: Clock, node: int, floor_ms: int = 0) -> None:
        if not 0 <= node < NODES:
            raise ValueError(f"node {node} is not within 0..{NODES - 1}")
        self._clock = clock
        self._node = node
        floor_ms = max(floor_ms, EPOCH_MS - 1)
        self._last_ms = array("q", [floor_ms]) * SHARDS
        self._greatest_ms = floor_ms
        self._last_tick = (floor_ms + 1 - EPOCH_MS) * SHARDS - 1
        self._users = 0
        self._offset_ms = self._clock_offset_ms()
        self._leap_ms, self._leapt_at_ms = 0, 0
        # Commands run in one loop; imports and tools may use threads.
        self._lock = threading.Lock()

    @property
    def greatest_ms(self) -> int:
        """The newest millisecond minted: what a lease has to keep as the next holder's floor."""
        return self._greatest_ms

    def next_user_id(self) -> UserId:
        """The shard field is spread evenly and means nothing; where a user's tweets lie is `shard_of` the whole id."""
        with self._lock:
            self._users += 1
            return UserId(self._take(self._users * USER_SHARD_STRIDE % SHARDS, self._now_ms()))

    def next_tweet_id(self, author: UserId, after: Iterable[int] = ()) -> TweetId:
        with self._lock:
            earliest_ms = max((ms_of(id) + 1 for id in after), default=0)
            return TweetId(self._take(shard_of(author), max(self._now_ms(), earliest_ms)))

    def heard(self, author: UserId, id: TweetId) -> None:
        """Another node gave this author that id: what this one gives from now on is greater."""
        shard = shard_of(author)
        with self._lock:
            self._last_ms[shard] = max(self._last_ms[shard], ms_of(id))

    def next_version(self, after: int = 0) -> Version:
        """Versions count up through (ms, shard field): 4,096 a millisecond, leaving out what ids have taken."""
        with self._lock:
            now_tick = (self._now_ms() - EPOCH_MS) * SHARDS
            tick = max(now_tick, self._last_tick + 1, (after >> NODE_BITS) + 1)
            tick = self._first_free_tick(tick)
            since_ms, shard = divmod(tick, SHARDS)
            version = Version(self._take(shard, since_ms + EPOCH_MS))
            self._last_tick = tick
            return version

    def _first_free_tick(self, tick: int) -> int:
        """At most SHARDS looks; then the millisecond after all that were used, where every field is free."""
        for candidate in range(tick, tick + SHARDS):
            if self._last_ms[candidate % SHARDS] < candidate // SHARDS + EPOCH_MS:
                return candidate
        return max(tick, (self._greatest_ms + 1 - EPOCH_MS) * SHARDS)

    def _take(self, shard: int, earliest_ms: int) -> int:
        ms = max(earliest_ms, self._last_ms[shard] + 1)
        self._refuse_far_ahead(ms)
        self._last_ms[shard] = ms
        self._greatest_ms = max(self._greatest_ms, ms)
        return compose_id(ms, shard, self._node)

    def _now_ms(self) -> int:
        """The clock's time, or the refusal of a clock that has just leapt ahead."""
        offset_ms = self._clock_offset_ms()
        leap_ms = offset_ms - self._offset_ms
        if leap_ms <= LEAP_MS_MAX:
            self._offset_ms, self._leap_ms = offset_ms, 0
            return self._clock.now_ms()
        steady_ms = round(self._clock.monotonic_s() * 1000)
        if abs(leap_ms - self._leap_ms) > LEAP_MS_MAX:
            self._leap_ms, self._leapt_at_ms = leap_ms, steady_ms
        left_ms = self._leapt_at_ms + LEAP_SETTLE_MS - steady_ms
        if left_ms > 0:
            raise _clock_is_off(
                f"the clock leapt {leap_ms / 1000:.1f} s ahead, at most {LEAP_MS_MAX // 1000} s allowed", left_ms
            )
        self._offset_ms, self._leap_ms = offset_ms, 0
        return self._clock.now_ms()

    def _clock_offset_ms(self) -> int:
        """Wall time less steady time: changes only when somebody sets the clock."""
        return self._clock.now_ms() - round(self._clock.monotonic_s() * 1000)

    def _refuse_far_ahead(self, ms: int) -> None:
        behind_ms = ms - self._clock.now_ms()
        if behind_ms > AHEAD_MS_MAX:
            raise _clock_is_off(
                f"the clock is {behind_ms / 1000:.1f} s behind the ids in use, "
                f"at most {AHEAD_MS_MAX // 1000} s allowed",
                behind_ms - AHEAD_MS_MAX,
            )
        if ms > MS_MAX:
            raise _clock_is_off("the clock is beyond the last id, of the year 2075", AHEAD_MS_MAX)


def _clock_is_off(detail: str, retry_after_ms: int) -> DependencyDown:
    error = DependencyDown(detail)
    error.retry_after_s = retry_after_ms / 1000
    return error
