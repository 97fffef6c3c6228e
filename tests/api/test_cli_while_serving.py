"""The operator's commands on a folder that is served, while people use it."""

import json
import os
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from api.command_line import Json, Person, Served, eventually, messages, people, refused, roost, serving
from roost.assembly.control import CONNECTIONS_MAX, PATH_BYTES_MAX, Request, Status, ask
from roost.assembly.data_folder import DataFolder

VIEWS = ("index", "counts", "notifications", "timelines", "celebrities")
REBUILDS = 5
POSTS_MAX = 2_000


@dataclass(frozen=True)
class Town:
    """A served folder and some of its people: Ben and Cem follow Ana, and all that is told below has happened."""

    served: Served
    home: Path
    data: Path
    ana: Person
    ben: Person
    cem: Person

    def roost(self, *words: str | Path) -> str:
        done = roost(*words, "--data", self.data, cwd=self.home)
        assert done.returncode == 0, (done.stdout, done.stderr)
        return done.stdout

    def refused(self, *words: str | Path) -> str:
        return refused(roost(*words, "--data", self.data, cwd=self.home))

    def picture(self) -> dict[str, object]:
        """What the views answer, other people's acts of other tests left out."""
        ana, ben = self.ana, self.ben
        told = ana.get("/notifications", limit=100)["notifications"]
        return {
            "search": messages(ana.get("/search", q="lighthouse")),
            "tag": messages(ana.get("/hashtag/sea")),
            "users": [user["username"] for user in ana.get("/users/search", q="be")["users"]],
            "counts": ben.get(f"/user/{ana.id}")["counts"],
            "told": sorted((one["kind"], one["user"]["username"]) for one in told),
            "home": messages(ben.get(f"/user/timeline/{ben.id}", timeline="home", limit=100)),
            "own": messages(ben.get(f"/user/timeline/{ana.id}", limit=100)),
        }


HAPPENED = {
    "search": ["lighthouse, @ana?", "The lighthouse keeps #sea hours"],
    "tag": ["The lighthouse keeps #sea hours"],
    "users": ["ben"],
    "counts": {"tweets": 1, "followers": 2, "following": 0},
    "told": [("follow", "ben"), ("follow", "cem"), ("like", "ben"), ("mention", "cem"), ("reply", "cem")],
    "home": ["The lighthouse keeps #sea hours"],
    "own": ["The lighthouse keeps #sea hours"],
}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    home = tmp_path_factory.mktemp("town")
    # Longer than the address of a Unix socket may be.
    data = home / ("a-long-name-" * 8) / "data"
    assert len(str(data / "control.sock")) > PATH_BYTES_MAX
    with (
        serving(data, "--celebrity-threshold", "2", cwd=home) as served,
        people(served.url, "ana", "ben", "cem") as (ana, ben, cem),
    ):
        for follower in (ben, cem):
            follower.act(f"/user/{ana.id}/follow")
        first = ana.post("The lighthouse keeps #sea hours")
        gone = ana.post("A lighthouse that is not there")
        ana.http.delete(f"/tweet/{gone['tweet_id']}").raise_for_status()
        ben.act(f"/tweet/{first['tweet_id']}/like")
        cem.post("lighthouse, @ana?", reply_to_tweet_id=first["tweet_id"])
        cem.post("@ana once, not twice")
        made = Town(served, home, data, ana, ben, cem)
        eventually(lambda: made.picture() == HAPPENED, "all views have all of it")
        eventually(lambda: _celebrities(made) == 1, "Ana has enough followers")
        yield made


def _celebrities(town: Town) -> int:
    (status,) = ask(DataFolder(town.data), Request("status"))
    assert isinstance(status, Status)
    return next(bound.used for bound in status.bounds if bound.name == "celebrities")


