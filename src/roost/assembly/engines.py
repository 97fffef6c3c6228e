"""All ports of one node, filled: what an assembly of adapters hands on to the rest of the assembly."""

from collections.abc import Callable
from dataclasses import dataclass

from roost.ports.accounts import AccountStore, OneTimeTokenStore, SessionStore
from roost.ports.celebrities import CelebrityStore
from roost.ports.clock import Clock, Randomness
from roost.ports.content_bytes import ContentBytes, Uploads
from roost.ports.contents import ContentStore
from roost.ports.counts import CountStore
from roost.ports.errands import Errands
from roost.ports.ids import IdSource
from roost.ports.index import TweetIndex, UserIndex
from roost.ports.language import LanguageDetector
from roost.ports.likes import LikeStore
from roost.ports.log import EventLog
from roost.ports.mail import Mailer
from roost.ports.media import MediaProcessor
from roost.ports.notifications import NotificationStore
from roost.ports.passwords import PasswordHasher
from roost.ports.relations import RelationStore
from roost.ports.reports import ReportStore
from roost.ports.tweets import TweetStore
from roost.ports.used_tickets import UsedTickets


@dataclass(frozen=True, slots=True)
class Stores:
    """The system of record, and the views that live beside it."""

    accounts: AccountStore
    sessions: SessionStore
    tokens: OneTimeTokenStore
    tweets: TweetStore
    relations: RelationStore
    likes: LikeStore
    notifications: NotificationStore
    counts: CountStore
    celebrities: CelebrityStore
    contents: ContentStore
    reports: ReportStore


@dataclass(frozen=True, slots=True)
class Engines:
    """Everything from outside the core. `signing_key` signs content addresses.

    `is_writing`: whether a thread of this process is at work on writes that somebody waits for.
    `used_tickets` where several workers hand out tickets; who serves alone remembers them himself.
    `is_current`: whether what other processes wrote has come here; else nothing that was kept may be believed.
    """

    stores: Stores
    log: EventLog
    tweet_index: TweetIndex
    user_index: UserIndex
    content_bytes: ContentBytes
    uploads: Uploads
    media: MediaProcessor
    mailer: Mailer
    passwords: PasswordHasher
    language: LanguageDetector
    clock: Clock
    randomness: Randomness
    errands: Errands
    ids: IdSource
    signing_key: bytes
    used_tickets: UsedTickets | None = None
    is_writing: Callable[[], bool] = lambda: False
    is_current: Callable[[], bool] | None = None
