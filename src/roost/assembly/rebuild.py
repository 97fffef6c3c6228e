"""Rebuild any view from the store: on a node that serves, or on a folder that nobody serves.

assembly.control | cli.rebuild -> Rebuilds -> reactions
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from roost.assembly.data_folder import DataFolder, files_of
from roost.assembly.embedded import open_embedded
from roost.assembly.node import Node, idle_node, running_node
from roost.assembly.settings import Settings
from roost.domain.errors import Conflict, Invalid, Overloaded
from roost.domain.events import TimelinesForgotten
from roost.domain.ids import first_id_at

ALL = "all"
VIEWS = ("counts", "celebrities", "notifications", "index", "timelines")
"""In the order in which `all` takes them: users are indexed with their counts."""
SETTLED_MS = 10_000
"""Acts with older ids are on the log: from its id to its commit an act takes well below a second."""
CATCH_UP_S_MAX, LOOK_EVERY_S = 60.0, 0.05


@dataclass(frozen=True, slots=True)
class Rebuilding:
    """How far a rebuild has come."""

    view: str
    rows: int
    finished: bool = False


def checked_views(name: str) -> tuple[str, ...]:
    """The views that a name means. Raises Invalid."""
    if name == ALL:
        return VIEWS
    if name not in VIEWS:
        raise Invalid.field("view", f"there is no view {name[:40]!r}: there are {', '.join(VIEWS)} and {ALL}")
    return (name,)


@dataclass(slots=True)
class Rebuilds:
    """One rebuild at a time. A reaction goes on between the steps of its view's rebuild, and rests within each: so
    every fact is dealt with once the rebuild has seen the rows, or before it looks.
    """

    node: Node
    _under_way: str | None = field(default=None, init=False)

    async def __call__(self, name: str) -> AsyncIterator[Rebuilding]:
        """Raises Invalid for an unknown view, Conflict while another rebuild is under way."""
        views = checked_views(name)
        if self._under_way is not None:
            raise Conflict(f"a rebuild of {self._under_way} is under way: wait for it")
        self._under_way = name
        try:
            for view in views:
                async for rebuilding in self._one(view):
                    yield rebuilding
        finally:
            self._under_way = None

    async def _one(self, view: str) -> AsyncIterator[Rebuilding]:
        rows = 0
        async for rows in self._steps(view):
            yield Rebuilding(view, rows)
        yield Rebuilding(view, rows, finished=True)

    def _steps(self, view: str) -> AsyncIterator[int]:
        node, stores = self.node, self.node.engines.stores
        match view:
            case "index":
                return self._resting("index", lambda: node.index.rebuild(node.progress.position))
            case "counts":
                return self._resting("count", lambda: node.count.rebuild(stores.tweets, stores.accounts))
            case "celebrities":
                return self._resting("celebrate", lambda: node.celebrate.rebuild(stores.accounts))
            case "notifications":
                return self._notifications()
            case _:
                return self._timelines()

    async def _resting(self, name: str, rebuild: Callable[[], AsyncIterator[int]]) -> AsyncIterator[int]:
        """The rebuild's steps, each while the reaction of that name rests."""
        reactor = self.node.reactors.get(name)
        steps = rebuild()
        while True:
            async with AsyncExitStack() as stack:
                if reactor is not None:
                    await stack.enter_async_context(reactor.paused)
                rows = await anext(steps, None)
            if rows is None:
                return
            yield rows
            # The lock is fair; this lets those in who wait for nothing but their turn on the loop.
            await asyncio.sleep(0)

    async def _notifications(self) -> AsyncIterator[int]:
        # What is still to be told must be told by its fact, since a rebuild tells nobody.
        settled_before = first_id_at(self.node.engines.clock.now_ms() - SETTLED_MS)
        await self._caught_up("notify")
        async for rows in self._resting("notify", lambda: self.node.notify.rebuild(settled_before)):
            yield rows

    async def _caught_up(self, name: str) -> None:
        """Until the reaction has all facts that are on the log now. Raises Overloaded where it takes too long."""
        events, reactor = self.node.engines.log, self.node.reactors[name]
        end = await events.end()
        for _ in range(round(CATCH_UP_S_MAX / LOOK_EVERY_S)):
            if reactor.position is not None and events.is_reached(end, by=reactor.position):
                return
            if not (await events.lag()).get(name, 0):
                return
            await asyncio.sleep(LOOK_EVERY_S)
        raise Overloaded(f"{name} is {(await events.lag()).get(name, 0)} facts behind: try again when it has caught up")

    async def _timelines(self) -> AsyncIterator[int]:
        """Told by a fact, since every process keeps timelines of its own. The rows are those of this one."""
        engines, caches = self.node.engines, self.node.views.caches
        rows = len(caches.near_homes) + len(caches.user_timelines)
        told = await engines.log.append([TimelinesForgotten(engines.ids.next_version())])
        await self.node.progress.reached(told)
        yield rows


async def rebuild_unserved(settings: Settings, folder: DataFolder, name: str) -> AsyncIterator[Rebuilding]:
    """Rebuild on a folder that nobody serves. Raises DataFolderUnusable where somebody does."""
    views = checked_views(name)
    folder.check_exists()
    with folder.served():
        if "index" in views:
            # Whatever is wrong with the search file goes with it.
            _remove(files_of(folder.search))
        async with open_embedded(settings, folder) as engines:
            if "index" in views:
                async for rebuilding in Rebuilds(await idle_node(engines, settings))("index"):
                    yield rebuilding
            others = [view for view in views if view not in ("index", "timelines")]
            if others:
                async with running_node(engines, settings) as node:
                    rebuilds = Rebuilds(node)
                    for view in others:
                        async for rebuilding in rebuilds(view):
                            yield rebuilding
        if "timelines" in views:
            # Timelines live in the memory of a serving process only.
            yield Rebuilding("timelines", 0, finished=True)


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
