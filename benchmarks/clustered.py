"""What a cluster costs beside the embedded form: reading, pushing across edges, fan-out, the store's client.

    python benchmarks/clustered.py [--seconds S] [--repeats N] [--only READING,PUSHING,FAN_OUT,CLIENT]

On `./cluster up --small` with a second edge. References in the same run: warm pages of an embedded server with the same
users and tweets; the bare Redis Function that pushes. Pushes are open loop: the clock starts when a post was due.
"""

import argparse
import asyncio
import contextlib
import json
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(_ROOT / part) for part in ("tests", "loadgen", "servers")]

import httpx  # noqa: E402
from harness.figures import Report  # noqa: E402  found by the path above
from harness.load import write_lines, wrk  # noqa: E402
from harness.servers import roost  # noqa: E402
from websockets.asyncio.client import connect  # noqa: E402

from api.waiting import eventually  # noqa: E402
from roost.adapters.cache.redis_timelines import RedisTimelines  # noqa: E402
from roost.adapters.clock.system import SystemClock, SystemRandomness  # noqa: E402
from roost.adapters.log.kafka.log import KafkaEventLog  # noqa: E402
from roost.adapters.log.kafka.topic import Topic  # noqa: E402
from roost.adapters.redis_functions import function  # noqa: E402
from roost.adapters.store.cassandra.cql import Cql  # noqa: E402
from roost.assembly.cluster.engines import kafka_servers, open_session, redis_link  # noqa: E402
from roost.assembly.cluster.file import ClusterFile, read_cluster  # noqa: E402
from roost.domain.events import TweetPosted  # noqa: E402
from roost.domain.ids import TweetId, UserId, Version  # noqa: E402
from roost.domain.tweet import Tweet  # noqa: E402
from roost_cluster import state as states  # noqa: E402
from scenarios.cluster.local import LocalCluster, local_cluster  # noqa: E402

USERS, FOLLOWED, TWEETS, LIMIT = 40, 20, 25, 20
PUSHES_PER_S, PUSHING_S, LISTENERS = 40, 10.0, 20
FOLLOWERS, PUSHED = 200, 3_000
ROWS, AT_ONCE = 4_000, 64
WRITE = Cql("INSERT INTO spans (list, owner, span) VALUES (?, ?, ?)")
Account = Mapping[str, str]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=3.0, help="of each run of wrk")
    arguments.add_argument("--repeats", type=int, default=3)
    arguments.add_argument("--only", default="READING,PUSHING,FAN_OUT,CLIENT")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_measure(Path(folder), given))


async def _measure(folder: Path, given: argparse.Namespace) -> None:
    report = Report("clustered")
    async with local_cluster(folder, "--small") as cluster:
        await cluster.do("grow", "edge")
        state = states.load(folder / ".cluster")
        file = read_cluster(folder / ".cluster/cluster.toml")
        assert state is not None
        assert file is not None
        edges = [f"http://{node.host}:{node.port}" for node in state.of_kind("edge")]
        wanted = given.only.split(",")
        if "READING" in wanted:
            await _reading(report, cluster, edges[0], given)
        if "PUSHING" in wanted:
            await _pushing(report, edges)
        if "FAN_OUT" in wanted:
            await _fan_out(report, file, given.repeats)
        if "CLIENT" in wanted:
            await _client(report, file, given.repeats)


