"""What a person at a terminal sees of a load that cannot be done, and the accounts file."""

import stat
from pathlib import Path

import pytest

from roost.cli.load import load
from roost_loadgen.client import Account
from roost_loadgen.faults import BadInput
from roost_loadgen.load import write_accounts


def _files(tmp_path: Path) -> tuple[Path, Path]:
    graph, tweets = tmp_path / "graph.csv", tmp_path / "tweets.txt"
    graph.write_text("followed,follower\n1,2\n")
    tweets.write_text("hello @user\n")
    return graph, tweets


@pytest.mark.parametrize(
    ("url", "rate", "complaint"),
    [
        ("nonsense", None, "--url nonsense: must be http://HOST[:PORT] or https://HOST[:PORT]"),
        ("http://127.0.0.1:1", None, "cannot reach http://127.0.0.1:1: Connection refused"),
        ("http://127.0.0.1:1", 0.0, "--rate is 0.0: must be above 0"),
    ],
)
def test_a_load_that_cannot_be_done_ends_with_one_line_and_a_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], url: str, rate: float | None, complaint: str
) -> None:
    graph, tweets = _files(tmp_path)
    with pytest.raises(SystemExit) as end:
        load(url=url, graph=graph, tweets=tweets, rate=rate)
    assert end.value.code == 1
    assert capsys.readouterr().err.strip().splitlines()[-1] == f"roost load: {complaint}"


def test_a_bad_line_is_named_before_anything_is_sent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graph, tweets = _files(tmp_path)
    graph.write_text("followed,follower\n1,2\n1,two\n")
    with pytest.raises(SystemExit):
        load(url="http://127.0.0.1:1", graph=graph, tweets=tweets)
    assert f"{graph}:3: `two` is not a number" in capsys.readouterr().err


def test_a_folder_for_the_accounts_that_is_missing_is_named_before_anything_is_sent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    graph, tweets = _files(tmp_path)
    with pytest.raises(SystemExit):
        load(url="http://127.0.0.1:1", graph=graph, tweets=tweets, accounts=tmp_path / "no" / "a.csv")
    assert "a.csv: no such folder" in capsys.readouterr().err


def test_the_accounts_file_is_the_owners_only(tmp_path: Path) -> None:
    path = tmp_path / "accounts.csv"
    write_accounts(path, [Account("u1", "pass,word", "17", "token")])
    assert path.read_text() == 'username,password,user_id\nu1,"pass,word",17\n'
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_accounts_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="Is a directory"):
        write_accounts(tmp_path, [])
