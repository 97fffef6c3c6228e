"""What one holder has and no other, decided by lightweight transactions: names, addresses, retweets, reports.

A claim comes before the rows that it is for. So a crash in between leaves a claim without rows: whoever meets it
looks whether the rows are there, and takes the claim over once it is too old to be still under way.
"""

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum

from roost.adapters.store.cassandra.cql import Cql
from roost.adapters.store.cassandra.session import CassandraSession
from roost.domain.errors import Overloaded

UNDER_WAY_MS_MAX = 60_000
"""Longer than all waits of a command together: after it nobody is about to write the rows of a claim."""
WAIT_S_MAX = 3.0
POLL_S = 0.02
TURNS_MAX = 5


class ClaimKind(StrEnum):
    USERNAME = "username"
    EMAIL = "email"
    RETWEET = "retweet"
    REPORT = "report"


IsKept = Callable[[int], Awaitable[bool | None]]
"""Whether a holder's rows are there (True), were there and went (False), or are not there yet (None)."""

_CLAIM = Cql("INSERT INTO claims (kind, key, holder, at_ms) VALUES (?, ?, ?, ?) IF NOT EXISTS")
_TAKE_OVER = Cql("UPDATE claims SET holder = ?, at_ms = ? WHERE kind = ? AND key = ? IF holder = ?")
_RELEASE = Cql("DELETE FROM claims WHERE kind = ? AND key = ? IF holder = ?")


class Claims:
    def __init__(self, session: CassandraSession, now_ms: Callable[[], int]) -> None:
        self._session = session
        self._now_ms = now_ms

    async def claim(self, kind: ClaimKind, key: str, holder: int, is_kept: IsKept) -> int:
        """Who holds the key now: `holder`, or who came first.

        Raises Overloaded where somebody's rows are under way for longer than WAIT_S_MAX.
        """
        for _ in range(TURNS_MAX):
            decision = await self._session.decide([_CLAIM(kind.value, key, holder, self._now_ms())])
            if decision.applied or decision.kept["holder"] == holder:
                return holder
            other = decision.kept["holder"]
            if await kept_or_under_way(is_kept, other, decision.kept["at_ms"], self._now_ms):
                return int(other)
            taken = await self._session.decide([_TAKE_OVER(holder, self._now_ms(), kind.value, key, other)])
            if taken.applied or taken.kept.get("holder") == holder:
                return holder
        raise Overloaded(f"too many want the same {kind.value} at once")

    async def release(self, kind: ClaimKind, key: str, holder: int) -> None:
        """Give it back; nothing where another holds it."""
        await self._session.decide([_RELEASE(kind.value, key, holder)])


async def kept_or_under_way(is_kept: IsKept, holder: int, at_ms: int, now_ms: Callable[[], int]) -> bool:
    """Whether the holder's rows are there; waits for those that are under way. Raises Overloaded after WAIT_S_MAX."""
    for _ in range(round(WAIT_S_MAX / POLL_S)):
        kept = await is_kept(holder)
        if kept is not None:
            return kept
        if now_ms() - at_ms > UNDER_WAY_MS_MAX:
            return False
        await asyncio.sleep(POLL_S)
    raise Overloaded("the same is being done by another request: ask again")
