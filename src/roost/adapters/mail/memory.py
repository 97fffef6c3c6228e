"""Mails kept in memory: for tests."""

from collections import deque

from roost.ports.mail import Mail

MAILS_MAX = 1_000


class MemoryMailer:
    """`sent` holds the newest MAILS_MAX mails, oldest first."""

    def __init__(self) -> None:
        self.sent: deque[Mail] = deque(maxlen=MAILS_MAX)

    async def send(self, mail: Mail) -> None:
        self.sent.append(mail)
