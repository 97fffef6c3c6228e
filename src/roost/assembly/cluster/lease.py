"""The ids of one process, for as long as its node number is its own.

NodeLeases -> leased_mint -> LeasedMint -> commands
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress

import structlog

from roost.adapters.clock.mint import Mint
from roost.domain.errors import DependencyDown, Unavailable
from roost.domain.ids import TweetId, UserId, Version
from roost.ports.clock import Clock
from roost.ports.leases import CLOCK_OFF_MS_MAX, RENEW_EVERY_S, USABLE_S, NodeLeases

RELEASE_S_MAX = 2.0

log = structlog.get_logger("roost.lease")


class LeasedMint:
    """Implements ports.ids.IdSource. Raises DependencyDown once the lease was not renewed in time: a process that was
    frozen and wakes mints nothing before it has its number again.
    """

    def __init__(self, mint: Mint, clock: Clock) -> None:
        self.mint = mint
        self._clock = clock
        self._renewed_s = clock.monotonic_s()
        self._refusal = ""

    def next_user_id(self) -> UserId:
        self._check()
        return self.mint.next_user_id()

    def next_tweet_id(self, author: UserId, after: Iterable[int] = ()) -> TweetId:
        self._check()
        return self.mint.next_tweet_id(author, after)

    def next_version(self, after: int = 0) -> Version:
        self._check()
        return self.mint.next_version(after)

    def renewed(self, asked_s: float) -> None:
        """The number was its own at that moment, by the steady clock."""
        self._renewed_s, self._refusal = asked_s, ""

    def refuse(self, reason: str) -> None:
        """Until it is renewed."""
        self._refusal = reason

    def _check(self) -> None:
        if self._refusal:
            raise DependencyDown(self._refusal)
        since_s = self._clock.monotonic_s() - self._renewed_s
        if since_s > USABLE_S:
            raise DependencyDown(
                f"this node's number was not renewed for {since_s:.0f} s, at most {USABLE_S:.0f} allowed"
            )


@asynccontextmanager
async def leased_mint(leases: NodeLeases, clock: Clock, on_lost: Callable[[], None]) -> AsyncIterator[LeasedMint]:
    """Ids of a number that is leased now, renewed until it is left, and given back then. `on_lost` is called where the
    number went to somebody else: the process has to begin anew. Raises Unavailable.
    """
    holder = secrets.token_hex(16)
    taken_s = clock.monotonic_s()
    lease = await leases.take(holder)
    ids = LeasedMint(Mint(clock, lease.number, lease.floor_ms), clock)
    ids.renewed(taken_s)
    await _compare_clocks(leases, clock, ids)
    log.info("node number leased", number=lease.number)
    renewing = asyncio.create_task(_renew(leases, clock, ids, lease.number, holder, on_lost), name="lease")
    try:
        yield ids
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)
        with suppress(Unavailable, TimeoutError):
            async with asyncio.timeout(RELEASE_S_MAX):
                await leases.release(lease.number, holder, ids.mint.greatest_ms)


async def _renew(
    leases: NodeLeases, clock: Clock, ids: LeasedMint, number: int, holder: str, on_lost: Callable[[], None]
) -> None:
    while True:
        await asyncio.sleep(RENEW_EVERY_S)
        asked_s = clock.monotonic_s()
        try:
            kept = await leases.renew(number, holder, ids.mint.greatest_ms)
            if not kept:
                ids.refuse(f"node number {number} is another process's by now")
                on_lost()
                return
            ids.renewed(asked_s)
            await _compare_clocks(leases, clock, ids)
        except Unavailable as error:
            log.warning("the node number was not renewed", reason=str(error))


async def _compare_clocks(leases: NodeLeases, clock: Clock, ids: LeasedMint) -> None:
    """Ids tell the time: a clock that is far off the store's would give wrong ones."""
    before_ms = clock.now_ms()
    theirs_ms = await leases.now_ms()
    after_ms = clock.now_ms()
    off_ms = max(before_ms - theirs_ms, theirs_ms - after_ms)
    if off_ms > CLOCK_OFF_MS_MAX:
        reason = f"this machine's clock is {off_ms} ms off the store's, at most {CLOCK_OFF_MS_MAX} ms allowed"
        log.error("clocks differ", reason=reason)
        ids.refuse(reason)
