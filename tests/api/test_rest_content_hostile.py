"""Uploads over a real connection by senders who break off, lie about lengths or go on for ever."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest_asyncio

from api.live_roost import LiveRoost, Person, live_roost
from api.waiting import eventually
from contract.media_samples import jpeg
from roost.assembly.settings import Settings

BOUNDARY = "----a-line-of-its-own"
WAIT_S = 20.0
IMAGE_BYTES_MAX = 100_000


@pytest_asyncio.fixture
async def roost(tmp_path: Path) -> AsyncIterator[LiveRoost]:
    bounds = replace(Settings(rate_limits=False), image_bytes_max=IMAGE_BYTES_MAX, video_bytes_max=1_000_000)
    async with live_roost(tmp_path, bounds) as running:
        yield running


def form(data: bytes) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
    return head.encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode()


class Line:
    """One connection, on which bytes are sent as they are."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def to(cls, roost: LiveRoost) -> "Line":
        return cls(*await asyncio.open_connection("127.0.0.1", roost.port))

    async def begin(self, person: Person, *headers: str) -> None:
        lines = (
            "POST /content HTTP/1.1",
            "Host: roost",
            f"Authorization: Bearer {person.token}",
            f"Content-Type: multipart/form-data; boundary={BOUNDARY}",
            *headers,
        )
        self.writer.write("\r\n".join((*lines, "", "")).encode())
        await self.writer.drain()

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def status(self) -> int:
        async with asyncio.timeout(WAIT_S):
            line = await self.reader.readline()
        return int(line.split()[1])

    async def close(self) -> None:
        self.writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


async def rows(roost: LiveRoost, person: Person) -> list[bool]:
    """Of each content of theirs, whether it is ready."""
    found = await roost.node.engines.stores.contents.of_owner(person.user.id, None, 10)
    return [one.ready for one in found]


async def holds(roost: LiveRoost, person: Person, wanted: list[bool]) -> None:
    async def reached() -> bool:
        return await rows(roost, person) == wanted

    await eventually(reached)


async def test_of_a_sender_who_hangs_up_half_way_nothing_stays(roost: LiveRoost, tmp_path: Path) -> None:
    ada, line = await roost.join("ada"), await Line.to(roost)
    body = form(jpeg())
    await line.begin(ada, f"Content-Length: {len(body)}")
    await line.send(body[:-100])
    await holds(roost, ada, [False])
    await line.close()
    await holds(roost, ada, [])
    folder = tmp_path / "uploads"
    await eventually(lambda: not list(folder.iterdir()))


async def test_a_length_that_is_too_small_cuts_the_form_off(roost: LiveRoost) -> None:
    ada, line = await roost.join("ada"), await Line.to(roost)
    body = form(jpeg())
    await line.begin(ada, f"Content-Length: {len(body) - 50}")
    await line.send(body)
    assert await line.status() == 400
    await holds(roost, ada, [])
    await line.close()


async def test_a_length_beyond_all_bounds_is_refused_before_the_body(roost: LiveRoost) -> None:
    ada, line = await roost.join("ada"), await Line.to(roost)
    await line.begin(ada, "Content-Length: 99999999999")
    assert await line.status() == 413
    await line.close()


async def test_an_image_without_end_is_refused_at_its_first_byte_too_many(roost: LiveRoost) -> None:
    ada, line = await roost.join("ada"), await Line.to(roost)
    await line.begin(ada, "Transfer-Encoding: chunked")
    await line.send(_chunk(form(jpeg())[:-40]))
    for _ in range(IMAGE_BYTES_MAX // 10_000 + 1):
        await line.send(_chunk(bytes(10_000)))
    assert await line.status() == 413
    await holds(roost, ada, [])
    await line.close()


async def test_a_body_in_chunks_without_a_length_is_taken(roost: LiveRoost) -> None:
    ada, line = await roost.join("ada"), await Line.to(roost)
    await line.begin(ada, "Transfer-Encoding: chunked")
    for byte in form(jpeg()):
        line.writer.write(_chunk(bytes([byte])))
    await line.send(b"0\r\n\r\n")
    assert await line.status() == 201
    await holds(roost, ada, [True])
    await line.close()


async def test_others_are_served_while_an_upload_waits_for_its_sender(roost: LiveRoost) -> None:
    ada, bo, line = await roost.join("ada"), await roost.join("bo"), await Line.to(roost)
    body = form(jpeg())
    await line.begin(ada, f"Content-Length: {len(body)}")
    await line.send(body[:200])
    await holds(roost, ada, [False])
    made = await bo.rest("POST", "/content", 201, files={"file": jpeg()})
    await bo.tweet("look", content_ids=[made["content_id"]])
    assert (await roost.http.get(made["url"])).status_code == 200
    await line.send(body[200:])
    assert await line.status() == 201
    await line.close()


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n" % len(data) + data + b"\r\n"