async def _reading(report: Report, cluster: LocalCluster, edge: str, given: argparse.Namespace) -> None:
    with roost(cluster.folder / "embedded") as embedded:
        pages = {}
        for name, url in (("edge", edge), ("embedded", f"http://127.0.0.1:{embedded.port}")):
            people = await _town(url, name)
            lines = (f"/user/timeline/{one['user_id']}?timeline=home&limit={LIMIT}\t{one['token']}" for one in people)
            pages[name] = int(url.rpartition(":")[2]), write_lines(cluster.folder / f"{name}.targets", lines)
        figures: defaultdict[str, list[float]] = defaultdict(list)
        for port, targets in pages.values():
            await asyncio.to_thread(wrk, port, targets, 2.0)
        for _ in range(given.repeats):
            for name, (port, targets) in pages.items():
                got = await asyncio.to_thread(wrk, port, targets, given.seconds)
                assert (got.refused, got.broken) == (0, 0), got
                figures[name].append(LIMIT * got.pages / got.seconds)
        for name, values in figures.items():
            report.add(f"reading, {name}", "tweets read", "tweets/s", values)
        ratios = [one / other for one, other in zip(figures["edge"], figures["embedded"], strict=True)]
        report.add("reading, edge", "of the embedded form", "ratio", ratios)


async def _town(url: str, name: str) -> Sequence[Account]:
    """Users who follow one another and posted; each has read his home once."""
    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
        people = await _in_parts(USERS, lambda n: _register(client, f"{name}{n}"))

        async def follows(n: int) -> None:
            for step in range(1, FOLLOWED + 1):
                whom = people[(n + step) % USERS]["user_id"]
                answer = await client.post(f"/user/{whom}/follow", headers=_signed(people[n]))
                assert answer.status_code == httpx.codes.NO_CONTENT, answer.text

        async def posts(n: int) -> None:
            for number in range(TWEETS):
                await _post(client, people[n], f"tweet number {number} of {name}{n} with some more words in it")

        async def reads(n: int) -> None:
            answer = await client.get(
                f"/user/timeline/{people[n]['user_id']}?timeline=home", headers=_signed(people[n])
            )
            assert len(answer.json()["tweets"]) == LIMIT, answer.text

        for act in (follows, posts, reads):
            await _in_parts(USERS, act)
        return people


async def _pushing(report: Report, edges: Sequence[str]) -> None:
    """Posts at one edge, sockets at the other."""
    async with httpx.AsyncClient(base_url=edges[0], timeout=60, trust_env=False) as client:
        people = await _in_parts(LISTENERS + 1, lambda n: _register(client, f"push{n}"))
        author, listeners = people[0], people[1:]

        async def follow(n: int) -> None:
            await client.post(f"/user/{author['user_id']}/follow", headers=_signed(listeners[n]))

        await _in_parts(LISTENERS, follow)
        due_s: dict[str, float] = {}
        took_ms: list[float] = []
        address = edges[1].replace("http", "ws", 1) + "/ws"
        sockets = [await connect(address, additional_headers=_signed(one), max_queue=None) for one in listeners]
        listening = [asyncio.create_task(_listen(socket, due_s, took_ms)) for socket in sockets]
        under_way, began_s = [], time.monotonic()
        for number in range(round(PUSHES_PER_S * PUSHING_S)):
            at_s = began_s + number / PUSHES_PER_S
            await asyncio.sleep(max(at_s - time.monotonic(), 0))
            due_s[f"m{number}"] = at_s
            under_way.append(asyncio.create_task(_post(client, author, f"m{number}")))
        await asyncio.gather(*under_way)
        wanted = len(due_s) * LISTENERS
        with contextlib.suppress(TimeoutError):  # then some are lost
            await eventually(lambda: len(took_ms) == wanted)
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)
        for socket in sockets:
            await socket.close()
    percentiles = statistics.quantiles(took_ms, n=100)
    case = f"pushing to the other edge at {PUSHES_PER_S}/s"
    report.add(case, "p50", "ms", percentiles[49])
    report.add(case, "p99", "ms", percentiles[98])
    report.add(case, "lost", "pushes", wanted - len(took_ms))


async def _listen(socket: Any, due_s: Mapping[str, float], took_ms: list[float]) -> None:
    async for text in socket:
        frame = json.loads(text)
        if frame["type"] == "tweet":
            took_ms.append(1_000 * (time.monotonic() - due_s[frame["tweet"]["message"]]))


