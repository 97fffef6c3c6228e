"""Pictures and films made on the fly, with a note in every place that has room for one."""

import io
import struct
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from PIL import ExifTags, Image, ImageCms, PngImagePlugin

SECRET = b"48.8584N 2.2945E home"
SECRET_TEXT = SECRET.decode()
PLACE = "+48.8584+002.2945/"
RED, GREEN, BLUE, YELLOW = (220, 30, 30), (30, 220, 30), (30, 30, 220), (220, 220, 30)
WHITE = (255, 255, 255)
FILM_SIZE = (96, 64)


def quarters(width: int = 80, height: int = 60) -> Image.Image:
    """Red and green over blue and yellow: tells a turn from a flip."""
    picture = Image.new("RGB", (width, height))
    x, y = width // 2, height // 2
    for colour, at in ((RED, (0, 0)), (GREEN, (x, 0)), (BLUE, (0, y)), (YELLOW, (x, y))):
        picture.paste(colour, (*at, at[0] + x, at[1] + y))
    return picture


def notes(orientation: int = 1) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.ImageDescription] = SECRET_TEXT
    exif[ExifTags.Base.Make] = SECRET_TEXT
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSAreaInformation] = SECRET
    return exif.tobytes()


def colour_profile() -> bytes:
    """Bytes after a profile's end do not disturb its readers."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() + SECRET


def jpeg(picture: Image.Image | None = None, orientation: int = 1, **options: Any) -> bytes:
    written = {
        "exif": notes(orientation),
        "comment": SECRET,
        "icc_profile": colour_profile(),
        "xmp": SECRET,
        "quality": 95,
    }
    return saved(picture or quarters(), "JPEG", **(written | options))


def png(picture: Image.Image | None = None, **options: Any) -> bytes:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", SECRET_TEXT)
    texts.add_itxt("XML:com.adobe.xmp", SECRET_TEXT)
    return saved(picture or quarters(), "PNG", pnginfo=texts, exif=notes(), **options)


def webp(picture: Image.Image | None = None, **options: Any) -> bytes:
    written = {"exif": notes(), "xmp": SECRET, "icc_profile": colour_profile(), "quality": 95}
    return saved(picture or quarters(), "WEBP", **(written | options))


def gif(picture: Image.Image | None = None, **options: Any) -> bytes:
    return saved(picture or quarters(), "GIF", comment=SECRET, **options)


def walk(count: int = 5, mode: str = "RGB") -> list[Image.Image]:
    """A white square that walks over the quarters, or over nothing where the mode has alpha."""
    frames = []
    for number in range(count):
        frame = quarters() if mode == "RGB" else Image.new("RGBA", (80, 60))
        frame.paste(WHITE, (number * 12, 20, number * 12 + 8, 28))
        frames.append(frame)
    return frames


def moving(format: str, frames: list[Image.Image] | None = None, **options: Any) -> bytes:
    first, *others = frames or walk()
    noted: dict[str, dict[str, Any]] = {
        "GIF": {"comment": SECRET, "disposal": 2 if first.mode == "RGBA" else 0},
        "WEBP": {"exif": notes(), "xmp": SECRET, "lossless": True},
        "PNG": {"exif": notes()},
    }
    written = {"duration": [100 + 50 * n for n in range(len(others) + 1)], "loop": 0}
    return saved(first, format, save_all=True, append_images=others, **(noted[format] | written | options))


def saved(picture: Image.Image, format: str, **options: Any) -> bytes:
    written = io.BytesIO()
    picture.save(written, format=format, **options)
    return written.getvalue()


def gif_of(frames: int, width: int, height: int) -> bytes:
    """Frames of one pixel each on a large canvas: a few bytes a frame."""
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return head + frame * frames + b"\x3b"


def png_claiming(width: int, height: int, pixels: bytes = b"") -> bytes:
    """A PNG of some bytes that says it is as large as you like."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(kind, data) for kind, data in chunks)


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def film(
    path: Path,
    container: str = "mp4",
    video: str | None = "libx264",
    audio: str | None = "aac",
    *,
    pictures: int = 25,
    rate: int = 25,
    size: tuple[int, int] = FILM_SIZE,
    **options: str,
) -> Path:
    """Quarters that fade, and silence, with notes in the container and on the tracks."""
    with av.open(str(path), "w", format=container, options=options) as out:
        out.metadata.update(dict.fromkeys(("title", "comment", "artist", "synopsis", "encoder"), SECRET_TEXT))
        out.metadata["location"] = PLACE
        tracks: list[tuple[Any, list[Any]]] = []
        if video is not None:
            track: Any = out.add_stream(video, rate=rate)
            track.width, track.height, track.pix_fmt = *size, "yuv420p"
            track.metadata["handler_name"] = SECRET_TEXT
            tracks.append((track, [_picture(number, size) for number in range(pictures)]))
        if audio is not None:
            options_of = {"strict": "-2"} if audio == "vorbis" else {}
            track = out.add_stream(audio, rate=48_000, options=options_of)
            track.metadata["title"] = SECRET_TEXT
            tracks.append((track, _silence(track.format.name, pictures * 48_000 // rate)))
        for track, frames in tracks:
            for frame in [*frames, None]:
                out.mux(track.encode(frame))
    return path


def _picture(number: int, size: tuple[int, int]) -> av.VideoFrame:
    picture = quarters(*size).point(lambda value: max(0, value - number % 20))
    frame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call] # untyped there
    assert isinstance(frame, av.VideoFrame)
    return frame


def _silence(format: str, samples: int) -> list[av.AudioFrame]:
    frames = []
    for at in range(0, samples, 960):
        frame = av.AudioFrame(format=format, layout="stereo", samples=960)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.sample_rate, frame.pts = 48_000, at
        frames.append(frame)
    return frames


def turned_quarter(mp4: bytes) -> bytes:
    """As a telephone held upright writes it: the picture lies, and the head says how to turn it."""
    upright = struct.pack(">9I", 0, 0x10000, 0, 0xFFFF0000, 0, 0, 0, 0, 0x40000000)
    flat = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    at = mp4.index(b"tkhd")
    place = mp4.index(flat, at)
    return mp4[:place] + upright + mp4[place + len(flat) :]


def own_box() -> bytes:
    body = b"uuid" + bytes(16) + SECRET
    return struct.pack(">I", len(body) + 4) + body


def own_element() -> bytes:
    """Void, as WebM calls what is to be skipped."""
    return b"\xec" + bytes([0x80 | len(SECRET)]) + SECRET


def film_with_titles(path: Path) -> Path:
    """Two picture tracks, and a track of text that goes with the first."""
    with av.open(str(path), "w", format="mp4") as out:
        tracks: list[Any] = [out.add_stream("libx264", rate=25) for _ in range(2)]
        for track in tracks:
            track.width, track.height, track.pix_fmt = *FILM_SIZE, "yuv420p"
        titles: Any = out.add_mux_stream("mov_text")
        titles.time_base = Fraction(1, 1_000)
        for track in tracks:
            for frame in [*(_picture(number, FILM_SIZE) for number in range(10)), None]:
                out.mux(track.encode(frame))
        title = av.Packet(struct.pack(">H", len(SECRET)) + SECRET)
        title.stream, title.time_base = titles, Fraction(1, 1_000)
        title.pts, title.dts, title.duration = 0, 0, 300
        out.mux(title)
    return path
