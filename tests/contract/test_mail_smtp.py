"""What the SMTP adapter promises beside the Mailer contract: TLS, log-in, refusals and deadlines."""

import asyncio

import pytest

from contract.smtp_server import SmtpServer, trusting_tls
from contract.test_mail import MAIL, read_mail, sender
from roost.adapters.mail.smtp import CONNECTIONS_MAX, Security, SmtpHost, SmtpMailer
from roost.domain.errors import DependencyDown, Invalid, Overloaded

LOGIN = ("roost", "open sesame")


def mailer_to(server: SmtpServer, *, security: Security = "none", waiting_max: int = 100) -> SmtpMailer:
    username, password = (None, None) if security == "none" else LOGIN
    host = SmtpHost("localhost", server.port, security, username, password, trusting_tls())
    return SmtpMailer(host, sender(), waiting_max=waiting_max)


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_mail_goes_over_tls_after_a_log_in(security: Security) -> None:
    async with SmtpServer(starttls=True, login=LOGIN).serve(tls=security == "tls") as server:
        await mailer_to(server, security=security).send(MAIL)
    ((recipients, content),) = server.mails
    assert recipients == [MAIL.to]
    assert read_mail(content) == MAIL
    assert server.secure_when_authenticated is True
    assert "EHLO roost.example" in server.said


async def test_a_host_without_starttls_gets_neither_password_nor_mail() -> None:
    async with SmtpServer(login=LOGIN).serve() as server:
        with pytest.raises(DependencyDown):
            await mailer_to(server, security="starttls").send(MAIL)
    assert {line.partition(" ")[0] for line in server.said} <= {"EHLO", "QUIT"}


async def test_a_host_whose_certificate_is_not_trusted_gets_nothing() -> None:
    async with SmtpServer(login=LOGIN).serve(tls=True) as server:
        host = SmtpHost("localhost", server.port, "tls", *LOGIN)
        with pytest.raises(DependencyDown):
            await SmtpMailer(host, sender()).send(MAIL)
    assert server.said == []


async def test_a_wrong_log_in_is_unavailable_and_its_password_is_not_told() -> None:
    async with SmtpServer(starttls=True, login=("roost", "another")).serve() as server:
        with pytest.raises(DependencyDown, match="SMTPAuthenticationError 535") as down:
            await mailer_to(server, security="starttls").send(MAIL)
    assert LOGIN[1] not in str(down.value) + repr(SmtpHost("h", 1, "tls", *LOGIN))


async def test_an_address_refused_for_good_is_invalid() -> None:
    async with SmtpServer(recipient_reply="550 no such user").serve() as server:
        with pytest.raises(Invalid, match="refuses this address for good") as refused:
            await mailer_to(server).send(MAIL)
    assert [wrong.field for wrong in refused.value.fields] == ["email"]


@pytest.mark.parametrize(
    "server",
    [
        SmtpServer(recipient_reply="450 try later"),
        SmtpServer(end_of_data_reply="451 disk full"),
        SmtpServer(end_of_data_reply="554 not today"),
        SmtpServer(hangs_up=True),
    ],
    ids=["recipient later", "no room", "content refused", "hangs up"],
)
async def test_a_host_that_does_not_take_the_mail_is_unavailable(server: SmtpServer) -> None:
    async with server.serve():
        with pytest.raises(DependencyDown):
            await mailer_to(server).send(MAIL)
    assert server.mails == []


async def test_a_host_that_is_not_there_is_unavailable() -> None:
    async with SmtpServer().serve() as server:
        pass
    with pytest.raises(DependencyDown):
        await mailer_to(server).send(MAIL)


async def test_a_host_that_hangs_is_unavailable_after_the_deadline() -> None:
    async with SmtpServer(hangs=True).serve() as server:
        host = SmtpHost("127.0.0.1", server.port, "none", deadline_s=0.05)
        with pytest.raises(DependencyDown, match=r"within 0\.05 s"):
            await SmtpMailer(host, sender()).send(MAIL)


async def test_more_mails_than_may_wait_are_refused_at_once() -> None:
    async with SmtpServer(hangs=True).serve() as server:
        mailer = mailer_to(server, waiting_max=1)
        waiting = [asyncio.create_task(mailer.send(MAIL)) for _ in range(CONNECTIONS_MAX + 1)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded, match="5 mails are waiting, at most 5 may"):
            await mailer.send(MAIL)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        server.hangs = False
        await mailer.send(MAIL)
    assert len(server.mails) == 1


@pytest.mark.parametrize(
    ("security", "username", "password"), [("none", "roost", "x"), ("tls", "roost", None), ("tls", None, "x")]
)
def test_a_log_in_that_is_half_given_or_not_protected_is_refused(
    security: Security, username: str | None, password: str | None
) -> None:
    with pytest.raises(ValueError, match="SMTP log-in"):
        SmtpHost("mail.example.org", 25, security, username, password)
