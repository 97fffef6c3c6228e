"""Images in the child: decoded, turned, brought to sRGB, written again with the picture alone."""

import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import (
    GifImagePlugin,
    Image,
    ImageCms,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

from roost.adapters.media.child_process.answer import ORIGINAL_NAME, PREVIEW_NAME, Shape
from roost.domain.content import (
    ANIMATION_PIXELS_MAX,
    IMAGE_FRAMES_MAX,
    IMAGE_PIXELS_MAX,
    IMAGE_SIDE_MAX,
    PREVIEW_SIDE_PIXELS_MAX,
    MediaType,
)
from roost.domain.errors import BrokenContent

# Named, so that no other of Pillow's fifty formats is ever tried on a stranger's bytes.
_PLUGINS: dict[MediaType, type[ImageFile.ImageFile]] = {
    MediaType.JPEG: JpegImagePlugin.JpegImageFile,
    MediaType.PNG: PngImagePlugin.PngImageFile,
    MediaType.GIF: GifImagePlugin.GifImageFile,
    MediaType.WEBP: WebPImagePlugin.WebPImageFile,
}
_MOVING = (MediaType.GIF, MediaType.PNG, MediaType.WEBP)
_ORIENTATION_TAG = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_QUALITY = {"quality": 90}
_PREVIEW_QUALITY = 80
_WEBP_EFFORT_PIXELS_MAX = 8_000_000  # more than that with effort takes longer than a child has
_KEPT = frozenset({"transparency", "duration"})  # of what a decoder found beside the pixels
_SIXTEEN_BITS = frozenset({"I", "I;16", "I;16B", "I;16L", "I;16N"})
_WRITABLE = frozenset({"1", "L", "LA", "P", "RGB", "RGBA"})


def make_image(file: Path, media_type: MediaType, folder: Path) -> Shape:
    Image.MAX_IMAGE_PIXELS = IMAGE_PIXELS_MAX
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    # Frames in palettes of their own are put together wrongly when some show through.
    GifImagePlugin.LOADING_STRATEGY = GifImagePlugin.LoadingStrategy.RGB_ALWAYS
    with _PLUGINS[media_type](file) as opened:
        check_size(*opened.size)
        moving = media_type in _MOVING and getattr(opened, "is_animated", False)
        if moving:
            check_frames(getattr(opened, "n_frames", 1), opened.width * opened.height)
        options = _options(opened, media_type, file)
        frames = _Frames(opened, moving=moving)
        first = next(frames)
        preview_mime = write_preview(first, folder / PREVIEW_NAME)
        if moving:
            options |= _loop(opened)
            _write_moving(first, frames, folder / ORIGINAL_NAME, media_type, options)
        else:
            _write_still(first, folder / ORIGINAL_NAME, media_type, options)
    return Shape(media_type, preview_mime, first.width, first.height)


def check_size(width: int, height: int) -> None:
    """Before anything is decoded: a file of some bytes may claim to be a picture of any size."""
    if width < 1 or height < 1:
        raise BrokenContent("the picture has no pixels")
    if width > IMAGE_SIDE_MAX or height > IMAGE_SIDE_MAX or width * height > IMAGE_PIXELS_MAX:
        raise BrokenContent(
            f"{width} x {height} pixels, at most {IMAGE_SIDE_MAX} a side and {IMAGE_PIXELS_MAX} in all allowed"
        )


def check_frames(count: int, pixels: int) -> None:
    if count > IMAGE_FRAMES_MAX:
        raise BrokenContent(f"more than {IMAGE_FRAMES_MAX} frames, the most allowed")
    if count * pixels > ANIMATION_PIXELS_MAX:
        raise BrokenContent(f"more than {ANIMATION_PIXELS_MAX} pixels in all frames, the most allowed")


def write_preview(picture: Image.Image, target: Path) -> MediaType:
    """A small still: WebP where something shows through, else JPEG."""
    through = picture.has_transparency_data
    small = picture.convert("RGBA" if through else "RGB")
    scale = min(1, PREVIEW_SIDE_PIXELS_MAX / max(small.size))
    if scale < 1:
        size = (max(1, round(small.width * scale)), max(1, round(small.height * scale)))
        small = small.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    small.info = {}
    if through:
        small.save(target, format="WEBP", quality=_PREVIEW_QUALITY)
        return MediaType.WEBP
    small.save(target, format="JPEG", quality=_PREVIEW_QUALITY, optimize=True)
    return MediaType.JPEG


class _Frames(Iterator[Image.Image]):
    """The frames of a file, clean, one at a time, each whole: differences are put together."""

    def __init__(self, opened: ImageFile.ImageFile, *, moving: bool) -> None:
        self._opened = opened
        self._moving = moving
        self._profile = opened.info.get("icc_profile")
        self._turn = _turn(opened)
        self._pixels = opened.width * opened.height
        # A PNG may carry a still for those who cannot play it, which is no frame.
        self._index = int(moving and bool(getattr(opened, "default_image", False)))
        self._count = 0

    def __next__(self) -> Image.Image:
        if self._count and not self._moving:
            raise StopIteration
        self._seek()
        self._opened.load()
        self._index += 1
        self._count += 1
        return _clean(self._opened, self._profile, self._turn, copy=self._moving)

    def _seek(self) -> None:
        if not self._moving:
            return
        try:
            self._opened.seek(self._index)
        except EOFError:
            raise StopIteration from None
        # Asked at each frame: what a file says of their number is not to be believed.
        check_frames(self._count + 1, self._pixels)


def _clean(frame: Image.Image, profile: bytes | None, turn: Image.Transpose | None, *, copy: bool) -> Image.Image:
    """The same picture and nothing but: encoders write what a decoder found beside the pixels."""
    kept: dict[str | tuple[int, int], Any] = {key: value for key, value in frame.info.items() if key in _KEPT}
    clean = frame.copy() if copy else frame
    clean.info = kept.copy()
    clean = _in_srgb(clean, profile)
    if clean.mode in _SIXTEEN_BITS:
        clean = clean.convert("I").point(lambda value: value / 256).convert("L")
        kept.pop("transparency", None)
    elif clean.mode not in _WRITABLE:
        clean = clean.convert("RGBA" if clean.has_transparency_data else "RGB")
    if clean.mode in {"RGBA", "LA"}:
        kept.pop("transparency", None)
    if turn is not None:
        clean = clean.transpose(turn)
    clean.info = kept
    return clean


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Converted by its colour profile, which is then dropped: it may name a screen or a camera."""
    if not profile or picture.mode not in {"RGB", "RGBA", "CMYK", "P"}:
        return picture
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if picture.mode == "P":
            picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
        mode = "RGBA" if picture.mode == "RGBA" else "RGB"
        converted = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError):  # broken: shown as if it had none
        return picture
    return picture if converted is None else converted


def _turn(opened: Image.Image) -> Image.Transpose | None:
    try:
        orientation = opened.getexif().get(_ORIENTATION_TAG)
    except Exception:  # noqa: BLE001 - broken metadata is no reason to refuse the picture
        return None
    return _TURNS.get(orientation) if isinstance(orientation, int) else None


def _options(opened: ImageFile.ImageFile, media_type: MediaType, file: Path) -> dict[str, Any]:
    """How to write it again: as near as can be to how it was written."""
    if media_type is MediaType.JPEG:
        return {"optimize": True, **_jpeg_tables(opened)}
    if media_type is MediaType.WEBP:
        pixels = opened.width * opened.height * getattr(opened, "n_frames", 1)
        method = 3 if pixels <= _WEBP_EFFORT_PIXELS_MAX else 0
        if _is_lossless(file):
            return {"lossless": True, "quality": 50, "method": method}
        return {**_QUALITY, "method": max(method, 2)}
    return {}


def _jpeg_tables(opened: Any) -> dict[str, Any]:  # Pillow types no attribute of its JPEG files
    """The file's own quantisation: written with it again, it hardly loses or grows."""
    tables = opened.quantization
    usual = opened.mode in {"L", "RGB"} and not opened.info.get("icc_profile")
    baseline = all(0 < step < 256 for table in tables.values() for step in table)  # noqa: PLR2004 - a byte each
    if not (usual and tables and baseline):
        return dict(_QUALITY)
    return {
        "qtables": [list(tables[key]) for key in sorted(tables)][:2],
        "subsampling": JpegImagePlugin.get_sampling(opened),
    }


def _is_lossless(file: Path) -> bool:
    """By the chunk of the first picture; in a moving one it lies inside the first frame's."""
    with file.open("rb") as opened:
        head = opened.read(64 * 1024)
    lossy, lossless = head.find(b"VP8 "), head.find(b"VP8L")
    return lossless >= 0 and (lossy < 0 or lossless < lossy)


def _loop(opened: Image.Image) -> dict[str, int]:
    loop = opened.info.get("loop")
    return {"loop": loop} if isinstance(loop, int) else {}


def _write_still(picture: Image.Image, target: Path, media_type: MediaType, options: dict[str, Any]) -> None:
    if media_type is MediaType.JPEG and picture.mode not in {"L", "RGB"}:
        picture = picture.convert("RGB")
    try:
        picture.save(target, format=media_type.name, **options)
    except ValueError:
        if media_type is not MediaType.WEBP:
            raise
        # The format keeps at most 512 KB of what it decided for the blocks: large pictures need less.
        picture.save(target, format=media_type.name, **(options | {"quality": 60}))


def _write_moving(
    first: Image.Image,
    rest: Iterator[Image.Image],
    target: Path,
    media_type: MediaType,
    options: dict[str, Any],
) -> None:
    if media_type is MediaType.GIF:
        # Frames are whole: where something shows through, each is taken off before the next.
        options |= {"append_images": rest, "disposal": 2 if first.has_transparency_data else 0}
    else:
        others = list(rest)
        durations = [round(frame.info.get("duration", 0)) for frame in (first, *others)]
        options |= {"append_images": others, "duration": durations}
    first.save(target, format=media_type.name, save_all=True, **options)
