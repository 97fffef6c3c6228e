"""Several workers behind one address over one folder look like one server, also while some of them are killed."""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from api.command_line import Person, Served, eventually, messages, people, refused, roost, serving
from scenarios.worker_connections import Worker, each_worker

COUNT = 3
ROUNDS = 10
SOCKETS_MAX = 200


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("workers")
    with serving(folder / "data", "--workers", str(COUNT), cwd=folder) as running:
        yield running


@pytest.fixture
def workers(served: Served) -> Iterator[list[Worker]]:
    with each_worker(served.url, COUNT) as each:
        yield each


Join = Callable[..., list[Person]]


@pytest.fixture
def join(served: Served) -> Iterator[Join]:
    """Signs people up who stay until the test ends."""
    with ExitStack() as stack:
        yield lambda *names: stack.enter_context(people(served.url, *names))


@contextmanager
def listen(url: str, token: str) -> Iterator[ClientConnection]:
    headers = {"Authorization": f"Bearer {token}"}
    with connect(f"{url.replace('http', 'ws', 1)}/ws", additional_headers=headers, proxy=None) as socket:
        assert json.loads(socket.recv(timeout=30))["type"] == "hello"
        yield socket


def heard_tweet(socket: ClientConnection) -> str:
    """The id of the next tweet that is pushed."""
    while True:
        frame = json.loads(socket.recv(timeout=30))
        if frame["type"] == "tweet":
            return str(frame["tweet"]["tweet_id"])


def home(worker: Worker, person: Person) -> list[str]:
    return messages(worker.get(f"/user/timeline/{person.id}?timeline=home", person.token))


def test_each_has_its_share_of_the_connections_and_one_leads(workers: list[Worker]) -> None:
    identities = [worker.identity() for worker in workers]
    assert [identity.number for identity in identities] == list(range(COUNT))
    assert len({identity.pid for identity in identities}) == COUNT
    assert sum(identity.leads for identity in identities) == 1


def test_a_tweet_posted_through_one_is_pushed_to_sockets_on_all(
    served: Served, join: Join, workers: list[Worker]
) -> None:
    ada, bo = join("push_ada", "push_bo")
    bo.act(f"/user/{ada.id}/follow")
    with ExitStack() as stack:
        sockets: list[ClientConnection] = []
        while not all(worker.connection.figure("roost_sockets") for worker in workers):
            assert len(sockets) < SOCKETS_MAX
            sockets.append(stack.enter_context(listen(served.url, bo.token)))
        for worker in workers:
            posted = worker.post(ada.token, f"through {worker.number}")
            assert [heard_tweet(socket) for socket in sockets] == [posted["tweet_id"]] * len(sockets)


def test_authors_see_their_own_tweets_at_once_on_every_worker(join: Join, workers: list[Worker]) -> None:
    (ada,) = join("fresh_ada")
    for worker in workers:
        home(worker, ada)  # warm, so that the pages are answered without a look at the store
        home(worker, ada)
    before = sum(worker.connection.figure("roost_hot_pages_total") for worker in workers)
    for number in range(ROUNDS):
        for worker in workers:
            message = f"{number} through {worker.number}"
            worker.post(ada.token, message)
            for other in workers:
                assert home(other, ada)[0] == message
                assert home(other, ada)[0] == message
    assert sum(worker.connection.figure("roost_hot_pages_total") for worker in workers) > before


def test_ids_of_one_author_rise_whichever_worker_gives_them(join: Join, workers: list[Worker]) -> None:
    (ada,) = join("rising_ada")
    ids = [int(worker.post(ada.token, f"{number}")["tweet_id"]) for number in range(ROUNDS) for worker in workers]
    assert ids == sorted(set(ids))


def test_follows_likes_and_profiles_are_seen_at_once_on_every_worker(join: Join, workers: list[Worker]) -> None:
    for first in workers:
        ada, bo = join(f"act_ada_{first.number}", f"act_bo_{first.number}")
        tweet = first.post(ada.token, "a tweet")["tweet_id"]
        for worker in workers:
            assert home(worker, bo) == []
        assert first.ask("POST", f"/user/{ada.id}/follow", bo.token).status == 204
        assert [home(worker, bo) for worker in workers] == [["a tweet"]] * COUNT
        assert first.ask("POST", f"/tweet/{tweet}/like", bo.token).status == 204
        seen = [worker.get(f"/tweet/{tweet}", bo.token)["viewer"]["liked"] for worker in workers]
        assert seen == [True] * COUNT
        assert first.ask("PATCH", f"/user/{bo.id}", bo.token, {"display_name": "Bo B."}).status == 200
        names = [worker.get(f"/user/{bo.id}", bo.token)["display_name"] for worker in workers]
        assert names == ["Bo B."] * COUNT
        assert first.ask("POST", f"/user/{ada.id}/mute", bo.token).status == 204
        assert [home(worker, bo) for worker in workers] == [[]] * COUNT


def test_counts_that_one_worker_takes_reach_all(join: Join, workers: list[Worker]) -> None:
    ada, bo = join("count_ada", "count_bo")
    tweet = ada.post("to be liked")["tweet_id"]
    for worker in workers:
        assert worker.get(f"/tweet/{tweet}", ada.token)["counts"]["likes"] == 0
    bo.act(f"/tweet/{tweet}/like")
    for worker in workers:
        eventually(
            lambda worker=worker: worker.get(f"/tweet/{tweet}", ada.token)["counts"]["likes"] == 1,  # type: ignore[misc]
            f"worker {worker.number} counts the like",
        )


