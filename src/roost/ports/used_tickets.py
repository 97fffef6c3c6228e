"""Which tickets that carry their own meaning were used, where several nodes may meet the same one."""

from typing import Protocol


class UsedTickets(Protocol):
    async def use(self, id: bytes, until_ms: int, now_ms: int) -> bool:
        """Whether this is the ticket's first use: of all who ask at once, one hears so. Durable on return.

        Kept until `until_ms`, when the ticket is void by itself; what is void at `now_ms` may be forgotten.
        """
        ...
