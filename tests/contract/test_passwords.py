"""The PasswordHasher contract over Argon2id at both costs, and what a storm of log-ins may take."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Literal

import argon2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roost.adapters.passwords.argon2id import Argon2idPasswords, Cost, engine_of
from roost.domain.errors import Draining, Overloaded
from roost.ports.passwords import PasswordHasher

COSTS: tuple[Cost, ...] = ("standard", "low")
GOOD = "correct horse battery"


class CountingEngine(argon2.PasswordHasher):
    """The real thing, which counts its work, and holds it while `gate` is closed."""

    def __init__(self, cost: Cost) -> None:
        model = engine_of(cost)
        super().__init__(model.time_cost, model.memory_cost, model.parallelism, model.hash_len, model.salt_len)
        self.gate = threading.Event()
        self.gate.set()
        self.verified = self.running = self.peak = 0
        self._begun = threading.Semaphore(0)
        self._counting = threading.Lock()

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        with self._counting:
            self.verified += 1
            self.running += 1
            self.peak = max(self.peak, self.running)
        self._begun.release()
        try:
            self.gate.wait()
            return super().verify(hash, password)
        finally:
            with self._counting:
                self.running -= 1

    async def has_begun(self, count: int) -> None:
        """Waits until `count` more verifications are at work, or were."""
        for _ in range(count):
            await asyncio.to_thread(self._begun.acquire)


class Bench:
    """A hasher and the count of the work that it did."""

    def __init__(self, hasher: type[Argon2idPasswords], engine: CountingEngine) -> None:
        self.engine = engine
        self.hasher: PasswordHasher
        self.hasher = self._adapter = hasher(engine)

    def close(self) -> None:
        self.engine.gate.set()
        self._adapter.close()


@pytest.fixture(params=COSTS)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    bench = Bench(Argon2idPasswords, CountingEngine(request.param))
    yield bench
    bench.close()


async def test_a_password_fits_its_own_hash_and_no_other_password_does(bench: Bench) -> None:
    stored = await bench.hasher.hash(GOOD)
    assert await bench.hasher.verify(GOOD, stored)
    assert not await bench.hasher.verify(GOOD + " ", stored)
    assert not await bench.hasher.verify("", stored)
    assert not await bench.hasher.verify(GOOD.upper(), stored)


async def test_all_characters_of_a_long_password_count(bench: Bench) -> None:
    stored = await bench.hasher.hash("é" * 127 + "x")
    assert await bench.hasher.verify("é" * 127 + "x", stored)
    assert not await bench.hasher.verify("é" * 127 + "y", stored)


async def test_equal_passwords_have_different_hashes_which_do_not_show_them(bench: Bench) -> None:
    one, other = await bench.hasher.hash(GOOD), await bench.hasher.hash(GOOD)
    assert one != other
    assert GOOD not in one


async def test_a_password_typed_on_another_keyboard_is_the_same(bench: Bench) -> None:
    composed, decomposed = "Zoë über", "Zoe\u0308 u\u0308ber"
    assert await bench.hasher.verify(decomposed, await bench.hasher.hash(composed))
    assert await bench.hasher.verify(composed, await bench.hasher.hash(decomposed))


@pytest.mark.parametrize("stored", [None, "", "deleted", "$argon2id$v=19$m=8", "$argon2id$é"])
async def test_an_unknown_user_costs_as_much_as_a_wrong_password(bench: Bench, stored: str | None) -> None:
    known = await bench.hasher.hash(GOOD)
    before = bench.engine.verified
    assert not await bench.hasher.verify("wrong password", known)
    cost_of_wrong = bench.engine.verified - before
    for password in (GOOD, ""):
        before = bench.engine.verified
        assert not await bench.hasher.verify(password, stored)
        assert bench.engine.verified - before >= cost_of_wrong == 1


async def test_half_a_surrogate_pair_fits_nothing_and_breaks_nothing(bench: Bench) -> None:
    assert not await bench.hasher.verify("\ud800", await bench.hasher.hash(GOOD))


async def test_a_hash_of_another_cost_fits_still_and_wants_to_be_made_anew(bench: Bench) -> None:
    for cost in COSTS:
        stored = engine_of(cost).hash(GOOD)
        assert await bench.hasher.verify(GOOD, stored)
        assert bench.hasher.needs_rehash(stored) is (engine_of(cost).memory_cost != bench.engine.memory_cost)
    assert not bench.hasher.needs_rehash(await bench.hasher.hash(GOOD))
    assert bench.hasher.needs_rehash("no hash")


class AcceptsAnyone(Argon2idPasswords):
    async def verify(self, password: str, stored: str | None) -> bool:
        await super().verify(password, stored)
        return stored is not None


class CutsLongPasswords(Argon2idPasswords):
    async def hash(self, password: str) -> str:
        return await super().hash(password[:72])

    async def verify(self, password: str, stored: str | None) -> bool:
        return await super().verify(password[:72], stored)


class SaltsNothing(Argon2idPasswords):
    async def hash(self, password: str) -> str:
        return self._engine.hash(password, salt=bytes(16))


class HashesWhatTheKeyboardSent(Argon2idPasswords):
    async def hash(self, password: str) -> str:
        return self._engine.hash(password)


class AnswersUnknownUsersAtOnce(Argon2idPasswords):
    async def verify(self, password: str, stored: str | None) -> bool:
        return stored is not None and await super().verify(password, stored)


class NeverHashesAnew(Argon2idPasswords):
    def needs_rehash(self, stored: str) -> bool:
        return False


@pytest.mark.parametrize(
    ("saboteur", "promise"),
    [
        (AcceptsAnyone, test_a_password_fits_its_own_hash_and_no_other_password_does),
        (CutsLongPasswords, test_all_characters_of_a_long_password_count),
        (SaltsNothing, test_equal_passwords_have_different_hashes_which_do_not_show_them),
        (HashesWhatTheKeyboardSent, test_a_password_typed_on_another_keyboard_is_the_same),
        (AnswersUnknownUsersAtOnce, lambda bench: test_an_unknown_user_costs_as_much_as_a_wrong_password(bench, None)),
        (NeverHashesAnew, test_a_hash_of_another_cost_fits_still_and_wants_to_be_made_anew),
    ],
)
async def test_a_saboteur_is_caught(
    saboteur: type[Argon2idPasswords], promise: Callable[[Bench], Awaitable[None]]
) -> None:
    bench = Bench(saboteur, CountingEngine("low"))
    try:
        with pytest.raises(AssertionError):
            await promise(bench)
    finally:
        bench.close()


async def test_a_storm_of_log_ins_gets_answers_or_overloaded_at_once_and_is_worked_off_a_few_at_a_time() -> None:
    engine = CountingEngine("low")
    hasher = Argon2idPasswords(engine, concurrency=2, waiting_max=30)
    stored = await hasher.hash(GOOD)
    engine.gate.clear()
    storm = [asyncio.create_task(hasher.verify(GOOD, stored if number % 2 else None)) for number in range(500)]
    await engine.has_begun(2)
    # Nothing has been worked off yet: who is done was refused, at once, and the line is as long as it may be.
    assert {type(task.exception()) for task in storm if task.done()} == {Overloaded}
    assert sum(task.done() for task in storm) == 500 - 32
    engine.gate.set()
    outcomes = await asyncio.gather(*storm, return_exceptions=True)
    assert outcomes.count(True) == outcomes.count(False) == 16
    assert engine.peak == 2
    assert await hasher.verify(GOOD, stored)
    hasher.close()


async def test_a_caller_who_goes_away_gives_up_the_place_in_the_line() -> None:
    engine = CountingEngine("low")
    hasher = Argon2idPasswords(engine, concurrency=1, waiting_max=1)
    stored = await hasher.hash(GOOD)
    engine.gate.clear()
    at_work = asyncio.create_task(hasher.verify(GOOD, stored))
    await engine.has_begun(1)
    in_line = asyncio.create_task(hasher.verify(GOOD, stored))
    await asyncio.sleep(0)
    with pytest.raises(Overloaded, match="2 password checks are waiting, at most 2 may"):
        await hasher.verify(GOOD, stored)
    in_line.cancel()
    with pytest.raises(asyncio.CancelledError):
        await in_line
    next_in_line = asyncio.create_task(hasher.verify(GOOD, stored))
    await asyncio.sleep(0)
    assert not next_in_line.done()
    engine.gate.set()
    assert await at_work
    assert await next_in_line
    hasher.close()


async def test_a_closed_hasher_says_that_the_node_is_stopping() -> None:
    hasher = Argon2idPasswords(engine_of("low"), concurrency=1, waiting_max=0)
    hasher.close()
    for _ in range(2):
        with pytest.raises(Draining):
            await hasher.hash(GOOD)


class NoMemoryLeft(CountingEngine):
    """Fails as Argon2 does where the system gives it no memory."""

    fails = False

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        if self.fails:
            raise argon2.exceptions.HashingError("Memory allocation error")
        return super().hash(password, salt=salt)

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        if self.fails:
            raise argon2.exceptions.VerificationError("Memory allocation error")
        return super().verify(hash, password)


async def test_want_of_memory_is_overload_and_never_a_wrong_password() -> None:
    engine = NoMemoryLeft("low")
    hasher = Argon2idPasswords(engine)
    stored = await hasher.hash(GOOD)
    engine.fails = True
    for kept in (stored, None):
        with pytest.raises(Overloaded, match="no memory"):
            await hasher.verify(GOOD, kept)
    with pytest.raises(Overloaded, match="no memory"):
        await hasher.hash(GOOD)
    engine.fails = False
    assert await hasher.verify(GOOD, stored)
    hasher.close()


@pytest.mark.parametrize(("concurrency", "waiting_max"), [(0, 1), (1, -1)])
def test_bounds_that_make_no_sense_are_refused(concurrency: int, waiting_max: int) -> None:
    with pytest.raises(ValueError, match="too small"):
        Argon2idPasswords(engine_of("low"), concurrency=concurrency, waiting_max=waiting_max)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=128))
def test_any_text_can_be_hashed_and_verified(password: str) -> None:
    hasher = Argon2idPasswords(engine_of("low"))

    async def there_and_back() -> bool:
        return await hasher.verify(password, await hasher.hash(password))

    try:
        assert asyncio.run(there_and_back())
    finally:
        hasher.close()


def test_the_standard_cost_is_what_owasp_asks_for_and_the_memory_at_work_is_bounded() -> None:
    engine = engine_of("standard")
    assert engine.type is argon2.Type.ID
    assert (engine.memory_cost, engine.time_cost, engine.parallelism) == (19 * 1024, 2, 1)
