"""Who asks: a bearer token, or a browser's cookie, which needs a second token for changes.

edge.native.app -> Authentication -> views.sessions.SessionView
"""

from collections.abc import Mapping
from dataclasses import dataclass

from roost.domain.errors import Forbidden, NotSignedIn
from roost.domain.tokens import TokenText, hash_token, is_token, read_token
from roost.domain.user import Session
from roost.edge.native.endpoint import SignedIn
from roost.views.sessions import SessionView

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_BEARER = b"bearer"


@dataclass(frozen=True, slots=True)
class SessionCookie:
    """The cookie of browser sessions. Behind TLS it is Secure and bound to this host by its name."""

    behind_tls: bool

    @property
    def name(self) -> str:
        return "__Host-roost" if self.behind_tls else "roost"

    def set(self, token: TokenText, max_age_s: int) -> tuple[str, str]:
        """The header that gives the cookie."""
        return "Set-Cookie", f"{self.name}={token}; Max-Age={max_age_s}; {self._attributes}"

    def clear(self) -> tuple[str, str]:
        """The header that takes it away."""
        return "Set-Cookie", f"{self.name}=; Max-Age=0; {self._attributes}"

    def read(self, header: str) -> TokenText | None:
        """The token in a Cookie header."""
        for pair in header.split(";"):
            name, _, value = pair.strip().partition("=")
            if name == self.name:
                return read_token(value)
        return None

    @property
    def _attributes(self) -> str:
        return "Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if self.behind_tls else "")


@dataclass(frozen=True, slots=True)
class Authentication:
    """`public_url` is where browsers reach this server, if that is not what their Host header says."""

    sessions: SessionView
    cookie: SessionCookie
    public_read: bool = True
    public_url: str = ""

    async def session(self, signed_in: SignedIn, method: str, headers: Mapping[bytes, bytes]) -> Session | None:
        """The caller's session, None for a stranger where one is welcome.

        Raises NotSignedIn, also for a dead bearer token where a stranger is welcome: its holder believes to be
        signed in. Raises Forbidden for a change that another site may have made a browser ask for.
        """
        authorization = headers.get(b"authorization", b"")
        bearer = authorization[:6].lower() == _BEARER
        if not bearer and method not in SAFE_METHODS:
            self._refuse_foreign(headers)
        if signed_in is SignedIn.NONE:
            return None
        found = await (self._bearer(authorization) if bearer else self._cookie(method, headers))
        required = signed_in is SignedIn.REQUIRED or (signed_in is SignedIn.OPTIONAL and not self.public_read)
        if found is None and required:
            raise NotSignedIn
        return found

    async def _bearer(self, authorization: bytes) -> Session:
        token = read_token(authorization[6:].decode("latin-1").strip())
        if token is None:
            raise NotSignedIn
        return await self.sessions.by_token(hash_token(token))

    async def _cookie(self, method: str, headers: Mapping[bytes, bytes]) -> Session | None:
        header = headers.get(b"cookie")
        token = None if header is None else self.cookie.read(header.decode("latin-1"))
        if token is None:
            return None
        try:
            session = await self.sessions.by_token(hash_token(token))
        except NotSignedIn:
            return None  # a browser keeps sending what it has: it reads on as a stranger
        if session.csrf_hash is None:
            return None
        if method not in SAFE_METHODS:
            given = headers.get(b"x-csrf-token", b"").decode("latin-1")
            if not is_token(given, session.csrf_hash):
                raise Forbidden("changes by a cookie session need the header X-CSRF-Token that the log-in gave")
        return session

    def _refuse_foreign(self, headers: Mapping[bytes, bytes]) -> None:
        """Browsers name the page that asks: another site's may not, be it to sign somebody in."""
        origin = headers.get(b"origin")
        if origin is None:
            return
        scheme_and_host = origin.decode("latin-1").lower()
        host = headers.get(b"host", b"").decode("latin-1").lower()
        own = scheme_and_host.partition("://")[2] == host or scheme_and_host == self.public_url.rstrip("/").lower()
        if not own:
            raise Forbidden("a page of another site may not do this")
