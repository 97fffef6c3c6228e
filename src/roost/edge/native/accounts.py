"""Register, sign in and out.

edge.native.app -> Accounts -> commands.register_user, sign_in, sign_out; queries.open_sessions
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from roost.commands.register_user import RegisterUser, SignUp
from roost.commands.sign_in import Credentials, SignIn
from roost.commands.sign_out import SignOut
from roost.domain.errors import (
    AlreadyTaken,
    FieldError,
    Invalid,
    NotFound,
    NotSignedIn,
    RoostError,
    WrongCredentials,
)
from roost.domain.issue import IssuedSession
from roost.domain.user import Session
from roost.edge.native.auth import SessionCookie
from roost.edge.native.credentials import account_key
from roost.edge.native.endpoint import (
    NO_CONTENT,
    POSITION_HEADER,
    Answer,
    Call,
    Described,
    Endpoint,
    SignedIn,
    answer,
    choice_in_query,
    text_in_path,
)
from roost.edge.native.limits import RateLimits
from roost.edge.times import rfc3339
from roost.queries.open_sessions import OpenSessions

SESSION_ID_CHARACTERS_MAX = 64
DONE = Described("done")


class SessionKind(StrEnum):
    """How the caller keeps a session."""

    TOKEN = "token"  # noqa: S105 - a word of the query, not a token
    COOKIE = "cookie"


SESSION_KIND = choice_in_query(
    "session", "`cookie` sets an HttpOnly cookie in place of giving a token", SessionKind, SessionKind.TOKEN
)
SESSION_ID = text_in_path("sessionId", "one of the caller's sessions", SESSION_ID_CHARACTERS_MAX)


class CreateUserBody(msgspec.Struct, frozen=True):
    """`username`, `password` and `email` are required, each in one of its two spellings."""

    username: str | None = None
    password: str | None = None
    email: str | None = None
    mobile: str | None = None
    Username: str | None = None
    Password: str | None = None
    Email: str | None = None
    Mobile: str | None = None


class UserCreated(msgspec.Struct, frozen=True):
    user_id: str
    username: str
    created_at: str
    token: str
    expires_at: str


class LoginBody(msgspec.Struct, frozen=True):
    """One of `username` and `email`."""

    password: str
    username: str | None = None
    email: str | None = None


class SignedInShape(msgspec.Struct, frozen=True, omit_defaults=True):
    """A `token`; for a cookie session a `csrf_token` in its place, to be sent as X-CSRF-Token with each change."""

    user_id: str
    expires_at: str
    token: str | msgspec.UnsetType = msgspec.UNSET
    csrf_token: str | msgspec.UnsetType = msgspec.UNSET


class SessionShape(msgspec.Struct, frozen=True):
    """`current` is the one that asks. `last_used_at` is exact to a minute."""

    session_id: str
    created_at: str
    last_used_at: str
    client: str
    current: bool


class SessionList(msgspec.Struct, frozen=True):
    sessions: list[SessionShape]


@dataclass(frozen=True, slots=True)
class Accounts:
    """Tries are counted by address or user, as everywhere, and by the account that they aim at."""

    register: RegisterUser
    sign_in: SignIn
    sign_out: SignOut
    open_sessions: OpenSessions
    cookie: SessionCookie
    limits: RateLimits

    def endpoints(self) -> list[Endpoint]:
        created = Described("the user, signed in", UserCreated, headers=(POSITION_HEADER,))
        signed_in = Described("a new session", SignedInShape, headers=("Set-Cookie",))
        sessions = Described("newest first", SessionList)
        return [
            Endpoint(
                "POST",
                "/create/user",
                self._register,
                "Register a user",
                {201: created},
                signed_in=SignedIn.NONE,
                body=CreateUserBody,
                rate_limit="sign_up",
                refusals=(AlreadyTaken, Invalid),
            ),
            Endpoint(
                "POST",
                "/login",
                self._sign_in,
                "Sign in",
                {200: signed_in},
                signed_in=SignedIn.NONE,
                parameters=(SESSION_KIND,),
                body=LoginBody,
                rate_limit="sign_in",
                refusals=(WrongCredentials,),
            ),
            Endpoint("POST", "/logout", self._sign_out, "End the session in use", {204: DONE}),
            Endpoint("GET", "/sessions", self._list, "The sessions of the caller", {200: sessions}),
            Endpoint(
                "DELETE",
                "/sessions/{sessionId}",
                self._end,
                "End one of one's sessions",
                {204: DONE},
                parameters=(SESSION_ID,),
                refusals=(NotFound,),
            ),
        ]

    async def _register(self, call: Call[CreateUserBody]) -> Answer:
        body = call.body
        wanted = SignUp(
            body.Username if body.username is None else body.username,
            body.Password if body.password is None else body.password,
            body.Email if body.email is None else body.email,
            body.Mobile if body.mobile is None else body.mobile,
        )
        try:
            made = await self.register(wanted, _client(call))
        except (Invalid, AlreadyTaken) as error:
            raise _as_spelled(error, body) from None
        user, session = made.user, made.issued.session
        shape = UserCreated(
            str(user.id), user.username, rfc3339(user.created_ms), made.issued.token, rfc3339(session.expires_ms)
        )
        return answer(201, shape, (POSITION_HEADER, made.position))

    async def _sign_in(self, call: Call[LoginBody]) -> Answer:
        given = Credentials(call.body.password, call.body.username, call.body.email)
        self.limits.take("sign_in", account_key(given.key))
        browser = call.value(SESSION_KIND) is SessionKind.COOKIE
        issued = await self.sign_in(given, _client(call), browser=browser)
        return self._signed_in(issued)

    def _signed_in(self, issued: IssuedSession) -> Answer:
        session = issued.session
        shape = SignedInShape(str(session.user_id), rfc3339(session.expires_ms))
        if issued.csrf_token is None:
            return answer(200, msgspec.structs.replace(shape, token=issued.token))
        max_age_s = (session.expires_ms - session.created_ms) // 1_000
        # The token itself is for the cookie alone: no script of a page is to have it.
        shape = msgspec.structs.replace(shape, csrf_token=issued.csrf_token)
        return answer(200, shape, self.cookie.set(issued.token, max_age_s))

    async def _sign_out(self, call: Call[None]) -> Answer:
        session = _session(call)
        await self.sign_out(session.user_id, session.session_id)
        return self._left(session)

    async def _end(self, call: Call[None]) -> Answer:
        session, id = _session(call), call.value(SESSION_ID)
        await self.sign_out(session.user_id, id)
        return self._left(session) if id == session.session_id else NO_CONTENT

    def _left(self, session: Session) -> Answer:
        return NO_CONTENT if session.csrf_hash is None else Answer(204, headers=(self.cookie.clear(),))

    async def _list(self, call: Call[None]) -> Answer:
        current = _session(call)
        sessions = [
            SessionShape(
                one.session_id,
                rfc3339(one.created_ms),
                rfc3339(one.last_used_ms),
                one.client,
                one.session_id == current.session_id,
            )
            for one in await self.open_sessions(current.user_id)
        ]
        return answer(200, SessionList(sessions))


def _session(call: Call[Any]) -> Session:
    if call.session is None:
        raise NotSignedIn
    return call.session


def _client(call: Call[Any]) -> str:
    return call.header("user-agent") or ""


def _as_spelled(error: Invalid | AlreadyTaken, body: CreateUserBody) -> RoostError:
    """The same error with the fields as the caller wrote them."""

    def spelled(field: str) -> str:
        capital = field.capitalize()
        return capital if getattr(body, field) is None and getattr(body, capital) is not None else field

    if isinstance(error, AlreadyTaken):
        return AlreadyTaken(spelled(error.field), str(error))
    return Invalid(str(error), *(FieldError(spelled(one.field), one.detail) for one in error.fields))
