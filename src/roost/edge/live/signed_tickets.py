"""Tickets that any worker of a server may redeem: signed, so that nobody has to remember them before they are used.

edge.native.tickets -> SignedTickets.hand_out … SignedTickets.redeem <- edge.live (the door)
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass

from roost.domain.user import Session
from roost.edge.live.tickets import TICKET_S
from roost.ports.clock import Clock, Randomness
from roost.ports.used_tickets import UsedTickets

ID_BYTES, TIME_BYTES, HASH_BYTES, SIGNATURE_BYTES = 16, 8, 32, 32
TICKET_BYTES = ID_BYTES + TIME_BYTES + HASH_BYTES + SIGNATURE_BYTES
TICKET_CHARACTERS_MAX = 4 * (TICKET_BYTES + 2) // 3
_PURPOSE = b"websocket ticket\0"


@dataclass(frozen=True, slots=True)
class SignedTickets:
    """Implements edge.live.tickets.TicketDesk. A ticket names the hash of its session's token, which opens nothing."""

    key: bytes
    used: UsedTickets
    clock: Clock
    randomness: Randomness

    async def hand_out(self, session: Session) -> str:
        until_ms = self.clock.now_ms() + round(TICKET_S * 1_000)
        id = self.randomness.token_bytes(ID_BYTES)
        said = id + until_ms.to_bytes(TIME_BYTES, "big") + session.token_hash
        return base64.urlsafe_b64encode(said + self._signature(said)).rstrip(b"=").decode("ascii")

    async def redeem(self, text: str) -> bytes | None:
        said = self._read(text)
        if said is None:
            return None
        until_ms = int.from_bytes(said[ID_BYTES : ID_BYTES + TIME_BYTES], "big")
        now_ms = self.clock.now_ms()
        if until_ms <= now_ms or not await self.used.use(said[:ID_BYTES], until_ms, now_ms):
            return None
        return said[ID_BYTES + TIME_BYTES :]

    def _read(self, text: str) -> bytes | None:
        """What a ticket of ours says; None for anything else."""
        if not text.isascii() or len(text) > TICKET_CHARACTERS_MAX:
            return None
        try:
            ticket = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except binascii.Error:
            return None
        said, signature = ticket[:-SIGNATURE_BYTES], ticket[-SIGNATURE_BYTES:]
        genuine = len(ticket) == TICKET_BYTES and hmac.compare_digest(signature, self._signature(said))
        return said if genuine else None

    def _signature(self, said: bytes) -> bytes:
        return hmac.digest(self.key, _PURPOSE + said, hashlib.sha256)
