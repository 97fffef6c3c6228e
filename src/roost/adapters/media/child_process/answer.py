"""What a child tells its parent on its standard output: that it is ready, then one answer."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from roost.domain.content import MediaType
from roost.domain.errors import BrokenContent, DependencyDown, RoostError, UnsupportedContent
from roost.ports.media import Processed

READY = b"ready\n"
ANSWER_BYTES_MAX = 4_096
# Fixed: a child does not name files to its parent.
ORIGINAL_NAME, PREVIEW_NAME = "original", "preview"

_ERRORS: dict[str, type[RoostError]] = {
    error.__name__: error for error in (BrokenContent, UnsupportedContent, DependencyDown)
}


@dataclass(frozen=True, slots=True)
class Shape:
    """What was made of a file, beside the two files themselves."""

    mime: str
    preview_mime: str
    width: int
    height: int
    duration_ms: int | None = None


def encode_shape(shape: Shape) -> bytes:
    return json.dumps({"made": asdict(shape)}).encode()


def encode_error(error: RoostError) -> bytes:
    known = type(error).__name__ if type(error).__name__ in _ERRORS else BrokenContent.__name__
    return json.dumps({"error": known, "detail": str(error)[:500]}).encode()


def decode(answer: bytes, folder: Path) -> Processed:
    """Raises the child's error. Believes nothing of an answer but its shape: a broken decoder may
    have sent it.
    """
    try:
        told = json.loads(answer)
        if "error" in told:
            raise _ERRORS[told["error"]](str(told["detail"]))
        shape = Shape(**told["made"])
        duration = None if shape.duration_ms is None else int(shape.duration_ms)
        return Processed(
            original=folder / ORIGINAL_NAME,
            original_mime=MediaType(shape.mime),
            preview=folder / PREVIEW_NAME,
            preview_mime=MediaType(shape.preview_mime),
            width=int(shape.width),
            height=int(shape.height),
            duration_ms=duration,
        )
    except (ValueError, KeyError, TypeError):
        raise BrokenContent("the file broke the program that decodes it") from None
