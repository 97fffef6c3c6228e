"""A town of readers: each follows some authors and some celebrities, and all homes hold more than a page.

The authors have 200 followers each, so 600 of their tweets a second are 120,000 deliveries a second.
"""

import http.client
import itertools
import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from harness.load import Line
from harness.servers import Server
from harness.town import Person, Plan, messages

READERS, AUTHORS, CELEBRITIES = 2_000, 100, 10
FOLLOWERS_OF_AUTHOR, FOLLOWERS_OF_CELEBRITY = 200, 1_000
CELEBRITY_THRESHOLD = 900
TWEETS_OF_AUTHOR, TWEETS_OF_CELEBRITY = 30, 50
SETTINGS = {"celebrity_threshold": CELEBRITY_THRESHOLD}


def plan() -> Plan:
    name = f"homes-{READERS}-{AUTHORS}x{FOLLOWERS_OF_AUTHOR}-{CELEBRITIES}x{FOLLOWERS_OF_CELEBRITY}"
    return Plan(name, READERS + AUTHORS + CELEBRITIES, _follows, _tweets, SETTINGS)


def readers(people: Sequence[Person]) -> Sequence[Person]:
    return people[:READERS]


def authors(people: Sequence[Person]) -> Sequence[Person]:
    return people[READERS : READERS + AUTHORS]


def posts(by: Iterable[Person], count: int) -> Iterator[Line]:
    """Tweets in turn, for the load's file."""
    encode = msgspec.json.Encoder().encode
    for person, message, number in zip(itertools.cycle(by), messages(), range(count), strict=False):
        yield Line("POST", "/tweet", person.token, encode({"message": f"{message} {number}"}).decode())


class Fetched(msgspec.Struct):
    """A page whose tweets are left as they came."""

    tweets: list[msgspec.Raw]
    before: str | None
    after: str | None


def fetch(
    server: Server, people: Iterable[Person], limit: int
) -> Iterator[tuple[Person, Fetched, list[tuple[str, str]]]]:
    """The newest page of each home: makes it warm; with the answer's headers."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    for person in people:
        connection.request(
            "GET", f"{person.home_path}&limit={limit}", headers={"Authorization": f"Bearer {person.token}"}
        )
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != http.client.OK:
            raise SystemExit(f"{answer.status} for a home timeline: {body[:200]!r}")
        yield person, msgspec.json.decode(body, type=Fetched), answer.getheaders()
    connection.close()


def write_floor_pages(path: Path, pages: Iterable[tuple[Person, Fetched, list[tuple[str, str]]]]) -> None:
    """What benchmarks/floor serves: the same bytes to the same people with the same headers."""
    fragments: dict[bytes, int] = {}
    cursors: list[bytes] = []
    homes: dict[str, dict[str, object]] = {}
    headers: list[tuple[bytes, bytes]] = []
    for person, page, got in pages:
        headers = [
            (name.lower().encode(), value.encode())
            for name, value in got
            if name.lower() not in ("date", "content-length")
        ]
        indexes = []
        for raw in page.tweets:
            fragment = bytes(raw)
            if fragment not in fragments:
                fragments[fragment] = len(fragments)
                cursors.append(msgspec.json.decode(fragment, type=_Id).tweet_id.encode())
            indexes.append(fragments[fragment])
        homes[f"Bearer {person.token}"] = {"path": person.home_path.partition("?")[0], "tweets": indexes}
    whole = {"headers": headers, "fragments": list(fragments), "homes": homes, "cursors": cursors}
    path.write_bytes(msgspec.msgpack.encode(whole))


class _Id(msgspec.Struct):
    tweet_id: str


def _follows() -> Iterator[tuple[int, int]]:
    draw = random.Random(1)
    for author in range(AUTHORS):
        yield from ((reader, READERS + author) for reader in draw.sample(range(READERS), FOLLOWERS_OF_AUTHOR))
    for celebrity in range(CELEBRITIES):
        followers = draw.sample(range(READERS), FOLLOWERS_OF_CELEBRITY)
        yield from ((reader, READERS + AUTHORS + celebrity) for reader in followers)


def _tweets() -> Iterator[tuple[int, str]]:
    by = [READERS + author for author in range(AUTHORS) for _ in range(TWEETS_OF_AUTHOR)]
    by += [READERS + AUTHORS + one for one in range(CELEBRITIES) for _ in range(TWEETS_OF_CELEBRITY)]
    random.Random(2).shuffle(by)
    return zip(by, messages(), strict=False)
