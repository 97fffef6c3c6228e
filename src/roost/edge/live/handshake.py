"""The upgrade request, read strictly; and the answers that are no upgrade."""

import base64
import binascii
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote

import httptools
import msgspec

from roost.domain.errors import RoostError
from roost.edge.live.door import Refusal
from roost.edge.problems import (
    PROBLEM_JSON,
    TYPE_PREFIX,
    Malformed,
    MethodNotAllowed,
    Problem,
    RenderedProblem,
    internal,
    render,
)

QUERY_FIELDS_MAX = 16
_KEY_BYTES = 16
_VERSION = "13"


class Unfit(Exception):
    """The request is no WebSocket handshake; says what to answer."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.status)
        self.refusal = refusal


class Handshake(msgspec.Struct, frozen=True):
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    key: str


def read_handshake(data: bytes, bytes_max: int) -> Handshake:
    """Read the request that uvicorn wrote anew (names in lower case, no body). Raises Unfit."""
    if len(data) > bytes_max:
        raise Unfit(_plain(431, f"{len(data)} bytes of headers, at most {bytes_max} allowed"))
    first, *lines = data.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    method, target, _ = first.split(" ", 2)
    if method != "GET":
        raise Unfit(refused(MethodNotAllowed(method, "GET")))
    headers = _headers(lines)
    if headers.get("sec-websocket-version") != _VERSION:
        detail = f"WebSocket version {_VERSION} is spoken here"
        raise Unfit(_plain(426, detail, ("sec-websocket-version", _VERSION)))
    if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
        raise Unfit(refused(Malformed("an upgrade request has no body")))
    key = headers.get("sec-websocket-key", "")
    if not _is_key(key):
        raise Unfit(refused(Malformed("Sec-WebSocket-Key must be 16 bytes in base64")))
    path, query = _target(target)
    return Handshake(path, query, headers, key)


def request_for_picows(key: str) -> bytes:
    """What picows needs to know, and nothing that it could stumble over.

    It refuses, for one, the `Connection: keep-alive, Upgrade` of Firefox.
    """
    return (
        "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: {_VERSION}\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    ).encode()


def refused(error: RoostError) -> Refusal:
    """The same answer that REST gives for this error."""
    return _of_rendered(render(error))


def failed() -> Refusal:
    """The answer to a fault of our own."""
    return _of_rendered(internal())


def response(refusal: Refusal) -> bytes:
    headers = [
        ("content-type", PROBLEM_JSON),
        ("content-length", str(len(refusal.body))),
        ("connection", "close"),
        *refusal.headers,
    ]
    status = HTTPStatus(refusal.status)
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", *(f"{k}: {v}" for k, v in headers)]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + refusal.body


def _of_rendered(rendered: RenderedProblem) -> Refusal:
    return Refusal(rendered.status, rendered.body, rendered.headers)


def _plain(status: int, detail: str, *headers: tuple[str, str]) -> Refusal:
    """What only a handshake can be told, and so has no row among the errors."""
    phrase = HTTPStatus(status).phrase
    name = phrase.lower().replace(" ", "-")
    body = msgspec.json.encode(Problem(TYPE_PREFIX + name, phrase, status, detail))
    return Refusal(status, body, headers)


def _headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        value = value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _is_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == _KEY_BYTES
    except (binascii.Error, ValueError):
        return False


def _target(target: str) -> tuple[str, dict[str, str]]:
    try:
        url = httptools.parse_url(target.encode("latin-1"))
        fields = parse_qsl(
            (url.query or b"").decode("latin-1"),
            keep_blank_values=True,
            max_num_fields=QUERY_FIELDS_MAX,
        )
        path = unquote(url.path.decode("latin-1"))
    except (httptools.HttpParserInvalidURLError, ValueError, AttributeError):
        raise Unfit(refused(Malformed("the address cannot be read"))) from None
    query: dict[str, str] = {}
    for name, value in fields:
        query.setdefault(name, value)
    return path, query
