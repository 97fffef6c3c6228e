"""Data folders to serve: users, follows and tweets made through the product's own stores, and kept between runs.

A folder is made once for its name and the schema, with all reactions caught up, and copied for each run.
"""

import asyncio
import hashlib
import itertools
import os
import random
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from harness.figures import ROOT
from roost.adapters.sqlite_file import LOG_SCHEMA
from roost.assembly.data_folder import DataFolder
from roost.assembly.embedded import SCHEMAS, open_embedded
from roost.assembly.engines import Engines
from roost.assembly.garbage import Garbage
from roost.assembly.node import Node, running_node
from roost.assembly.serving import configure_logging
from roost.assembly.settings import Settings
from roost.domain.events import TweetPosted, UserChanged
from roost.domain.ids import TweetId, UserId, compose_id, shard_of
from roost.domain.relation import Relation, RelationKind
from roost.domain.text import extract_entities
from roost.domain.tokens import TokenText, hash_token, token_text
from roost.domain.tweet import Tweet
from roost.domain.user import Account, Session, User, session_id_of

AT_ONCE = 500
CATCH_UP_S_MAX = 1_800.0
DAY_MS = 86_400_000
_VERSION = "1"
"""Raised when folders made before must not be used any more."""
_WORDS = (  # noqa: SIM905 - a list would take 60 lines
    "the a to and of in is you that it for on with this my be at have are just so not what all like out up good new "
    "time day love today people know get one can see go now back game night work home great morning music world team"
).split()


class Person(msgspec.Struct, frozen=True):
    """Somebody who is signed in."""

    user_id: int
    name: str
    token: str

    @property
    def home_path(self) -> str:
        return f"/user/timeline/{self.user_id}?timeline=home"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a folder holds. `name` says it all: two plans of one name are the same. People are known by index."""

    name: str
    people: int
    follows: Callable[[], Iterable[tuple[int, int]]]
    """Follower, followed."""
    tweets: Callable[[], Iterable[tuple[int, str]]]
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Town:
    """A folder that may be served and changed, and its people."""

    data: Path
    people: list[Person]


@contextmanager
def town(plan: Plan) -> Iterator[Town]:
    """A copy of the plan's folder, which is made now if it is not there."""
    kept = _kept(plan)
    people = msgspec.json.decode((kept / "people.json").read_bytes(), type=list[Person])
    with tempfile.TemporaryDirectory(prefix="roost-bench-") as folder:
        shutil.copytree(kept / "data", Path(folder) / "data", ignore=shutil.ignore_patterns("*.sock"))
        yield Town(Path(folder) / "data", people)


@asynccontextmanager
async def opened(data: Path, **settings: Any) -> AsyncIterator[Node]:
    """A node over the folder in this process."""
    chosen = replace(Settings(), rate_limits=False, password_cost="low", data=data, **settings)  # noqa: S106
    Garbage().install()  # as a server does
    async with open_embedded(chosen, DataFolder(data)) as engines, running_node(engines, chosen) as node:
        yield node


def messages(seed: int = 1) -> Iterator[str]:
    """Real tweets where the data is there, else made up of common words; without end."""
    path = shared_data() / "tweets" / "english.txt"
    if path.exists():
        lines = path.read_text(encoding="utf-8").splitlines()
        fitting = [line.replace("@user", "").strip() for line in lines if 20 <= len(line) <= 200]
        yield from itertools.cycle([line for line in fitting if len(line) >= 10])
    draw = random.Random(seed)
    while True:
        yield " ".join(draw.choices(_WORDS, k=draw.randint(8, 30)))


def shared_data() -> Path:
    """Real input for tests and benchmarks, beside the checkout; it may be absent."""
    shared = os.environ.get("ROOST_SHARED")  # noqa: TID251 - where the tests look too
    return (Path(shared) if shared else ROOT.parent / "shared") / "data"


