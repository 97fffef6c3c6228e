"""Listening sockets: one for a process alone; for workers one each, among which the kernel spreads connections."""

import socket

from roost.assembly.settings import Settings


class CannotServe(Exception):
    """One line that says why, and what to do."""


def listen(settings: Settings) -> socket.socket:
    """The listening socket, before anything else is opened: a port in use is said at once."""
    listening = _blank(settings.host)
    try:
        listening.bind((settings.host, settings.port))
    except OSError as error:
        listening.close()
        raise CannotServe(f"cannot listen on {settings.host} port {settings.port}: {error.strerror}") from error
    return listening


def listen_beside(first: socket.socket) -> socket.socket:
    """One more socket on the address of `first`, which has let others of this user in by `let_others_in`.

    A connection belongs to the listening socket that the hash of its addresses names: each worker gets its share, and
    a worker that has died none.
    """
    another = _blank(first.getsockname()[0])
    another.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    another.bind(first.getsockname())
    return another


def let_others_in(first: socket.socket) -> None:
    """After its bind, not before: else two roosts on the same port would share its connections without a word."""
    first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)


def address_of(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _blank(host: str) -> socket.socket:
    blank = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    blank.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    blank.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return blank