async def _fan_out(report: Report, file: ClusterFile, repeats: int) -> None:
    """Facts on Kafka, pushed onto warm timelines in Redis, against the bare Function with the same keys."""
    clock = SystemClock()
    link = redis_link(file.redis, clock)
    log = await KafkaEventLog(kafka_servers(file.kafka), clock.now_ms, Topic("bench.fan_out", 3)).open()
    shared = RedisTimelines(link, "bench:", 800, SystemRandomness(), clock.monotonic_s)
    owners = tuple(UserId(n) for n in range(1, FOLLOWERS + 1))
    for owner in owners:
        # Of all lengths, as real ones are: so they are not all trimmed by the same push.
        await shared.finish(owner, await shared.begin(owner), [TweetId(id) for id in range(1, 4 * owner)], 0)
    figures: defaultdict[str, list[float]] = defaultdict(list)
    keys = [f"bench:{owner}" for owner in owners]
    (address,) = await link.primaries(link.deadline_s())
    group, last = log.subscribe("fan_out"), 4 * FOLLOWERS
    try:
        for _ in range(repeats):
            began_s = time.monotonic()
            for number in range(PUSHED):
                command = ["FCALL", function("push"), 0, last + number + 1, 1_000, 800, *keys]
                await link.ask(address, [command], link.deadline_s())
            figures["bare Function"].append(PUSHED * FOLLOWERS / (time.monotonic() - began_s))
            last += PUSHED
            facts = [
                TweetPosted.of(Tweet(TweetId(last + n + 1), UserId(n % 50 + 1), "hello", version=Version(1)))
                for n in range(PUSHED)
            ]
            await log.append(facts)
            last, told, began_s = last + PUSHED, 0, time.monotonic()
            while told < PUSHED:
                batch = await group.batch()
                for logged in batch:
                    assert isinstance(logged.event, TweetPosted)
                    # Where all 200 lists are trimmed by one push it may take longer than a call may: it is repeated.
                    while await shared.push(logged.event.tweet_id, owners) < FOLLOWERS:
                        pass
                told += len(batch)
                await group.confirm(batch[-1].position)
            figures["through Kafka"].append(PUSHED * FOLLOWERS / (time.monotonic() - began_s))
    finally:
        await log.close()
        await link.close()
    for name, values in figures.items():
        report.add(f"fan-out, {name}", "deliveries", "1/s", values)
    ratios = [one / bare for one, bare in zip(figures["through Kafka"], figures["bare Function"], strict=True)]
    report.add("fan-out, through Kafka", "of the bare Function", "ratio", ratios)


async def _client(report: Report, file: ClusterFile, repeats: int) -> None:
    session = await open_session(file.cassandra)
    values = []
    try:
        for turn in range(repeats):
            before_s = time.process_time()
            for first in range(0, ROWS, AT_ONCE):
                await asyncio.gather(
                    *(session.write(WRITE, "bench", turn * ROWS + first + n, 1) for n in range(AT_ONCE))
                )
            values.append(1e6 * (time.process_time() - before_s) / ROWS)
    finally:
        await session.close()
    report.add("the store's client", "cpu a row written", "us", values)


async def _register(client: httpx.AsyncClient, name: str) -> Account:
    account = {"username": name, "password": f"a long word of {name}", "email": f"{name}@example.org"}
    answer = await client.post("/create/user", json=account)
    assert answer.status_code == httpx.codes.CREATED, answer.text
    made: Account = answer.json()
    return made


async def _post(client: httpx.AsyncClient, author: Account, message: str) -> None:
    answer = await client.post("/tweet", json={"message": message}, headers=_signed(author))
    assert answer.status_code == httpx.codes.CREATED, answer.text


async def _in_parts(count: int, act: Any, at_once: int = 20) -> list[Any]:
    done: list[Any] = []
    for first in range(0, count, at_once):
        done += await asyncio.gather(*(act(n) for n in range(first, min(first + at_once, count))))
    return done


def _signed(account: Account) -> dict[str, str]:
    return {"authorization": f"Bearer {account['token']}"}


if __name__ == "__main__":
    main()
