"""Mails written to a folder, one file each: the embedded default, for servers without a mail host."""

import asyncio
import os
from collections import deque
from pathlib import Path

import structlog

from roost.adapters.mail import Sender
from roost.domain.errors import DependencyDown
from roost.ports.mail import Mail

# About 10 MB. Older mails go: what they hold is worth nothing after an hour.
MAILS_MAX = 10_000
NAME_BYTES = 8
UNFINISHED = ".part"

_log = structlog.get_logger("roost.mail")


class FolderMailer:
    """Only the owner of the process may read the folder: the mails hold tokens."""

    def __init__(self, folder: Path, sender: Sender, *, mails_max: int = MAILS_MAX) -> None:
        self._folder = folder
        self._sender = sender
        self._mails_max = mails_max
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left_over in folder.glob(f"*{UNFINISHED}"):
            left_over.unlink(missing_ok=True)
        self._kept = deque(sorted(folder.glob("*.eml")))
        self._one_at_a_time = asyncio.Lock()

    async def send(self, mail: Mail) -> None:
        content = self._sender.compose(mail).as_bytes()
        # Names sort by time, so that the oldest are the first of the folder.
        random_part = self._sender.randomness.token_bytes(NAME_BYTES).hex()
        path = self._folder / f"{self._sender.clock.now_ms():015d}-{random_part}.eml"
        async with self._one_at_a_time:
            try:
                await asyncio.to_thread(self._write, path, content)
            except OSError as error:
                raise DependencyDown(f"the mail folder cannot be written: {error.strerror}") from error
        _log.info("mail written", path=str(path), subject=mail.subject)

    def _write(self, path: Path, content: bytes) -> None:
        """A reader of the folder finds whole mails only, also after a crash."""
        unfinished = path.with_suffix(UNFINISHED)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
        # What was there is listed once: a look at the whole folder for each mail would cost more than the mail.
        self._kept.append(path)
        while len(self._kept) > self._mails_max:
            self._kept.popleft().unlink(missing_ok=True)
