"""Passwords by Argon2id in a few threads of its own, with a bounded waiting line."""

import asyncio
import contextlib
import secrets
import threading
import unicodedata
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Literal, TypeVar

import argon2

from roost.domain.errors import Draining, Overloaded

CONCURRENCY_DEFAULT = 2
# At 30 to 60 ms a hash (an idle to a busy core) and two at a time, the last in line waits 1 to 2 s.
WAITING_MAX_DEFAULT = 64
HASH_BYTES, SALT_BYTES = 32, 16

Cost = Literal["standard", "low"]
T = TypeVar("T")


def engine_of(cost: Cost) -> argon2.PasswordHasher:
    """`standard` is OWASP's 19 MiB, two passes, one lane: with CONCURRENCY_DEFAULT, 38 MiB at most.

    `low` is the least that Argon2 allows (8 KiB, one pass): for tests and loads only.
    """
    memory_kib, passes = (19_456, 2) if cost == "standard" else (8, 1)
    return argon2.PasswordHasher(
        time_cost=passes,
        memory_cost=memory_kib,
        parallelism=1,
        hash_len=HASH_BYTES,
        salt_len=SALT_BYTES,
    )


class Argon2idPasswords:
    """Memory at work is the engine's memory cost times `concurrency`, however many ask.

    Argon2 leaves the interpreter's lock while it works, so threads are enough.
    """

    def __init__(
        self,
        engine: argon2.PasswordHasher,
        *,
        concurrency: int = CONCURRENCY_DEFAULT,
        waiting_max: int = WAITING_MAX_DEFAULT,
    ) -> None:
        if concurrency < 1 or waiting_max < 0:
            raise ValueError(f"concurrency {concurrency} or waiting_max {waiting_max} is too small")
        self._engine = engine
        self._admitted_max = concurrency + waiting_max
        self._admitted = 0
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix="roost-password")
        # Work like a real one's, for users that do not exist; its password is thrown away.
        self._dummy = engine.hash(secrets.token_bytes(HASH_BYTES))

    async def hash(self, password: str) -> str:
        secret = _secret(password)
        return await self._run(lambda: self._make(secret))

    async def verify(self, password: str, stored: str | None) -> bool:
        secret = _secret(password)
        return await self._run(lambda: self._fits(secret, stored))

    def needs_rehash(self, stored: str) -> bool:
        try:
            return self._engine.check_needs_rehash(stored)
        except argon2.exceptions.InvalidHashError:
            return True

    def close(self) -> None:
        """Waits for the hashes at work, at most `concurrency` of them, and drops those in line."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _make(self, secret: bytes) -> str:
        with _memory_is_there():
            return self._engine.hash(secret)

    def _fits(self, secret: bytes, stored: str | None) -> bool:
        if stored is not None:
            try:
                return self._engine.verify(stored, secret)
            except argon2.exceptions.VerifyMismatchError:
                return False
            except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError, UnicodeEncodeError):
                pass  # no hash at all: as costly as an unknown user
        with contextlib.suppress(argon2.exceptions.VerifyMismatchError), _memory_is_there():
            self._engine.verify(self._dummy, secret)
        return False

    async def _run(self, work: Callable[[], T]) -> T:
        """A place in the line is held until the work ends; a caller who goes away gives up one still waiting."""
        with self._lock:
            if self._admitted >= self._admitted_max:
                raise Overloaded(f"{self._admitted} password checks are waiting, at most {self._admitted_max} may")
            self._admitted += 1
        try:
            future = self._pool.submit(work)
        except RuntimeError as closed:
            self._leave()
            raise Draining("this node is stopping") from closed
        future.add_done_callback(self._leave)
        return await asyncio.wrap_future(future)

    def _leave(self, _: "Future[T] | None" = None) -> None:
        with self._lock:
            self._admitted -= 1


@contextlib.contextmanager
def _memory_is_there() -> Iterator[None]:
    """Argon2 fails on good parameters only where the system has no memory for it: repeating may help."""
    try:
        yield
    except argon2.exceptions.VerifyMismatchError:
        raise
    except (argon2.exceptions.HashingError, argon2.exceptions.VerificationError) as error:
        raise Overloaded(f"no memory to check a password: {error}") from error


def _secret(password: str) -> bytes:
    """The bytes to hash: NFC, as keyboards differ in how they compose. Half surrogates fit no stored password."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
