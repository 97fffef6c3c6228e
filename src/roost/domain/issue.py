"""Issue what opens an account: sessions with their tokens, and the single-use tokens that go by mail."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from roost.domain.errors import Invalid
from roost.domain.ids import UserId
from roost.domain.tokens import TOKEN_BYTES, TokenText, hash_token, read_token, token_text
from roost.domain.user import OneTimeToken, Session, TokenPurpose, session_id_of

ONE_TIME_TOKEN_TTL_MS = 3_600_000
CLIENT_CHARACTERS_MAX = 200

RandomBytes = Callable[[int], bytes]
_SESSION_ID = re.compile(r"[0-9a-f]{24}")


@dataclass(frozen=True, slots=True)
class IssuedSession:
    """A new session with the tokens that only its holder has. A browser's has two."""

    session: Session
    token: TokenText
    csrf_token: TokenText | None = None


def issue_session(
    user_id: UserId, random: RandomBytes, now_ms: int, ttl_ms: int, client: str, *, browser: bool
) -> IssuedSession:
    """`client` is what the caller calls itself: shown to the user in the list of sessions, and cut for that."""
    token = token_text(random(TOKEN_BYTES))
    csrf_token = token_text(random(TOKEN_BYTES)) if browser else None
    session = Session(
        session_id_of(hash_token(token)),
        user_id,
        hash_token(token),
        created_ms=now_ms,
        last_used_ms=now_ms,
        expires_ms=now_ms + ttl_ms,
        client="".join(char for char in client if char.isprintable())[:CLIENT_CHARACTERS_MAX],
        csrf_hash=None if csrf_token is None else hash_token(csrf_token),
    )
    return IssuedSession(session, token, csrf_token)


def is_session_id(text: str) -> bool:
    """Whether some session could have this id: so that no look-up is spent on rubbish."""
    return _SESSION_ID.fullmatch(text) is not None


def issue_one_time_token(
    purpose: TokenPurpose, user_id: UserId, email: str, random: RandomBytes, now_ms: int
) -> tuple[OneTimeToken, TokenText]:
    """What is kept, and the text that is sent to `email` and proves it."""
    text = token_text(random(TOKEN_BYTES))
    return OneTimeToken(hash_token(text), purpose, user_id, email, now_ms + ONE_TIME_TOKEN_TTL_MS), text


def one_time_hash(text: str) -> bytes:
    """The hash of a token that a caller gave. Raises Invalid for what cannot be one."""
    token = read_token(text.strip())
    if token is None:
        raise dead_token()
    return hash_token(token)


def dead_token() -> Invalid:
    """The same words for a token that never was, was used, is too old or lost its meaning."""
    return Invalid.field("token", "the token is unknown, used, or older than 1 h")
