"""Content: its kinds by its bytes, its bounds, its row, and signed addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.domain.content import (
    ALT_LENGTH_MAX,
    SIGNED_MS_MAX,
    SNIFF_BYTES,
    Blob,
    Content,
    ContentState,
    Digest,
    Kind,
    MediaType,
    UploadBounds,
    check_alt,
    check_together,
    sign,
    sniff,
    verify,
)
from roost.domain.errors import Invalid, TooLarge, UnsupportedContent
from roost.domain.ids import ContentId, UserId, Version

HEADS = {
    b"\xff\xd8\xff\xe0\x00\x10JFIF": MediaType.JPEG,
    b"\x89PNG\r\n\x1a\n": MediaType.PNG,
    b"GIF87a": MediaType.GIF,
    b"GIF89a\x01": MediaType.GIF,
    b"RIFF\x10\x00\x00\x00WEBPVP8 ": MediaType.WEBP,
    b"\x00\x00\x00\x18ftypisom": MediaType.MP4,
    b"\x00\x00\x00\x18ftypmp42": MediaType.MP4,
    b"\x00\x00\x00\x18ftypM4V ": MediaType.MP4,
    b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm": MediaType.WEBM,
}
OTHERS = [
    b"",
    b"\x00",
    b"<html><script>",
    b"<svg xmlns='http://www.w3.org/2000/svg'>",
    b"%PDF-1.7",
    b"RIFF\x10\x00\x00\x00WAVE",
    b"\x00\x00\x00\x18ftypheic",
    b"\x00\x00\x00\x18ftypavif",
    b"\x00\x00\x00\x18ftypM4A ",
    b"\x00\x00\x00\x18ftypqt  ",
    b"\x1a\x45\xdf\xa3\x9f\x42\x82\x88matroska",
    b"\x1a\x45\xdf\xa3",
    b"\x1a\x45\xdf\xa3\x42\x82",
    b"#EXTM3U",
    b"BM",
    b"II*\x00",
]


@pytest.mark.parametrize(("head", "media_type"), HEADS.items())
def test_the_kind_is_told_by_the_first_bytes(head: bytes, media_type: MediaType) -> None:
    assert sniff(head + bytes(100)) is media_type


@pytest.mark.parametrize("head", OTHERS)
def test_what_is_none_of_the_kinds_is_unsupported(head: bytes) -> None:
    with pytest.raises(UnsupportedContent):
        sniff(head)


@given(st.binary(max_size=64))
def test_any_bytes_are_a_kind_or_unsupported(head: bytes) -> None:
    try:
        assert sniff(head) in MediaType
    except UnsupportedContent as refused:
        assert str(refused)  # noqa: PT017 - either end is right


def test_images_and_videos_are_told_apart() -> None:
    assert {each.kind for each in MediaType if each.startswith("image/")} == {Kind.IMAGE}
    assert [each for each in MediaType if each.kind is Kind.VIDEO] == [MediaType.MP4, MediaType.WEBM]


BOUNDS = UploadBounds(image_bytes_max=10_000, video_bytes_max=50_000)
PNG, MP4 = b"\x89PNG\r\n\x1a\n", b"\x00\x00\x00\x18ftypisom"


def test_an_upload_is_not_judged_before_its_head_has_come() -> None:
    assert BOUNDS.check(b"<html>", 6, whole=False) is None
    with pytest.raises(UnsupportedContent):
        BOUNDS.check(b"<html>", 6, whole=True)
    with pytest.raises(UnsupportedContent):
        BOUNDS.check(b"<html>".ljust(SNIFF_BYTES), SNIFF_BYTES, whole=False)


@pytest.mark.parametrize(("head", "bytes_max"), [(PNG, 10_000), (MP4, 50_000)])
def test_each_kind_has_its_own_bound(head: bytes, bytes_max: int) -> None:
    head = head.ljust(SNIFF_BYTES, b"\0")
    assert BOUNDS.check(head, bytes_max, whole=False) is sniff(head)
    assert BOUNDS.check(head, bytes_max, whole=True) is sniff(head)
    with pytest.raises(TooLarge, match=f"{bytes_max + 1} bytes, at most {bytes_max} allowed"):
        BOUNDS.check(head, bytes_max + 1, whole=True)
    with pytest.raises(TooLarge, match="or more bytes"):
        BOUNDS.check(head, bytes_max + 1, whole=False)
    assert BOUNDS.any_bytes_max == 50_000


def test_a_description_is_trimmed_and_bounded() -> None:
    assert check_alt("  a cat\nsleeps ") == "a cat\nsleeps"
    assert check_alt("é" * ALT_LENGTH_MAX) == "é" * ALT_LENGTH_MAX
    with pytest.raises(Invalid, match="1501 characters, at most 1500 allowed"):
        check_alt("x" * (ALT_LENGTH_MAX + 1))
    with pytest.raises(Invalid, match="control"):
        check_alt("a\x00b")


@pytest.mark.parametrize("kinds", [[], [Kind.IMAGE] * 4, [Kind.VIDEO]])
def test_four_images_or_a_video_go_together(kinds: list[Kind]) -> None:
    check_together(kinds)


@pytest.mark.parametrize("kinds", [[Kind.IMAGE] * 5, [Kind.VIDEO] * 2, [Kind.IMAGE, Kind.VIDEO]])
def test_more_do_not(kinds: list[Kind]) -> None:
    with pytest.raises(Invalid, match="at most 4 images or 1 video"):
        check_together(kinds)


ORIGINAL = Blob(Digest("a" * 64), 1_000, MediaType.MP4)
PREVIEW = Blob(Digest("b" * 64), 50, MediaType.JPEG)


def pending() -> Content:
    return Content(ContentId("c1"), UserId(1), 5, "a cat", reserved_bytes=9_000, version=Version(1))


def test_pending_content_takes_what_it_reserved_and_ready_content_what_it_holds() -> None:
    begun = pending()
    assert (begun.ready, begun.kind, begun.quota_bytes) == (False, None, 9_000)
    ready = begun.completed(ORIGINAL, PREVIEW, width=4, height=3, duration_ms=70, version=Version(2))
    assert (ready.ready, ready.kind, ready.quota_bytes) == (True, Kind.VIDEO, 1_050)
    assert (ready.id, ready.alt, ready.version, ready.tweet_id) == ("c1", "a cat", 2, None)


def test_content_cannot_be_ready_without_bytes_or_shape_nor_pending_with_them() -> None:
    with pytest.raises(ValueError, match="ready content"):
        Content(ContentId("c"), UserId(1), 5, "", 0, Version(1), ContentState.READY, ORIGINAL)
    with pytest.raises(ValueError, match="pending content"):
        Content(ContentId("c"), UserId(1), 5, "", 0, Version(1), ContentState.PENDING, ORIGINAL, PREVIEW)
    with pytest.raises(ValueError, match="width"):
        pending().completed(ORIGINAL, PREVIEW, width=0, height=3, duration_ms=None, version=Version(2))


KEY, OTHER_KEY = bytes(range(32)), bytes(32)
NOW_MS = 1_800_000_000_000
ID, ANA, BEN = ContentId("0f" * 16), UserId(7), UserId(71)


def test_a_signature_holds_until_it_expires() -> None:
    expires = NOW_MS + SIGNED_MS_MAX
    signature = sign(ID, ANA, expires, KEY)
    assert verify(ID, ANA, expires, signature, key=KEY, now_ms=NOW_MS)
    assert verify(ID, ANA, expires, signature, key=KEY, now_ms=expires - 1)
    assert not verify(ID, ANA, expires, signature, key=KEY, now_ms=expires)


def test_no_signature_holds_for_longer_than_two_days() -> None:
    expires = NOW_MS + SIGNED_MS_MAX + 1
    assert not verify(ID, ANA, expires, sign(ID, ANA, expires, KEY), key=KEY, now_ms=NOW_MS)


def test_a_signature_is_of_one_content_one_viewer_one_time_and_one_key() -> None:
    expires = NOW_MS + 1_000
    signature = sign(ID, ANA, expires, KEY)
    assert not verify(ContentId("0e" * 16), ANA, expires, signature, key=KEY, now_ms=NOW_MS)
    assert not verify(ID, BEN, expires, signature, key=KEY, now_ms=NOW_MS)
    assert not verify(ID, ANA, expires + 1, signature, key=KEY, now_ms=NOW_MS)
    assert not verify(ID, ANA, expires, signature, key=OTHER_KEY, now_ms=NOW_MS)


@given(st.text(max_size=80))
def test_no_other_text_is_a_signature(text: str) -> None:
    expires = NOW_MS + 1_000
    holds = verify(ID, ANA, expires, text, key=KEY, now_ms=NOW_MS)
    assert holds is (text == sign(ID, ANA, expires, KEY))


def test_a_short_key_is_a_mistake_of_the_operator() -> None:
    with pytest.raises(ValueError, match="at least 32 bytes"):
        sign(ID, ANA, NOW_MS, b"short")
