"""Every bound of the WebSocket transport, with its unit and its reason."""

from dataclasses import dataclass

SWEEPS_PER_PING = 4  # silence is counted in sweeps: a ping comes at most a quarter of `ping_after_s` late


@dataclass(frozen=True, slots=True)
class Limits:
    """What one process and one socket may hold, and for how long.

    A socket that does not read costs at most `owed_bytes_max` + `write_buffer_bytes_max` + one flush
    of user memory and twice `send_buffer_bytes` in the kernel.
    """

    sockets_max: int = 50_000  # about 10 KB each while idle; beyond it 503

    tick_ms: float = 50.0  # pushes to one socket are coalesced for this long
    slices: int = 8  # parts of a tick, so that a flush never holds the loop for long

    request_bytes_max: int = 16_384  # the upgrade request with all its headers
    handshake_s: float = 5.0  # how long the door may think
    read_bytes_max: int = 4_096  # a gulp: else a quick sender makes picows' buffer grow without end
    message_bytes_max: int = 65_536  # one text message, over all its fragments

    owed_frames_max: int = 512
    owed_bytes_max: int = 131_072
    answers_owed_max: int = 256  # answers are never dropped: a socket that owes more is closed
    write_buffer_bytes_max: int = 65_536  # the transport's high-water mark, where a flush stops
    send_buffer_bytes: int = 131_072  # SO_SNDBUF: without it the kernel keeps up to 4 MB a slow reader

    in_flight_max: int = 32  # messages of one socket that the session is still answering
    backlog_max: int = 1_024  # messages beyond that which came in one gulp, before reading was paused

    ping_after_s: float = 20.0  # of silence
    idle_s: float = 60.0  # of silence, unanswered pings included
    drain_s: float = 3.0  # how long a node on its way out waits for answers in flight
    close_wait_s: float = 1.0  # how long a closed socket may take to read its last bytes

    def __post_init__(self) -> None:
        if min(self.tick_ms, self.ping_after_s, self.handshake_s, self.close_wait_s) <= 0:
            raise ValueError("times must be positive")
        if min(self.slices, self.in_flight_max, self.owed_frames_max, self.answers_owed_max) < 1:
            raise ValueError("counts must be at least 1")
        if self.idle_s < self.ping_after_s:
            raise ValueError("idle_s must not be shorter than ping_after_s")

    @property
    def sweep_s(self) -> float:
        return self.ping_after_s / SWEEPS_PER_PING

    @property
    def sweeps_to_idle(self) -> int:
        return max(SWEEPS_PER_PING, round(self.idle_s / self.sweep_s))
