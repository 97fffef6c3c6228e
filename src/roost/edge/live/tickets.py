"""Tickets that open a socket for a browser, which cannot send a header with it.

edge.native.tickets -> Tickets.issue … Tickets.take <- edge.live (the door)
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Protocol

from roost.domain.errors import Overloaded
from roost.domain.ids import UserId
from roost.domain.tokens import TOKEN_BYTES, TokenText, hash_token, read_token, token_text
from roost.domain.user import Session
from roost.ports.clock import Clock, Randomness

TICKET_S = 30.0
TICKETS_MAX = 10_000
"""Waiting at a time, some 5 MB; more are refused, since to drop another's would lock him out."""

TICKETS_PER_USER_MAX = 20
"""Waiting of one user, so that nobody fills the room of all: with one more his oldest is void."""


class TicketDesk(Protocol):
    """Tickets are good once, within TICKET_S."""

    async def hand_out(self, session: Session) -> str:
        """A ticket for this session. Raises Overloaded where too many wait."""
        ...

    async def redeem(self, text: str) -> bytes | None:
        """The hash of the token whose session it is for; None for what is no ticket, or no longer one."""
        ...


@dataclass(slots=True)
class Tickets:
    """A TicketDesk for a process that serves alone: it remembers what it handed out."""

    clock: Clock
    randomness: Randomness
    waiting_max: int = TICKETS_MAX
    _waiting: OrderedDict[bytes, tuple[Session, float]] = field(default_factory=OrderedDict)
    _of_user: dict[UserId, list[bytes]] = field(default_factory=dict)

    async def hand_out(self, session: Session) -> str:
        return self.issue(session)

    async def redeem(self, text: str) -> bytes | None:
        session = self.take(text)
        return None if session is None else session.token_hash

    def issue(self, session: Session) -> TokenText:
        """A ticket for this session. Raises Overloaded where too many wait."""
        now_s = self.clock.monotonic_s()
        self._drop_expired(now_s)
        own = self._of_user.get(session.user_id, [])
        if len(own) >= TICKETS_PER_USER_MAX:
            self._drop(own[0])
        if len(self._waiting) >= self.waiting_max:
            raise Overloaded(f"{self.waiting_max} tickets wait to be used")
        ticket = token_text(self.randomness.token_bytes(TOKEN_BYTES))
        hashed = hash_token(ticket)
        self._waiting[hashed] = (session, now_s + TICKET_S)
        self._of_user.setdefault(session.user_id, []).append(hashed)
        return ticket

    def take(self, text: str) -> Session | None:
        """Whose ticket it is, once. The session may have ended meanwhile: look it up again by its token's hash."""
        ticket = read_token(text)
        found = None if ticket is None else self._drop(hash_token(ticket))
        if found is None:
            return None
        session, expires_s = found
        return session if expires_s > self.clock.monotonic_s() else None

    def _drop_expired(self, now_s: float) -> None:
        while self._waiting:
            oldest, (_, expires_s) = next(iter(self._waiting.items()))
            if expires_s > now_s:
                return
            self._drop(oldest)

    def _drop(self, hashed: bytes) -> tuple[Session, float] | None:
        found = self._waiting.pop(hashed, None)
        if found is not None:
            own = self._of_user[found[0].user_id]
            own.remove(hashed)
            if not own:
                del self._of_user[found[0].user_id]
        return found
