"""Backups of a folder that is served and written to, and what comes back of them."""

import io
import json
import sqlite3
import tarfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from websockets.sync.client import connect

from api.command_line import Person, Served, checked, eventually, messages, people, refused, roost, serving
from roost.assembly.archive import CHECKSUMS, DATABASE, FORMAT, HEAD, SECRET, BackupFailed
from roost.assembly.data_folder import DataFolder
from roost.assembly.restore import restore

POSTS_MAX = 3_000
NOW_MS = 1_800_000_000_000


@dataclass
class Talk:
    """Somebody who posts as fast as he can."""

    person: Person
    acknowledged: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.stop.is_set() and len(self.acknowledged) < POSTS_MAX:
            message = f"{self.person.name} says {len(self.acknowledged)}"
            self.person.post(message)
            self.acknowledged.append(message)


@contextmanager
def talking(*persons: Person) -> Iterator[list[Talk]]:
    talks = [Talk(person) for person in persons]
    threads = [threading.Thread(target=talk.run) for talk in talks]
    for thread in threads:
        thread.start()
    try:
        yield talks
    finally:
        for talk in talks:
            talk.stop.set()
        for thread in threads:
            thread.join()


@dataclass(frozen=True)
class BackedUp:
    """Backups of a folder while two posted, and what had been acknowledged when the first began."""

    home: Path
    data: Path
    plain: Path
    packed: Path
    served: Served
    ana: Person
    ben: Person
    content: dict[str, Any]
    picture: bytes
    before: dict[str, list[str]]
    cursor: str
    """Of a socket, from after the backups."""


@pytest.fixture(scope="module")
def backed_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BackedUp]:
    home = tmp_path_factory.mktemp("backups")
    data, plain, packed = home / "data", home / "plain.tar", home / "packed.tar.gz"
    with serving(data, cwd=home) as served, people(served.url, "ana", "ben") as (ana, ben):
        ben.act(f"/user/{ana.id}/follow")
        file = BytesIO()
        Image.new("RGB", (60, 50), "navy").save(file, "PNG")
        content = checked(ana.http.post("/content", files={"file": ("a.png", file.getvalue())}), 201)
        pictured = ana.post("look", content_ids=[content["content_id"]])
        ben.act(f"/tweet/{pictured['tweet_id']}/like")
        picture = ana.http.get(content["url"]).content
        with talking(ana, ben) as talks:
            eventually(lambda: all(len(talk.acknowledged) > 20 for talk in talks), "both post")
            before = {talk.person.id: list(talk.acknowledged) for talk in talks}
            for target in (plain, packed):
                done = roost("backup", target, "--data", data, cwd=home)
                assert done.returncode == 0, done.stderr
                assert str(target) in done.stdout
            later = [len(talk.acknowledged) for talk in talks]
            eventually(
                lambda: all(len(talk.acknowledged) > at for talk, at in zip(talks, later, strict=True)), "they go on"
            )
        yield BackedUp(
            home, data, plain, packed, served, ana, ben, content, picture, before, cursor_of(served.url, ana)
        )


def cursor_of(url: str, person: Person) -> str:
    with connect(
        f"{url.replace('http', 'ws')}/ws", additional_headers={"Authorization": f"Bearer {person.token}"}
    ) as ws:
        cursor: str = json.loads(ws.recv(30))["cursor"]
        return cursor


def all_of(person: Person, user_id: str) -> list[str]:
    """A user's tweets, newest first, to the end."""
    found: list[str] = []
    query: dict[str, Any] = {"limit": 100}
    while True:
        page = person.get(f"/user/timeline/{user_id}", **query)
        found += messages(page)
        if page["before"] is None:
            return found
        query["before"] = page["before"]


