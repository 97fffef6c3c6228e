"""An S3 server for tests, and content bytes in it: a prefix each, so that they do not meet."""

import uuid
from dataclasses import dataclass
from pathlib import Path

from contract.own_server import HOST, OncePerProcess, free_port, run_until_exit
from roost.adapters.content.obstore_bytes import ObstoreBytes, s3_bytes
from roost_cluster.engines.s3 import s3, url

BUCKET = "contents"
ACCESS_KEY_ID, SECRET_ACCESS_KEY = "roost-tests", "only for a server that tests start"


@dataclass(frozen=True)
class S3Server:
    url: str


def _start(folder: Path) -> S3Server:
    port = free_port()
    run_until_exit(s3(folder, HOST, port, ACCESS_KEY_ID, SECRET_ACCESS_KEY, [BUCKET]))
    return S3Server(url(HOST, port))


s3_server = OncePerProcess("S3", _start)


def bytes_on_s3(_: Path) -> ObstoreBytes:
    return s3_bytes(s3_server().url, BUCKET, ACCESS_KEY_ID, SECRET_ACCESS_KEY, prefix=uuid.uuid4().hex)
