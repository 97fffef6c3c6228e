"""Content: an image or a video that a user uploaded, its bounds, its kind by its bytes, and signed
addresses.

edge -> commands/upload_content -> (here) -> ports/content_bytes, ports/media
"""

import hashlib
import hmac
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NewType

from roost.domain.errors import Invalid, TooLarge, UnsupportedContent
from roost.domain.ids import ContentId, TweetId, UserId, Version

Digest = NewType("Digest", str)
"""SHA-256 of stored bytes in lower-case hexadecimal. Equal bytes share storage; it is never an id.
"""

ALT_LENGTH_MAX = 1_500
IMAGE_BYTES_MAX = 10 * 1024 * 1024
VIDEO_BYTES_MAX = 64 * 1024 * 1024
IMAGE_PIXELS_MAX = 50_000_000  # what a telephone takes at most; 200 MB decoded
IMAGE_SIDE_MAX = 16_383  # WebP cannot say more
IMAGE_FRAMES_MAX = 1_000
ANIMATION_PIXELS_MAX = 100_000_000  # frames times canvas: 400 MB decoded
VIDEO_PIXELS_MAX = 4_096 * 2_304
VIDEO_DURATION_MS_MAX = 600_000
PREVIEW_SIDE_PIXELS_MAX = 600
IMAGES_PER_TWEET_MAX = 4
VIDEOS_PER_TWEET_MAX = 1

SIGNED_MS_MAX = 48 * 3_600_000
SIGNING_KEY_BYTES_MIN = 32

SNIFF_BYTES = 4_096
"""How much of a file's beginning `sniff` looks at; fewer only where the file is shorter."""


class Kind(StrEnum):
    IMAGE = "image"
    VIDEO = "video"


class MediaType(StrEnum):
    """What is accepted, as a MIME type."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    GIF = "image/gif"
    WEBP = "image/webp"
    MP4 = "video/mp4"
    WEBM = "video/webm"

    @property
    def kind(self) -> Kind:
        return Kind(self.partition("/")[0])


class ContentState(StrEnum):
    PENDING = "pending"  # room is reserved, the bytes are on their way
    READY = "ready"


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes in storage: where they lie, how many they are and how they are to be served."""

    digest: Digest
    byte_size: int
    mime: MediaType


@dataclass(frozen=True, slots=True)
class Content:
    """A row per upload. Pending has neither bytes nor shape; its `reserved_bytes` count towards the
    quota.

    `tweet_id` is None until a tweet takes it: its owner's only until then. One content is in one
    tweet.
    """

    id: ContentId
    owner: UserId
    created_ms: int
    alt: str
    reserved_bytes: int
    version: Version
    state: ContentState = ContentState.PENDING
    original: Blob | None = None
    preview: Blob | None = None
    width: int = 0
    height: int = 0
    duration_ms: int | None = None
    tweet_id: TweetId | None = None

    def __post_init__(self) -> None:
        stored = self.original is not None and self.preview is not None
        if (self.state is ContentState.READY) is not stored:
            raise ValueError("ready content has its bytes and pending content has none")
        if self.state is ContentState.READY and (self.width < 1 or self.height < 1):
            raise ValueError("ready content has a width and a height")

    @property
    def ready(self) -> bool:
        return self.state is ContentState.READY

    @property
    def kind(self) -> Kind | None:
        """None while pending: only the bytes tell."""
        return None if self.original is None else self.original.mime.kind

    @property
    def quota_bytes(self) -> int:
        """What this content takes of its owner's share. Sharing storage with an equal file saves
        nothing: else a quota would tell who else has the file.
        """
        if self.original is None or self.preview is None:
            return self.reserved_bytes
        return self.original.byte_size + self.preview.byte_size

    def completed(
        self,
        original: Blob,
        preview: Blob,
        *,
        width: int,
        height: int,
        duration_ms: int | None,
        version: Version,
    ) -> "Content":
        """The same content once its bytes are stored."""
        return replace(
            self,
            state=ContentState.READY,
            original=original,
            preview=preview,
            width=width,
            height=height,
            duration_ms=duration_ms,
            version=version,
        )


def check_alt(alt: str) -> str:
    """The description for those who do not see the picture, trimmed. Raises Invalid beyond the
    bound.
    """
    trimmed = alt.strip()
    if len(trimmed) > ALT_LENGTH_MAX:
        raise Invalid.field("alt", f"{len(trimmed)} characters, at most {ALT_LENGTH_MAX} allowed")
    if any(character < " " and character not in "\n\t" for character in trimmed):
        raise Invalid.field("alt", "control characters are not allowed")
    return trimmed


