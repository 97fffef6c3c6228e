"""Lets something happen in the middle of something else: at a chosen call of a store, just before or just after it.

Deterministic, and without tasks: what is awaited at the call is what another client would have done meanwhile.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from inspect import iscoroutinefunction
from typing import Any

from roost.assembly.engines import Stores

Act = Callable[[], Awaitable[None]]


class Interleaving:
    """At most one act waits to happen. What happens within it meets nothing more.

    `happened` says of the last one whether it did, before what it was to be in the middle of was over.
    """

    def __init__(self) -> None:
        self.happened = False
        self._act: Act | None = None
        self._moments_left = 0
        self._quiet = 0

    @contextmanager
    def after(self, moments: int, act: Act) -> Iterator[None]:
        """Let `act` happen after so many moments (there are two a call) of what is done in this context, if ever."""
        self._act, self._moments_left, self.happened = act, moments, False
        try:
            yield
        finally:
            self._act = None

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Nothing happens in the middle of this."""
        self._quiet += 1
        try:
            yield
        finally:
            self._quiet -= 1

    async def moment(self) -> None:
        if self._act is None or self._quiet:
            return
        if self._moments_left > 0:
            self._moments_left -= 1
            return
        act, self._act, self.happened = self._act, None, True
        await act()


class Watched:
    """A store whose every call has a moment before it and one after it."""

    def __init__(self, store: object, interleaving: Interleaving) -> None:
        self._store = store
        self._interleaving = interleaving

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if not iscoroutinefunction(method):
            return method

        async def watched(*args: Any, **more: Any) -> Any:
            await self._interleaving.moment()
            answer = await method(*args, **more)
            await self._interleaving.moment()
            return answer

        return watched


def watch(stores: Stores, interleaving: Interleaving) -> Stores:
    """The same stores, all watched."""
    return Stores(**{one.name: Watched(getattr(stores, one.name), interleaving) for one in fields(Stores)})
