"""The operator's commands on a folder that nobody serves: whole ones, and such as are damaged in one way each."""

import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from PIL import Image

from api.command_line import Json, checked, eventually, messages, people, roost, serving
from roost.adapters.sqlite_copies import SCHEMA_VERSION
from roost.adapters.tweet_rows import decode_tweet, encode_tweet
from roost.assembly.data_folder import DataFolder
from roost.assembly.doctor import examine_folder
from roost.assembly.examination import Check, State
from roost.assembly.rebuild import SETTLED_MS

INDEXED_LATER_MS = 3_600_000
"""So much after the tweets, the doctor expects them in the index."""


@dataclass(frozen=True)
class Ground:
    """A folder that was served and stopped, with what its people saw."""

    data: Path
    token: str
    user_id: str
    seen: Json
    ended_ms: int


def seen(http: httpx.Client, user_id: str) -> Json:
    def get(path: str, **query: str) -> Json:
        return checked(http.get(path, params=query), 200)

    told = get("/notifications")["notifications"]
    return {
        "search": messages(get("/search", q="heron")),
        "users": [user["username"] for user in get("/users/search", q="eve")["users"]],
        "counts": get(f"/user/{user_id}")["counts"],
        "told": sorted((one["kind"], one["user"]["username"]) for one in told),
        "own": messages(get(f"/user/timeline/{user_id}")),
    }


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    home = tmp_path_factory.mktemp("ground")
    data = home / "data"
    with serving(data, cwd=home) as served, people(served.url, "dan", "eve") as (dan, eve):
        eve.act(f"/user/{dan.id}/follow")
        picture = BytesIO()
        Image.new("RGB", (40, 30), "teal").save(picture, "PNG")
        content = checked(dan.http.post("/content", files={"file": ("a.png", picture.getvalue())}), 201)
        first = dan.post("a heron stands", content_ids=[content["content_id"]])
        for number in range(5):
            dan.post(f"another heron {number}")
        eve.act(f"/tweet/{first['tweet_id']}/like")
        eve.post("@dan which heron?", reply_to_tweet_id=first["tweet_id"])
        dan.http.delete(f"/tweet/{dan.post('no heron')['tweet_id']}").raise_for_status()

        def told() -> bool:
            now = seen(dan.http, dan.id)
            counted = now["counts"] == {"tweets": 6, "followers": 1, "following": 0}
            return counted and len(now["told"]) == 3 and len(now["search"]) == 7

        eventually(told, "all views have all of it")
        made = Ground(data, dan.token, dan.id, seen(dan.http, dan.id), time.time_ns() // 1_000_000)
        assert served.stop() == 0
    return made


@pytest.fixture
def data(ground: Ground, tmp_path: Path) -> Path:
    """A copy to damage."""
    return shutil.copytree(ground.data, tmp_path / "data")


def examined(data: Path) -> list[Check]:
    later_ms = time.time_ns() // 1_000_000 + INDEXED_LATER_MS
    return list(examine_folder(DataFolder(data), later_ms, served=False))


def change(data: Path, sql: str, name: str = "roost.db") -> None:
    with closing(sqlite3.connect(data / name)) as connection, connection:
        assert connection.execute(sql).rowcount != 0, "nothing was damaged"


def overwrite(path: Path, start: int) -> None:
    with path.open("r+b") as opened:
        opened.seek(start)
        opened.write(b"\xa5" * 8_192)


def a_content(data: Path) -> Path:
    return next(path for path in (data / "content").rglob("*") if path.is_file())


def is_open_to_all(data: Path) -> None:
    data.chmod(0o755)
    (data / "signing.key").chmod(0o644)


def has_a_tweet_of_tomorrow(data: Path) -> None:
    with closing(sqlite3.connect(data / "roost.db")) as connection, connection:
        connection.execute("INSERT INTO tweets SELECT tweet_id + (90000000 << 22), deleted, body FROM tweets LIMIT 1")


def has_a_tweet_of_nobody(data: Path) -> None:
    with closing(sqlite3.connect(data / "roost.db")) as connection, connection:
        ((id, body),) = connection.execute("SELECT tweet_id, body FROM tweets WHERE NOT deleted LIMIT 1").fetchall()
        connection.execute("DELETE FROM users WHERE user_id = ?", (decode_tweet(body).author,))
        connection.execute("UPDATE tweets SET body = ? WHERE tweet_id = ?", (encode_tweet(decode_tweet(body)), id))


def loses_its_index(data: Path) -> None:
    (data / "search.db").unlink()


DAMAGES: dict[str, tuple[Callable[[Path], object], str, State]] = {
    "the folder is gone": (shutil.rmtree, "folder", State.FAIL),
    "no database": (lambda data: (data / "roost.db").unlink(), "database", State.FAIL),
    "a database that is none": (lambda data: (data / "roost.db").write_bytes(b"x" * 9_999), "database", State.FAIL),
    "torn pages": (lambda data: overwrite(data / "roost.db", 8_192), "database", State.FAIL),
    "a newer version": (
        lambda data: change(data, f"PRAGMA user_version={SCHEMA_VERSION + 1}"),
        "database",
        State.FAIL,
    ),
    "open to all": (is_open_to_all, "secrets", State.FAIL),
    "a tweet that its author's list lacks": (lambda data: change(data, "DELETE FROM user_tweets"), "rows", State.FAIL),
    "an answer that no list names": (lambda data: change(data, "DELETE FROM replies"), "rows", State.FAIL),
    "a tweet of nobody": (has_a_tweet_of_nobody, "rows", State.FAIL),
    "a user without an account": (lambda data: change(data, "DELETE FROM accounts"), "rows", State.FAIL),
    "wrong counts": (lambda data: change(data, "UPDATE user_counts SET tweets = 99"), "counts", State.WARN),
    "a tweet of tomorrow": (has_a_tweet_of_tomorrow, "clock", State.FAIL),
    "no index": (loses_its_index, "index", State.WARN),
    "an index that is none": (lambda data: (data / "search.db").write_bytes(b"x" * 9_999), "index", State.FAIL),
    "an incomplete index": (lambda data: change(data, "DELETE FROM position", "search.db"), "index", State.WARN),
    "an index without tweets": (lambda data: change(data, "DELETE FROM tweet", "search.db"), "index", State.FAIL),
    "a content without bytes": (lambda data: a_content(data).unlink(), "content", State.FAIL),
    "a content with other bytes": (lambda data: overwrite(a_content(data), 0), "content", State.FAIL),
}


def test_the_doctor_finds_nothing_to_do_about_a_folder_that_was_stopped_well(ground: Ground) -> None:
    checks = examined(ground.data)
    assert [check for check in checks if check.state is not State.OK and check.name != "disk"] == []
    assert {"rows", "counts", "clock", "index", "content", "reaction notify"} <= {check.name for check in checks}


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_doctor_finds_each_damage_and_says_what_to_do(data: Path, damage: str) -> None:
    inflict, name, state = DAMAGES[damage]
    inflict(data)
    found = [check for check in examined(data) if check.state is not State.OK and check.name != "disk"]
    assert (name, state) in {(check.name, check.state) for check in found}, found
    assert all(check.advice for check in found)


def test_the_doctor_changes_nothing(data: Path) -> None:
    def state() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in data.rglob("*") if path.is_file()}

    before = state()
    examined(data)
    assert state() == before


