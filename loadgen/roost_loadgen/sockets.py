"""The sockets of those who are tweeting: few are open, those used last stay open."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from roost_loadgen.client import Account, Client
from roost_loadgen.live import LiveSocket

SOCKETS_MAX = 256


class SocketPool:
    """At most `sockets_max` are open, one a user; the longest idle one makes room."""

    def __init__(self, client: Client, sockets_max: int = SOCKETS_MAX) -> None:
        self._client = client
        self._sockets_max = sockets_max
        self._leasable = asyncio.Semaphore(sockets_max)
        self._leased = 0
        self._idle: OrderedDict[str, LiveSocket] = OrderedDict()  # by user id, longest idle first

    @asynccontextmanager
    async def lease(self, account: Account) -> AsyncIterator[LiveSocket]:
        """The user's socket, for one task at a time."""
        async with self._leasable:
            self._leased += 1
            try:
                socket = await self._open(account)
                try:
                    yield socket
                finally:
                    if socket.lost is None:
                        self._idle[account.user_id] = socket
            finally:
                self._leased -= 1

    def close(self) -> None:
        while self._idle:
            self._idle.popitem()[1].close()

    async def _open(self, account: Account) -> LiveSocket:
        socket = self._idle.pop(account.user_id, None)
        if socket is not None and socket.lost is None:
            return socket
        if self._idle and self._leased + len(self._idle) > self._sockets_max:
            self._idle.popitem(last=False)[1].close()
        return await LiveSocket.open(self._client.address, account.token)