def check_together(kinds: list[Kind]) -> None:
    """Whether contents of these kinds may be in one tweet: at most 4 images or 1 video."""
    videos = kinds.count(Kind.VIDEO)
    images = len(kinds) - videos
    if images <= IMAGES_PER_TWEET_MAX and videos <= VIDEOS_PER_TWEET_MAX and not (images and videos):
        return
    raise Invalid.field(
        "content_ids",
        f"{images} images and {videos} videos, at most {IMAGES_PER_TWEET_MAX} images"
        f" or {VIDEOS_PER_TWEET_MAX} video allowed",
    )


@dataclass(frozen=True, slots=True)
class UploadBounds:
    """How many bytes an upload may have, a kind."""

    image_bytes_max: int = IMAGE_BYTES_MAX
    video_bytes_max: int = VIDEO_BYTES_MAX

    def bytes_max(self, kind: Kind) -> int:
        return self.video_bytes_max if kind is Kind.VIDEO else self.image_bytes_max

    @property
    def any_bytes_max(self) -> int:
        return max(self.image_bytes_max, self.video_bytes_max)

    def check(self, head: bytes, byte_size: int, *, whole: bool) -> MediaType | None:
        """Judge an upload by what has come so far: `head`, its first SNIFF_BYTES, and the count of
        all.

        None: too early to tell (never when `whole`). Asked after each chunk, it refuses a text of a
        gigabyte at its first chunk and an image at its first byte too many.
        """
        if not whole and len(head) < SNIFF_BYTES:
            return None
        media_type = sniff(head)
        bytes_max = self.bytes_max(media_type.kind)
        if byte_size > bytes_max:
            raise TooLarge(
                f"{byte_size}{'' if whole else ' or more'} bytes, at most {bytes_max} allowed for {media_type}"
            )
        return media_type


# The brands by which a file of the MP4 family calls itself a film. The family's still pictures
# (heic, avif), sound (M4A) and QuickTime (qt) are others.
_MP4_BRANDS = frozenset(b"isom iso2 iso3 iso4 iso5 iso6 mp41 mp42 mp71 avc1 av01 hvc1 dash cmfc MSNV".split()) | {
    b"M4V ",
    b"M4VH",
    b"M4VP",
}
_EBML, _EBML_DOCTYPE = b"\x1a\x45\xdf\xa3", b"\x42\x82"
_EBML_SIZE_FLAG = 0x80  # a size of one byte carries it


def sniff(head: bytes) -> MediaType:
    """The type by the first bytes, never by a name or by what the sender says. Raises
    UnsupportedContent.
    """
    if head.startswith(b"\xff\xd8\xff"):
        return MediaType.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return MediaType.PNG
    if head.startswith((b"GIF87a", b"GIF89a")):
        return MediaType.GIF
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return MediaType.WEBP
    if head[4:8] == b"ftyp" and head[8:12] in _MP4_BRANDS:
        return MediaType.MP4
    if head.startswith(_EBML) and _ebml_doctype(head) == b"webm":
        return MediaType.WEBM
    raise UnsupportedContent("the file is empty" if not head else "not a JPEG, PNG, GIF, WebP, MP4 or WebM file")


def _ebml_doctype(head: bytes) -> bytes:
    """What kind of Matroska an EBML header says it is: `webm` is the one that browsers play."""
    at = head.find(_EBML_DOCTYPE, len(_EBML))
    if at < 0 or at + 2 >= len(head) or not head[at + 2] & _EBML_SIZE_FLAG:
        return b""
    size = head[at + 2] & ~_EBML_SIZE_FLAG
    return head[at + 3 : at + 3 + size].rstrip(b"\0")


def sign(content: ContentId, viewer: UserId, expires_ms: int, key: bytes) -> str:
    """The signature of an address under which `viewer` may fetch a protected user's content until
    `expires_ms`.

    It names its viewer, so that a block, an unfollow or a new protection is judged for him at each
    fetch: the signature says who asks, never that he may.
    """
    if len(key) < SIGNING_KEY_BYTES_MIN:
        raise ValueError(f"a signing key has at least {SIGNING_KEY_BYTES_MIN} bytes")
    text = f"roost content\n{content}\n{viewer}\n{expires_ms}"
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def verify(content: ContentId, viewer: UserId, expires_ms: int, signature: str, *, key: bytes, now_ms: int) -> bool:
    """Whether `sign` gave this signature with this key and it holds now: not expired, not for
    longer than 48 h.
    """
    if not now_ms < expires_ms <= now_ms + SIGNED_MS_MAX:
        return False
    expected = sign(content, viewer, expires_ms, key)
    return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "surrogatepass"))
