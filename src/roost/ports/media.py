"""Untrusted images and videos made fit to be shown to others."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from roost.domain.content import MediaType


@dataclass(frozen=True, slots=True)
class Processed:
    """What was made of an upload: two new files in the folder that was given.

    `width` and `height` are of the original as shown, turned where its sender said so.
    """

    original: Path
    original_mime: MediaType
    preview: Path
    preview_mime: MediaType
    width: int
    height: int
    duration_ms: int | None
    """None for images, moving ones too."""


class MediaProcessor(Protocol):
    async def process(self, file: Path, media_type: MediaType, folder: Path) -> Processed:
        """Decode `file` as `media_type` (what `sniff` said) and write its clean copy and its
        preview to `folder`.

        The copy keeps the type, the picture, its turn and its movement, and nothing else: no place,
        time, camera, author, comment, thumbnail, profile, or bytes after the end. The preview is a
        still JPEG or WebP of the first frame, its longest side at most PREVIEW_SIDE_PIXELS_MAX,
        never larger than the original.

        Raises BrokenContent when it does not decode within the bounds of domain/content (pixels,
        frames, duration, and the processor's time and memory), UnsupportedContent for a codec
        outside the accepted ones, Overloaded at once when too many wait, DependencyDown when it
        cannot work at all. Never trusts `file`: nothing in it may harm the caller.
        """
        ...
