"""Mails handed to an SMTP host, over TLS and with a log-in where the settings say so."""

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import Literal

import aiosmtplib

from roost.adapters.mail import Sender
from roost.domain.errors import DependencyDown, Invalid, Overloaded
from roost.ports.mail import Mail

CONNECTIONS_MAX = 4
# With four connections and half a second a mail, the last in line waits about 12 s.
WAITING_MAX = 100
DEADLINE_S_DEFAULT = 20.0
PERMANENT = range(500, 600)

Security = Literal["none", "starttls", "tls"]


@dataclass(frozen=True, slots=True)
class SmtpHost:
    """Where and how. `tls_context` None trusts what the system trusts; certificates are always checked."""

    host: str
    port: int
    security: Security = "starttls"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls_context: ssl.SSLContext | None = field(default=None, repr=False)
    deadline_s: float = DEADLINE_S_DEFAULT

    def __post_init__(self) -> None:
        if (self.username is None) != (self.password is None):
            raise ValueError("an SMTP log-in needs both a username and a password")
        if self.username is not None and self.security == "none":
            raise ValueError("an SMTP log-in without TLS would show the password to the network")


class SmtpMailer:
    """A connection a mail, CONNECTIONS_MAX at a time, each within the deadline."""

    def __init__(self, host: SmtpHost, sender: Sender, *, waiting_max: int = WAITING_MAX) -> None:
        self._host = host
        self._sender = sender
        self._admitted = 0
        self._admitted_max = CONNECTIONS_MAX + waiting_max
        self._connections = asyncio.Semaphore(CONNECTIONS_MAX)

    async def send(self, mail: Mail) -> None:
        if self._admitted >= self._admitted_max:
            raise Overloaded(f"{self._admitted} mails are waiting, at most {self._admitted_max} may")
        self._admitted += 1
        try:
            async with self._connections:
                await self._hand_over(mail)
        finally:
            self._admitted -= 1

    async def _hand_over(self, mail: Mail) -> None:
        host = self._host
        try:
            # The library's timeout is a step's; the deadline is the whole conversation's.
            async with asyncio.timeout(host.deadline_s):
                await aiosmtplib.send(
                    self._sender.compose(mail),
                    hostname=host.host,
                    port=host.port,
                    # Said in the greeting; the library's default would ask the DNS and block the loop.
                    local_hostname=self._sender.domain,
                    use_tls=host.security == "tls",
                    start_tls=host.security == "starttls",
                    username=host.username,
                    password=host.password,
                    tls_context=host.tls_context,
                    timeout=host.deadline_s,
                )
        except TimeoutError as error:
            raise DependencyDown(f"the mail host did not answer within {host.deadline_s:g} s") from error
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _refusal(error) from error
        except (aiosmtplib.SMTPException, ssl.SSLError, OSError) as error:
            raise DependencyDown(f"the mail host did not take the mail: {_fact(error)}") from error


def _refusal(error: aiosmtplib.SMTPRecipientsRefused) -> Invalid | DependencyDown:
    first = error.recipients[0]
    if first.code in PERMANENT:
        return Invalid.field("email", f"the mail host refuses this address for good ({first.code})")
    return DependencyDown(f"the mail host does not take mail for this address now ({first.code})")


def _fact(error: Exception) -> str:
    """A reply code or the kind of error: a host's words may hold what callers should not see."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"{type(error).__name__} {error.code}"
    return type(error).__name__
