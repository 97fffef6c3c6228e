"""Content: upload an image or a video, and fetch it.

edge.native.app -> Contents -> commands.upload_content, queries.read_content -> ports.content_bytes
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from roost.commands.upload_content import UploadContent
from roost.domain.content import ALT_LENGTH_MAX, Blob, Content, verify
from roost.domain.errors import (
    BrokenContent,
    NotFound,
    NotSignedIn,
    QuotaExceeded,
    UnsupportedContent,
)
from roost.domain.ids import ContentId, UserId
from roost.edge.native.byte_ranges import is_known, requested_range
from roost.edge.native.endpoint import (
    Answer,
    Call,
    Described,
    Endpoint,
    RawBody,
    SignedIn,
    Stream,
    answer,
    id_in_query,
    text_in_path,
    text_in_query,
)
from roost.edge.native.multipart import ENVELOPE_BYTES_MAX, FORM, MultipartUpload, Pace
from roost.edge.native.shapes import ContentShape
from roost.edge.problems import RangeNotSatisfiable
from roost.edge.rendering import ContentAddresses
from roost.ports.content_bytes import ContentBytes
from roost.queries.read_content import ReadContent, VisibleContent

ID_CHARACTERS = 32
SIGNATURE_CHARACTERS = 64
CONTENT_ID = text_in_path("contentId", "the content", ID_CHARACTERS)
VIEWER = id_in_query("viewer", "whom a signed address names", UserId)
EXPIRES = id_in_query("expires", "until when a signed address holds, in Unix milliseconds", int)
SIGNATURE = text_in_query("signature", "of a signed address, as tweets bring it", SIGNATURE_CHARACTERS)

PUBLIC = "public, max-age=31536000, immutable"
PRIVATE = "private, no-store"
# A browser that is led to the address itself shows the picture in a page of its own, which may load nothing else and
# run nothing: whatever the bytes are taken for.
POLICY = (
    "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"
)

ANY_BYTES = "application/octet-stream"
FORM_SCHEMA: Mapping[str, object] = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "contentMediaType": ANY_BYTES, "format": "binary"},
        "alt": {"type": "string", "maxLength": ALT_LENGTH_MAX},
    },
}


@dataclass(frozen=True, slots=True)
class Contents:
    """`public_read`: whether strangers may read at all. Of a server where they may not, nothing is public."""

    upload: UploadContent
    read: ReadContent
    content_bytes: ContentBytes
    addresses: ContentAddresses
    public_read: bool = True
    pace: Pace = Pace()

    def endpoints(self) -> list[Endpoint]:
        form = RawBody(FORM, self.upload.bounds.any_bytes_max + ENVELOPE_BYTES_MAX, FORM_SCHEMA)
        return [
            Endpoint(
                "POST",
                "/content",
                self._upload,
                "Upload an image (JPEG, PNG, GIF, WebP) or a video (MP4, WebM)",
                {201: Described("the content, for a tweet or a profile", ContentShape)},
                raw_body=form,
                rate_limit="upload",
                refusals=(UnsupportedContent, BrokenContent, QuotaExceeded),
            ),
            self._bytes("/content/{contentId}", "The bytes of an image or a video", preview=False),
            self._bytes("/content/{contentId}/preview", "A small still picture of it", preview=True),
        ]

    def _bytes(self, path: str, summary: str, *, preview: bool) -> Endpoint:
        async def handle(call: Call[None]) -> Answer | Stream:
            return await self._serve(call, preview=preview)

        whole = Described("all of it", media_type=ANY_BYTES, headers=("ETag", "Cache-Control", "Accept-Ranges"))
        part = Described("the range that was asked for", media_type=ANY_BYTES, headers=("ETag", "Content-Range"))
        return Endpoint(
            "GET",
            path,
            handle,
            summary,
            {200: whole, 206: part, 304: Described("the caller has it already", headers=("ETag",))},
            SignedIn.JUDGED,
            (CONTENT_ID, VIEWER, EXPIRES, SIGNATURE),
            refusals=(NotFound, NotSignedIn, RangeNotSatisfiable),
        )

    async def _upload(self, call: Call[None]) -> Answer:
        length = call.header("content-length")
        known = length is not None and length.isascii() and length.isdigit()
        most = int(length[:18]) if known and length is not None else self.upload.bounds.any_bytes_max
        incoming = MultipartUpload(call.header("content-type"), most, call.chunks(), self.pace)
        return answer(201, self._shape(await self.upload(call.user, incoming)))

    def _shape(self, content: Content) -> ContentShape:
        if content.kind is None:
            raise AssertionError("what is uploaded is ready")
        url, preview_url = self.addresses.public(content.id)
        return ContentShape(
            content.id,
            content.kind,
            url,
            preview_url,
            content.width,
            content.height,
            content.duration_ms,
            content.alt,
        )

    async def _serve(self, call: Call[None], *, preview: bool) -> Answer | Stream:
        id = ContentId(call.value(CONTENT_ID))
        found = await self.read(id, self._viewer(call, id))
        blob = found.content.preview if preview else found.content.original
        if blob is None or await self.content_bytes.size(blob.digest) is None:
            raise NotFound("no such content")
        etag = f'"{blob.digest}"'
        headers = (("ETag", etag), ("Cache-Control", self._caching(found)))
        if is_known(call.header("if-none-match"), etag):
            return Answer(304, headers=headers)
        wanted = requested_range(call.header("range"), call.header("if-range"), etag, blob.byte_size)
        return self._stream(blob, wanted, (*headers, *_about(id, blob)))

    def _stream(self, blob: Blob, wanted: range | None, headers: tuple[tuple[str, str], ...]) -> Stream:
        mime = str(blob.mime)
        if wanted is None:
            return Stream(200, self.content_bytes.read(blob.digest), mime, headers, blob.byte_size)
        span = ("Content-Range", f"bytes {wanted.start}-{wanted.stop - 1}/{blob.byte_size}")
        chunks = self.content_bytes.read(blob.digest, wanted.start, wanted.stop)
        return Stream(206, chunks, mime, (*headers, span), len(wanted))

    def _viewer(self, call: Call[Any], id: ContentId) -> UserId | None:
        """Whom a valid signature names, else whose session it is. Raises NotSignedIn where strangers may not read."""
        viewer, expires_ms, signature = call.value(VIEWER), call.value(EXPIRES), call.value(SIGNATURE)
        if viewer is not None and expires_ms is not None and signature is not None:
            key, now_ms = self.addresses.signing_key, self.addresses.clock.now_ms()
            if verify(id, viewer, expires_ms, signature, key=key, now_ms=now_ms):
                return viewer
        if call.viewer is None and not self.public_read:
            raise NotSignedIn
        return call.viewer

    def _caching(self, found: VisibleContent) -> str:
        return PUBLIC if found.public and self.public_read else PRIVATE


def _about(id: ContentId, blob: Blob) -> tuple[tuple[str, str], ...]:
    name = f"{id}.{blob.mime.partition('/')[2]}"
    return (
        ("Accept-Ranges", "bytes"),
        ("Content-Disposition", f'inline; filename="{name}"'),
        ("Content-Security-Policy", POLICY),
    )