@contextmanager
def posting(person: Person, words: str) -> Iterator[list[str]]:
    """Somebody posts as fast as he can; what was acknowledged so far."""
    acknowledged: list[str] = []
    stop = threading.Event()

    def post() -> None:
        while not stop.is_set() and len(acknowledged) < POSTS_MAX:
            message = f"{words} {len(acknowledged)}"
            person.post(message)
            acknowledged.append(message)

    thread = threading.Thread(target=post)
    thread.start()
    try:
        eventually(lambda: len(acknowledged) > 3, "tweets are acknowledged")
        yield acknowledged
    finally:
        stop.set()
        thread.join()


def test_all_views_answer_the_same_after_their_rebuild(town: Town) -> None:
    before = town.picture()
    said = town.roost("rebuild", "all")
    assert {line.split(":")[0] for line in said.splitlines()} == {f"rebuilt {view}" for view in VIEWS}
    eventually(lambda: town.picture() == before, "all is as it was")


def damage_counts(town: Town) -> str:
    return f"UPDATE user_counts SET followers = 77 WHERE user_id = {town.ana.id}"  # noqa: S608 - an id


def damage_notifications(town: Town) -> str:
    return f"DELETE FROM notifications WHERE user_id = {town.ana.id} AND kind <> 'like'"  # noqa: S608 - an id


def invent_notifications(town: Town) -> str:
    return f"INSERT INTO notifications VALUES ({town.ana.id}, 1, 'follow', {town.cem.id}, NULL)"  # noqa: S608 - an id


def damage_celebrities(town: Town) -> str:
    return "DELETE FROM celebrities"


@pytest.mark.parametrize(
    ("view", "damage"),
    [
        ("counts", damage_counts),
        ("notifications", damage_notifications),
        ("notifications", invent_notifications),
        ("celebrities", damage_celebrities),
    ],
)
def test_a_damaged_view_is_mended_while_it_is_served(town: Town, view: str, damage: Callable[[Town], str]) -> None:
    before, celebrities = town.picture(), _celebrities(town)
    with closing(sqlite3.connect(town.data / "roost.db", timeout=10)) as connection, connection:
        assert connection.execute(damage(town)).rowcount

    def mended() -> bool:
        # Again and again: what has just happened is left to its facts.
        list(ask(DataFolder(town.data), Request("rebuild", view)))
        return town.picture() == before and _celebrities(town) == celebrities

    eventually(mended, f"{view} is mended")


def test_nothing_is_lost_or_doubled_that_is_posted_during_a_rebuild_of_everything(town: Town) -> None:
    with posting(town.cem, "@ana buoy") as acknowledged:
        for _ in range(REBUILDS):
            before = len(acknowledged)
            list(ask(DataFolder(town.data), Request("rebuild", "all")))
            eventually(lambda: len(acknowledged) > before, "Cem goes on")  # noqa: B023 - asked within this round
    wanted = acknowledged[::-1]

    def found() -> list[str]:
        return [tweet["message"] for page in pages(town.ana, "/search", "tweets", q="buoy") for tweet in page]

    def told() -> list[str]:
        return [
            one["tweet"]["message"]
            for page in pages(town.ana, "/notifications", "notifications")
            for one in page
            if one["kind"] == "mention" and "buoy" in one["tweet"]["message"]
        ]

    for view in (found, told):  # each lags behind by itself
        eventually(lambda: len(view()) >= len(wanted), f"all are {view.__name__}")  # noqa: B023 - asked within this round
        assert view() == wanted


def pages(person: Person, path: str, name: str, **query: str) -> Iterator[Json]:
    """All pages, to the end."""
    before: str | None = None
    while True:
        page = person.get(path, limit=100, **query, **({} if before is None else {"before": before}))
        yield page[name]
        before = page["before"]
        if before is None:
            return


def test_an_unknown_view_is_refused_and_the_known_ones_are_named(town: Town) -> None:
    line = town.refused("rebuild", "nothing")
    assert all(view in line for view in VIEWS)