def test_the_doctor_exits_with_1_when_something_failed(data: Path) -> None:
    overwrite(data / "roost.db", 8_192)
    done = roost("doctor", "--data", data, cwd=data.parent)
    assert done.returncode == 1
    assert any(line.startswith("fail database") and " -> " in line for line in done.stdout.splitlines())


def test_every_view_is_rebuilt_on_a_stopped_folder(ground: Ground, data: Path) -> None:
    (data / "search.db").write_bytes(b"no index" * 2_000)
    for table in ("user_counts", "tweet_counts", "notifications"):
        change(data, f"DELETE FROM {table}")  # noqa: S608 - a name from above
    eventually(lambda: is_settled(ground), "what happened is old enough to be told of by nobody else")
    done = roost("rebuild", "all", "--data", data, cwd=data.parent)
    assert done.returncode == 0, done.stderr
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == [
        f"rebuilt {view}" for view in ("index", "counts", "celebrities", "notifications", "timelines")
    ]
    assert [check for check in examined(data) if check.state is State.FAIL] == []
    headers = {"Authorization": f"Bearer {ground.token}"}
    with serving(data, cwd=data.parent) as served, httpx.Client(base_url=served.url, headers=headers) as http:
        eventually(lambda: seen(http, ground.user_id) == ground.seen, "all is as it was")


def is_settled(ground: Ground) -> bool:
    """Younger acts are left to their facts, as on a server that runs."""
    return time.time_ns() // 1_000_000 > ground.ended_ms + SETTLED_MS
