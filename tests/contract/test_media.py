"""The MediaProcessor contract: what becomes of good uploads."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import av
import pytest
from PIL import Image, ImageChops, ImageSequence

from contract import media_samples as samples
from contract.content_adapters import MEDIA_PROCESSORS
from roost.domain.content import IMAGE_FRAMES_MAX, PREVIEW_SIDE_PIXELS_MAX, MediaType, sniff
from roost.domain.errors import UnsupportedContent
from roost.ports.media import MediaProcessor, Processed


@pytest.fixture(params=MEDIA_PROCESSORS)
async def processor(request: pytest.FixtureRequest) -> AsyncIterator[MediaProcessor]:
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(MEDIA_PROCESSORS[request.param]())


async def process(processor: MediaProcessor, folder: Path, data: bytes, name: str = "made") -> Processed:
    made = folder / name
    made.mkdir()
    file = made / "upload"
    file.write_bytes(data)
    return await processor.process(file, sniff(data), made)


def near(colour: object, wanted: tuple[int, int, int], distance: int = 40) -> bool:
    assert isinstance(colour, tuple)
    return all(abs(a - b) <= distance for a, b in zip(colour, wanted, strict=False))


def corners(path: Path) -> list[object]:
    with Image.open(path) as picture:
        shown = picture.convert("RGB")
        width, height = shown.size
        x, y = width // 4, height // 4
        return [shown.getpixel(at) for at in ((x, y), (3 * x, y), (x, 3 * y), (3 * x, 3 * y))]


STILLS = {
    "JPEG": samples.jpeg,
    "PNG": samples.png,
    "GIF": samples.gif,
    "WEBP": samples.webp,
}


@pytest.mark.parametrize("format", STILLS)
async def test_a_picture_keeps_its_type_and_looks(processor: MediaProcessor, tmp_path: Path, format: str) -> None:
    made = await process(processor, tmp_path, STILLS[format]())
    assert made.original_mime == MediaType[format]
    assert (made.width, made.height, made.duration_ms) == (80, 60, None)
    with Image.open(made.original) as picture:
        assert (picture.format, picture.size) == (format, (80, 60))
        assert getattr(picture, "n_frames", 1) == 1
    for path in (made.original, made.preview):
        wanted = (samples.RED, samples.GREEN, samples.BLUE, samples.YELLOW)
        assert all(near(got, want) for got, want in zip(corners(path), wanted, strict=True))


@pytest.mark.parametrize("format", STILLS)
async def test_nothing_that_was_noted_beside_a_picture_is_left(
    processor: MediaProcessor, tmp_path: Path, format: str
) -> None:
    data = STILLS[format]() + b"<script>" + samples.SECRET + b"</script>"
    assert data.count(samples.SECRET) >= 2
    made = await process(processor, tmp_path, data)
    for path in (made.original, made.preview):
        written = path.read_bytes()
        for trace in (samples.SECRET, b"Exif", b"<script>", b"ICC", b"iCCP", b"http", b"GPS"):
            assert trace not in written, trace
        with Image.open(path) as picture:
            assert not picture.getexif()
            assert not {"comment", "icc_profile", "xmp", "Comment", "exif"} & set(picture.info)


@pytest.mark.parametrize(
    ("orientation", "wanted"),
    [
        (1, "RGBY"),
        (2, "GRYB"),
        (3, "YBGR"),
        (4, "BYRG"),
        (5, "RBGY"),
        (6, "BRYG"),
        (7, "YGBR"),
        (8, "GYRB"),
    ],
)
async def test_a_picture_is_turned_as_its_camera_said(
    processor: MediaProcessor, tmp_path: Path, orientation: int, wanted: str
) -> None:
    made = await process(processor, tmp_path, samples.jpeg(orientation=orientation))
    names = dict(zip("RGBY", (samples.RED, samples.GREEN, samples.BLUE, samples.YELLOW), strict=True))
    assert (made.width, made.height) == ((60, 80) if orientation >= 5 else (80, 60))
    for path in (made.original, made.preview):
        got = corners(path)
        assert all(near(each, names[name]) for each, name in zip(got, wanted, strict=True)), got


async def test_other_colours_are_brought_to_what_all_screens_show(processor: MediaProcessor, tmp_path: Path) -> None:
    printed = samples.quarters().convert("CMYK")
    made = await process(processor, tmp_path, samples.saved(printed, "JPEG", quality=95))
    with Image.open(made.original) as picture:
        assert picture.mode == "RGB"
    assert near(corners(made.original)[0], samples.RED, 80)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
async def test_a_png_of_any_kind_stays_a_png(processor: MediaProcessor, tmp_path: Path, mode: str) -> None:
    source = Image.new("I;16", (80, 60), 40_000) if mode == "I;16" else samples.quarters().convert(mode)
    made = await process(processor, tmp_path, samples.png(source))
    assert made.original_mime is MediaType.PNG
    if mode == "I;16":
        assert near(corners(made.original)[0], (156, 156, 156), 2)
    else:
        with Image.open(made.original) as picture:
            shown = (picture.convert("RGBA"), source.convert("RGBA"))
            assert ImageChops.difference(*shown).getbbox(alpha_only=False) is None


async def test_what_shows_through_still_does(processor: MediaProcessor, tmp_path: Path) -> None:
    glass = Image.new("RGBA", (80, 60), (255, 0, 0, 100))
    for number, data in enumerate((samples.png(glass), samples.webp(glass, lossless=True))):
        made = await process(processor, tmp_path, data, f"made{number}")
        assert made.preview_mime is MediaType.WEBP
        for path in (made.original, made.preview):
            with Image.open(path) as picture:
                assert picture.convert("RGBA").getpixel((40, 30))[3] == 100  # type: ignore[index] # a pixel of four


@pytest.mark.parametrize(
    ("size", "preview"),
    [((1500, 900), (600, 360)), ((100, 3000), (20, 600)), ((50, 40), (50, 40)), ((9000, 1), (600, 1))],
)
async def test_a_preview_is_small_and_never_larger_than_the_picture(
    processor: MediaProcessor, tmp_path: Path, size: tuple[int, int], preview: tuple[int, int]
) -> None:
    made = await process(processor, tmp_path, samples.jpeg(Image.new("RGB", size, samples.RED)))
    assert (made.width, made.height) == size
    assert made.preview_mime is MediaType.JPEG
    with Image.open(made.preview) as picture:
        assert picture.size == preview
        assert max(picture.size) <= PREVIEW_SIDE_PIXELS_MAX


def shown_frames(path: Path) -> list[tuple[Image.Image, int]]:
    with Image.open(path) as picture:
        return [(frame.convert("RGBA"), round(frame.info["duration"])) for frame in ImageSequence.Iterator(picture)]


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
async def test_a_moving_picture_moves_on_frame_by_frame(
    processor: MediaProcessor, tmp_path: Path, format: str, mode: str
) -> None:
    data = samples.moving(format, samples.walk(mode=mode))
    made = await process(processor, tmp_path, data)
    before, after = shown_frames(tmp_path / "made" / "upload"), shown_frames(made.original)
    assert [duration for _, duration in after] == [100, 150, 200, 250, 300]
    assert len(before) == len(after)
    for (was, _), (now, _) in zip(before, after, strict=True):
        seen = Image.alpha_composite(Image.new("RGBA", was.size, samples.GREEN), was)
        shown = Image.alpha_composite(Image.new("RGBA", now.size, samples.GREEN), now)
        extrema = ImageChops.difference(seen.convert("RGB"), shown.convert("RGB")).getextrema()
        assert all(isinstance(band, tuple) and band[1] <= 24 for band in extrema)
    assert samples.SECRET not in made.original.read_bytes()
    with Image.open(made.original) as picture:
        assert picture.info["loop"] == 0
    with Image.open(made.preview) as preview:
        assert preview.size == (80, 60)
        assert getattr(preview, "n_frames", 1) == 1


async def test_a_moving_picture_may_have_as_many_frames_as_the_bound(processor: MediaProcessor, tmp_path: Path) -> None:
    made = await process(processor, tmp_path, samples.gif_of(IMAGE_FRAMES_MAX, 10, 10))
    assert (made.width, made.height) == (10, 10)


FILMS = {
    "H.264 and AAC": ("mp4", "libx264", "aac"),
    "HEVC and Opus": ("mp4", "libx265", "libopus"),
    "H.264 and MP3": ("mp4", "libx264", "libmp3lame"),
    "AV1 alone": ("mp4", "libsvtav1", None),
    "VP8 and Vorbis": ("webm", "libvpx", "vorbis"),
    "VP9 and Opus": ("webm", "libvpx-vp9", "libopus"),
}


@pytest.mark.parametrize("name", FILMS)
async def test_a_film_keeps_its_pictures_and_sound_and_nothing_noted_beside_them(
    processor: MediaProcessor, tmp_path: Path, name: str
) -> None:
    container, video, audio = FILMS[name]
    source = samples.film(tmp_path / "film", container, video, audio)
    data = source.read_bytes()
    assert samples.SECRET in data
    assert container != "mp4" or b"48.8584" in data
    assert video != "libx264" or b"x264 - core" in data
    assert video != "libx265" or b"options:" in data
    # Boxes, and elements, of anybody's own.
    data += samples.own_box() if container == "mp4" else samples.own_element()
    made = await process(processor, tmp_path, data)
    written = made.original.read_bytes()
    for trace in (samples.SECRET, b"48.8584", b"x264 - core", b"options:", b"Lavf6"):
        assert trace not in written, trace
    assert sniff(written) is made.original_mime is sniff(data)
    assert (made.width, made.height) == samples.FILM_SIZE
    assert made.duration_ms == pytest.approx(1_000, abs=60)
    assert decoded(made.original) == decoded(source)
    assert made.preview_mime is MediaType.JPEG
    assert near(corners(made.preview)[0], samples.RED, 60)


def decoded(path: Path) -> tuple[int, int]:
    """How many pictures and how many whole tenths of a second of sound."""
    with av.open(str(path)) as opened:
        pictures = sum(1 for _ in opened.decode(video=0))
    with av.open(str(path)) as opened:
        if not opened.streams.audio:
            return pictures, 0
        return pictures, sum(frame.samples for frame in opened.decode(audio=0)) // 4_800


async def test_a_film_loses_its_titles_and_its_second_tracks(processor: MediaProcessor, tmp_path: Path) -> None:
    data = samples.film_with_titles(tmp_path / "film").read_bytes()
    assert samples.SECRET in data
    made = await process(processor, tmp_path, data)
    assert samples.SECRET not in made.original.read_bytes()
    with av.open(str(made.original)) as opened:
        assert [track.type for track in opened.streams] == ["video"]


async def test_a_film_can_be_played_before_all_has_come(processor: MediaProcessor, tmp_path: Path) -> None:
    data = samples.film(tmp_path / "film").read_bytes()
    assert data.index(b"mdat") < data.index(b"moov")
    made = await process(processor, tmp_path, data)
    written = made.original.read_bytes()
    assert written.index(b"moov") < written.index(b"mdat")


async def test_a_film_taken_upright_is_shown_upright(processor: MediaProcessor, tmp_path: Path) -> None:
    data = samples.turned_quarter(samples.film(tmp_path / "film").read_bytes())
    made = await process(processor, tmp_path, data)
    assert (made.width, made.height) == (64, 96)
    with Image.open(made.preview) as preview:
        assert preview.size == (64, 96)
    assert near(corners(made.preview)[0], samples.BLUE, 60)
    with av.open(str(made.original)) as opened:
        assert {frame.rotation for frame in opened.decode(video=0)} == {-90}


async def test_a_film_in_pieces_becomes_whole(processor: MediaProcessor, tmp_path: Path) -> None:
    data = samples.film(tmp_path / "film", movflags="frag_keyframe+empty_moov+default_base_moof").read_bytes()
    assert b"moof" in data
    made = await process(processor, tmp_path, data)
    assert b"moof" not in made.original.read_bytes()
    assert made.duration_ms == pytest.approx(1_000, abs=90)  # and two pictures of delay


@pytest.mark.parametrize(
    ("video", "audio", "fact"),
    [("mpeg4", "aac", "video codec is mpeg4"), ("libx264", "ac3", "audio codec is ac3"), (None, "aac", "no video")],
)
async def test_other_codecs_are_refused_by_name(
    processor: MediaProcessor, tmp_path: Path, video: str | None, audio: str, fact: str
) -> None:
    data = samples.film(tmp_path / "film", video=video, audio=audio).read_bytes()
    with pytest.raises(UnsupportedContent, match=fact):
        await process(processor, tmp_path, data)


async def test_many_at_once_each_get_their_own(processor: MediaProcessor, tmp_path: Path) -> None:
    widths = range(40, 52)
    made = await asyncio.gather(
        *(process(processor, tmp_path, samples.png(Image.new("RGB", (width, 30))), f"made{width}") for width in widths)
    )
    assert [each.width for each in made] == list(widths)
