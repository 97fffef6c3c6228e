"""Tickets that open a socket for a browser, which cannot send a header with it.

edge.native.tickets -> Tickets.issue … Tickets.take <- edge.live (the door)
"""

from collections import OrderedDict
from dataclasses import dataclass, field

from roost.domain.errors import Overloaded
from roost.domain.tokens import TOKEN_BYTES, TokenText, hash_token, read_token, token_text
from roost.domain.user import Session
from roost.ports.clock import Clock, Randomness

TICKET_S = 30.0
TICKETS_MAX = 10_000
"""Waiting at a time, some 5 MB; more are refused, since to drop another's would lock him out."""


@dataclass(slots=True)
class Tickets:
    """Single use, for 30 s, in this process only: a browser opens its socket where it got its ticket."""

    clock: Clock
    randomness: Randomness
    _waiting: OrderedDict[bytes, tuple[Session, float]] = field(default_factory=OrderedDict)

    def issue(self, session: Session) -> TokenText:
        """A ticket for this session. Raises Overloaded where too many wait."""
        now_s = self.clock.monotonic_s()
        self._drop_expired(now_s)
        if len(self._waiting) >= TICKETS_MAX:
            raise Overloaded(f"{TICKETS_MAX} tickets wait to be used")
        ticket = token_text(self.randomness.token_bytes(TOKEN_BYTES))
        self._waiting[hash_token(ticket)] = (session, now_s + TICKET_S)
        return ticket

    def take(self, text: str) -> Session | None:
        """Whose ticket it is, once. The session may have ended meanwhile: look it up again by its token's hash."""
        ticket = read_token(text)
        if ticket is None:
            return None
        session, expires_s = self._waiting.pop(hash_token(ticket), (None, 0.0))
        return session if expires_s > self.clock.monotonic_s() else None

    def _drop_expired(self, now_s: float) -> None:
        while self._waiting:
            ticket, (_, expires_s) = next(iter(self._waiting.items()))
            if expires_s > now_s:
                return
            del self._waiting[ticket]
