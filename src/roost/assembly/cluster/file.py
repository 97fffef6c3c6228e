"""The `[cluster]` table of the settings file: where the servers are, and how roost signs in to them."""

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from roost.assembly.settings import CLUSTER_TABLE as TABLE
from roost.assembly.settings import BadSetting

SIGNING_KEY_BYTES_MIN = 16
PORT_MAX = 65_535

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """How one signs in at a server, and whether over TLS, with a certificate that `ca_file` vouches for."""

    username: str = ""
    password: str = ""
    tls: bool = False
    ca_file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaPlace(SignedIn):
    """`servers` is host:port of some brokers, separated by commas."""

    servers: str
    topic: str = "roost.events"
    partitions: int = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisPlace(SignedIn):
    """`servers` is host:port of one server, or of some of a Cluster's."""

    servers: str
    is_cluster: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CassandraPlace(SignedIn):
    """`servers` is the addresses of some nodes, separated by commas. `replicas` counts for a keyspace that is made."""

    servers: str
    port: int = 9042
    keyspace: str = "roost"
    datacenter: str = ""
    replicas: int = 3


@dataclass(frozen=True, slots=True)
class SolrPlace:
    """`servers` is addresses like http://10.0.0.5:8983/solr, separated by commas."""

    servers: str
    prefix: str = "roost"
    shards: int = 1
    replicas: int = 1


@dataclass(frozen=True, slots=True)
class S3Place:
    """The bucket has to be there."""

    endpoint: str
    bucket: str
    access_key_id: str
    secret_access_key: str
    region: str = "us-east-1"
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class ClusterFile:
    """`signing_key` signs content addresses: the same for all processes, in hexadecimal."""

    signing_key: str
    kafka: KafkaPlace
    redis: RedisPlace
    cassandra: CassandraPlace
    solr: SolrPlace
    s3: S3Place

    @property
    def key(self) -> bytes:
        return bytes.fromhex(self.signing_key)


def read_cluster(path: Path) -> ClusterFile | None:
    """None where the file has no such table: then roost is embedded. Raises BadSetting."""
    if not path.exists():
        return None
    try:
        table = tomllib.loads(path.read_text("utf-8")).get(TABLE)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSetting(f"the settings file {path} cannot be read: {error}") from error
    if table is None:
        return None
    read = _read(ClusterFile, table, f"{path}, [{TABLE}]")
    try:
        size = len(read.key)
    except ValueError:
        size = 0
    if size < SIGNING_KEY_BYTES_MIN:
        raise BadSetting(f"{path}, [{TABLE}]: signing_key must be {SIGNING_KEY_BYTES_MIN} bytes or more in hexadecimal")
    return read


def addresses(servers: str, port_default: int, name: str) -> list[tuple[str, int]]:
    """Of host:port, separated by commas. Raises BadSetting."""
    found = []
    for each in filter(None, (one.strip() for one in servers.split(","))):
        host, colon, port = each.rpartition(":")
        if not colon:
            host, port = each, str(port_default)
        if not host or not port.isdecimal() or not 0 < int(port) <= PORT_MAX:
            raise BadSetting(f"{name}: {each!r} is not of the form host:port")
        found.append((host, int(port)))
    if not found:
        raise BadSetting(f"{name}: no address is given")
    return found


def _read(kind: type[T], table: object, where: str) -> T:
    if not isinstance(table, Mapping):
        raise BadSetting(f"{where} is not a table")
    assert is_dataclass(kind)  # noqa: S101 - one of those above
    known = {one.name: one for one in fields(kind)}
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise BadSetting(f"{where}: unknown settings {', '.join(unknown)}; there are {', '.join(known)}")
    missing = [name for name, one in known.items() if name not in table and one.default is MISSING]
    if missing:
        raise BadSetting(f"{where}: {', '.join(missing)} is missing")
    hints = get_type_hints(kind)
    values = {name: _value(hints[name], known[name], value, where) for name, value in table.items()}
    return kind(**values)


def _value(kind: Any, one: "Field[Any]", value: object, where: str) -> Any:
    if is_dataclass(kind):
        return _read(kind, value, f"{where[:-1]}.{one.name}]")  # type: ignore[arg-type]
    if not isinstance(value, kind) or isinstance(value, bool) is not (kind is bool):
        raise BadSetting(f"{where}: {one.name} is not a {kind.__name__}")  # never the value: it may be a secret
    if kind is str and not value and one.default is MISSING:
        raise BadSetting(f"{where}: {one.name} is empty")
    return value