def test_what_was_acknowledged_before_a_backup_comes_back_and_all_goes_on(backed_up: BackedUp) -> None:
    restored = backed_up.home / "restored"
    done = roost("restore", backed_up.packed, "--data", restored, cwd=backed_up.home)
    assert done.returncode == 0, done.stderr
    with (
        serving(restored, cwd=backed_up.home) as served,
        backed_up.ana.at(served.url) as ana,
        backed_up.ben.at(served.url) as ben,
    ):
        for user_id, acknowledged in backed_up.before.items():
            kept = [message for message in all_of(ben, user_id) if message != "look"][::-1]
            # Each author's tweets up to some moment after the beginning: none lost, none doubled, none out of order.
            assert len(kept) >= len(acknowledged)
            name = acknowledged[0].split()[0]
            assert kept == [f"{name} says {number}" for number in range(len(kept))]
        assert ana.http.get(backed_up.content["url"]).content == backed_up.picture
        assert messages(ana.get("/search", q="look")) == ["look"]
        newest = ana.get(f"/user/timeline/{ana.id}", limit=1)["tweets"][0]
        new = ana.post("after the restore")
        assert int(new["tweet_id"]) > int(newest["tweet_id"])
        home = ben.get(f"/user/timeline/{ben.id}", timeline="home", limit=1)
        assert messages(home) == ["after the restore"]
        eventually(lambda: messages(ana.get("/search", q="restore")) == ["after the restore"], "it is indexed")
        assert is_answered_by_a_gap(served.url, ben, backed_up.cursor)


def is_answered_by_a_gap(url: str, person: Person, cursor: str) -> bool:
    address = f"{url.replace('http', 'ws')}/ws?cursor={cursor}"
    with connect(address, additional_headers={"Authorization": f"Bearer {person.token}"}) as ws:
        return [json.loads(ws.recv(30))["type"] for _ in range(2)] == ["hello", "gap"]


def test_a_backup_is_its_owners_alone_and_leaves_nothing_beside_it(backed_up: BackedUp) -> None:
    assert backed_up.plain.stat().st_mode & 0o777 == 0o600
    assert not [path for path in backed_up.home.iterdir() if path.name.startswith(".")]
    assert backed_up.packed.stat().st_size < backed_up.plain.stat().st_size


def test_a_backup_replaces_no_file_and_writes_nowhere_by_mistake(backed_up: BackedUp) -> None:
    before = backed_up.plain.read_bytes()
    words = ("backup", backed_up.plain, "--data", backed_up.data)
    assert "exists: --force replaces it" in refused(roost(*words, cwd=backed_up.home))
    assert backed_up.plain.read_bytes() == before
    nowhere = ("backup", backed_up.home / "nowhere" / "b.tar", "--data", backed_up.data)
    assert "there is no folder" in refused(roost(*nowhere, cwd=backed_up.home))


def test_a_served_folder_is_not_restored_over(backed_up: BackedUp) -> None:
    words = ("restore", backed_up.plain, "--data", backed_up.data, "--force")
    line = refused(roost(*words, cwd=backed_up.home))
    assert f"is served by the process with pid {backed_up.served.process.pid}" in line


def restored(source: Path, root: Path, *, force: bool = False) -> None:
    restore(source, root, lambda name, done: None, now_ms=NOW_MS, force=force)


