"""Redis, single or Cluster: which node has a key, commands that wait no longer than a bound, and how its health is.

adapters/cache/redis_* -> redis_scatter -> RedisLink -> redis-py. The cluster's slots are kept here rather than by
redis-py: a push is one call a primary, whatever slots its keys are in, and all attempts have to end within one bound.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.crc import key_slot

from roost.adapters.redis_functions import LIBRARY
from roost.domain.errors import DependencyDown, Overloaded

Address = tuple[str, int]
Argument = bytes | str | int
Command = Sequence[Argument]

CALL_MS_MAX = 200
"""Nobody waits longer for a cache: by then the store has answered too."""
RETRY_AFTER_MS = 500
"""A node that failed is not asked again before, so that a dead one costs a wait twice a second and not each time."""
CONNECTIONS_MAX = 16
"""To a node. Whoever finds all in use waits, within the same bound."""
REDIRECTS_MAX = 5
SLOTS = 16_384
LEARN_AGAIN_MS = 50
"""The slots are not asked for more often than that, however many calls were sent to the wrong node."""
LEARN_FROM_MAX = 8
"""Nodes that are asked for the slots until one answers."""

MISPLACED = (exceptions.ReadOnlyError, exceptions.ClusterDownError, exceptions.TryAgainError, exceptions.MovedError)


class RedisLink:
    """Connections to a Redis server or to the primaries of a Redis Cluster. For one event loop.

    `failed_calls` counts calls that came to nothing, `is_down` is true while some node does not answer. `epoch` grows
    when a slot changes its owner or a node comes back: what was written just before may be lost.
    """

    def __init__(
        self,
        addresses: Sequence[Address],
        monotonic_s: Callable[[], float],
        *,
        is_cluster: bool = False,
        username: str | None = None,
        password: str | None = None,
        tls: bool = False,
        ca_file: str | None = None,
        call_ms_max: int = CALL_MS_MAX,
    ) -> None:
        if not addresses:
            raise ValueError("Redis needs an address at least")
        self.is_cluster = is_cluster
        self.failed_calls = 0
        self.epoch = 0
        self._known = list(addresses)
        self._now_s = monotonic_s
        self._username, self._password = username, password
        self._tls: dict[str, Any] = {"ssl": True, "ssl_ca_certs": ca_file} if tls else {}
        self._call_s = call_ms_max / 1000
        self._owners: list[Address] = []
        self._is_outdated = False  # some slot is said to be elsewhere
        self._clients: dict[Address, Redis] = {}
        self._gates: dict[Address, asyncio.Semaphore] = {}
        self._down_until_s: dict[Address, float] = {}
        self._learning: asyncio.Task[None] | None = None
        self._learnt_s = float("-inf")
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_down(self) -> bool:
        return bool(self._down_until_s)

    def deadline_s(self) -> float:
        """Until when a call that begins now may last, by the loop's clock."""
        return asyncio.get_running_loop().time() + self._call_s

    async def primaries(self, until_s: float) -> Sequence[Address]:
        """All nodes that own slots. Raises DependencyDown where no node tells."""
        if not self.is_cluster:
            return self._known[:1]
        await self._know_slots(until_s)
        return list(dict.fromkeys(self._owners))

    async def owners(self, keys: Sequence[bytes], until_s: float) -> Sequence[Address]:
        """Of each key, which node has it. Raises DependencyDown where no node tells."""
        if not self.is_cluster:
            return self._known[:1] * len(keys)
        await self._know_slots(until_s)
        owners = self._owners
        return [owners[key_slot(key)] for key in keys]

    async def ask(self, address: Address, commands: Sequence[Command], until_s: float) -> list[Any]:
        """The answers to commands sent to a node together; one that it refuses is answered by its ResponseError.

        Raises DependencyDown where the node does not answer, Overloaded where no connection became free.
        """
        if self._now_s() < self._down_until_s.get(address, float("-inf")):
            raise DependencyDown(f"Redis at {_shown(address)} does not answer")
        left_s = until_s - asyncio.get_running_loop().time()
        if left_s <= 0:
            raise DependencyDown("no time is left to ask Redis")
        gate = self._gates.setdefault(address, asyncio.Semaphore(CONNECTIONS_MAX))
        is_sent = False
        try:
            async with asyncio.timeout_at(until_s), gate:
                is_sent = True
                answers = await self._send(address, commands)
        except (TimeoutError, OSError, exceptions.RedisError) as error:
            self.failed_calls += 1
            if not is_sent:
                raise Overloaded(f"all connections to Redis at {_shown(address)} are in use") from error
            if not isinstance(error, TimeoutError) or left_s > self._call_s / 2:  # else it was hardly given the time
                self._down_until_s[address] = self._now_s() + RETRY_AFTER_MS / 1000
            raise DependencyDown(f"Redis at {_shown(address)} does not answer: {type(error).__name__}") from error
        if self._down_until_s and self._down_until_s.pop(address, None) is not None:
            self.epoch += 1
        return answers

    async def ask_owner(self, key: bytes, command: Command, until_s: float) -> Any:
        """The answer of the node that has the key, which may be moving. Raises DependencyDown, Overloaded."""
        (address,) = await self.owners([key], until_s)
        is_asking = False
        for _ in range(REDIRECTS_MAX):
            try:
                answers = await self.ask(address, [["ASKING"], command] if is_asking else [command], until_s)
            except DependencyDown:
                answers = [exceptions.ClusterDownError("")]
                if not await self._has_moved(key, address, until_s):
                    raise
            answer, is_asking = answers[-1], False
            if isinstance(answer, exceptions.AskError):  # to another node, for now or for good
                address, is_asking = (answer.host or address[0], answer.port), True
                if isinstance(answer, exceptions.MovedError):
                    is_asking, self._is_outdated = False, True
            elif isinstance(answer, MISPLACED):
                await self.learn(until_s)
                (address,) = await self.owners([key], until_s)
            elif isinstance(answer, exceptions.ResponseError):
                self.failed_calls += 1
                raise DependencyDown(f"Redis at {_shown(address)} refuses: {_code(answer)}")
            else:
                return answer
        self.failed_calls += 1
        raise DependencyDown("Redis sends a key from node to node")

    async def learn(self, until_s: float) -> None:
        """Ask which node owns which slots, all who want to know together. Raises nothing: what was known stays."""
        if not self.is_cluster:
            return
        if self._learning is None:
            if self._owners and self._now_s() < self._learnt_s + LEARN_AGAIN_MS / 1000:
                return
            self._learning = self.spawn(self._learn())
        # Whoever gives up leaves it to the others.
        await asyncio.wait([self._learning], timeout=max(until_s - asyncio.get_running_loop().time(), 0))

    def spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Let this run beside, until `close`."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        """End what runs beside and all connections."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for client in self._clients.values():
            await client.aclose()
        self._clients.clear()

    async def _send(self, address: Address, commands: Sequence[Command]) -> list[Any]:
        client = self._client(address)
        answers = await _pipelined(client, commands)
        missing = [at for at, answer in enumerate(answers) if _lacks_function(answer)]
        if missing:
            loaded, *again = await _pipelined(
                client, [["FUNCTION", "LOAD", "REPLACE", LIBRARY], *(commands[at] for at in missing)]
            )
            if isinstance(loaded, exceptions.ReadOnlyError):
                again = [loaded] * len(missing)
            for at, answer in zip(missing, again, strict=True):
                answers[at] = answer
        for answer in answers:
            # A server that is loading its file, or lets nobody in, answers everything so.
            if isinstance(answer, exceptions.ConnectionError):
                raise answer
        return answers

    def _client(self, address: Address) -> Redis:
        client = self._clients.get(address)
        if client is None:
            client = self._clients[address] = Redis(
                host=address[0],
                port=address[1],
                username=self._username,
                password=self._password,
                socket_timeout=None,  # each call has its own bound
                socket_connect_timeout=self._call_s,
                max_connections=CONNECTIONS_MAX,
                retry=Retry(NoBackoff(), 0),
                protocol=2,  # no pushed messages are wanted
                **self._tls,
            )
        return client

    async def _know_slots(self, until_s: float) -> None:
        if not self._owners or self._is_outdated:
            await self.learn(until_s)
        if not self._owners:
            raise DependencyDown("no node of the Redis Cluster tells who owns which slots")

    async def _has_moved(self, key: bytes, address: Address, until_s: float) -> bool:
        if not self.is_cluster:
            return False
        await self.learn(until_s)
        return list(await self.owners([key], until_s)) != [address]

    async def _learn(self) -> None:
        try:
            for _ in range(min(LEARN_FROM_MAX, len(self._known))):
                address = self._known.pop(0)  # another one is asked next time
                self._known.append(address)
                try:
                    (answer,) = await self.ask(address, [["CLUSTER", "SLOTS"]], self.deadline_s())
                except (DependencyDown, Overloaded):
                    continue
                if isinstance(answer, list) and self._take(answer, address):
                    return
        finally:
            self._learning = None
            self._learnt_s = self._now_s()

    def _take(self, ranges: Sequence[Any], asked: Address) -> bool:
        """Whether the answer covers a slot at least. What it leaves out stays where it was."""
        if not ranges:
            return False
        known: dict[Address, None] = {}
        first_owner = _address(ranges[0][2], asked)
        owners = list(self._owners) or [first_owner] * SLOTS
        for first, last, *nodes in ranges:
            addresses = [_address(node, asked) for node in nodes]
            owners[first : last + 1] = addresses[:1] * (last + 1 - first)
            known |= dict.fromkeys(addresses)
        if self._owners and owners != self._owners:
            self.epoch += 1
        self._owners, self._is_outdated = owners, False
        self._known = [*known, *(address for address in self._known if address not in known)][: 4 * LEARN_FROM_MAX]
        gone = set(self._down_until_s) - set(owners)
        for address in gone:  # whoever owns nothing takes nothing down with it
            del self._down_until_s[address]
        return True


async def _pipelined(client: Redis, commands: Sequence[Command]) -> list[Any]:
    if len(commands) == 1:
        try:
            return [await client.execute_command(*commands[0])]  # type: ignore[no-untyped-call]
        except exceptions.ResponseError as error:
            return [error]
    async with client.pipeline(transaction=False) as pipeline:
        for command in commands:
            pipeline.execute_command(*command)
        return list(await pipeline.execute(raise_on_error=False))


def _address(node: Sequence[Any], asked: Address) -> Address:
    host, port = node[0], node[1]
    return host.decode() if host else asked[0], int(port)


def _lacks_function(answer: object) -> bool:
    return isinstance(answer, exceptions.ResponseError) and "Function not found" in str(answer)


def _code(error: exceptions.ResponseError) -> str:
    return str(error).split(" ", 1)[0] or type(error).__name__


def _shown(address: Address) -> str:
    return f"{address[0]}:{address[1]}"