def test_a_folder_that_is_none_is_refused_by_every_command(town: Town) -> None:
    nowhere = town.home / "nowhere"
    for words in (("rebuild", "index"), ("backup", "b.tar"), ("operator", "list")):
        assert f"there is no data folder {nowhere}" in refused(roost(*words, "--data", nowhere, cwd=town.home))
    empty = town.home / "empty"
    empty.mkdir()
    assert "holds no roost.db" in refused(roost("backup", "b.tar", "--data", empty, cwd=town.home))
    assert not list(empty.iterdir())


def test_an_operator_is_one_at_once_and_no_longer_when_removed(town: Town) -> None:
    reports = town.ben.http
    assert reports.get("/reports").status_code == 403
    assert town.roost("operator", "add", "@Ben") == "@Ben is an operator now\n"
    eventually(lambda: reports.get("/reports").status_code == 200, "Ben may read reports")
    assert town.roost("operator", "list") == "ben\n"
    assert town.roost("operator", "remove", "ben") == "ben is no operator now\n"
    eventually(lambda: reports.get("/reports").status_code == 403, "Ben may no longer")
    assert town.roost("operator", "list") == ""
    assert "there is no user nobody" in town.refused("operator", "add", "nobody")


def test_the_doctor_finds_a_served_folder_and_its_server_well(town: Town) -> None:
    said = town.roost("doctor")
    names = {line[5:].split("  ")[0].strip() for line in said.splitlines()}
    assert {"folder", "secrets", "database", "rows", "clock", "index", "content", "process", "ready"} <= names
    assert {f"reaction {name}" for name in ("index", "count", "notify", "celebrate")} <= names
    assert {line[:5].strip() for line in said.splitlines()} <= {"ok", "warn"}
    assert "pid " in said


def test_the_doctor_examines_a_server_by_its_address_alone(town: Town) -> None:
    done = roost("doctor", "--url", town.served.url, cwd=town.home)
    assert done.returncode == 0
    assert [line.split()[1] for line in done.stdout.splitlines()] == ["live", "ready", "figures", "pushes"]


def test_the_doctor_fails_for_a_server_that_is_not_there(town: Town) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        done = roost("doctor", "--url", f"http://127.0.0.1:{unused.getsockname()[1]}", cwd=town.home)
    assert done.returncode == 1
    assert done.stdout.startswith("fail server")


@pytest.mark.parametrize(
    "sent",
    [
        b"\n",
        b"{}\n",
        b"\xff\x00\n",
        b'{"command": 1}\n',
        b'{"command": "stop"}\n',
        b"[" * 3_000 + b"\n",
        b"x" * 9_000 + b"\n",
    ],
)
def test_the_control_socket_answers_garbage_with_a_line(town: Town, sent: bytes) -> None:
    with control_connection(town) as talking:
        talking.sendall(sent)
        (line,) = talking.makefile("rb").readlines()
    assert json.loads(line)["kind"] == "failed"


def test_the_control_socket_is_its_users_alone_and_bounded(town: Town) -> None:
    assert (town.data / "control.sock").stat().st_mode & 0o777 == 0o600
    opened = [control_connection(town) for _ in range(CONNECTIONS_MAX)]
    try:
        with control_connection(town) as one_more:
            (line,) = one_more.makefile("rb").readlines()
        assert "under way already" in json.loads(line)["detail"]
    finally:
        for talking in opened:
            talking.close()

    def answers() -> bool:
        with control_connection(town) as talking:
            talking.sendall(b'{"command": "status"}\n')
            return bool(json.loads(talking.makefile("rb").readline())["kind"] == "status")

    eventually(answers, "there is room again")


def control_connection(town: Town) -> socket.socket:
    talking = socket.socket(socket.AF_UNIX)
    folder = os.open(town.data, os.O_RDONLY)
    try:
        talking.connect(f"/proc/self/fd/{folder}/control.sock")
    finally:
        os.close(folder)
    talking.settimeout(30)
    return talking
