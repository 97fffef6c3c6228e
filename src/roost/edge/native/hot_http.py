"""uvicorn's HTTP protocol, with hot GETs answered in the parser's callback: no scope, no task, one write.

uvicorn -> HotHttp -> HotTimelines; what is not hot goes uvicorn's usual way to the application. Where more wait for
that than can be answered in time, they are refused here, at a fifth of what a refusal by the application costs.
"""

from typing import ClassVar, cast

from roost.domain.errors import Overloaded
from roost.edge import problems
from roost.edge.http_protocol import HttpProtocol
from roost.edge.native.app import DEFAULT_HEADERS
from roost.edge.native.hot import PATH, HotTimelines
from roost.edge.overload import WAITS, LateLoop

ALWAYS = (b"/health/", b"/metrics")
"""What is never refused."""
REFUSED_HERE = (b"GET", b"POST", b"PATCH", b"DELETE")
"""All others are left to the application: the answer to HEAD has no body."""


def hot_http(hot: HotTimelines, late: LateLoop) -> "type[HotHttp]":
    """The class to give to uvicorn as `http=`, bound to these hot timelines."""
    rendered = problems.render(Overloaded("more requests wait than this process can answer in time"))
    headers = [("content-type", problems.PROBLEM_JSON), ("content-length", str(len(rendered.body))), *rendered.headers]
    lines = "".join(f"{name.lower()}: {value}\r\n" for name, value in headers).encode()
    refusal = DEFAULT_HEADERS + lines + b"\r\n" + rendered.body
    return type("BoundHotHttp", (HotHttp,), {"hot": hot, "late": late, "refusal": refusal})


class HotHttp(HttpProtocol):
    """A request is hot if it is a plain GET of a hot path, alone on its connection, whose client reads."""

    hot: ClassVar[HotTimelines]
    late: ClassVar[LateLoop]
    refusal: ClassVar[bytes]
    _answered = False
    _dates: "list[tuple[bytes, bytes]] | None" = None
    _date = b""

    def on_message_begin(self) -> None:
        # The scope costs 2 µs: it is made once the request turns out not to be hot.
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_headers_complete(self) -> None:
        if self.url.startswith(PATH) and self._may_be_answered_here(b"GET"):
            answer = self.hot.answer(self.url, self.headers, self._date_line())
            if answer is not None:
                self._answered = True
                self.transport.write(answer)
                return
        if self.late.is_crowded and not self.url.startswith(ALWAYS) and self._may_be_answered_here(*REFUSED_HERE):
            self.late.refused += 1
            self._answered = True
            self.transport.write(b"HTTP/1.1 503 Service Unavailable\r\n" + self._date_line() + self.refusal)
            return
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers.extend(headers)
        # What is sent before an answer came stands in uvicorn's own queue, and may never have its turn.
        if not self.parser.should_upgrade() and (self.cycle is None or self.cycle.response_complete):
            self.late.waiting += 1
            cast("dict[str, object]", self.scope)[WAITS] = True
        super().on_headers_complete()

    def _may_be_answered_here(self, *methods: bytes) -> bool:
        parser, cycle = self.parser, self.cycle
        return (
            parser.get_method() in methods
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
