"""Rounds of load, kill, restart and comparison; the figures of all of them."""

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from scenarios.crash.actors import Actor, Client, Unanswered, Watcher
from scenarios.crash.checks import Checks, caught_up
from scenarios.crash.oracle import Oracle, Posted
from scenarios.crash.server import MortalServer

ACTORS = 6
LOAD_S_MIN, LOAD_S_MAX = 0.5, 3.0
STILLBORN_SHARE = 0.25
"""Of the restarts: killed at some moment before or just after they serve."""
STILLBORN_S_MAX = 2.5
LAST_PUSHES_S_MAX = 10.0


@dataclass
class Outcome:
    kills: int = 0
    acknowledged: int = 0
    in_flight: int = 0
    lost: int = 0
    doubled: int = 0
    recovery_s: list[float] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def figures(self) -> dict[str, float]:
        return {
            "kills": self.kills,
            "acknowledged": self.acknowledged,
            "in_flight": self.in_flight,
            "lost": self.lost,
            "doubled": self.doubled,
            "recovery_s_mean": round(sum(self.recovery_s) / max(len(self.recovery_s), 1), 2),
            "recovery_s_max": round(max(self.recovery_s, default=0.0), 2),
        }


async def crash_again_and_again(
    folder: Path, kills: int, seed: int, environment: dict[str, str] | None = None
) -> Outcome:
    """In a folder that exists. Stops at the first round that finds something wrong."""
    server = MortalServer(folder / "data", environment=environment or {})
    town = Town(server, Random(seed))
    try:
        await town.settle()
        while town.outcome.kills < kills and not town.outcome.complaints:
            await town.live_and_die()
            await town.come_back()
        if not town.outcome.complaints:
            await server.stop()
    except Unanswered as unanswered:
        town.outcome.complaints.append(f"no answer while nobody kills: {unanswered}")
        await server.say_where()
    finally:
        await server.kill()
        await town.leave()
    if town.outcome.complaints:
        town.outcome.complaints.append(f"the server's log ends: {server.log()}")
    return town.outcome


class Town:
    """The actors over one server, and what is known of them."""

    def __init__(self, server: MortalServer, chance: Random) -> None:
        self.server = server
        self.chance = chance
        self.outcome = Outcome()
        names = [f"actor{n}" for n in range(ACTORS)]
        self.oracle = Oracle(names)
        self.actors: dict[str, Actor] = {}
        for name in names:
            self.actors[name] = Actor(Client(name), self.oracle, self.actors, Random(chance.random()))
        self.watcher = Watcher(Client("watcher"))
        self.checks = Checks(self.oracle, self.actors)

    @property
    def clients(self) -> list[Client]:
        return [self.watcher.client, *(actor.client for actor in self.actors.values())]

    async def settle(self) -> None:
        await self.server.start()
        for client in self.clients:
            await client.sign_up(self.server.url)
            await client.connect(self.server.url)
        for actor in self.actors.values():
            answer = await self.watcher.client.rest("POST", f"/user/{actor.client.user_id}/follow")
            assert answer.is_success, answer.text
        self.watcher.arrive()

    async def live_and_die(self) -> None:
        """Everybody acts until, at a random moment, the server is killed."""
        watching = asyncio.create_task(self.watcher.watch(self.server.url))
        acting = [asyncio.create_task(actor.act_for_ever()) for actor in self.actors.values()]
        everybody = asyncio.gather(watching, *acting)
        # The moment is the point, so time is what decides it; nothing waits for anything here.
        await asyncio.wait([everybody], timeout=self.chance.uniform(LOAD_S_MIN, LOAD_S_MAX))
        await self._kill()
        await everybody
        self.outcome.acknowledged = self.oracle.acknowledged
        self.outcome.in_flight += (
            len(self.oracle.unanswered())
            + sum(
                fact.asked is not None for post in self.oracle.posted for fact in (post.deleted, *post.likes.values())
            )
            + sum(fact.asked is not None for fact in self.oracle.follows.values())
        )

    async def come_back(self) -> None:
        while self.chance.random() < STILLBORN_SHARE:
            await self.server.spawn()
            assert self.server.process is not None
            dying = asyncio.ensure_future(self.server.process.wait())
            await asyncio.wait([dying], timeout=self.chance.uniform(0, STILLBORN_S_MAX))
            assert not dying.done(), f"it did not start: {self.server.log()}"
            await self._kill()
            await dying
        self.outcome.recovery_s.append(await self.server.start())
        for client in self.clients:
            await client.connect(self.server.url)
        complaints = await self.checks.before_retries()
        await self._ask_again()
        complaints += await self.checks.after_retries(self._some)
        complaints += await self._watched()
        self.outcome.complaints += complaints
        self.outcome.lost, self.outcome.doubled = self.checks.lost, self.checks.doubled

    async def leave(self) -> None:
        for client in self.clients:
            await client.close()

    async def _kill(self) -> None:
        await self.server.kill()
        self.outcome.kills += 1

    async def _ask_again(self) -> None:
        """What was not answered is asked for again: exactly once is what comes of it."""
        actors = self.actors
        for post in self.oracle.posted:
            if post.deleted.asked is not None:
                await actors[post.author].delete(post)
        for post in self.oracle.unanswered():
            await actors[post.author].ask_for(post)
        for post in self.oracle.posted:
            for name, fact in post.likes.items():
                if fact.asked is not None:
                    await actors[name].set(fact, fact.asked, f"/tweet/{post.id}/like")
        for (who, whom), fact in self.oracle.follows.items():
            if fact.asked is not None:
                await actors[who].set(fact, fact.asked, f"/user/{actors[whom].client.user_id}/follow")

    async def _watched(self) -> list[str]:
        """Whoever resumes by cursor has heard of every tweet that there is."""
        watching = asyncio.create_task(self.watcher.watch(self.server.url))

        async def missed() -> list[str]:
            missing = {post.id for post in self.oracle.posted if post.must_show} - self.watcher.heard
            found = [f"the listener missed {len(missing)} tweets, {sorted(map(str, missing))[:3]}"] if missing else []
            return found + ([f"the listener got {self.watcher.gaps} gaps"] if self.watcher.gaps else [])

        try:
            return await caught_up(missed)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    def _some(self, posts: list[Posted], count: int) -> list[Posted]:
        return self.chance.sample(posts, min(count, len(posts)))


def seed_of_now() -> int:
    return time.time_ns() % 1_000_000
