"""The single-process form: every port on files and memory."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import unquote, urlsplit

from roost.adapters.clock.mint import Mint
from roost.adapters.clock.system import SystemClock, SystemRandomness
from roost.adapters.content.obstore_bytes import local_bytes
from roost.adapters.content.upload_folder import UploadFolder
from roost.adapters.errands.in_process import InProcessErrands
from roost.adapters.index.sqlite.file import SearchFile
from roost.adapters.index.sqlite.tweets import SqliteTweetIndex
from roost.adapters.index.sqlite.users import SqliteUserIndex
from roost.adapters.language.fasttext_detector import FastTextLanguageDetector
from roost.adapters.log.sqlite import SqliteEventLog
from roost.adapters.mail import Sender
from roost.adapters.mail.folder import FolderMailer
from roost.adapters.mail.smtp import Security, SmtpHost, SmtpMailer
from roost.adapters.media.child_process.processor import ChildProcessor
from roost.adapters.passwords.argon2id import Argon2idPasswords, engine_of
from roost.adapters.sqlite_file import SqliteFile
from roost.adapters.store.sqlite import (
    accounts,
    celebrities,
    contents,
    counts,
    likes,
    notifications,
    relations,
    reports,
    sessions,
    tweets,
    used_tickets,
)
from roost.assembly.data_folder import DataFolder
from roost.assembly.engines import Engines, Stores
from roost.assembly.seat import Seat
from roost.assembly.settings import BadSetting, Settings
from roost.domain.events import Event, TweetPosted
from roost.domain.ids import ms_of
from roost.ports.clock import Clock, Randomness
from roost.ports.mail import Mailer

SCHEMAS = tuple(
    store.SCHEMA
    for store in (
        *(accounts, sessions, tweets, relations, likes, notifications, counts, celebrities, contents, reports),
        used_tickets,
    )
)
ONLY_NODE = 0
"""Of a process that serves alone; workers are numbered by their parent, so no number needs a lease."""
_SMTP_SCHEMES: dict[str, tuple[Security, int]] = {"smtp": ("starttls", 587), "smtps": ("tls", 465)}


@asynccontextmanager
async def open_file(folder: DataFolder, clock: Clock, synchronous: str) -> AsyncIterator[SqliteFile]:
    """The database alone. Raises DependencyDown where it cannot be opened."""
    file = await SqliteFile(folder.database, clock.now_ms, synchronous.upper()).open(*SCHEMAS)
    try:
        yield file
    finally:
        await file.close()


def stores_over(file: SqliteFile) -> Stores:
    """The system of record in one SQLite file."""
    return Stores(
        accounts=accounts.SqliteAccountStore(file),
        sessions=sessions.SqliteSessionStore(file),
        tokens=sessions.SqliteOneTimeTokenStore(file),
        tweets=tweets.SqliteTweetStore(file),
        relations=relations.SqliteRelationStore(file),
        likes=likes.SqliteLikeStore(file),
        notifications=notifications.SqliteNotificationStore(file),
        counts=counts.SqliteCountStore(file),
        celebrities=celebrities.SqliteCelebrityStore(file),
        contents=contents.SqliteContentStore(file),
        reports=reports.SqliteReportStore(file),
    )


@asynccontextmanager
async def open_embedded(settings: Settings, folder: DataFolder, seat: Seat | None = None) -> AsyncIterator[Engines]:
    """All engines of one process over one folder, closed in the order that loses nothing. `seat` is for a worker
    that serves it together with others.
    """
    clock, randomness = SystemClock(), SystemRandomness()
    async with AsyncExitStack() as stack:
        file = await stack.enter_async_context(open_file(folder, clock, settings.synchronous))
        mint = Mint(clock, ONLY_NODE if seat is None else seat.number, _newest_ms(file))
        log = await stack.enter_async_context(_opened_log(file, seat, mint))
        search = SearchFile(folder.search)
        stack.push_async_callback(search.close)
        hasher = passwords(settings)
        stack.callback(hasher.close)
        language = FastTextLanguageDetector()
        # Off the loop, and not waited for: the first tweet would else wait 0.3 s for the model.
        loading = asyncio.ensure_future(asyncio.to_thread(language.load))
        stack.push_async_callback(asyncio.wait, [loading])
        errands = await stack.enter_async_context(InProcessErrands())
        stores = stores_over(file)
        media = ChildProcessor()
        stack.push_async_callback(media.close)
        yield Engines(
            stores=stores,
            log=log,
            tweet_index=SqliteTweetIndex(search, clock),
            user_index=SqliteUserIndex(search),
            content_bytes=local_bytes(folder.content),
            uploads=UploadFolder(folder.uploads if seat is None else folder.uploads / str(seat.number)),
            media=media,
            mailer=mailer(settings, folder, clock, randomness),
            passwords=hasher,
            language=language,
            clock=clock,
            randomness=randomness,
            errands=errands,
            ids=mint,
            signing_key=folder.signing_key(),
            used_tickets=None if seat is None else used_tickets.SqliteUsedTickets(file),
            is_writing=file.is_writing,
        )


@asynccontextmanager
async def _opened_log(file: SqliteFile, seat: Seat | None, mint: Mint) -> AsyncIterator[SqliteEventLog]:
    if seat is None:
        log = await SqliteEventLog(file).open()
    else:
        file.on_commit(seat.bell.ring)  # first: the others need not wait until this worker has looked itself
        log = await SqliteEventLog(file, note=_noter(seat, mint)).open()
        seat.bell.hear(log.look)
    try:
        yield log
    finally:
        if seat is not None:
            seat.bell.deafen()
        await log.close()


def _noter(seat: Seat, mint: Mint) -> Callable[[int, Event], None]:
    def note(seq: int, event: Event) -> None:
        seat.board.note(seq, event)
        if isinstance(event, TweetPosted):
            mint.heard(event.author_id, event.tweet_id)

    return note


def _newest_ms(file: SqliteFile) -> int:
    """About the time of the newest row, whatever the clock says now: where the mint goes on from.

    Exact for tweets and users; other versions were announced, and the log's newest row tells when.
    """
    queries = (
        "SELECT max(tweet_id) FROM tweets",
        "SELECT max(user_id) FROM users",
    )
    ids: list[int] = [id for query in queries for (id,) in file.rows(query) if id is not None]
    logged: list[tuple[int]] = file.rows("SELECT at_ms FROM log ORDER BY seq DESC LIMIT 1")
    return max([0, *(ms_of(id) for id in ids), *(at_ms for (at_ms,) in logged)])


def passwords(settings: Settings) -> Argon2idPasswords:
    """To be closed."""
    cheap = settings.password_cost == "low"  # noqa: S105 - a cost, not a password
    return Argon2idPasswords(engine_of("low" if cheap else "standard"))


def mailer(settings: Settings, folder: DataFolder, clock: Clock, randomness: Randomness) -> Mailer:
    """Into a folder where no server of mails is named. Raises BadSetting."""
    sender = Sender(settings.mail_from, clock, randomness)
    if not settings.smtp_url:
        return FolderMailer(folder.mails, sender)
    url = urlsplit(settings.smtp_url)
    if url.scheme not in _SMTP_SCHEMES or not url.hostname:
        raise BadSetting("smtp_url: not of the form smtp[s]://user:password@host:port")
    security, port = _SMTP_SCHEMES[url.scheme]
    username = None if url.username is None else unquote(url.username)
    password = None if url.password is None else unquote(url.password)
    try:
        return SmtpMailer(SmtpHost(url.hostname, url.port or port, security, username, password), sender)
    except ValueError as error:
        raise BadSetting(f"smtp_url: {error}") from error
