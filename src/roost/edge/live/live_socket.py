"""One open WebSocket: hands a client's messages to its session, never more than can be answered.

client -> picows -> Socket.on_ws_frame -> Session.received … Session -> send, push -> Outbox -> client
"""

import asyncio
import logging
from collections import deque

from picows import WSFrame, WSListener, WSMsgType, WSTransport

from roost.edge.live.door import Session
from roost.edge.live.frames import (
    GOING_AWAY,
    IDLE,
    INTERNAL_ERROR,
    PING,
    PROTOCOL_ERROR,
    TOO_MANY,
    Frame,
    Violation,
    close_code_of,
    close_frame,
    pong_frame,
    text_frame,
)
from roost.edge.live.hub import Hub
from roost.edge.live.limits import SWEEPS_PER_PING
from roost.edge.live.messages import Messages
from roost.edge.live.outbox import Outbox
from roost.edge.live.wire import Wire

log = logging.getLogger("roost.live")


class Socket(WSListener):
    """See `door.LiveSocket` for what a session may do with it."""

    __slots__ = (
        "_backlog",
        "_draining",
        "_hub",
        "_in_flight",
        "_messages",
        "_outbox",
        "_quiet",
        "_session",
        "_wire",
        "push",
    )

    def __init__(self, session: Session, wire: Wire, hub: Hub) -> None:
        self._session = session
        self._wire = wire
        self._hub = hub
        self._messages = Messages(hub.limits.message_bytes_max)
        self._outbox = Outbox(wire.raw, hub, self._gap)
        self.push = self._outbox.push  # one call less for each delivery
        self._draining = False
        self._in_flight = 0
        self._backlog: deque[str] | None = None
        self._quiet = 0  # sweeps since the client was last heard

    @property
    def slice(self) -> int:
        return self._outbox.slice

    # What the session calls.

    @property
    def writable(self) -> bool:
        return not self._outbox.paused and not self._outbox.shut

    @property
    def unsent_bytes(self) -> int:
        """What this client's slowness costs the process: owed and in the transport's buffer."""
        return self._outbox.owed_bytes + self._wire.raw.get_write_buffer_size()

    def send(self, data: bytes) -> None:
        if not self._outbox.answer(text_frame(data)):
            self.close(TOO_MANY, "too many answers that are not read")

    def skip(self) -> None:
        self._outbox.skip()

    def close(self, code: int, reason: str) -> None:
        if not self._outbox.shut:
            self._part(close_frame(code, reason))
            self._wire.await_close()

    async def drained(self) -> bool:
        return await self._outbox.drained()

    # What the hub calls.

    def sweep(self) -> None:
        """Notice silence. Somebody who does not read is silent too: reading from him is paused."""
        if self._outbox.shut:
            return
        paused = self._outbox.paused
        self._quiet = 0 if self._in_flight and not paused else self._quiet + 1
        if self._quiet >= self._hub.limits.sweeps_to_idle:
            self.close(IDLE, "idle")
        elif self._quiet and self._quiet % SWEEPS_PER_PING == 0 and not paused:
            self._outbox.write(PING)

    def drain(self) -> None:
        """Let what is being answered be answered, then send away."""
        if self._outbox.shut or self._draining:
            return
        self._draining = True
        self._backlog = None
        if self._in_flight:
            self._pace()
            asyncio.get_running_loop().call_later(self._hub.limits.drain_s, self._send_away)
        else:
            self._send_away()

    def abort(self) -> None:
        self._outbox.abort()

    # What picows calls.

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._wire.upgraded = True
        self._hub.joined(self)
        try:
            self._session.opened(self)
        except Exception as error:  # noqa: BLE001  logged there
            self._failed("a session could not open", error)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if self._wire.deaf:
            return
        self._quiet = 0
        if self._outbox.shut:
            if frame.msg_type == WSMsgType.CLOSE:
                self._wire.finish()
            return
        try:
            self._obey(frame)
        except Violation as violation:
            self.close(violation.code, violation.reason)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.broke_off()
        self._hub.left(self)
        try:
            self._session.closed()
        except Exception:
            log.exception("a session could not close")

    def pause_writing(self) -> None:
        self._outbox.paused = True
        self._pace()

    def resume_writing(self) -> None:
        self._outbox.resume()
        self._work_off()

    def read_on(self) -> None:
        """The handshake paused reading."""
        self._pace()

    def broke_off(self) -> None:
        """The connection ended otherwise than by `close`."""
        self._outbox.shut_up()
        self._backlog = None

    # Its parts.

    def _obey(self, frame: WSFrame) -> None:
        if frame.rsv1 or frame.rsv2 or frame.rsv3:
            raise Violation(PROTOCOL_ERROR, "reserved bits are for extensions, there are none")
        kind = frame.msg_type
        if kind == WSMsgType.PING:
            self._outbox.pong(pong_frame(frame.get_payload_as_bytes()))
        elif kind == WSMsgType.CLOSE:
            self._part(close_frame(close_code_of(frame.get_payload_as_bytes())))
            self._wire.finish()
        elif kind != WSMsgType.PONG:
            text = self._messages.take(frame)
            if text is not None:
                self._take(text)

    def _take(self, text: str) -> None:
        if self._may_work() and not self._backlog:
            self._hand_over(text)
            self._pace()
            return
        # Reading is paused: this came in the same gulp as what fills the bound.
        backlog = self._backlog = self._backlog or deque()
        if len(backlog) >= self._hub.limits.backlog_max:
            raise Violation(TOO_MANY, "too many messages before their answers")
        backlog.append(text)

    def _hand_over(self, text: str) -> None:
        try:
            task = self._session.received(text)
        except Exception as error:  # noqa: BLE001  logged there
            self._failed("a message could not be answered", error)
            return
        if task is not None:
            self._in_flight += 1
            task.add_done_callback(self._answered)

    def _answered(self, task: "asyncio.Future[None]") -> None:
        self._in_flight -= 1
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed("a message could not be answered", error)
        elif self._draining and not self._in_flight:
            self._send_away()
        else:
            self._work_off()

    def _work_off(self) -> None:
        backlog = self._backlog
        while backlog and self._may_work():
            self._hand_over(backlog.popleft())
        self._pace()

    def _may_work(self) -> bool:
        return (
            self._in_flight < self._hub.limits.in_flight_max
            and not self._draining
            and not self._outbox.paused
            and not self._outbox.shut
        )

    def _pace(self) -> None:
        """Read on only while one more message could be taken: a client cannot pile up unread answers."""
        if self._outbox.shut:
            return
        if self._may_work() and not self._backlog:
            self._wire.raw.resume_reading()
        else:
            self._wire.raw.pause_reading()

    def _gap(self) -> Frame:
        try:
            return self._session.gap()
        except Exception as error:  # noqa: BLE001  logged there
            self._failed("a session could not tell of a gap", error)
            return Frame(b"")

    def _part(self, last: Frame) -> None:
        self._outbox.part(last)
        self._backlog = None

    def _send_away(self) -> None:
        self.close(GOING_AWAY, "this node is going away")

    def _failed(self, what: str, error: BaseException) -> None:
        log.error(what, exc_info=error)
        self.close(INTERNAL_ERROR, "internal error")
