"""GET /export: all that is one's own as a zip, made while it is sent.

edge.native.app -> Exports -> queries.export -> a zip of JSON files and contents
"""

import asyncio
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO

import msgspec

from roost.domain.errors import NotFound, Overloaded
from roost.domain.user import User
from roost.edge.native.endpoint import Call, Described, Endpoint, Stream
from roost.edge.times import rfc3339
from roost.ports.clock import Clock
from roost.queries.export import Export, ExportedFile, ExportedTable, Record, Time
from roost.views.users import UserView

ZIP = "application/zip"
EXPORTS_MAX = 4
"""At a time: each holds a page of rows and a chunk of bytes, under 1 MB, and a part of a core while it compresses."""


_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class _AtWork:
    count: int = 0


@dataclass(frozen=True, slots=True)
class Exports:
    export: Export
    users: UserView
    clock: Clock
    _at_work: _AtWork = field(default_factory=_AtWork)

    def endpoints(self) -> list[Endpoint]:
        whole = Described("a zip of JSON files and of the contents", media_type=ZIP)
        return [
            Endpoint(
                "GET",
                "/export",
                self._export,
                "All that is one's own, to take away",
                {200: whole},
                rate_limit="upload",
                refusals=(NotFound,),
            )
        ]

    async def _export(self, call: Call[None]) -> Stream:
        if self._at_work.count >= EXPORTS_MAX:
            raise Overloaded(f"{EXPORTS_MAX} exports are being made already")
        user = await self.users.get(call.user)
        if user is None:
            raise NotFound(f"no user {call.user}")
        parts = await self.export(call.user)
        disposition = ("Content-Disposition", f'attachment; filename="roost-{user.username}.zip"')
        return Stream(200, self._zip(parts, user), ZIP, (disposition,))

    async def _zip(self, parts: AsyncIterator[ExportedTable | ExportedFile], user: User) -> AsyncIterator[bytes]:
        self._at_work.count += 1
        made_at = datetime.fromtimestamp(self.clock.now_ms() // 1_000, UTC).timetuple()[:6]
        written = _Written()
        # An abandoned archive is closed like a finished one, into the void.
        try:
            with zipfile.ZipFile(written, "w") as archive:  # type: ignore[call-overload]  # a writer is all it needs
                async for part in parts:
                    if isinstance(part, ExportedTable):
                        info = zipfile.ZipInfo(f"{part.name}.json", made_at)
                        info.compress_type = zipfile.ZIP_DEFLATED
                        chunks = _json(part)
                    else:
                        info, chunks = zipfile.ZipInfo(part.name, made_at), part.chunks  # compressed already
                    with archive.open(info, "w") as entry:
                        async for chunk in _through(entry, written, chunks):
                            yield chunk
            yield written.take()
        finally:
            self._at_work.count -= 1


async def _through(entry: IO[bytes], written: "_Written", chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        # Off the loop: 200 kB of tweets take some 5 ms to compress.
        await asyncio.to_thread(entry.write, chunk)
        if ready := written.take():
            yield ready


async def _json(table: ExportedTable) -> AsyncIterator[bytes]:
    """A JSON array, a record a line."""
    lead = b"[\n"
    async for page in table.pages:
        if page:
            yield lead + b",\n".join(map(_record, page))
            lead = b",\n"
    yield b"[]\n" if lead == b"[\n" else b"\n]\n"


def _record(record: Record) -> bytes:
    return _encode({name: rfc3339(value.ms) if isinstance(value, Time) else value for name, value in record.items()})


class _Written:
    """Where the archive is written to: it cannot be rewound, so the archive does not try."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> bytes:
        """All that was written since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)
