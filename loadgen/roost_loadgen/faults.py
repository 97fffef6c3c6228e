"""What can end a load, each with one line for the person at the terminal.

LoadFailed
├── BadInput        a file is missing or a line of it is not what it should be
├── Unreachable     nothing answers at the address, or it stopped answering
├── Rejected        the server answered with a problem that repeating cannot cure
└── OutOfPatience   refused or lost as often as the bounds allow
"""


class LoadFailed(Exception):
    """Base of all; `str()` is the line to print."""


class BadInput(LoadFailed):
    """A file is missing or malformed."""


class Unreachable(LoadFailed):
    """No connection to the server."""


class Rejected(LoadFailed):
    """An answer that is no success and no reason to wait."""

    def __init__(self, what: str, status: int, detail: str) -> None:
        super().__init__(f"{what}: the server answered {status}: {detail}")
        self.status = status


class OutOfPatience(LoadFailed):
    """Tried as often as allowed."""