def test_a_folder_that_holds_something_is_put_aside_and_only_when_forced(backed_up: BackedUp, tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    restored(backed_up.plain, root)  # an empty one is as good as none
    (root / "mine").write_text("mine")
    with pytest.raises(BackupFailed, match="is not empty"):
        restored(backed_up.plain, root)
    restored(backed_up.plain, root, force=True)
    (aside,) = (path for path in tmp_path.iterdir() if path != root)
    assert (aside / "mine").read_text() == "mine"
    assert not (root / "mine").exists()
    assert root.stat().st_mode & 0o777 == 0o700
    DataFolder(root).check_exists()


def test_a_backup_damaged_anywhere_restores_nothing(backed_up: BackedUp, tmp_path: Path) -> None:
    whole = backed_up.plain.read_bytes()
    broken = tmp_path / "broken.tar"
    with tarfile.open(backed_up.plain) as tar:
        places = [member.offset_data + member.size // 2 for member in tar.getmembers() if member.size]
    for place in places:
        broken.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(BackupFailed):
            restored(broken, tmp_path / "data")
        broken.write_bytes(whole[:place])
        with pytest.raises(BackupFailed):
            restored(broken, tmp_path / "data")
    packed = backed_up.packed.read_bytes()
    broken.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(BackupFailed):
        restored(broken, tmp_path / "data")
    assert [path.name for path in tmp_path.iterdir()] == ["broken.tar"]


Members = list[tuple[str, bytes]]


def members_of(backup: Path) -> Members:
    with tarfile.open(backup) as tar:
        read = [(member.name, tar.extractfile(member)) for member in tar.getmembers()]
        return [(name, opened.read()) for name, opened in read if opened is not None]


def tar_of(path: Path, members: Members, kind: bytes = tarfile.REGTYPE) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, body in members:
            info = tarfile.TarInfo(name)
            info.size = len(body) if kind == tarfile.REGTYPE else 0
            info.type = kind if name not in {HEAD, CHECKSUMS} else tarfile.REGTYPE
            info.linkname = "/etc/passwd"
            if info.isreg():
                info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    return path


@pytest.mark.parametrize("name", ["../escaped", "/escaped", "content/../../escaped", "content/ab/short", "served.lock"])
def test_no_member_of_an_archive_is_written_elsewhere(backed_up: BackedUp, tmp_path: Path, name: str) -> None:
    head, *rest = members_of(backed_up.plain)
    hostile = tar_of(tmp_path / "hostile.tar", [head, (name, b"x"), *rest])
    with pytest.raises(BackupFailed, match="no backup of roost"):
        restored(hostile, tmp_path / "data")
    assert [path.name for path in tmp_path.iterdir()] == ["hostile.tar"]


def test_links_in_an_archive_are_refused(backed_up: BackedUp, tmp_path: Path) -> None:
    linked = tar_of(tmp_path / "linked.tar", members_of(backed_up.plain), tarfile.SYMTYPE)
    with pytest.raises(BackupFailed, match="no backup of roost"):
        restored(linked, tmp_path / "data")


def test_what_is_no_backup_is_refused(backed_up: BackedUp, tmp_path: Path) -> None:
    head, *rest = members_of(backed_up.plain)
    other = tmp_path / "other.tar"
    for members, said in (
        ([], "is no backup of roost"),
        ([("readme", b"hello")], "is no backup of roost"),
        ([head], "its end is missing"),
        ([head, *[member for member in rest if member[0] != DATABASE]], "its checksums are others"),
        ([head, *[member for member in rest if member[0] != SECRET]], "its checksums are others"),
        ([(HEAD, json.dumps({"format": FORMAT + 1, "roost": "9.9", "made_ms": 1}).encode()), *rest], "run the newer"),
    ):
        with pytest.raises(BackupFailed, match=said):
            restored(tar_of(other, members), tmp_path / "data")
    other.write_bytes(b"hello" * 1_000)
    with pytest.raises(BackupFailed, match="no backup of roost"):
        restored(other, tmp_path / "data")
    line = refused(roost("restore", tmp_path / "gone.tar", "--data", tmp_path / "data", cwd=tmp_path))
    assert "there is no file" in line
    assert [path.name for path in tmp_path.iterdir()] == ["other.tar"]


def test_a_damaged_database_is_not_backed_up_as_if_it_were_whole(backed_up: BackedUp, tmp_path: Path) -> None:
    root = tmp_path / "data"
    restored(backed_up.plain, root)
    with closing(sqlite3.connect(root / "roost.db")) as connection:
        ((page,),) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'users_by_avatar'").fetchall()
        ((size,),) = connection.execute("PRAGMA page_size").fetchall()
    with (root / "roost.db").open("r+b") as opened:
        opened.seek((page - 1) * size)
        opened.write(b"\xa5" * size)
    line = refused(roost("backup", tmp_path / "b.tar", "--data", root, cwd=tmp_path))
    assert "the database is damaged" in line
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


def test_lost_contents_are_told_of_and_stop_no_backup(backed_up: BackedUp, tmp_path: Path) -> None:
    root = tmp_path / "data"
    restored(backed_up.plain, root)
    first, second = (path for path in sorted((root / "content").rglob("*")) if path.is_file())
    first.unlink()
    second.write_bytes(b"other bytes")
    done = roost("backup", tmp_path / "b.tar", "--data", root, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "2 contents are missing" in done.stdout
    restored(tmp_path / "b.tar", tmp_path / "again")