def _kept(plan: Plan) -> Path:
    schema = hashlib.sha256("".join((_VERSION, LOG_SCHEMA, *SCHEMAS)).encode()).hexdigest()[:12]
    kept = Path(tempfile.gettempdir()) / f"roost-bench-{os.getuid()}" / f"{plan.name}-{schema}"
    if not kept.exists():
        print(f"making {plan.name}: {plan.people} users (once)", flush=True)
        partial = kept.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True, mode=0o700)
        with ThreadPoolExecutor(1) as thread:  # a loop of its own, also where one runs already
            thread.submit(asyncio.run, _make(plan, partial)).result()
        partial.rename(kept)
    return kept


async def _make(plan: Plan, folder: Path) -> None:
    data = folder / "data"
    configure_logging("warning")
    DataFolder(data).make()
    settings = replace(Settings(), data=data, synchronous="normal", **plan.settings)
    async with open_embedded(settings, DataFolder(data)) as engines:
        people = await _people(engines, plan.people)
        versions = engines.ids.next_version
        add = engines.stores.relations.add
        await _all(
            add(
                Relation(RelationKind.FOLLOW, UserId(people[one].user_id), UserId(people[other].user_id), versions()),
                10**6,
            )
            for one, other in plan.follows()
        )
        await _tweets(engines, people, list(plan.tweets()))
        async with running_node(engines, settings) as node:
            await caught_up(node)
    (folder / "people.json").write_bytes(msgspec.json.encode(people))


async def _people(engines: Engines, count: int) -> list[Person]:
    now_ms, ids = engines.clock.now_ms(), engines.ids
    people: list[Person] = []
    making: list[Coroutine[Any, Any, object]] = []
    for index in range(count):
        id, name, token = ids.next_user_id(), f"u{index}", token_text(engines.randomness.token_bytes(32))
        user = User(id, name, f"User {index}", now_ms, ids.next_version())
        account = Account(id, f"{name}@load.example", f"{name}@load.example", None, "no password fits this")
        session = _session(id, token, now_ms)
        making.append(engines.stores.accounts.create(user, account, session, [UserChanged(id, user.version)]))
        people.append(Person(id, name, token))
        if len(making) == AT_ONCE:
            await asyncio.gather(*making)
            making.clear()
    await asyncio.gather(*making)
    return people


def _session(user: UserId, token: TokenText, now_ms: int) -> Session:
    hashed = hash_token(token)
    return Session(session_id_of(hashed), user, hashed, now_ms, now_ms, now_ms + 3_000 * DAY_MS)


async def _tweets(engines: Engines, people: list[Person], tweets: list[tuple[int, str]]) -> None:
    """As if posted one a millisecond, until just before the users were made: so their ids are free."""
    began_ms = engines.clock.now_ms() - DAY_MS - len(tweets)

    def posts() -> Iterator[Coroutine[Any, Any, object]]:
        for index, (author, message) in enumerate(tweets):
            user = UserId(people[author].user_id)
            entities = extract_entities(message) if "#" in message or "http" in message else None
            tweet = Tweet(
                TweetId(compose_id(began_ms + index, shard_of(user), 0)),
                user,
                message,
                engines.ids.next_version(),
                hashtags=() if entities is None else entities.hashtags,
                urls=() if entities is None else entities.urls,
                lang="en",
            )
            yield engines.stores.tweets.add(tweet, None, [TweetPosted.of(tweet)])

    await _all(posts())


async def _all(acts: Iterable[Coroutine[Any, Any, object]]) -> None:
    left = iter(acts)
    while batch := list(itertools.islice(left, AT_ONCE)):
        await asyncio.gather(*batch)


async def caught_up(node: Node) -> None:
    """Until every reaction has dealt with all that is on the log."""
    async with asyncio.timeout(CATCH_UP_S_MAX):
        while any((await node.lag()).values()):  # noqa: ASYNC110 - lag rings no bell
            await asyncio.sleep(0.05)
