"""Faults of a cluster, one after the other, each healed before the next, and what the load noticed of each."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass

from redis import exceptions

from roost_cluster import state as states
from roost_cluster.engines import redis
from scenarios.cluster.load import GIVEN_UP_S, LATE_S, Act, SteadyLoad, User
from scenarios.cluster.local import LocalCluster

QUIET_S = 4.0
"""A fault is over once nothing was bad for so long."""
OVER_S_MAX = 150.0
FOUND_S_MAX = 60.0
PAGE = "100"
TOLD_MAX = 5

Step = Callable[[LocalCluster], Awaitable[None]]
Probe = Callable[[SteadyLoad], Awaitable[list[str]]]


async def _nothing_more(load: SteadyLoad) -> list[str]:
    return []


@dataclass(frozen=True)
class Fault:
    """`while_it_lasts` looks at what only this fault may or may not do, and answers complaints."""

    name: str
    inject: Step
    heal: Step
    lasts_s: float = 6.0
    while_it_lasts: Probe = _nothing_more


@dataclass(frozen=True)
class Row:
    """What a fault did. Shares are of acts that began between its beginning and its end."""

    fault: str
    lost: int
    doubled: int
    reads_answered: float
    writes_answered: float
    longest_stall_s: float
    recovery_s: float
    complaints: Sequence[str]

    @property
    def figures(self) -> dict[str, object]:
        return {**asdict(self), "complaints": len(self.complaints)}


def killed(name: str) -> Fault:
    return Fault(f"{name} killed", _command("kill", name), _command("start", name))


def frozen(name: str) -> Fault:
    return Fault(f"{name} frozen", _command("freeze", name), _command("thaw", name))


def stopped(title: str, names: Sequence[str], lasts_s: float, probe: Probe = _nothing_more) -> Fault:
    """Several at once."""

    async def stop(cluster: LocalCluster) -> None:
        for name in names:
            await cluster.do("kill", name)

    async def start(cluster: LocalCluster) -> None:
        # Of servers that wait for one another none is ready alone.
        await asyncio.gather(*(cluster.do("start", name, "--no-wait") for name in names[:-1]))
        await cluster.do("start", names[-1])

    return Fault(title, stop, start, lasts_s, probe)


def redis_flushed() -> Fault:
    async def flush(cluster: LocalCluster) -> None:
        state = states.load(cluster.folder / ".cluster")
        assert state is not None
        for node in state.of_kind("redis"):
            try:
                redis.command(redis.Node(node.host, node.port), "FLUSHALL")
            except exceptions.ReadOnlyError:
                continue  # a replica

    async def nothing(cluster: LocalCluster) -> None:
        """It fills again by itself."""

    return Fault("all of Redis emptied", flush, nothing, 2.0)


async def search_says_503(load: SteadyLoad) -> list[str]:
    status = await load.status_of(load.users[0], "/search", q="number")
    return [] if status == 503 else [f"search without Solr is answered {status}"]


async def endure(cluster: LocalCluster, load: SteadyLoad, fault: Fault) -> Row:
    """Inject it, let it last, heal it, wait until all is well again, and look for what was lost or doubled."""
    began_s = time.monotonic()
    await fault.inject(cluster)
    await asyncio.sleep(fault.lasts_s)
    complaints = await fault.while_it_lasts(load)
    await fault.heal(cluster)
    await _until_quiet(load, began_s)
    acts = [act for act in load.acts if act.began_s >= began_s - LATE_S and act.ended_s]
    bad = [act.ended_s for act in acts if act.is_bad]
    lost, doubled = await _found(load)
    return Row(
        fault.name,
        len(lost),
        len(doubled),
        _share(acts, "read"),
        _share(acts, "write"),
        round(max((act.ended_s - act.began_s for act in acts), default=0.0), 1),
        round(max(max(bad, default=began_s) - began_s, 0.0), 1),
        [*complaints, *(f"lost: {one}" for one in lost[:TOLD_MAX]), *(f"doubled: {one}" for one in doubled[:TOLD_MAX])],
    )


async def _until_quiet(load: SteadyLoad, began_s: float) -> None:
    healed_s = time.monotonic()
    async with asyncio.timeout(OVER_S_MAX):
        while True:
            now_s = time.monotonic()
            recent = [act for act in load.acts if act.began_s >= began_s]
            waiting = [
                act for act in recent if not act.ended_s or (not act.is_answered and act.began_s > now_s - GIVEN_UP_S)
            ]
            bad = [act for act in recent if act.ended_s > now_s - QUIET_S and act.is_bad]
            overdue = [act for act in waiting if now_s - act.began_s > LATE_S]
            if now_s - healed_s > QUIET_S and not bad and not overdue:
                return
            await asyncio.sleep(0.1)


async def _found(load: SteadyLoad) -> tuple[list[str], list[str]]:
    """Tweets that a timeline or a socket lacks, and that one has twice, once all had time to come."""
    posted = dict(load.posted)
    until_s = time.monotonic() + FOUND_S_MAX
    while True:
        lacking, doubled = await _compared(load, posted)
        if not lacking or time.monotonic() > until_s:
            return sorted(lacking), doubled
        await asyncio.sleep(0.5)


async def _compared(load: SteadyLoad, posted: dict[str, str]) -> tuple[set[str], list[str]]:
    lacking, doubled = set[str](), list[str]()
    for user in load.users:
        own = [id for id, author in posted.items() if author == user.id]
        shown = await _walked(load, user, "user")
        lacking |= {f"{id} of {user.name}" for id in set(own) - set(shown)}
        doubled += [f"{id} of {user.name}" for id in _repeated(shown)]
        seen = {user.id, *(one.id for one in load.followed_by(user))}
        home = [id for id, author in posted.items() if author in seen]
        shown = await _walked(load, user, "home")
        lacking |= {f"{id} on the home of {user.name}" for id in set(home) - set(shown)}
        doubled += [f"{id} on the home of {user.name}" for id in _repeated(shown)]
    for listener in load.listeners:
        seen = {one.id for one in load.followed_by(listener.user)}
        heard = {id for id, author in posted.items() if author in seen}
        lacking |= {f"{id} for the socket of {listener.user.name}" for id in heard - set(listener.heard)}
        doubled += [f"{id} for the socket of {listener.user.name}" for id, count in listener.heard.items() if count > 1]
    return lacking, doubled


def _repeated(ids: Sequence[str]) -> list[str]:
    return [id for id, count in Counter(ids).items() if count > 1]


async def _walked(load: SteadyLoad, user: User, timeline: str) -> list[str]:
    """To its end."""
    ids: list[str] = []
    before: dict[str, str] = {}
    while True:
        page = await load.page(user, f"/user/timeline/{user.id}", timeline=timeline, limit=PAGE, **before)
        ids += [tweet["tweet_id"] for tweet in page["tweets"]]
        if page["before"] is None:
            return ids
        before = {"before": page["before"]}


def _share(acts: Sequence[Act], kind: str) -> float:
    """Answered by whom they were asked, within LATE_S."""
    some = [act for act in acts if act.kind == kind]
    return round(100 * sum(not act.is_bad for act in some) / len(some), 1) if some else 100.0


def _command(*words: str) -> Step:
    async def do(cluster: LocalCluster) -> None:
        await cluster.do(*words)

    return do
