"""uvicorn in this process, with a protocol class under test and an application of the test's own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from api.waiting import eventually


@asynccontextmanager
async def serving(app: Any, http: type[asyncio.Protocol]) -> AsyncIterator[int]:
    """Yields the port."""
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, http=http, lifespan="off", log_config=None, timeout_graceful_shutdown=1)
    )
    running = asyncio.create_task(server.serve())
    await eventually(lambda: server.started)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await running
