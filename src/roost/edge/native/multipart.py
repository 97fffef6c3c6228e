"""A multipart/form-data body with one file and its description, read as it comes and never kept whole.

edge.native.content -> MultipartUpload (an Incoming) -> commands.upload_content

Everything is bounded: parts, headers, the description, the bytes (by the endpoint), and the time that it takes.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from enum import Enum, auto

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from roost.domain.content import ALT_LENGTH_MAX
from roost.domain.errors import Invalid, UnsupportedContent
from roost.edge.problems import Malformed

PARTS_MAX = 8
PART_HEADERS_MAX = 8
PART_HEADER_BYTES_MAX = 2_048
BOUNDARY_BYTES_MAX = 70
ALT_BYTES_MAX = 8 * ALT_LENGTH_MAX
"""Room for white space around it: the length itself is judged in characters, once all of it is there."""
ENVELOPE_BYTES_MAX = 65_536
"""Of all that is not the file: what a body may be longer than the largest file."""
GRACE_S = 30.0
BYTES_PER_S_MIN = 32_768
"""64 MiB take 34 minutes at most. What comes more slowly, on the average since it began and beyond the grace, holds
a place that others could use.
"""

FORM = "multipart/form-data"
_PLAIN_ENCODINGS = frozenset({b"", b"7bit", b"8bit", b"binary"})

# It would repeat each refusal on the operator's screen, with what the sender wrote.
logging.getLogger("python_multipart").setLevel(logging.CRITICAL)


class _Part(Enum):
    FILE = auto()
    ALT = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Pace:
    """How slowly a body may come."""

    grace_s: float = GRACE_S
    bytes_per_s_min: int = BYTES_PER_S_MIN


class MultipartUpload:
    """`body` is read once, by `chunks`.

    Raises UnsupportedContent for another kind of body, Malformed for one without a usable boundary.
    """

    def __init__(
        self, content_type: str | None, byte_size_max: int, body: AsyncIterator[bytes], pace: Pace | None = None
    ) -> None:
        self.byte_size_max = byte_size_max
        self._body = body
        self._pace = pace or Pace()
        self._form = _Form()
        boundary = boundary_of(content_type)
        self._line = b"\r\n--" + boundary
        self._lines_seen = 0
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._form.begin_part,
                "on_header_field": self._form.header_name,
                "on_header_value": self._form.header_value,
                "on_header_end": self._form.end_header,
                "on_headers_finished": self._form.end_headers,
                "on_part_data": self._form.data,
                "on_end": self._form.end,
            },
            max_header_count=PART_HEADERS_MAX,
            max_header_size=PART_HEADER_BYTES_MAX,
        )

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes of the part `file`.

        Raises Malformed for what is no form, breaks off or comes too slowly, Invalid for a missing or second file,
        and what reading the body raises.
        """
        form = self._form
        async for chunk in self._in_time():
            self._parse(chunk)
            pieces, form.file = form.file, []
            for piece in pieces:
                yield piece
        if not form.ended:
            raise Malformed("the body ends before its last boundary")
        if _Part.FILE not in form.seen:
            raise Invalid.field("file", "a file is required")

    @property
    def alt(self) -> str:
        try:
            return self._form.alt.decode()
        except UnicodeDecodeError:
            raise Invalid.field("alt", "is not UTF-8") from None

    def _parse(self, chunk: bytes) -> None:
        # Each line that begins like a boundary and is none costs the parser 15 microseconds, so that a body of them
        # would hold the loop for minutes. RFC 2046 allows no such line; the few across two chunks are let through.
        self._lines_seen += chunk.count(self._line)
        if self._lines_seen > PARTS_MAX + 1:
            raise Malformed(f"more than {PARTS_MAX} parts, which is what is allowed")
        try:
            self._parser.write(chunk)
        except FormParserError:
            raise Malformed(f"the body is no {FORM}") from None

    async def _in_time(self) -> AsyncIterator[bytes]:
        body, received = aiter(self._body), 0
        began_s = asyncio.get_running_loop().time()
        while True:
            due_s = began_s + self._pace.grace_s + received / self._pace.bytes_per_s_min
            try:
                async with asyncio.timeout_at(due_s):
                    chunk = await anext(body)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise Malformed(f"{received} bytes came, slower than {self._pace.bytes_per_s_min} a second") from None
            received += len(chunk)
            yield chunk


def boundary_of(content_type: str | None) -> bytes:
    """What parts the body. Raises UnsupportedContent, Malformed."""
    kind, options = parse_options_header(content_type or "")
    if kind != FORM.encode():
        raise UnsupportedContent(f"the body is {(content_type or 'of no type')[:80]}, {FORM} is required")
    boundary = options.get(b"boundary", b"")
    if not 1 <= len(boundary) <= BOUNDARY_BYTES_MAX or b"\r" in boundary or b"\n" in boundary:
        raise Malformed(f"a boundary of {len(boundary)} bytes, 1 to {BOUNDARY_BYTES_MAX} are required")
    return boundary


@dataclass(slots=True)
class _Form:
    """What has come of the form. Its methods are what the parser calls."""

    seen: set[_Part] = field(default_factory=set)
    file: list[bytes] = field(default_factory=list)
    alt: bytearray = field(default_factory=bytearray)
    ended: bool = False
    _parts: int = 0
    _part: _Part = _Part.OTHER
    _name: bytearray = field(default_factory=bytearray)
    _value: bytearray = field(default_factory=bytearray)
    _headers: dict[bytes, bytes] = field(default_factory=dict)

    def begin_part(self) -> None:
        self._parts += 1
        if self._parts > PARTS_MAX:
            raise Malformed(f"more than {PARTS_MAX} parts, which is what is allowed")
        self._headers.clear()

    def header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def end_header(self) -> None:
        self._headers[bytes(self._name).lower()] = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def end_headers(self) -> None:
        kind, options = parse_options_header(self._headers.get(b"content-disposition"))
        if kind != b"form-data":
            raise Malformed("a part without Content-Disposition: form-data")
        if self._headers.get(b"content-transfer-encoding", b"").strip().lower() not in _PLAIN_ENCODINGS:
            raise Malformed("a part has a Content-Transfer-Encoding: send the bytes as they are")
        self._part = _NAMES.get(options.get(b"name", b""), _Part.OTHER)
        if self._part is not _Part.OTHER and self._part in self.seen:
            raise Invalid.field(self._part.name.lower(), "given twice")
        self.seen.add(self._part)

    def data(self, data: bytes, start: int, end: int) -> None:
        if self._part is _Part.FILE:
            self.file.append(data[start:end])
        elif self._part is _Part.ALT:
            self.alt += data[start:end]
            if len(self.alt) > ALT_BYTES_MAX:
                raise Invalid.field("alt", f"more than {ALT_LENGTH_MAX} characters, which is what is allowed")

    def end(self) -> None:
        self.ended = True


_NAMES: dict[bytes, _Part] = {b"file": _Part.FILE, b"alt": _Part.ALT}
