"""End sessions.

edge.native.accounts -> SignOut -> SessionStore (with the announcement) -> reactions.refresh, edge.live
"""

from dataclasses import dataclass

from roost.domain.errors import NotFound
from roost.domain.ids import UserId
from roost.domain.issue import is_session_id
from roost.ports.accounts import SessionStore
from roost.ports.log import NodeProgress


@dataclass(frozen=True, slots=True)
class SignOut:
    store: SessionStore
    progress: NodeProgress

    async def __call__(self, user_id: UserId, session_id: str) -> None:
        """One of the user's own, the one in use included. Raises NotFound where there is none of that id."""
        position = await self.store.end_session(user_id, session_id) if is_session_id(session_id) else None
        if position is None:
            raise NotFound(f"no session {session_id[:40]!r} of yours")
        await self.progress.reached(position)
