"""Time and chance, from outside."""

from typing import Protocol


class Clock(Protocol):
    def now_ms(self) -> int:
        """Unix time in milliseconds. May jump either way: never measure a duration with it."""
        ...

    def monotonic_s(self) -> float:
        """Seconds from some fixed moment; never goes back."""
        ...


class Randomness(Protocol):
    def token_bytes(self, size: int) -> bytes:
        """`size` bytes that nobody can guess."""
        ...
