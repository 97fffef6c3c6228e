"""What a socket owes, over a transport in memory that pauses and resumes as a loop's does."""

import asyncio
from collections.abc import Callable, Iterator

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from roost.edge.live.frames import Frame, text_frame
from roost.edge.live.hub import Hub
from roost.edge.live.limits import Limits
from roost.edge.live.outbox import Outbox

LIMITS = Limits(
    tick_ms=3_600_000,  # the tests tick
    owed_frames_max=6,
    owed_bytes_max=400,
    answers_owed_max=4,
    write_buffer_bytes_max=100,
)
MESSAGE_BYTES_MAX = 60
GAP = "gap"


class Pipe(asyncio.Transport):
    """A transport whose other end reads when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.outbox: Outbox
        self.waiting = bytearray()
        self.arrived = bytearray()
        self.closing = False

    def is_closing(self) -> bool:
        return self.closing

    def write(self, data: object) -> None:
        assert not self.closing, "uvloop raises"
        assert isinstance(data, bytes)
        self.waiting += data
        if len(self.waiting) > LIMITS.write_buffer_bytes_max:
            self.outbox.paused = True

    def read(self) -> None:
        self.arrived += self.waiting
        self.waiting.clear()
        if self.outbox.paused:
            self.outbox.resume()

    def abort(self) -> None:
        self.closing = True

    def messages(self) -> Iterator[str]:
        data = bytes(self.arrived)
        while data:
            size = data[1]
            yield data[2 : 2 + size].decode()
            data = data[2 + size :]


class OutboxUnderLoad(RuleBasedStateMachine):
    """Answers come all, pushes where no gap stands for them, and all of it in the order it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.hub = Hub(LIMITS)
        self.pipe = Pipe()
        self.outbox = self.pipe.outbox = Outbox(self.pipe, self.hub, lambda: text_frame(GAP.encode()))
        self.pushed: list[int] = []
        self.answered: list[int] = []
        self.refused = False
        self.skips = 0
        self.resumes = 0

    def within_the_loop(self, act: Callable[[], object]) -> object:
        async def acting() -> object:
            return act()

        return self.runner.run(acting())

    def message(self, padding: int) -> tuple[int, Frame]:
        number = len(self.pushed) + len(self.answered) + 1
        text = f"{number:04}".ljust(padding, ".")
        return number, text_frame(text.encode())

    @rule(padding=st.integers(4, MESSAGE_BYTES_MAX))
    def push(self, padding: int) -> None:
        number, frame = self.message(padding)
        self.pushed.append(number)
        self.within_the_loop(lambda: self.outbox.push(frame))

    @rule(padding=st.integers(4, MESSAGE_BYTES_MAX))
    def answer(self, padding: int) -> None:
        number, frame = self.message(padding)
        if self.within_the_loop(lambda: self.outbox.answer(frame)):
            self.answered.append(number)
        else:
            assert self.outbox.paused, "only who does not read is refused"

    @rule()
    def skip(self) -> None:
        self.skips += 1
        self.within_the_loop(self.outbox.skip)

    @rule()
    def tick(self) -> None:
        self.within_the_loop(self.outbox.flush_due)

    @rule()
    def read(self) -> None:
        self.resumes += self.outbox.paused
        self.within_the_loop(self.pipe.read)

    @invariant()
    def nothing_grows_beyond_its_bound(self) -> None:
        slack = MESSAGE_BYTES_MAX + 2
        assert self.outbox.owed_bytes <= LIMITS.owed_bytes_max + slack
        most = LIMITS.write_buffer_bytes_max + LIMITS.owed_bytes_max + 2 * slack
        assert len(self.pipe.waiting) <= most

    def teardown(self) -> None:
        try:
            self.read()
            self.tick()
            while self.outbox.paused or self.pipe.waiting:
                self.read()
            self.judge()
        finally:
            self.runner.close()

    def judge(self) -> None:
        arrived = [0 if text == GAP else int(text[:4]) for text in self.pipe.messages()]
        numbers = [n for n in arrived if n]
        assert numbers == sorted(set(numbers)), "in order, each once"
        assert [n for n in numbers if n in set(self.answered)] == self.answered

        lost = set(self.pushed) - set(numbers)
        before = 0
        gap_since = False
        for number in [*arrived, max([*self.pushed, 0]) + 1]:
            if number == 0:
                gap_since = True
            elif number not in self.answered:
                missing = [n for n in self.pushed if before < n < number and n in lost]
                assert gap_since or not missing, f"{missing} are missing and no gap says so"
                before, gap_since = number, False
        gaps = arrived.count(0)
        assert gaps == self.hub.counts.gaps
        assert gaps <= self.skips + self.resumes, "one gap a stall"
        assert len(lost) == 0 or gaps > 0


OutboxUnderLoad.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
test_an_outbox_under_load = OutboxUnderLoad.TestCase


async def test_the_clock_flushes_what_is_owed_and_stands_still_when_nothing_is() -> None:
    hub = Hub(Limits(tick_ms=8))
    pipes = [Pipe() for _ in range(20)]
    for pipe in pipes:
        pipe.outbox = Outbox(pipe, hub, lambda: text_frame(b"gap"))
    for word in (b"one", b"two"):
        for pipe in pipes:
            pipe.outbox.push(text_frame(word))
            pipe.outbox.push(text_frame(word))
        await _still(hub)
        assert all(pipe.waiting == text_frame(word) * 2 for pipe in pipes)
        for pipe in pipes:
            pipe.read()


async def test_a_socket_that_cannot_be_flushed_is_cut_off_and_the_others_are_flushed() -> None:
    hub = Hub(Limits(tick_ms=8, slices=1))
    pipes = [Pipe() for _ in range(3)]
    for pipe in pipes:
        pipe.outbox = Outbox(pipe, hub, lambda: text_frame(b"gap"))
        pipe.outbox.push(text_frame(b"hi"))
    pipes[1].waiting = memoryview(b"read only")  # type: ignore[assignment]  # so that a write raises
    await _still(hub)
    assert [pipe.closing for pipe in pipes] == [False, True, False]
    assert [bytes(pipes[n].waiting) for n in (0, 2)] == [text_frame(b"hi")] * 2


async def _still(hub: Hub) -> None:
    async with asyncio.timeout(5):
        while hub.is_ticking:  # noqa: ASYNC110  nothing announces it
            await asyncio.sleep(0.001)
