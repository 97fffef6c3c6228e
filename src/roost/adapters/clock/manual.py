"""Time and chance that a test or a replayed load sets."""

import random

START_MS_DEFAULT = 1_800_000_000_000  # 2027-01-15T08:00:00Z


class ManualClock:
    """Stands still until told."""

    def __init__(self, now_ms: int = START_MS_DEFAULT) -> None:
        self._now_ms = now_ms
        self._steady_ms = 0

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic_s(self) -> float:
        return self._steady_ms / 1000

    def advance(self, ms: int) -> None:
        """Time passes, on both clocks."""
        if ms < 0:
            raise ValueError(f"{ms} ms: time does not run back; step the wall clock with `step_to`")
        self._now_ms += ms
        self._steady_ms += ms

    def step_to(self, now_ms: int) -> None:
        """Somebody sets the wall clock, either way; no time passes."""
        self._now_ms = now_ms


class SeededRandomness:
    """The same bytes for the same seed: for tests and loads, as anybody can guess them."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose

    def token_bytes(self, size: int) -> bytes:
        return self._random.randbytes(size)
