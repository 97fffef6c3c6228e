"""Waiting for what nothing announces."""

import asyncio
import inspect
from collections.abc import Callable

WAIT_S_MAX = 20.0
"""A condition that does not come true within this is a failure."""
_LOOK_EVERY_S = 0.002


async def eventually(holds: Callable[[], object]) -> None:
    """Look, and look again until it holds. What is to be awaited, is. Raises TimeoutError."""
    async with asyncio.timeout(WAIT_S_MAX):
        while not await _answer(holds()):  # noqa: ASYNC110 - nothing rings
            await asyncio.sleep(_LOOK_EVERY_S)


async def _answer(said: object) -> object:
    return await said if inspect.isawaitable(said) else said
