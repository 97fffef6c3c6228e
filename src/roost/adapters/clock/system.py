"""The machine's own time and chance."""

import os
import time

# On Linux the clock that goes on while the machine sleeps, so that a nap is no leap of the wall clock.
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class SystemClock:
    """What the machine says."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        return time.clock_gettime(_STEADY)


class SystemRandomness:
    """The kernel's randomness."""

    def token_bytes(self, size: int) -> bytes:
        return os.urandom(size)
