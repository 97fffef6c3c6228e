"""Broken and hostile uploads: each is refused with a fact, and the next one is served."""

import asyncio
import random
import struct
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from PIL import Image

from contract import media_samples as samples
from contract.content_adapters import MEDIA_PROCESSORS
from contract.test_media import process
from roost.domain.content import ANIMATION_PIXELS_MAX, IMAGE_FRAMES_MAX, IMAGE_SIDE_MAX, MediaType
from roost.domain.errors import BrokenContent, Refused
from roost.ports.media import MediaProcessor

MUTATIONS = 6  # a file; a child each


@pytest.fixture(params=MEDIA_PROCESSORS)
async def processor(request: pytest.FixtureRequest) -> AsyncIterator[MediaProcessor]:
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(MEDIA_PROCESSORS[request.param]())


async def refusal(processor: MediaProcessor, folder: Path, data: bytes) -> str:
    with pytest.raises(BrokenContent) as refused:
        await process(processor, folder, data)
    await process(processor, folder, samples.png(), "next")
    return str(refused.value)


PNG_LINES = zlib.compress(bytes((1 + 3 * 8_000) * 8_000), 9)


@pytest.mark.parametrize(
    ("data", "fact"),
    [
        (samples.png_claiming(60_000, 60_000), "60000 x 60000 pixels, at most"),
        (samples.png_claiming(2_000_000_000, 1), "2000000000 x 1 pixels, at most"),
        (samples.png_claiming(8_000, 8_000, PNG_LINES), "8000 x 8000 pixels, at most"),
        (samples.png_claiming(0, 5), "does not decode|no pixels"),
        (samples.png_claiming(100, 100), "does not decode"),
        (samples.gif_of(1, 65_535, 65_535), "65535 x 65535 pixels, at most"),
        (samples.gif_of(IMAGE_FRAMES_MAX + 1, 10, 10), f"more than {IMAGE_FRAMES_MAX} frames"),
        (samples.gif_of(60, 1_500, 1_200), f"more than {ANIMATION_PIXELS_MAX} pixels in all frames"),
        (b"\xff\xd8\xff\xe0<html><script>alert(1)</script></html>", "does not decode as image/jpeg"),
        (b"\xff\xd8\xff", "does not decode as image/jpeg"),
        (b"GIF89a", "does not decode as image/gif"),
        (b"RIFF\x04\0\0\0WEBP", "does not decode as image/webp"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "does not decode as image/png"),
        (b"\0\0\0\x18ftypisom" + bytes(12), "does not decode as video/mp4"),
        (b"\x1a\x45\xdf\xa3\x87\x42\x82\x84webm", "does not decode as video/webm"),
    ],
    ids=lambda value: value[:12].hex() if isinstance(value, bytes) else value[:30],
)
async def test_what_is_too_large_or_not_what_it_says_is_refused_with_the_fact(
    processor: MediaProcessor, tmp_path: Path, data: bytes, fact: str
) -> None:
    told = await refusal(processor, tmp_path, data)
    assert any(part in told for part in fact.split("|")), told


async def test_a_side_beyond_the_bound_is_refused_however_thin(processor: MediaProcessor, tmp_path: Path) -> None:
    thin = samples.png(Image.new("1", (IMAGE_SIDE_MAX + 1, 1)))
    assert f"at most {IMAGE_SIDE_MAX} a side" in await refusal(processor, tmp_path, thin)


async def test_a_file_of_another_type_than_was_said_is_not_decoded_as_what_it_is(
    processor: MediaProcessor, tmp_path: Path
) -> None:
    file = tmp_path / "upload"
    for data, said in (
        (samples.png(), MediaType.JPEG),
        (samples.jpeg(), MediaType.PNG),
        (samples.webp(), MediaType.GIF),
        (samples.gif(), MediaType.MP4),
        (b"", MediaType.JPEG),
        (b"", MediaType.MP4),
        (b"#EXTM3U\n#EXTINF:1\nfile:///etc/passwd\n", MediaType.MP4),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", MediaType.WEBM),
    ):
        file.write_bytes(data)
        with pytest.raises(BrokenContent):
            await processor.process(file, said, tmp_path)


