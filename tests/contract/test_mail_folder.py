"""What the folder of mails promises beside the Mailer contract."""

from pathlib import Path

import pytest
import structlog

from contract.test_mail import MAIL, read_mail, sender
from roost.adapters.mail.folder import FolderMailer
from roost.domain.errors import DependencyDown
from roost.ports.mail import Mail


def files_in(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


async def test_each_mail_is_one_whole_file_that_only_its_owner_may_read(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "mail"
    mailer = FolderMailer(folder, sender())
    await mailer.send(MAIL)
    (path,) = files_in(folder)
    assert path.suffix == ".eml"
    assert (mode_of(path), mode_of(folder)) == (0o600, 0o700)


async def test_the_path_is_logged_and_neither_text_nor_address_is(tmp_path: Path) -> None:
    mailer = FolderMailer(tmp_path, sender())
    with structlog.testing.capture_logs() as lines:
        await mailer.send(MAIL)
    (path,) = files_in(tmp_path)
    assert lines == [{"event": "mail written", "log_level": "info", "path": str(path), "subject": MAIL.subject}]


async def test_the_oldest_mails_go_when_the_folder_is_full(tmp_path: Path) -> None:
    source = sender()
    mailer = FolderMailer(tmp_path, source, mails_max=3)
    for number in range(5):
        await mailer.send(Mail("ada@example.org", f"Mail {number}", "text"))
        source.clock.advance(1)  # type: ignore[attr-defined]  # `sender` gives it a manual clock
    subjects = [read_mail(path.read_bytes()).subject for path in files_in(tmp_path)]
    assert subjects == ["Mail 2", "Mail 3", "Mail 4"]


async def test_what_a_crash_left_half_written_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / "000000000000001-aa.part").write_bytes(b"From: hal")
    (tmp_path / "notes.txt").write_text("the operator's own")
    FolderMailer(tmp_path, sender())
    assert [path.name for path in files_in(tmp_path)] == ["notes.txt"]


async def test_a_folder_that_is_gone_is_unavailable_and_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    mailer = FolderMailer(folder, sender())
    folder.rmdir()
    with pytest.raises(DependencyDown, match="No such file"):
        await mailer.send(MAIL)
    folder.mkdir()
    await mailer.send(MAIL)
    assert len(files_in(folder)) == 1
