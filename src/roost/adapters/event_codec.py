"""Events as bytes: MessagePack maps by field name, so that readers ignore fields they do not know.

A field that is added gets a default, a field that goes stays readable: that is how two versions run side by side.
"""

from typing import get_args

import msgspec

from roost.domain.events import Event

_ENCODE = msgspec.msgpack.Encoder().encode
_DECODERS = {kind.__name__: msgspec.msgpack.Decoder(kind) for kind in get_args(Event)}


def encode_event(event: Event) -> tuple[str, bytes]:
    """The event's kind and body."""
    return type(event).__name__, _ENCODE(event)


def decode_event(kind: str, body: bytes) -> Event | None:
    """The event; None for a kind that only a newer version knows."""
    decoder = _DECODERS.get(kind)
    return None if decoder is None else decoder.decode(body)
