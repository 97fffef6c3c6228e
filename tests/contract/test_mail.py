"""The Mailer contract over every adapter, with saboteurs that lose, double, misdirect and garble."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from contract.smtp_server import SmtpServer
from roost.adapters.clock.manual import ManualClock, SeededRandomness
from roost.adapters.mail import Sender
from roost.adapters.mail.folder import FolderMailer
from roost.adapters.mail.memory import MemoryMailer
from roost.adapters.mail.smtp import SmtpHost, SmtpMailer
from roost.domain.errors import Invalid
from roost.ports.mail import SUBJECT_CHARACTERS_MAX, TEXT_CHARACTERS_MAX, Mail, Mailer

MAIL = Mail("ada@example.org", "Confirm your address", "https://roost.example/confirm?token=abc\n")


@dataclass(frozen=True)
class Post:
    """A mailer, and what arrives at the other end of it."""

    mailer: Mailer
    arrived: Callable[[], list[Mail]]


def sender() -> Sender:
    return Sender("noreply@roost.example", ManualClock(), SeededRandomness(1), name="Roost, the “bird”")


def read_mail(content: bytes) -> Mail:
    message = message_from_bytes(content, policy=policy.default)
    return Mail(str(message["To"]), str(message["Subject"]), message.get_content().replace("\r\n", "\n"))


@contextlib.asynccontextmanager
async def memory_post(_: Path) -> AsyncIterator[Post]:
    mailer = MemoryMailer()
    yield Post(mailer, lambda: list(mailer.sent))


@contextlib.asynccontextmanager
async def folder_post(folder: Path) -> AsyncIterator[Post]:
    yield Post(
        FolderMailer(folder, sender()), lambda: [read_mail(path.read_bytes()) for path in sorted(folder.iterdir())]
    )


@contextlib.asynccontextmanager
async def smtp_post(_: Path) -> AsyncIterator[Post]:
    async with SmtpServer().serve() as server:
        mailer = SmtpMailer(SmtpHost("127.0.0.1", server.port, security="none"), sender())
        yield Post(mailer, lambda: [read_mail(content) for _, content in server.mails])


POSTS = {"memory": memory_post, "folder": folder_post, "smtp": smtp_post}


@pytest.fixture(params=POSTS)
async def post(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Post]:
    async with POSTS[str(request.param)](tmp_path) as post:
        yield post


async def test_a_mail_arrives_as_it_was_written(post: Post) -> None:
    await post.mailer.send(MAIL)
    assert post.arrived() == [MAIL]


async def test_other_scripts_dots_and_long_lines_arrive_whole(post: Post) -> None:
    text = f"Здравствуйте, 你好 👋\n.\n..dots\nFrom here\n{'x' * 5_000}\n"
    mail = Mail("ada@xn--bcher-kva.example", "Пароль — 密码 🔑 " + "long " * 30 + ".", text)
    await post.mailer.send(mail)
    assert post.arrived() == [mail]


async def test_many_mails_at_once_arrive_once_each_at_their_own_address(post: Post) -> None:
    mails = [Mail(f"user{number}@example.org", f"Mail {number}", f"for user {number}\n") for number in range(20)]
    await asyncio.gather(*(post.mailer.send(mail) for mail in mails))
    assert sorted(post.arrived(), key=lambda mail: mail.to) == sorted(mails, key=lambda mail: mail.to)


class LosesEveryThird(MemoryMailer):
    count = 0

    async def send(self, mail: Mail) -> None:
        self.count += 1
        if self.count % 3:
            await super().send(mail)


class SendsTwice(MemoryMailer):
    async def send(self, mail: Mail) -> None:
        await super().send(mail)
        await super().send(mail)


class MixesUpWhoIsServedAtOnce(MemoryMailer):
    to = ""

    async def send(self, mail: Mail) -> None:
        self.to = mail.to
        await asyncio.sleep(0)
        await super().send(dataclasses.replace(mail, to=self.to))


class StopsAtALoneDot(MemoryMailer):
    async def send(self, mail: Mail) -> None:
        await super().send(dataclasses.replace(mail, text=mail.text.partition("\n.\n")[0]))


class WritesAsciiOnly(MemoryMailer):
    async def send(self, mail: Mail) -> None:
        await super().send(dataclasses.replace(mail, subject=mail.subject.encode("ascii", "replace").decode()))


@pytest.mark.parametrize(
    ("saboteur", "promise"),
    [
        (SendsTwice, test_a_mail_arrives_as_it_was_written),
        (StopsAtALoneDot, test_other_scripts_dots_and_long_lines_arrive_whole),
        (WritesAsciiOnly, test_other_scripts_dots_and_long_lines_arrive_whole),
        (LosesEveryThird, test_many_mails_at_once_arrive_once_each_at_their_own_address),
        (MixesUpWhoIsServedAtOnce, test_many_mails_at_once_arrive_once_each_at_their_own_address),
    ],
)
async def test_a_saboteur_is_caught(saboteur: type[MemoryMailer], promise: Callable[[Post], Awaitable[None]]) -> None:
    mailer = saboteur()
    with pytest.raises(AssertionError):
        await promise(Post(mailer, lambda: list(mailer.sent)))


@pytest.mark.parametrize(
    ("to", "subject", "text", "field"),
    [
        ("ada@example.org\r\nBcc: eve@example.org", "s", "t", "to"),
        ("ada@example.org, eve@example.org", "s", "t", "to"),
        ("ada@example.org,eve@example.org", "s", "t", "to"),
        ("Ada <ada@example.org>", "s", "t", "to"),
        ("ada@bücher.example", "s", "t", "to"),
        ("nobody", "s", "t", "to"),
        ("", "s", "t", "to"),
        ("ada@example.org", "s\nBcc: eve@example.org", "t", "subject"),
        ("ada@example.org", "s\u2028Bcc: eve@example.org", "t", "subject"),
        ("ada@example.org", "", "t", "subject"),
        ("ada@example.org", "s" * (SUBJECT_CHARACTERS_MAX + 1), "t", "subject"),
        ("ada@example.org", "s", "t" * (TEXT_CHARACTERS_MAX + 1), "text"),
    ],
)
def test_a_mail_that_could_add_headers_or_has_no_bounds_cannot_be_made(
    to: str, subject: str, text: str, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        Mail(to, subject, text)
    assert [wrong.field for wrong in refused.value.fields] == [field]


def test_a_composed_mail_says_who_when_and_that_no_human_sent_it() -> None:
    one, other = sender(), sender()
    message = one.compose(MAIL)
    assert str(message["From"]) == '"Roost, the “bird”" <noreply@roost.example>'
    assert str(message["Date"]) == "Fri, 15 Jan 2027 08:00:00 -0000"
    assert str(message["Auto-Submitted"]) == "auto-generated"
    assert message["Message-ID"] == other.compose(MAIL)["Message-ID"] != one.compose(MAIL)["Message-ID"]
