"""`roost serve` and `roost settings`, as an operator meets them."""

import signal
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.command_line import Served, refused, roost, serving
from roost.adapters.sqlite_copies import SCHEMA_VERSION
from roost.assembly.control import Request, Status, ask
from roost.assembly.data_folder import DataFolder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("serve")


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    """Its settings come from everywhere: what a flag, a variable and the file say of the same one differs."""
    (folder / "roost.toml").write_text(
        "port = 1\nsockets_max = 111\ncelebrity_count_max = 222\ntweets_cached_max = 333\n"
    )
    variables = {"ROOST_SOCKETS_MAX": "444", "ROOST_CELEBRITY_COUNT_MAX": "555"}
    with serving(folder / "data", "--sockets-max", "666", cwd=folder, settings=variables) as running:
        yield running


def bounds(folder: Path) -> dict[str, int]:
    (status,) = ask(DataFolder(folder / "data"), Request("status"))
    assert isinstance(status, Status)
    return {bound.name: bound.most for bound in status.bounds}


def test_it_listens_on_loopback_and_is_ready_when_it_says_so(served: Served) -> None:
    assert served.url.startswith("http://127.0.0.1:")
    assert httpx.get(f"{served.url}/health/ready", trust_env=False).status_code == 200


def test_flags_come_before_variables_before_the_file_before_defaults(served: Served, folder: Path) -> None:
    most = bounds(folder)
    assert not served.url.endswith(":1")  # --port 0 before the file's
    assert most["sockets"] == 666
    assert most["celebrities"] == 555
    assert most["tweets in memory"] == 333
    assert most["users in memory"] == 200_000


def test_what_is_off_for_tests_is_said_aloud(served: Served) -> None:
    said = served.log.read_text()
    assert "RATE LIMITS ARE OFF" in said
    assert "PASSWORD HASHING IS CHEAP" in said


def test_a_served_folder_is_refused(served: Served, folder: Path) -> None:
    line = refused(roost("serve", "--port", "0", "--data", folder / "data", cwd=folder))
    assert f"already served by the process with pid {served.process.pid}" in line


def test_a_port_in_use_is_refused(served: Served, folder: Path) -> None:
    port = served.url.rpartition(":")[2]
    line = refused(roost("serve", "--port", port, "--data", folder / "another", cwd=folder))
    assert f"cannot listen on 127.0.0.1 port {port}" in line


def test_a_folder_that_cannot_be_written_is_refused(folder: Path) -> None:
    (folder / "file").touch()
    line = refused(roost("serve", "--port", "0", "--data", folder / "file" / "data", cwd=folder))
    assert f"{folder}/file/data cannot be written" in line


def test_a_folder_of_a_newer_version_is_refused_and_left_as_it_is(folder: Path) -> None:
    newer = folder / "newer"
    newer.mkdir()
    with sqlite3.connect(newer / "roost.db") as connection:
        connection.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    connection.close()
    before = (newer / "roost.db").read_bytes()
    line = refused(roost("serve", "--port", "0", "--data", newer, cwd=folder))
    assert f"has version {SCHEMA_VERSION + 1}" in line
    assert "run the newer program" in line
    assert (newer / "roost.db").read_bytes() == before


def test_a_database_that_is_none_is_refused(folder: Path) -> None:
    broken = folder / "broken"
    broken.mkdir()
    (broken / "roost.db").write_bytes(b"no database" * 1_000)
    assert "roost.db cannot be opened" in refused(roost("serve", "--port", "0", "--data", broken, cwd=folder))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_drains_and_exits_0_when_told_to_stop(tmp_path: Path, number: int) -> None:
    with serving(tmp_path / "data", cwd=tmp_path) as running, httpx.Client(base_url=running.url) as kept_alive:
        kept_alive.get("/health/live")
        assert running.stop(number) == 0
        left = {path.name for path in (tmp_path / "data").iterdir()}
    # Both files are closed well, and nobody is told of a process that has gone.
    assert not left & {"control.sock", "roost.db-wal", "search.db-wal"}


def test_it_serves_again_what_a_killed_process_left(tmp_path: Path) -> None:
    with serving(tmp_path / "data", cwd=tmp_path) as first:
        first.stop(signal.SIGKILL)
    assert (tmp_path / "data" / "control.sock").exists()
    with serving(tmp_path / "data", cwd=tmp_path) as second:
        assert bounds(tmp_path)["sockets"] > 0
        assert second.stop() == 0


def test_settings_are_printed_with_where_they_come_from(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('port = 9000\nmail_from = "a@b.example"\nsmtp_url = "smtp://secret@host"\n')
    done = roost("settings", "--config", "mine.toml", cwd=tmp_path, settings={"ROOST_MAIL_FROM": "c@d.example"})
    lines = dict(line.split("\t", 1) for line in done.stdout.splitlines())
    assert done.returncode == 0
    assert lines["port"].split("\t")[:2] == ["9000", "mine.toml"]
    assert lines["mail_from"].split("\t")[:2] == ["c@d.example", "ROOST_MAIL_FROM"]
    assert lines["host"].split("\t")[:2] == ["127.0.0.1", "default"]
    assert "secret" not in done.stdout
    assert all(line.split("\t")[2] for line in lines.values())


def test_the_settings_file_is_the_one_that_is_named(tmp_path: Path) -> None:
    for port, name in ((1, "roost.toml"), (2, "variable.toml"), (3, "flag.toml")):
        (tmp_path / name).write_text(f"port = {port}\n")
    variable = {"ROOST_CONFIG": "variable.toml"}
    for words, settings, port in (
        ((), None, 1),
        ((), variable, 2),
        (("--config", "flag.toml"), variable, 3),
    ):
        done = roost("settings", *words, cwd=tmp_path, settings=settings)
        assert f"port\t{port}\t" in done.stdout


@pytest.mark.parametrize(
    ("words", "settings", "file", "said"),
    [
        (("--no-such-thing", "1"), {}, "", "unknown settings no_such_thing"),
        (("--cache-ttl-s", "never"), {}, "", "cache_ttl_s (flag --cache-ttl-s): 'never' is not a float"),
        ((), {"ROOST_PORT": "70000"}, "", "port: 70000 is not 0 to 65535"),
        ((), {"ROOST_RATE_LIMITS": "maybe"}, "", "rate_limits (ROOST_RATE_LIMITS): 'maybe' is neither on nor off"),
        ((), {}, "no_such_thing = 1", "unknown settings no_such_thing"),
        ((), {}, "port = [1]", "port (roost.toml): [1] is not a int"),
        ((), {}, "port = ", "roost.toml cannot be read"),
        (("--config", "gone.toml"), {}, "", "the settings file gone.toml does not exist"),
        (("--smtp-url", "http://host"), {}, "", "smtp_url: not of the form"),
    ],
)
def test_a_wrong_setting_is_one_line(
    tmp_path: Path, words: tuple[str, ...], settings: dict[str, str], file: str, said: str
) -> None:
    if file:
        (tmp_path / "roost.toml").write_text(file)
    port = () if "ROOST_PORT" in settings or "port" in file else ("--port", "0")
    assert said in refused(roost("serve", "--data", tmp_path / "data", *port, *words, cwd=tmp_path, settings=settings))


def test_ipv6_is_served_when_asked_for(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
    with serving(tmp_path / "data", "--host", "::1", cwd=tmp_path) as running:
        assert running.url.startswith("http://[::1]:")
        assert httpx.get(f"{running.url}/health/live", trust_env=False).status_code == 200
