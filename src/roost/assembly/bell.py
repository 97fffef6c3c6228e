"""Waking the other workers after a commit: one event counter of the kernel's a worker, inherited from the parent.

SqliteFile (after each commit) -> Bell.ring -> (the others) Bell.hear -> SqliteEventLog.look

A counter has no name that others could find, cannot fill up, and any number of rings wake its worker once. What is
missed all the same is found by the log's own look every half second.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bell:
    """The counters of all workers, and which of them is one's own."""

    counters: Sequence[int]
    number: int

    def ring(self) -> None:
        """Half a microsecond for each other worker."""
        for number, counter in enumerate(self.counters):
            if number != self.number:
                with suppress(BlockingIOError):  # rung 2^64 times already: it is awake
                    os.eventfd_write(counter, 1)

    def hear(self, wake: Callable[[], None]) -> None:
        """Call `wake` on this loop whenever others ring."""
        own = self.counters[self.number]

        def heard() -> None:
            with suppress(BlockingIOError):
                os.eventfd_read(own)
            wake()

        asyncio.get_running_loop().add_reader(own, heard)

    def deafen(self) -> None:
        asyncio.get_running_loop().remove_reader(self.counters[self.number])


def make_counters(workers: int) -> list[int]:
    """Descriptors for the parent to hand down."""
    return [os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC) for _ in range(workers)]
