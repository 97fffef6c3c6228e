"""uvicorn's HTTP protocol, with hot GETs answered in the parser's callback: no scope, no task, one write.

uvicorn -> HotHttp -> HotTimelines; what is not hot goes uvicorn's usual way to the application.
"""

from typing import ClassVar

from roost.edge.http_protocol import HttpProtocol
from roost.edge.native.hot import PATH, HotTimelines


def hot_http(hot: HotTimelines) -> "type[HotHttp]":
    """The class to give to uvicorn as `http=`, bound to these hot timelines."""
    return type("BoundHotHttp", (HotHttp,), {"hot": hot})


class HotHttp(HttpProtocol):
    """A request is hot if it is a plain GET of a hot path, alone on its connection, whose client reads."""

    hot: ClassVar[HotTimelines]
    _answered = False
    _dates: "list[tuple[bytes, bytes]] | None" = None
    _date = b""

    def on_message_begin(self) -> None:
        # The scope costs 2 µs: it is made once the request turns out not to be hot.
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_headers_complete(self) -> None:
        if self.url.startswith(PATH) and self._may_be_hot():
            answer = self.hot.answer(self.url, self.headers, self._date_line())
            if answer is not None:
                self._answered = True
                self.transport.write(answer)
                return
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers.extend(headers)
        super().on_headers_complete()

    def _may_be_hot(self) -> bool:
        parser, cycle = self.parser, self.cycle
        return (
            parser.get_method() == b"GET"
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and not self.expect_100_continue
            and not self.flow.write_paused
            and (cycle is None or cycle.response_complete)
            and not self.transport.is_closing()
        )

    def _date_line(self) -> bytes:
        dates = self.server_state.default_headers
        if dates is not self._dates:  # uvicorn makes a new list every second
            self._dates = dates
            self._date = b"".join(b"%b: %b\r\n" % header for header in dates)
        return self._date

    def on_body(self, body: bytes) -> None:
        if not self._answered:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if not self._answered:
            super().on_message_complete()
            return
        self._answered = False
        self.server_state.total_requests += 1
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)
