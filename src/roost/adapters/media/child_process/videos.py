"""Videos in the child: one picture track and one sound track copied into a new file, and a poster
frame.

Nothing is encoded again: a minute of it would take minutes. What is copied is taken apart as far as
it is known to carry notes: containers, side data, H.264 and HEVC messages, Vorbis comments.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.bitstream import BitStreamFilterContext
from av.codec.context import CodecContext
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream
from PIL import Image

from roost.adapters.media.child_process.answer import ORIGINAL_NAME, PREVIEW_NAME, Shape
from roost.adapters.media.child_process.images import write_preview
from roost.adapters.media.child_process.set_ups import CLEAN_SET_UPS
from roost.domain.content import VIDEO_DURATION_MS_MAX, VIDEO_PIXELS_MAX, MediaType
from roost.domain.errors import BrokenContent, UnsupportedContent

PACKETS_MAX = 400_000  # 10 minutes of 240 pictures and 400 pieces of sound a second
FIRST_FRAME_PACKETS_MAX = 300  # a decoder that has not given a picture by then never will
TRUNCATED_S_MIN = 1  # so much less than was promised is a cut file
TRUNCATED_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class _Container:
    name: str
    codecs: dict[str, frozenset[str]]
    options: dict[str, str]


_CONTAINERS = {
    MediaType.MP4: _Container(
        "mp4",
        {
            "video": frozenset({"h264", "hevc", "vp9", "av1"}),
            "audio": frozenset({"aac", "mp3", "opus"}),
        },
        # The index goes first, so that a player starts before all has come.
        {"movflags": "+faststart", "fflags": "+bitexact", "brand": "isom"},
    ),
    MediaType.WEBM: _Container(
        "webm",
        {
            "video": frozenset({"vp8", "vp9", "av1"}),
            "audio": frozenset({"opus", "vorbis"}),
        },
        {"cues_to_front": "1", "fflags": "+bitexact"},
    ),
}
# Messages beside the picture: cameras write places and telemetry there. 6 is SEI in H.264, 39 and
# 40 in HEVC; 5 is the metadata unit of AV1.
_FILTERS = {
    "h264": "filter_units=remove_types=6",
    "hevc": "filter_units=remove_types=39|40",
    "av1": "filter_units=remove_types=5",
}
# Degrees against the clock, as a display matrix says.
_TURNS = {
    90: Image.Transpose.ROTATE_90,
    180: Image.Transpose.ROTATE_180,
    -180: Image.Transpose.ROTATE_180,
    -90: Image.Transpose.ROTATE_270,
}
_ON_ITS_SIDE = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_270)


def make_video(file: Path, media_type: MediaType, folder: Path) -> Shape:
    container = _CONTAINERS[media_type]
    with _opened(file, container) as source:
        video = _video_track(source)
        _check_codecs(source, container)
        _check_header(source, video)
        picture, turned = _first_picture(source, video)
        preview_mime = write_preview(picture, folder / PREVIEW_NAME)
    width, height = (video.height, video.width) if turned else (video.width, video.height)
    # Opened anew: seeking back to the start is what broken indexes fail at.
    with _opened(file, container) as source:
        duration_s = _copy(source, folder / ORIGINAL_NAME, container)
    return Shape(media_type, preview_mime, width, height, max(1, round(duration_s * 1_000)))


def _opened(file: Path, container: _Container) -> InputContainer:
    """Only as that container and only this file: playlists and references to others are not
    followed.
    """
    return av.open(
        str(file),
        format=container.name,
        options={"protocol_whitelist": "file", "enable_drefs": "0"},
        metadata_errors="ignore",
    )


def _video_track(source: InputContainer) -> VideoStream:
    """The first that is no cover picture."""
    for stream in source.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            return stream
    if not len(source.streams):
        raise BrokenContent("there are no tracks in the file")
    raise UnsupportedContent("there is no video track in the file")


def _audio_track(source: InputContainer) -> AudioStream | None:
    return source.streams.audio[0] if source.streams.audio else None


def _check_codecs(source: InputContainer, container: _Container) -> None:
    for stream in (_video_track(source), _audio_track(source)):
        if stream is None:
            continue
        accepted = container.codecs[stream.type]
        codec = _codec(stream)
        if codec not in accepted:
            raise UnsupportedContent(
                f"the {stream.type} codec is {codec}, in {container.name} only"
                f" {', '.join(sorted(accepted))} are accepted"
            )


def _codec(stream: Stream) -> str:
    # A track of an unknown codec has no context at all, whatever the stubs say.
    context: CodecContext | None = stream.codec_context
    return "unknown" if context is None else context.codec.canonical_name


def _check_header(source: InputContainer, video: VideoStream) -> None:
    if video.width < 1 or video.height < 1:
        raise BrokenContent("the video has no pixels")
    if video.width * video.height > VIDEO_PIXELS_MAX:
        raise BrokenContent(f"{video.width} x {video.height} pixels, at most {VIDEO_PIXELS_MAX} allowed")
    if source.duration is not None:
        _check_duration(Fraction(source.duration, av.time_base))


def _check_duration(duration_s: Fraction) -> None:
    if duration_s * 1_000 > VIDEO_DURATION_MS_MAX:
        raise BrokenContent(f"{float(duration_s):.1f} s long, at most {VIDEO_DURATION_MS_MAX / 1_000:.0f} s allowed")


def _first_picture(source: InputContainer, video: VideoStream) -> tuple[Image.Image, bool]:
    """The first frame as it is shown, and whether that lies on its side in the file."""
    video.codec_context.thread_count = 1  # each thread of a decoder keeps pictures of its own
    for count, packet in enumerate(source.demux(video)):
        if count > FIRST_FRAME_PACKETS_MAX:
            break
        for frame in packet.decode():
            if frame.width * frame.height > VIDEO_PIXELS_MAX:
                raise BrokenContent("the frames are larger than the file says")
            turn = _TURNS.get(round(frame.rotation / 90) * 90)
            picture = frame.to_image()  # type: ignore[no-untyped-call] # untyped there
            picture = picture if turn is None else picture.transpose(turn)
            return picture, turn in _ON_ITS_SIDE
    raise BrokenContent("no frame of the video decodes")


def _copy(source: InputContainer, target: Path, container: _Container) -> float:
    """Seconds that were copied."""
    tracks = [track for track in (_video_track(source), _audio_track(source)) if track is not None]
    begun_s: Fraction | None = None
    ended_s: dict[int, Fraction] = {}
    with av.open(str(target), "w", format=container.name, options=container.options) as copy:
        writers = {track.index: _writer(copy, track) for track in tracks}
        for packet in _packets(source, tracks):
            track, (start_s, end_s) = packet.stream.index, _span_s(packet)
            begun_s = start_s if begun_s is None else min(begun_s, start_s)
            ended_s[track] = max(ended_s.get(track, end_s), end_s)
            _check_duration(end_s - begun_s)
            writers[track].write(packet)
        for writer in writers.values():
            writer.write(None)
    video = _video_track(source)
    if begun_s is None or video.index not in ended_s:
        raise BrokenContent("there is no picture in the video")
    _check_whole(_promised_s(source, video, len(tracks)), ended_s[video.index])
    return float(max(ended_s.values()) - begun_s)


def _packets(source: InputContainer, tracks: Sequence[Stream]) -> Iterator["Packet[Stream]"]:
    for count, packet in enumerate(source.demux(*tracks)):
        if count > PACKETS_MAX:
            raise BrokenContent(f"more than {PACKETS_MAX} pictures and sounds, the most allowed")
        if packet.is_corrupt:
            raise BrokenContent("a part of the video is missing")
        if packet.size and packet.dts is not None:
            yield packet


def _span_s(packet: "Packet[Stream]") -> tuple[Fraction, Fraction]:
    time_base = Fraction(packet.time_base)
    start = (packet.dts or 0) if packet.pts is None else packet.pts
    return start * time_base, (start + (packet.duration or 0)) * time_base


def _promised_s(source: InputContainer, video: VideoStream, copied: int) -> Fraction | None:
    """When the video ends by what the file says of it, or of all, where that is all that is copied."""
    if video.duration is not None and video.time_base is not None:
        return (video.duration + (video.start_time or 0)) * video.time_base
    if source.duration is not None and len(source.streams) == copied:
        return Fraction(source.duration, av.time_base)
    return None


def _check_whole(promised_s: Fraction | None, copied_s: Fraction) -> None:
    if promised_s is None:
        return
    missing_s = promised_s - copied_s
    if missing_s > max(TRUNCATED_S_MIN, promised_s * TRUNCATED_SHARE):
        raise BrokenContent(f"the last {float(missing_s):.1f} s of the video are missing")


class _Writer:
    """Copies one track's packets into the new file, without their notes."""

    def __init__(self, filter: BitStreamFilterContext, target: Stream, source: Stream, copy: OutputContainer) -> None:
        self._filter, self._target, self._source, self._copy = filter, target, source, copy

    def write(self, packet: "Packet[Stream] | None") -> None:
        time_base = self._source.time_base
        for filtered in self._filter.filter(packet):
            # Made anew from bytes and times alone: side data of a packet is written to some
            # containers.
            clean = av.Packet(bytes(filtered))
            clean.pts, clean.dts, clean.duration = filtered.pts, filtered.dts, filtered.duration
            clean.is_keyframe = filtered.is_keyframe
            if time_base is not None:
                clean.time_base = time_base
            clean.stream = self._target
            self._copy.mux_one(clean)


def _writer(copy: OutputContainer, track: Stream) -> _Writer:
    codec = _codec(track)
    filters = _FILTERS.get(codec, "null")
    clean_set_up = CLEAN_SET_UPS.get(codec)
    if clean_set_up is not None:
        target = copy.add_stream_from_template(track, opaque=True)
        context = target.codec_context
        context.extradata = clean_set_up(context.extradata or b"")
        return _Writer(BitStreamFilterContext(filters, track), target, track, copy)
    target = copy.add_mux_stream(codec)
    # The filter hands the track's parameters over to the new one.
    filter = BitStreamFilterContext(filters, track, target)
    target.time_base = track.time_base
    return _Writer(filter, target, track, copy)
