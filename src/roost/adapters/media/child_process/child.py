"""The child's side: limit oneself, decode one file, answer, end.

processor -> (python -I, here) -> images | videos
"""

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path

from roost.adapters.media.child_process.answer import READY, Shape, encode_error, encode_shape
from roost.adapters.media.child_process.limits import NICENESS, ChildLimits, limit_this_process
from roost.domain.content import Kind, MediaType
from roost.domain.errors import BrokenContent, DependencyDown, RoostError


def main() -> None:
    """Arguments: the file, its media type, the folder to write to, and the limits."""
    file, media_type, folder = Path(sys.argv[1]), MediaType(sys.argv[2]), Path(sys.argv[3])
    limits = ChildLimits.from_arguments(*sys.argv[4:7])
    os.nice(NICENESS)
    limit_this_process(limits, file.stat().st_size)
    make = _maker(media_type)
    _tell(READY)
    try:
        answer = encode_shape(make(file, media_type, folder))
    except RoostError as error:
        answer = encode_error(error)
    except MemoryError:
        answer = encode_error(BrokenContent(f"decoding takes more than {limits.memory_bytes_max} bytes of memory"))
    except OSError as error:
        answer = encode_error(_of_os_error(error, media_type))
    except Exception:  # noqa: BLE001 - decoders raise anything over a hostile file
        answer = encode_error(_does_not_decode(media_type))
    _tell(answer)
    # No tidying up: a decoder that a file confused may hang or crash in it.
    os._exit(0)


def _maker(media_type: MediaType) -> Callable[[Path, MediaType, Path], Shape]:
    """Imports only the decoder that is needed: PyAV takes 90 ms to load, Pillow 30."""
    if media_type.kind is Kind.VIDEO:
        from roost.adapters.media.child_process.videos import make_video  # noqa: PLC0415 - see above

        return make_video
    from roost.adapters.media.child_process.images import make_image  # noqa: PLC0415 - see above

    return make_image


def _of_os_error(error: OSError, media_type: MediaType) -> RoostError:
    """Decoders' own errors are OSErrors too, with other numbers or none."""
    if error.errno == errno.ENOSPC:
        return DependencyDown("there is no room to decode uploads")
    if error.errno == errno.EFBIG:
        return BrokenContent("the file grows too much when it is written again")
    if error.errno == errno.ENOMEM:
        return BrokenContent("decoding takes too much memory")
    return _does_not_decode(media_type)


def _does_not_decode(media_type: MediaType) -> RoostError:
    return BrokenContent(f"the file does not decode as {media_type}")


def _tell(answer: bytes) -> None:
    os.write(1, answer)
