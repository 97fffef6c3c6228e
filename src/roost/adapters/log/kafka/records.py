"""Records of the topic: a fact each, keyed by the user whom it is about, or a heartbeat.

The header `kind` says which fact; the value is the fact's fields by name, so that a reader passes over what only a
newer version knows.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import structlog

from roost.adapters.event_codec import decode_event, encode_event
from roost.domain.events import Event

KIND = "kind"
HEARTBEAT = "Heartbeat"

log = structlog.get_logger("roost.kafka")

Headers = Sequence[tuple[str, bytes]]


def record_of(event: Event) -> tuple[bytes, bytes, Headers]:
    """Key, value, headers."""
    kind, body = encode_event(event)
    return str(event.key).encode(), body, [(KIND, kind.encode())]


def heartbeat() -> Headers:
    """Of a record that says nothing else."""
    return [(KIND, HEARTBEAT.encode())]


def event_in(record: Any) -> Event | None:
    """None for a heartbeat, and for what this version does not know or cannot read: no reader may stop at it."""
    for name, kind in record.headers:
        if name == KIND and record.value is not None:
            try:
                return decode_event(kind.decode(errors="replace"), record.value)
            except msgspec.DecodeError:
                log.exception("a record is no fact", kind=kind, offset=record.offset)
    return None