WHOLE: dict[str, Callable[[Path], bytes]] = {
    "JPEG": lambda _: samples.jpeg(samples.quarters(300, 200)),
    "PNG": lambda _: samples.png(Image.effect_noise((100, 80), 50)),
    "GIF": lambda _: samples.gif(Image.effect_noise((100, 80), 50)),
    "moving GIF": lambda _: samples.moving("GIF"),
    "moving PNG": lambda _: samples.moving("PNG"),
    "WebP": lambda _: samples.webp(samples.quarters(300, 200)),
    "MP4": lambda folder: samples.film(folder / "whole", pictures=100).read_bytes(),
    "MP4, head first": lambda folder: samples.film(folder / "whole", pictures=100, movflags="+faststart").read_bytes(),
    "WebM": lambda folder: samples.film(folder / "whole", "webm", "libvpx", "libopus", pictures=100).read_bytes(),
}


@pytest.mark.parametrize("name", WHOLE)
async def test_half_of_a_file_is_refused(processor: MediaProcessor, tmp_path: Path, name: str) -> None:
    data = WHOLE[name](tmp_path)
    await refusal(processor, tmp_path, data[: len(data) // 2])


@pytest.mark.parametrize("name", WHOLE)
async def test_a_damaged_file_is_served_or_refused_and_nothing_else(
    processor: MediaProcessor, tmp_path: Path, name: str
) -> None:
    data = WHOLE[name](tmp_path)
    chance = random.Random(name)

    async def outcome(number: int) -> None:
        damaged = bytearray(data)
        for _ in range(chance.choice((1, 4, 40))):
            # The first bytes stay, by which it is taken for what it was.
            damaged[chance.randrange(16, len(damaged))] = chance.randrange(256)
        try:
            made = await process(processor, tmp_path, bytes(damaged), f"made{number}")
        except Refused as refused:
            assert str(refused)  # noqa: PT017 - either end is right
        else:
            assert made.original.stat().st_size > 0
            assert made.preview.stat().st_size > 0

    await asyncio.gather(*(outcome(number) for number in range(MUTATIONS)))


def atom(kind: bytes, body: bytes, size: int | None = None) -> bytes:
    return struct.pack(">I", len(body) + 8 if size is None else size) + kind + body


FTYP = atom(b"ftyp", b"isom\0\0\2\0isommp41")


def nested(depth: int) -> bytes:
    """Boxes in boxes, each size written once: built from outside, or it would take quadratic time."""
    return b"".join(struct.pack(">I", 8 * (depth - n)) + b"moov" for n in range(depth))


@pytest.mark.parametrize(
    "data",
    [
        FTYP,
        FTYP + atom(b"moov", b""),
        FTYP + atom(b"moov", b"", size=0xFFFFFFFF),
        FTYP + atom(b"moov", b"", size=0),
        FTYP + atom(b"moov", b"", size=4),
        FTYP + struct.pack(">I4sQ", 1, b"moov", 2**63 - 1),
        FTYP + nested(20_000),
        FTYP
        + atom(
            b"moov",
            atom(
                b"trak",
                atom(b"mdia", atom(b"minf", atom(b"stbl", atom(b"stsz", struct.pack(">III", 0, 0, 0x7FFFFFFF))))),
            ),
        ),
        FTYP
        + atom(
            b"moov",
            atom(
                b"cmov",
                atom(b"dcom", b"zlib")
                + atom(b"cmvd", struct.pack(">I", 0x7FFFFFFF) + zlib.compress(bytes(10_000_000))),
            ),
        ),
    ],
    ids=["alone", "empty", "endless", "to the end", "too short", "64 bits", "nested", "2**31 samples", "squeezed"],
)
async def test_broken_boxes_are_refused(processor: MediaProcessor, tmp_path: Path, data: bytes) -> None:
    await refusal(processor, tmp_path, data)


async def test_a_film_that_is_too_long_is_refused(processor: MediaProcessor, tmp_path: Path) -> None:
    data = samples.film(tmp_path / "film", audio=None, pictures=13, rate=1).read_bytes()
    at = data.index(b"mdhd") + 4 + 12  # version and flags, two times, then the time scale
    slow = data[:at] + struct.pack(">I", struct.unpack_from(">I", data, at)[0] // 64) + data[at + 4 :]
    assert "s long, at most 600 s allowed" in await refusal(processor, tmp_path, slow)


async def test_a_film_that_is_too_large_is_refused(processor: MediaProcessor, tmp_path: Path) -> None:
    made = tmp_path / "film"
    large = samples.film(made, video="libx264", audio=None, pictures=1, size=(4_104, 2_304))
    assert "4104 x 2304 pixels, at most" in await refusal(processor, tmp_path, large.read_bytes())
