"""One run of the main job: fill a server while 200 listen, then read everything and compare."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from roost_loadgen.address import Address
from roost_loadgen.client import Client
from roost_loadgen.parallel import Figures, Meter, in_parallel
from roost_loadgen.patience import Patience
from roost_loadgen.phases import follow_all, register_all
from roost_loadgen.plan import Plan, read_plan
from roost_loadgen.tweeting import tweet_all
from scenarios.main_job.checks import Checks
from scenarios.main_job.listeners import Listener, listen, wait_for_all, who_follow_most
from scenarios.main_job.model import Model
from scenarios.main_job.queries import queries
from scenarios.main_job.reading import Reader
from scenarios.main_job.server import running_server
from scenarios.main_job.size import GRAPH, TWEETS, Size

WARMERS_AT_ONCE = 8
WARMED_SHARE = 2  # every second user reads his home before the first tweet, so that half are warm
GLANCE_PAUSE_S = 0.005


@dataclass(slots=True)
class Outcome:
    """What a run found wrong, and how it went."""

    complaints: list[str] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)

    def add(self, phase: Figures) -> None:
        self.figures[phase.name] = phase.done
        self.figures[f"{phase.name}_per_s"] = round(phase.per_second, 1)
        self.figures[f"{phase.name}_p50_ms"] = round(phase.p50_ms, 2)
        self.figures[f"{phase.name}_p99_ms"] = round(phase.p99_ms, 2)


async def run_main_job(size: Size, data: Path, *, celebrity_threshold: int | None, workers: int = 1) -> Outcome:
    """The whole job on a fresh server in `data`; `None` leaves the threshold as it comes."""
    settings = {"ROOST_WORKERS": str(workers)}
    if celebrity_threshold is not None:
        settings["ROOST_CELEBRITY_THRESHOLD"] = str(celebrity_threshold)
    started_s = time.perf_counter()
    async with running_server(data, settings) as server:
        outcome = await main_job_at(server.url, size)
        outcome.figures |= {"server_cpu_s": round(server.cpu_s(), 1), "server_peak_mb": round(server.peak_memory_mb())}
    outcome.figures["seconds"] = round(time.perf_counter() - started_s, 1)
    return outcome


async def _at_once() -> None:
    """Nothing is waited for."""


async def main_job_at(url: str, size: Size, before_looking: Callable[[], Awaitable[None]] = _at_once) -> Outcome:
    """The whole job at a server that has nobody yet. `before_looking` is waited for once all is posted."""
    plan = read_plan(GRAPH, TWEETS, users_max=size.users_max, tweets_max=size.tweets_max, seed=size.seed)
    client = Client(Address.parse(url), patience=Patience())
    try:
        job = _MainJob(client, plan, size)
        await job.make_users_and_follows()
        await job.tweet_and_listen()
        await before_looking()
        await job.compare()
    finally:
        client.close()
    return job.outcome


class _MainJob:
    """The steps, to be taken in their order."""

    def __init__(self, client: Client, plan: Plan, size: Size) -> None:
        self.outcome = Outcome()
        self._client = client
        self._plan = plan
        self._size = size
        self._following = [set(followed) for followed in plan.following()]
        self._reader = Reader(client, [], self._following)
        self._listeners: list[Listener] = []
        self._tweet_ids: list[int] = []

    async def make_users_and_follows(self) -> None:
        users = Meter("users", len(self._plan.usernames))
        accounts = await register_all(self._client, self._plan, users)
        follows = Meter("follows", len(self._plan.follows))
        await follow_all(self._client, self._plan, accounts, follows)
        self._reader = Reader(self._client, accounts, self._following)
        self.outcome.add(users.figures())
        self.outcome.add(follows.figures())

    async def tweet_and_listen(self) -> None:
        reader, meter = self._reader, Meter("tweets", len(self._plan.tweets))
        await in_parallel(range(0, len(reader.accounts), WARMED_SHARE), reader.glance, workers=WARMERS_AT_ONCE)
        most = who_follow_most(self._following, self._size.listeners)
        self._listeners = await listen(self._client, reader.accounts, most)
        async with _glancing(reader, self._size.seed):
            tweet_ids = await tweet_all(self._client, self._plan, reader.accounts, meter)
        self._tweet_ids = [int(id) for id in tweet_ids]
        self.outcome.add(meter.figures())

    async def compare(self) -> None:
        complaints, figures = self.outcome.complaints, self.outcome.figures
        model = Model(self._plan, self._tweet_ids)
        acknowledged_s = time.perf_counter()
        complaints += await wait_for_all(self._listeners, model)
        figures["pushes"] = sum(len(listener.got) for listener in self._listeners)
        figures["pushes_late_s"] = round(time.perf_counter() - acknowledged_s, 2)
        for listener in self._listeners:
            complaints += listener.complaints(model, self._reader.accounts)
        checks = Checks(self._reader, model, self._size)
        started_s, glances = time.perf_counter(), self._reader.pages_read
        complaints += await checks.complaints_of_timelines()
        figures["pages"] = self._reader.pages_read - glances
        figures["pages_per_s"] = round(figures["pages"] / (time.perf_counter() - started_s), 1)
        asked = queries(self._plan, self._size.seed)
        figures["searches"] = len(asked)
        complaints += await checks.complaints_of_searches(asked)
        complaints += await checks.complaints_of_counts()
        for listener in self._listeners:
            listener.leave()


@asynccontextmanager
async def _glancing(reader: Reader, seed: int) -> AsyncIterator[None]:
    """Somebody always reads: homes are rebuilt while tweets are pushed into them."""
    draw = random.Random(seed)

    async def glance() -> None:
        while True:
            await reader.glance(draw.randrange(len(reader.accounts)))
            await asyncio.sleep(GLANCE_PAUSE_S)

    glancing = asyncio.create_task(glance())
    try:
        yield
    finally:
        glancing.cancel()
        (end,) = await asyncio.gather(glancing, return_exceptions=True)
    if isinstance(end, Exception):
        raise end
