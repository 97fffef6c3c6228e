"""What the server says over a socket, as finished JSON.

edge.live.room, edge.live.session -> bytes, frames -> LiveSocket
"""

import msgspec

from roost.domain.errors import RoostError, TooManyRequests, Unavailable
from roost.domain.ids import Position, TweetId, UserId
from roost.edge.live.frames import Frame, text_frame
from roost.edge.problems import internal, problem_of

_encode = msgspec.json.Encoder().encode
_string = _encode


def hello(user_id: UserId, cursor: Position) -> bytes:
    return b'{"type":"hello","user_id":"%d","cursor":%b}' % (user_id, _string(cursor))


def acknowledged(ref: str | None, tweet: bytes, position: Position | None) -> bytes:
    return b'{"type":"ack","ref":%b,"tweet":%b,"position":%b}' % (_encode(ref), tweet, _encode(position))


def tweet_arrived(cursor: Position, channel: str, tweet: bytes) -> bytes:
    return b'{"type":"tweet","cursor":%b,"channel":%b,"tweet":%b}' % (_string(cursor), _string(channel), tweet)


def notification_arrived(cursor: Position, notification: bytes) -> bytes:
    return b'{"type":"notification","cursor":%b,"notification":%b}' % (_string(cursor), notification)


def tweet_deleted(cursor: Position, id: TweetId) -> bytes:
    return b'{"type":"delete","cursor":%b,"tweet_id":"%d"}' % (_string(cursor), id)


def something_skipped(cursor: Position) -> bytes:
    return b'{"type":"gap","cursor":%b}' % _string(cursor)


def pong(ref: str | None, cursor: Position) -> bytes:
    return b'{"type":"pong","ref":%b,"cursor":%b}' % (_encode(ref), _string(cursor))


def done(kind: str, ref: str | None, cursor: Position, channel: str | None = None) -> bytes:
    """An answer to what is neither a tweet nor a ping: `subscribed`, `unsubscribed`, `resumed`."""
    body: dict[str, object] = {"type": kind, "ref": ref, "cursor": cursor}
    if channel is not None:
        body["channel"] = channel
    return _encode(body)


def refused(ref: str | None, error: RoostError) -> bytes:
    """A problem as in REST; where repeating may help, `retry_after` says in how many seconds."""
    problem = msgspec.to_builtins(problem_of(error))
    if isinstance(error, TooManyRequests | Unavailable):
        problem["retry_after"] = error.retry_after_s
    return _encode({"type": "error", "ref": ref, "problem": problem})


def failed(ref: str | None) -> bytes:
    """What should not have happened."""
    return b'{"type":"error","ref":%b,"problem":%b}' % (_encode(ref), internal().body)


def frame(text: bytes) -> Frame:
    return text_frame(text)
