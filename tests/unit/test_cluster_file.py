"""The settings of a cluster: what is wrong is said in one line, and never a secret."""

from pathlib import Path

import pytest

from roost.assembly.cluster.file import addresses, read_cluster
from roost.assembly.cluster.running import ROLES, read_roles
from roost.assembly.settings import BadSetting, read_settings

GOOD = """
port = 8001
[cluster]
signing_key = "00112233445566778899aabbccddeeff"
[cluster.kafka]
servers = "k1:9092,k2:9092"
password = "s3cret"
[cluster.redis]
servers = "r1:6379"
[cluster.cassandra]
servers = "c1,c2"
[cluster.solr]
servers = "http://s1:8983/solr"
[cluster.s3]
endpoint = "http://s3:7070"
bucket = "roost"
access_key_id = "key"
secret_access_key = "s3cret"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "cluster.toml"
    path.write_text(text)
    return path


def test_the_table_is_read_beside_the_other_settings(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    read = read_cluster(path)
    assert read is not None
    assert (read.kafka.servers, read.kafka.partitions, read.cassandra.port) == ("k1:9092,k2:9092", 12, 9042)
    assert read.key == bytes.fromhex("00112233445566778899aabbccddeeff")
    settings, shown = read_settings({}, {}, path)
    assert settings.port == 8001
    assert not any("s3cret" in one.value for one in shown)


def test_without_the_table_roost_is_embedded(tmp_path: Path) -> None:
    assert read_cluster(written(tmp_path, "port = 8001")) is None
    assert read_cluster(tmp_path / "none.toml") is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[cluster.solr]\n", "[cluster.solar]\n", "unknown settings solar"),
        ('bucket = "roost"\n', "", r"\[cluster.s3\]: bucket is missing"),
        ('bucket = "roost"', 'bucket = ""', "bucket is empty"),
        (
            'servers = "r1:6379"',
            'servers = "r1:6379"\npasword = "s3cret"',
            r"\[cluster.redis\]: unknown settings pasword",
        ),
        ('password = "s3cret"', "password = 17", r"\[cluster.kafka\]: password is not a str"),
        ('servers = "c1,c2"', 'servers = "c1,c2"\nport = true', r"\[cluster.cassandra\]: port is not a int"),
        ("00112233445566778899aabbccddeeff", "0011", "16 bytes or more"),
        ("00112233445566778899aabbccddeeff", "s3cret", "16 bytes or more in hexadecimal"),
        ("[cluster]", "[cluster", "cannot be read"),
    ],
)
def test_what_is_wrong_is_said_without_a_secret(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(BadSetting, match=said) as refused:
        read_cluster(written(tmp_path, GOOD.replace(old, new)))
    assert "s3cret" not in str(refused.value)


def test_addresses_have_a_port_or_the_usual_one() -> None:
    assert addresses("a:1, b", 6379, "servers") == [("a", 1), ("b", 6379)]
    for wrong in ("", ",", "a:x", "a:0", "a:70000", ":1"):
        with pytest.raises(BadSetting, match="servers"):
            addresses(wrong, 6379, "servers")


def test_roles_are_all_unless_some_are_named() -> None:
    assert read_roles("") == ROLES
    assert read_roles("edge, count,edge") == ("edge", "count")
    with pytest.raises(BadSetting, match="chef is none of edge"):
        read_roles("edge,chef")
