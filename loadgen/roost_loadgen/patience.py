"""Waiting out a server that is busy: how long, and how often before giving up."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from roost_loadgen.faults import OutOfPatience

T = TypeVar("T")


class TryLater(Exception):
    """One attempt failed in a way that another may not: refused for now, or the line went dead."""

    def __init__(self, reason: str, *, wait_s: float | None = None, by_rate_limit: bool = False):
        super().__init__(reason)
        self.wait_s = wait_s
        self.by_rate_limit = by_rate_limit


@dataclass(frozen=True, slots=True)
class Patience:
    """Rate limits (429) are waited out, anything else is tried again a few times."""

    attempts_max: int = 10
    first_wait_s: float = 0.1
    wait_s_max: float = 10.0
    rate_limited_attempts_max: int = 10_000
    rate_limit_wait_s_max: float = 3_600.0
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def through(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """The result of the first attempt that settles the matter, for good or for bad."""
        failures = rate_limited = 0
        while True:
            try:
                return await attempt()
            except TryLater as later:
                if later.by_rate_limit:
                    rate_limited += 1
                else:
                    failures += 1
                await self.sleep(self._wait_s(later, failures, rate_limited))

    def _wait_s(self, later: TryLater, failures: int, rate_limited: int) -> float:
        tried = failures + rate_limited
        if failures >= self.attempts_max or rate_limited >= self.rate_limited_attempts_max:
            raise OutOfPatience(f"given up after {tried} attempts: {later}") from later
        if later.by_rate_limit:
            wait_s = 1.0 if later.wait_s is None else later.wait_s
            if wait_s > self.rate_limit_wait_s_max:
                raise OutOfPatience(
                    f"{later}: to be waited out {wait_s:.0f} s, at most {self.rate_limit_wait_s_max:.0f} s allowed"
                ) from later
        else:
            backoff_s = min(self.first_wait_s * 2 ** (failures - 1), self.wait_s_max)
            wait_s = max(backoff_s, min(later.wait_s or 0.0, self.wait_s_max))
        # Those who were refused together shall not come back together.
        return wait_s + random.uniform(0, wait_s / 10)  # noqa: S311  spreads load, guards nothing
