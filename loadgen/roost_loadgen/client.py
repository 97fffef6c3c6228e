"""What a user does on a server, one method each, with the patience that it takes."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

import msgspec

from roost_loadgen.address import Address
from roost_loadgen.faults import Rejected
from roost_loadgen.http import Answer, HttpPool, failure
from roost_loadgen.live import LiveSocket, Receive
from roost_loadgen.patience import Patience
from roost_loadgen.wire import (
    Credentials,
    NewTweet,
    NewUser,
    Session,
    Tweet,
    decode_session,
    decode_tweet,
    encode,
)

CONNECTIONS_MAX = 32
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the server who is signed in."""

    username: str
    password: str
    user_id: str
    token: str


class Client:
    """Speaks for any number of users over one bounded pool of connections."""

    def __init__(self, address: Address, *, connections_max: int = CONNECTIONS_MAX, patience: Patience) -> None:
        self.address = address
        self.patience = patience
        self._http = HttpPool(address, connections_max)

    async def register(self, username: str, password: str, email: str) -> Account:
        """Sign up; when the answer to an earlier attempt was lost, sign in instead."""
        body = encode(NewUser(username, password, email))
        what = f"creating user {username}"
        try:
            session = await self._call("POST", "/create/user", what, decode_session, body=body)
        except Rejected as refusal:
            if refusal.status != HTTPStatus.CONFLICT:
                raise
            try:
                return await self.login(username, password)
            except Rejected:
                raise refusal from None
        return Account(username, password, session.user_id, session.token)

    async def login(self, username: str, password: str) -> Account:
        """Sign in with a password."""
        body = encode(Credentials(username, password))
        session: Session = await self._call("POST", "/login", f"signing in {username}", decode_session, body=body)
        return Account(username, password, session.user_id, session.token)

    async def follow(self, account: Account, user_id: str) -> None:
        """Follow somebody; repeating it changes nothing."""
        what = f"{account.username} following {user_id}"
        await self._call("POST", f"/user/{user_id}/follow", what, _nothing, account=account)

    async def tweet(self, account: Account, message: str, ref: str) -> Tweet:
        """Post over HTTP; the same `ref` posts once."""
        body = encode(NewTweet(message))
        what = f"{account.username} posting"
        return await self._call("POST", "/tweet", what, decode_tweet, account=account, body=body, ref=ref)

    async def get(self, path: str, decode: Callable[[bytes], T], account: Account | None) -> T:
        """Read anything; `decode` makes of the body what the caller wants."""
        return await self._call("GET", path, f"GET {path}", decode, account=account)

    async def open_socket(self, account: Account, receive: Receive | None = None) -> LiveSocket:
        """A WebSocket that is greeted and ready."""
        return await self.patience.through(lambda: LiveSocket.open(self.address, account.token, receive))

    def close(self) -> None:
        self._http.close()

    async def _call(
        self,
        method: str,
        path: str,
        what: str,
        decode: Callable[[bytes], T],
        *,
        account: Account | None = None,
        body: bytes = b"",
        ref: str | None = None,
    ) -> T:
        token = account.token if account is not None else None

        async def attempt() -> Answer:
            answer = await self._http.send(method, path, token=token, body=body, ref=ref)
            if not answer.is_success:
                raise failure(what, answer)
            return answer

        answer = await self.patience.through(attempt)
        try:
            return decode(answer.body)
        except msgspec.MsgspecError as error:
            raise Rejected(what, answer.status, f"a body that is not understood: {error}") from error


def _nothing(body: bytes) -> None:
    """A success without content."""
