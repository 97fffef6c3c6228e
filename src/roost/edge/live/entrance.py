"""Who may open a socket, and as whom.

edge.live.protocol (handshake) -> Entrance.admit -> LiveSession
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count

from roost.domain.errors import Forbidden, NotFound, NotSignedIn, RoostError, TooManyRequests
from roost.domain.tokens import hash_token, read_token
from roost.domain.user import Session as SignIn
from roost.edge.live.door import Admitted, Refusal, Request
from roost.edge.live.handshake import refused
from roost.edge.live.session import CURSOR_LENGTH_MAX, LiveDesk, LiveSession
from roost.edge.live.tickets import TicketDesk
from roost.views.sessions import SessionView

PATH = "/ws"
RETRY_AFTER_S = 30.0


@dataclass(slots=True)
class Entrance:
    """The bearer header, or a browser's ticket; a cookie alone opens nothing, since any site could send it.

    `sockets_per_address_max` None: no bound an address. `public_url` is an origin that is welcome beside the host's.
    """

    desk: LiveDesk
    sessions: SessionView
    tickets: TicketDesk
    sockets_per_address_max: int | None
    public_url: str = ""
    _numbers: "count[int]" = field(default_factory=count)

    async def admit(self, request: Request) -> Admitted | Refusal:
        try:
            sign_in = await self._signed_in(request)
        except RoostError as error:
            return refused(error)
        cursor = request.query.get("cursor")
        resume_from = None if cursor is None else cursor[: CURSOR_LENGTH_MAX + 1]
        return Admitted(lambda: LiveSession(self.desk, sign_in, next(self._numbers), resume_from))

    async def _signed_in(self, request: Request) -> SignIn:
        if request.path != PATH:
            raise NotFound(f"sockets are opened at {PATH}")
        most = self.sockets_per_address_max
        if most is not None and request.sockets_of_address > most:
            raise TooManyRequests(f"at most {most} sockets an address", limit=most, retry_after_s=RETRY_AFTER_S)
        self._refuse_foreign(request.headers)
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            token = read_token(given.strip())
            if token is None:
                raise NotSignedIn
            return await self.sessions.by_token(hash_token(token))
        token_hash = await self.tickets.redeem(request.query.get("ticket", ""))
        if token_hash is None:
            raise NotSignedIn("a bearer token, or a ticket that was not used and is younger than 30 s, is required")
        return await self.sessions.by_token(token_hash)

    def _refuse_foreign(self, headers: Mapping[str, str]) -> None:
        origin = headers.get("origin")
        if origin is None:
            return
        own = origin.lower().partition("://")[2] == headers.get("host", "").lower()
        if not own and origin.lower() != self.public_url.rstrip("/").lower():
            raise Forbidden("a page of another site may not open a socket here")
