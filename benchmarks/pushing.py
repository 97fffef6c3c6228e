"""600 tweets a second to 200 followers each over 2,000 sockets: how soon they come; what an idle socket costs.

    python benchmarks/pushing.py [--workers N] [--seconds S] [--idle N]

Sockets and latencies are a client's in C (clients/sockets.c); every tweet carries the time at which it was due, so the
latency is from the author's send to the follower's receipt, and a late send counts. Nothing may be lost. Reference: the
same frames sent over as many plain connections by a loop of this program, without WebSockets, users or rules.
"""

import argparse
import random
import selectors
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from harness import homes
from harness.figures import Report
from harness.load import Pushes, client, write_lines
from harness.servers import Server, allow_open_files, roost
from harness.town import Person, messages, town

RATE_PER_S = 600
FRAME_BYTES = 760
"""About what a push of these tweets takes."""
REFERENCE_S = 2.0


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--workers", type=int, default=1)
    arguments.add_argument("--seconds", type=float, default=8.0)
    arguments.add_argument("--rate", type=float, default=RATE_PER_S)
    arguments.add_argument("--idle", type=int, default=9_000, help="idle sockets whose memory is measured")
    given = arguments.parse_args()
    report = Report("pushing", {"workers": given.workers, "rate": f"{given.rate:g}"})
    with town(homes.plan()) as there, tempfile.TemporaryDirectory() as scratch:
        with roost(there.data, workers=given.workers, settings=homes.SETTINGS) as server:
            pushing(report, server, there.people, Path(scratch), given.seconds, given.rate)
        report.add("bare sends", "pushes", "1/s a core", bare_sends())
        with roost(there.data, workers=given.workers, settings=homes.SETTINGS) as server:
            idle(report, server, there.people, Path(scratch), given.idle)


def pushing(
    report: Report, server: Server, people: Sequence[Person], scratch: Path, seconds: float, rate: float
) -> None:
    readers, authors = homes.readers(people), homes.authors(people)
    lines = [*(f"L\t{one.token}" for one in readers), *(f"A\t{one.token}" for one in authors)]
    count = int(seconds * rate)
    expected = count * homes.FOLLOWERS_OF_AUTHOR
    case = f"{rate:g} tweets/s, {len(readers)} sockets"
    with sockets(server, scratch, lines, _tweets(count), seconds, rate) as process:
        before_s = server.cpu_s()
        result = _told(process, expected)
        cpu_us = (server.cpu_s() - before_s) / max(result.pushes, 1) * 1e6
    report.add(case, "pushes", "pushes/s", result.pushes / result.seconds)
    report.add(case, "refused", "tweets", result.refusals)
    report.add(case, "lost of what was acknowledged", "pushes", result.acks * homes.FOLLOWERS_OF_AUTHOR - result.pushes)
    report.add(case, "gaps", "", result.gaps)
    report.add(case, "send to receipt p50", "ms", result.push.p50_ms)
    report.add(case, "send to receipt p99", "ms", result.push.p99_ms)
    report.add(case, "ack p50", "ms", result.ack.p50_ms)
    report.add(case, "ack p99", "ms", result.ack.p99_ms)
    report.add(case, "cpu a push", "us", cpu_us)


def idle(report: Report, server: Server, people: Sequence[Person], scratch: Path, count: int) -> None:
    draw = random.Random(1)
    lines = [f"L\t{draw.choice(homes.readers(people)).token}" for _ in range(count)]
    before_mb = server.memory_mb()
    with sockets(server, scratch, [*lines, f"A\t{people[0].token}"], ["0\tunused"], 0, 1):
        grown_mb = server.memory_mb() - before_mb
    report.add(f"{count} idle sockets", "memory a socket", "kB", grown_mb * 1024 / count)


@contextmanager
def sockets(
    server: Server, scratch: Path, people: Sequence[str], tweets: Sequence[str], seconds: float, rate: float
) -> "Iterator[subprocess.Popen[str]]":
    """All sockets open and greeted."""
    who, what = write_lines(scratch / "people", people), write_lines(scratch / "tweets", tweets)
    command = [str(client("sockets")), str(server.port), f"{seconds:g}", f"{rate:g}", str(who), str(what)]
    allow_open_files()
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        if not process.stdout.readline().startswith("READY"):
            raise SystemExit("not all sockets were greeted")
        yield process
    finally:
        process.kill()
        process.communicate()


def _told(process: "subprocess.Popen[str]", expected: int) -> Pushes:
    said, _ = process.communicate(f"{expected}\n")
    if process.returncode:
        raise SystemExit("the sockets' client ended early")
    return msgspec.json.decode(said, type=Pushes)


def _tweets(count: int) -> list[str]:
    return [
        f"{number % homes.AUTHORS}\t{_plain(message)}"
        for number, message in zip(range(count), messages(), strict=False)
    ]


def _plain(message: str) -> str:
    """As it may stand within a JSON string."""
    return msgspec.json.encode(message[:150]).decode()[1:-1]


def bare_sends(connections: int = 2_000) -> float:
    """Frames a second of processor time that a loop sends, one each connection after the other."""
    frame = b"x" * FRAME_BYTES
    listening = socket.create_server(("127.0.0.1", 0), backlog=connections)
    address = listening.getsockname()
    receiving: list[socket.socket] = []
    accepting = threading.Thread(target=lambda: receiving.extend(listening.accept()[0] for _ in range(connections)))
    accepting.start()
    sending = [socket.create_connection(address) for _ in range(connections)]
    accepting.join()
    stop = threading.Event()
    draining = threading.Thread(target=_drain, args=(receiving, stop))
    draining.start()
    sent, began_s = 0, time.thread_time()
    while time.thread_time() - began_s < REFERENCE_S / 2:
        for one in sending:
            one.send(frame)
        sent += connections
    rate = sent / (time.thread_time() - began_s)
    stop.set()
    draining.join()
    for one in (*sending, *receiving, listening):
        one.close()
    return rate


def _drain(receiving: Sequence[socket.socket], stop: threading.Event) -> None:
    with selectors.DefaultSelector() as selector:
        for one in receiving:
            selector.register(one, selectors.EVENT_READ)
        while not stop.is_set():
            for key, _ in selector.select(0.05):
                key.fileobj.recv(1 << 20)  # type: ignore[union-attr]  # a socket was registered


if __name__ == "__main__":
    main()
