"""A form with a file, read as it comes: however it is cut, and whatever a hostile sender makes of it."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.domain.content import ALT_LENGTH_MAX
from roost.domain.errors import Invalid, RoostError, UnsupportedContent
from roost.edge.native.multipart import BOUNDARY_BYTES_MAX, PARTS_MAX, MultipartUpload, Pace
from roost.edge.problems import Malformed

BOUNDARY = "----a-line-of-its-own"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"
Part = tuple[str, bytes]


def form(*parts: Part, boundary: str = BOUNDARY) -> bytes:
    written = b"".join(
        f"--{boundary}\r\nContent-Disposition: form-data; {name}\r\n\r\n".encode() + data + b"\r\n"
        for name, data in parts
    )
    return written + f"--{boundary}--\r\n".encode()


def file_part(data: bytes) -> Part:
    return 'name="file"; filename="cat.png"', data


async def pieces(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def read(*chunks: bytes, content_type: str | None = TYPE) -> tuple[bytes, str]:
    upload = MultipartUpload(content_type, 1_000, pieces(chunks))
    return b"".join([chunk async for chunk in upload.chunks()]), upload.alt


def cut(body: bytes, places: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(body) + 1) for place in places), len(body)]
    return [body[start:end] for start, end in pairwise(edges)]


@given(
    data=st.binary(max_size=200) | st.sampled_from([b"\r\n", b"\r\n--", b"\r\n------a-line-of-its-ow", b"--" * 40]),
    alt=st.text(max_size=50),
    places=st.lists(st.integers(0, 2_000), max_size=12),
    alt_first=st.booleans(),
)
def test_however_the_body_is_cut_the_file_and_its_description_come_whole(
    data: bytes, alt: str, places: list[int], *, alt_first: bool
) -> None:
    alt = alt.replace(BOUNDARY, "")
    parts = [file_part(data), ('name="alt"', alt.encode()), ('name="other"', b"passed over")]
    body = form(*(parts[::-1] if alt_first else parts))
    assert asyncio.run(read(*cut(body, places))) == (data, alt)


@given(junk=st.binary(max_size=300), places=st.lists(st.integers(0, 500), max_size=4), begins=st.booleans())
def test_what_is_no_form_is_a_refusal_and_nothing_else(junk: bytes, places: list[int], *, begins: bool) -> None:
    body = (f"--{BOUNDARY}\r\n".encode() if begins else b"") + junk
    with pytest.raises(RoostError):
        asyncio.run(read(*cut(body, places)))


@pytest.mark.parametrize(
    ("content_type", "refusal"),
    [
        (None, UnsupportedContent),
        ("application/json", UnsupportedContent),
        ("multipart/mixed; boundary=x", UnsupportedContent),
        ("multipart/form-data", Malformed),
        ("multipart/form-data; boundary=", Malformed),
        (f"multipart/form-data; boundary={'x' * (BOUNDARY_BYTES_MAX + 1)}", Malformed),
    ],
)
async def test_another_kind_of_body_and_an_unusable_boundary_are_refused(
    content_type: str | None, refusal: type[RoostError]
) -> None:
    with pytest.raises(refusal):
        await read(form(file_part(b"x")), content_type=content_type)


HEAD = f"--{BOUNDARY}\r\n".encode()
DISPOSITION = b'Content-Disposition: form-data; name="file"\r\n'
REST = b"\r\nx\r\n--" + BOUNDARY.encode() + b"--\r\n"
"""The end of the headers, a file of one byte, the last boundary: what follows a bad header would else be taken."""
HOSTILE = {
    "empty": b"",
    "cut off in the file": form(file_part(b"x" * 100))[:-40],
    "cut off before the last two hyphens": form(file_part(b"x"))[:-4],
    "another boundary": form(file_part(b"x"), boundary="other"),
    "endless headers": HEAD + b"".join(b"X-%d: y\r\n" % n for n in range(1_000)) + DISPOSITION + REST,
    "a header of any length": HEAD + b"X: " + b"y" * 100_000 + b"\r\n" + DISPOSITION + REST,
    "a header's name of any length": HEAD + b"X" * 100_000 + b": y\r\n" + DISPOSITION + REST,
    "a huge field name": form((f'name="{"n" * 100_000}"', b""), file_part(b"x")),
    "many parts": form(*[('name="x"', b"")] * PARTS_MAX, file_part(b"x")),
    "lines that begin like a boundary": HEAD + DISPOSITION + f"\r\n\r\n--{BOUNDARY}y".encode() * 1_000 + REST,
    "a part without a disposition": HEAD + b"X: y\r\n" + REST + form(file_part(b"x")),
    "an attachment": HEAD + b"Content-Disposition: attachment; name=file\r\n" + REST,
    "an encoded part": HEAD + DISPOSITION + b"Content-Transfer-Encoding: base64\r\n" + REST,
    "a header with a NUL": HEAD + b"X\0: x\r\n" + DISPOSITION + REST,
}


def test_the_hostile_bodies_are_bad_in_one_way_each() -> None:
    assert asyncio.run(read(HEAD + b"X: y\r\n" + DISPOSITION + REST)) == (b"x", "")
    assert asyncio.run(read(form(*[('name="x"', b"")] * (PARTS_MAX - 1), file_part(b"x")))) == (b"x", "")


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
async def test_a_hostile_body_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        await read(*cut(body, range(0, len(body), 8_192)))


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ([], "file"),
        ([('name="alt"', b"x")], "file"),
        ([file_part(b"x"), file_part(b"y")], "file"),
        ([('name="alt"', b"x"), ('name="alt"', b"y"), file_part(b"x")], "alt"),
        ([file_part(b"x"), ('name="alt"', b"x" * 8 * (ALT_LENGTH_MAX + 1))], "alt"),
        ([file_part(b"x"), ('name="alt"', b"\xff")], "alt"),
    ],
)
async def test_a_missing_repeated_or_unreadable_field_is_named(parts: list[Part], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        await read(form(*parts))
    assert [one.field for one in refused.value.fields] == [field]


async def test_what_follows_the_last_boundary_is_passed_over() -> None:
    assert await read(form(file_part(b"x")) + b"and more", b"of it") == (b"x", "")


@pytest.mark.parametrize("begun", [b"", form(file_part(b"x"))[:-30]])
async def test_a_body_that_does_not_come_is_not_waited_for_without_bound(begun: bytes) -> None:
    async def stalling() -> AsyncIterator[bytes]:
        yield begun
        await asyncio.Event().wait()

    upload = MultipartUpload(TYPE, 1_000, stalling(), Pace(grace_s=0.01))
    with pytest.raises(Malformed, match="slower than"):
        assert [chunk async for chunk in upload.chunks()]


async def test_a_body_that_trickles_ends_too() -> None:
    async def trickling() -> AsyncIterator[bytes]:
        yield form(file_part(b"x" * 50))[:-40]
        while True:
            await asyncio.sleep(0)
            yield b"x"

    upload = MultipartUpload(TYPE, 1_000, trickling(), Pace(grace_s=0.01, bytes_per_s_min=1 << 40))
    with pytest.raises(Malformed, match="slower than"):
        assert [chunk async for chunk in upload.chunks()]
