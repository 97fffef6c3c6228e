"""A small real SMTP server on the loopback: takes mails, or misbehaves as told."""

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

# A key that everybody may know, for localhost alone, valid for a hundred years.
CERTIFICATE = Path(__file__).with_name("localhost_for_tests.pem")


@dataclass
class SmtpServer:
    """`mails` holds (envelope recipients, bytes) of what was taken, `said` every command as it came."""

    starttls: bool = False
    login: tuple[str, str] | None = None
    recipient_reply: str = "250 fine"
    end_of_data_reply: str = "250 taken"
    hangs: bool = False
    hangs_up: bool = False
    port: int = 0
    mails: list[tuple[list[str], bytes]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    secure_when_authenticated: bool | None = None

    @contextlib.asynccontextmanager
    async def serve(self, *, tls: bool = False) -> AsyncIterator["SmtpServer"]:
        conversations: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

        # Not a coroutine: so that a connection is known here before anything else can happen.
        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            conversations[asyncio.create_task(self._converse_and_close(reader, writer))] = writer

        server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=server_tls() if tls else None)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            await server.wait_closed()
            for task, writer in conversations.items():
                task.cancel()
                writer.transport.abort()
            await asyncio.gather(*conversations, return_exceptions=True)

    async def _converse_and_close(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            await self._converse(reader, writer)
        writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.hangs_up:
            return
        if self.hangs:
            await reader.read()
            return
        writer.write(b"220 localhost ready\r\n")
        recipients: list[str] = []
        while line := (await reader.readline()).decode().rstrip("\r\n"):
            self.said.append(line)
            verb, _, rest = line.partition(" ")
            if verb.upper() == "QUIT":
                writer.write(b"221 bye\r\n")
                await writer.drain()
                return
            reply = self._reply(verb.upper(), rest, writer)
            if verb.upper() == "RCPT" and reply.startswith("250"):
                recipients.append(rest.partition("<")[2].partition(">")[0])
            writer.write(f"{reply}\r\n".encode())
            await writer.drain()
            if verb.upper() == "STARTTLS":
                await writer.start_tls(server_tls())
            elif verb.upper() == "DATA":
                await self._take(reader, writer, recipients)
                recipients = []

    def _reply(self, verb: str, rest: str, writer: asyncio.StreamWriter) -> str:
        secure = writer.get_extra_info("ssl_object") is not None
        if verb == "EHLO":
            offers = ["localhost", *(["STARTTLS"] if self.starttls and not secure else [])]
            offers += ["AUTH PLAIN"] if self.login else []
            return "\r\n".join(f"250-{offer}" for offer in offers) + "\r\n250 8BITMIME"
        if verb == "AUTH":
            self.secure_when_authenticated = secure
            _, username, password = base64.b64decode(rest.partition(" ")[2]).decode().split("\0")
            return "235 welcome" if (username, password) == self.login else "535 no"
        return {"MAIL": "250 fine", "RCPT": self.recipient_reply, "DATA": "354 go on", "STARTTLS": "220 go on"}.get(
            verb, "502 unknown"
        )

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, recipients: list[str]) -> None:
        lines: list[bytes] = []
        while (line := await reader.readline()) not in {b".\r\n", b""}:
            lines.append(line.removeprefix(b"."))
        if self.end_of_data_reply.startswith("250"):
            self.mails.append((recipients, b"".join(lines)))
        writer.write(f"{self.end_of_data_reply}\r\n".encode())
        await writer.drain()


def server_tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


def trusting_tls() -> ssl.SSLContext:
    """A client's context that trusts the test's certificate and nothing else."""
    context = ssl.create_default_context(cafile=str(CERTIFICATE))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
