"""A request's parts, read strictly: parameters, and a bounded body.

edge.native.app -> here -> Call
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import unquote_plus

import msgspec

from roost.domain.errors import FieldError, Invalid, TooLarge
from roost.edge.native.routes import Route
from roost.edge.problems import Malformed

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

QUERY_BYTES_MAX = 8_192
BODY_WAIT_S = 30.0
"""How long a JSON body may take to come: it holds a place among the requests in flight."""

_PLACE = re.compile(r"`\$\.?([^`]*)`$")
_MISSING = re.compile(r"missing required field `([^`]*)`")


class ClientGone(Exception):
    """The client closed the connection: nobody is there to be answered."""


def read_values(route: Route, texts: list[str], query: bytes, headers: Mapping[bytes, bytes]) -> dict[str, Any]:
    """The parameters by name. Raises Invalid, naming the field; Malformed for a query that is no text."""
    values = route.defaults.copy()
    for (name, read), text in zip(route.path_readers, texts, strict=True):
        values[name] = read(text)
    given: set[str] = set()
    if query and route.query:
        for name, text in _pairs(query):
            parameter = route.query.get(name)
            if parameter is None:
                continue
            if name in given:
                raise Invalid.field(name, "given twice")
            given.add(name)
            values[name] = parameter.read(text)
    for key, parameter in route.headers:
        value = headers.get(key)
        if value is not None:
            given.add(parameter.name)
            values[parameter.name] = parameter.read(value.decode("latin-1"))
    for name in route.required:
        if name not in given:
            raise Invalid.field(name, f"{name} is required")
    return values


def _pairs(query: bytes) -> list[tuple[str, str]]:
    if len(query) > QUERY_BYTES_MAX:
        raise Malformed(f"{len(query)} bytes of query, at most {QUERY_BYTES_MAX} allowed")
    try:
        pairs = (pair.partition("=") for pair in query.decode().split("&"))
        return [(_text(name), _text(value)) for name, _, value in pairs]
    except UnicodeDecodeError:
        raise Malformed("the query is not UTF-8") from None


def _text(encoded: str) -> str:
    return unquote_plus(encoded, errors="strict") if "%" in encoded or "+" in encoded else encoded


async def read_chunks(receive: Receive, headers: Mapping[bytes, bytes], bytes_max: int) -> AsyncIterator[bytes]:
    """The body as it comes. Raises TooLarge as soon as that is known, ClientGone."""
    length = headers.get(b"content-length")
    if length is not None and length.isdigit() and int(length[:19]) > bytes_max:
        raise TooLarge(f"{length[:19].decode()} bytes, at most {bytes_max} allowed")
    received, more = 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGone
        chunk = message.get("body", b"")
        more = message.get("more_body", False)
        received += len(chunk)
        if received > bytes_max:
            raise TooLarge(f"more than {bytes_max} bytes, which is what is allowed")
        if chunk:
            yield chunk


async def read_body(route: Route, receive: Receive, headers: Mapping[bytes, bytes]) -> Any:
    """The decoded body, None for an endpoint without one. Raises Malformed, Invalid, TooLarge, ClientGone."""
    if route.decoder is None:
        return None
    try:
        async with asyncio.timeout(BODY_WAIT_S):
            parts = [chunk async for chunk in read_chunks(receive, headers, route.endpoint.body_bytes_max)]
    except TimeoutError:
        raise Malformed(f"the body did not come within {BODY_WAIT_S:g} s") from None
    return decode(route.decoder, b"".join(parts))


def decode(decoder: "msgspec.json.Decoder[Any]", body: bytes | str) -> Any:
    """JSON as the decoder's type. Unknown fields are passed over; of a name given twice the last one counts.

    Raises Malformed for what is no JSON, or is nested too deeply, and Invalid, naming the field, for a wrong type.
    """
    if not body:
        raise Malformed("the body is empty, a JSON object is required")
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"the body is no JSON: {error}") from None
    except RecursionError:
        raise Malformed("the body is nested too deeply") from None


def _invalid(message: str) -> Invalid:
    detail = message.partition(" - at ")[0]
    found = _MISSING.search(message)
    name = "" if found is None else found[1]
    place = _PLACE.search(message)
    if place is not None:
        name = f"{place[1]}.{name}" if name else place[1]
    return Invalid(detail, FieldError(name, detail)) if name else Invalid(detail)