def test_a_token_that_ended_on_one_is_dead_on_all(join: Join, workers: list[Worker]) -> None:
    for first in workers:
        (ada,) = join(f"out_ada_{first.number}")
        for worker in workers:
            home(worker, ada)
            home(worker, ada)
        assert first.ask("POST", "/logout", ada.token).status == 204
        path = f"/user/timeline/{ada.id}?timeline=home"
        assert [worker.ask("GET", path, ada.token).status for worker in workers] == [401] * COUNT


def test_a_ticket_of_one_opens_a_socket_once_on_any(served: Served, join: Join, workers: list[Worker]) -> None:
    (ada,) = join("ticket_ada")
    address = f"{served.url.replace('http', 'ws', 1)}/ws?ticket="
    for number in range(ROUNDS):
        answered = workers[number % COUNT].ask("POST", "/ws/ticket", ada.token)
        ticket = answered.body["ticket"]
        with connect(address + ticket, proxy=None) as socket:
            assert json.loads(socket.recv(timeout=30))["user_id"] == ada.id
        for wrong in (ticket, ticket[:-1] + ("A" if ticket[-1] != "A" else "Q"), ticket[4:], "", "é"):
            with pytest.raises(InvalidStatus) as refusal, connect(address + wrong, proxy=None):
                pass
            assert refusal.value.response.status_code == 401


class Writing:
    """Somebody who tweets on and on through one worker and its successors, and remembers what was acknowledged."""

    def __init__(self, url: str, person: Person) -> None:
        self.person = person
        self.acknowledged: list[str] = []
        self._ended = threading.Event()
        self._worker = Worker(url, 0)
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._worker.close()

    def _run(self) -> None:
        number = 0
        while not self._ended.is_set():
            number += 1
            answered = self._worker.ask("POST", "/tweet", self.person.token, {"message": f"{number}"})
            if answered.status == 201:
                self.acknowledged.append(answered.body["tweet_id"])


def all_ids(worker: Worker, person: Person) -> list[str]:
    ids: list[str] = []
    before: str | None = None
    while True:
        after = "" if before is None else f"&before={before}"
        page = worker.get(f"/user/timeline/{person.id}?limit=100{after}", person.token)
        ids += [tweet["tweet_id"] for tweet in page["tweets"]]
        before = page["before"]
        if before is None:
            return ids


def finds(worker: Worker, person: Person, word: str) -> bool:
    return bool(worker.get(f"/search?q={word}", person.token)["tweets"])


def test_killed_workers_lose_nothing_and_another_leads(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--workers", str(COUNT), cwd=tmp_path) as running, ExitStack() as stack:
        ada, writer = stack.enter_context(people(running.url, "ada", "writer"))
        workers = stack.enter_context(each_worker(running.url, COUNT))
        with Writing(running.url, writer) as writing:
            for leader_goes in (True, False, True, False):
                count = len(writing.acknowledged)
                eventually(lambda count=count: len(writing.acknowledged) > count, "tweets go on")  # type: ignore[misc]
                victim = next(one for one in map(Worker.identity, workers) if one.leads == leader_goes)
                os.kill(victim.pid, signal.SIGKILL)
                living = workers[(victim.number + 1) % COUNT]
                word = f"word{victim.pid}"
                living.post(ada.token, word)
                eventually(
                    lambda living=living, word=word: finds(living, ada, word),  # type: ignore[misc]
                    f"{word} is found: somebody indexes",
                )
                assert workers[victim.number].identity().pid != victim.pid
        ids = all_ids(workers[0], writer)
        assert set(writing.acknowledged) <= set(ids)
        assert len(ids) == len(set(ids))


def test_all_drain_when_told_to_stop(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--workers", str(COUNT), cwd=tmp_path) as running:
        with people(running.url, "ada") as (ada,), each_worker(running.url, COUNT) as workers, ExitStack() as stack:
            sockets = [stack.enter_context(listen(running.url, ada.token)) for _ in range(COUNT)]
            pids = [worker.identity().pid for worker in workers]
            assert running.stop() == 0
            for socket in sockets:
                with pytest.raises(ConnectionClosed) as closed:
                    heard_tweet(socket)
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == 1001
        assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
        left = {path.name for path in (tmp_path / "data").iterdir()}
    assert not left & {"control.sock", "roost.db-wal", "search.db-wal"}


def test_workers_end_with_their_parent_and_hold_the_folder_until_then(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--workers", "2", cwd=tmp_path) as running:
        with each_worker(running.url, 2) as workers:
            pids = [worker.identity().pid for worker in workers]
        running.stop(signal.SIGKILL)
        eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), "the workers end")
    with serving(tmp_path / "data", cwd=tmp_path) as again:
        assert again.stop() == 0


@pytest.mark.parametrize("count", ["0", "65", "-1"])
def test_a_number_of_workers_that_makes_no_sense_is_refused(tmp_path: Path, count: str) -> None:
    line = refused(roost("serve", "--data", tmp_path / "data", "--port", "0", "--workers", count, cwd=tmp_path))
    assert "workers" in line
    assert not (tmp_path / "data").exists()


def test_a_folder_and_a_port_that_workers_serve_are_refused(served: Served, tmp_path: Path) -> None:
    folder = served.log.parent / "data"
    for count in ("1", "2"):
        line = refused(roost("serve", "--port", "0", "--data", folder, "--workers", count, cwd=tmp_path))
        assert f"already served by the process with pid {served.process.pid}" in line
        port = served.url.rpartition(":")[2]
        line = refused(roost("serve", "--port", port, "--data", tmp_path / count, "--workers", count, cwd=tmp_path))
        assert f"cannot listen on 127.0.0.1 port {port}" in line


def test_workers_that_die_at_their_start_are_one_line(tmp_path: Path) -> None:
    words = ("serve", "--port", "0", "--data", tmp_path / "data", "--workers", "2", "--smtp-url", "http://host")
    assert "smtp_url: not of the form" in refused(roost(*words, cwd=tmp_path))
