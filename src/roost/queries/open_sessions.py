"""Read one's own sessions.

edge.native.accounts -> OpenSessions -> SessionStore
"""

from collections.abc import Sequence
from dataclasses import dataclass

from roost.domain.ids import UserId
from roost.domain.user import Session
from roost.ports.accounts import SessionStore
from roost.ports.clock import Clock


@dataclass(frozen=True, slots=True)
class OpenSessions:
    store: SessionStore
    clock: Clock

    async def __call__(self, user_id: UserId) -> Sequence[Session]:
        """Newest first; the expired are left out."""
        now_ms = self.clock.now_ms()
        return [session for session in await self.store.sessions_of(user_id) if session.expires_ms > now_ms]
