"""Used tickets in memory."""


class MemoryUsedTickets:
    def __init__(self) -> None:
        self._until_ms: dict[bytes, int] = {}

    async def use(self, id: bytes, until_ms: int, now_ms: int) -> bool:
        for void in [known for known, end_ms in self._until_ms.items() if end_ms < now_ms]:
            del self._until_ms[void]
        if id in self._until_ms:
            return False
        self._until_ms[id] = until_ms
        return True
