"""One function over many keys of Redis: in a cluster one call a primary, and what has moved is asked for again."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from redis import exceptions

from roost.adapters.redis_functions import function
from roost.adapters.redis_link import Address, Argument, RedisLink
from roost.domain.errors import DependencyDown, Overloaded

ROWS_A_CALL_MAX = 1_000
"""A call of so many pushes holds the server for 2 ms."""
ROWS_MAX = 10_000
"""Rows of one `scatter`: what one wait has to be enough for."""
PASSES_MAX = 2
"""Calls a primary, the second with the slots as they are then. What still is refused is asked for key by key."""
AT_ONCE_MAX = 64
"""Keys that are asked for one by one at a time: those of slots that are just moving."""

Row = tuple[bytes, ...]
"""A key, then what the function wants with it."""


@dataclass(slots=True)
class Scattered:
    """What the calls answered, each with the numbers of its rows, and the numbers of the rows that nobody took.

    A row that was refused once is in the first answer too, where it counts for nothing, and again in a later one.
    """

    answers: list[tuple[Sequence[int], Any]] = field(default_factory=list)
    missed: list[int] = field(default_factory=list)


@dataclass(slots=True)
class _Left:
    """Rows that still have to be done: refused by a node that answers, or of a node that does not."""

    refused: list[int] = field(default_factory=list)
    unreached: list[int] = field(default_factory=list)


async def scatter(link: RedisLink, name: str, head: Sequence[Argument], rows: Sequence[Row]) -> Scattered:
    """Call a function that takes keys as arguments. Raises nothing: what fails is missed. At most ROWS_MAX rows."""
    if len(rows) > ROWS_MAX:
        raise ValueError(f"{len(rows)} rows are more than {ROWS_MAX} at once")
    run = _Scatter(link, function(name), head, rows, link.deadline_s())
    return await run()


@dataclass(slots=True)
class _Scatter:
    link: RedisLink
    function: str
    head: Sequence[Argument]
    rows: Sequence[Row]
    until_s: float
    done: Scattered = field(default_factory=Scattered)

    async def __call__(self) -> Scattered:
        left = _Left(refused=list(range(len(self.rows))))
        for passed in range(PASSES_MAX):
            if passed:
                await self.link.learn(self.until_s)
            left = await self._pass(sorted(left.refused + left.unreached))
            if not self.link.is_cluster or not (left.refused or left.unreached):
                break
        self.done.missed = left.unreached
        if not self.link.is_cluster:
            self.done.missed += left.refused
            return self.done
        for first in range(0, len(left.refused), AT_ONCE_MAX):
            await asyncio.gather(*map(self._one, left.refused[first : first + AT_ONCE_MAX]))
        return self.done

    async def _pass(self, numbers: Sequence[int]) -> _Left:
        left = _Left()
        try:
            owners = await self.link.owners([self.rows[number][0] for number in numbers], self.until_s)
        except (DependencyDown, Overloaded):
            left.unreached.extend(numbers)
            return left
        groups: dict[Address, list[int]] = {}
        for number, owner in zip(numbers, owners, strict=True):
            groups.setdefault(owner, []).append(number)
        await asyncio.gather(*(self._ask(address, group, left) for address, group in groups.items()))
        return left

    async def _ask(self, address: Address, group: Sequence[int], left: _Left) -> None:
        parts = [group[first : first + ROWS_A_CALL_MAX] for first in range(0, len(group), ROWS_A_CALL_MAX)]
        try:
            answers = await self.link.ask(address, [self._command(part) for part in parts], self.until_s)
        except (DependencyDown, Overloaded):
            left.unreached.extend(group)
            return
        for part, answer in zip(parts, answers, strict=True):
            if isinstance(answer, exceptions.ResponseError):
                self.link.failed_calls += 1
                left.refused.extend(part)
            else:
                self._take(part, answer, left)

    def _take(self, part: Sequence[int], answer: Sequence[Any], left: _Left) -> None:
        refused = [part[at - 1] for at in answer[1:]]
        left.refused.extend(refused)
        self.done.answers.append((part, answer[0]))

    async def _one(self, number: int) -> None:
        """With its key declared, so that Redis says where it is."""
        key = self.rows[number][0]
        command = ["FCALL", self.function, 1, key, *self.head, *self.rows[number]]
        try:
            answer = await self.link.ask_owner(key, command, self.until_s)
        except (DependencyDown, Overloaded):
            self.done.missed.append(number)
            return
        if len(answer) > 1:
            self.done.missed.append(number)
        else:
            self.done.answers.append(([number], answer[0]))

    def _command(self, numbers: Sequence[int]) -> Sequence[Argument]:
        command: list[Argument] = ["FCALL", self.function, 0, *self.head]
        for number in numbers:
            command.extend(self.rows[number])
        return command
