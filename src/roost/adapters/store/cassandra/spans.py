"""Which partitions a list has: lists that grow with time are split by month, day or minute.

A span is noted in the same batch as the first row of it that this process writes. Few lists take spans back, once they
are long past and empty: one too many costs a read of an empty partition.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from roost.adapters.store.cassandra.cql import Bound, Cql
from roost.adapters.store.cassandra.session import CassandraSession
from roost.domain.ids import DAY_MS, ms_of

MONTH_MS = 30 * DAY_MS
KNOWN_MAX = 100_000
"""Spans that a process remembers to be noted: some 20 MB."""

Span = tuple[str, int, int]
"""A list's name, whose list it is (0 where there is one for all), and the span."""

_NOTE = Cql("INSERT INTO spans (list, owner, span) VALUES (?, ?, ?)")
_FORGET = Cql("DELETE FROM spans WHERE list = ? AND owner = ? AND span = ?")
_OF = Cql("SELECT span FROM spans WHERE list = ? AND owner = ?")


def month_of(id: int) -> int:
    """The month of an id or a version."""
    return ms_of(id) // MONTH_MS


class Spans:
    """Shared by the stores of one session."""

    def __init__(self, session: CassandraSession) -> None:
        self._session = session
        self._known: OrderedDict[Span, None] = OrderedDict()

    async def of(self, list: str, owner: int) -> Sequence[int]:
        """The spans in which the list may have rows, rising."""
        return [span for (span,) in await self._session.rows(_OF, list, owner)]

    async def forget(self, list: str, owner: int, span: int) -> None:
        """Take back an empty span that nobody writes to any more."""
        await self._session.write(_FORGET, list, owner, span)
        self._known.pop((list, owner, span), None)

    async def write(self, statements: Iterable[Bound], spans: Iterable[Span], at_us: int | None = None) -> None:
        """Write rows of these spans, all or none, together with the spans."""
        new = [span for span in dict.fromkeys(spans) if span not in self._known]
        await self._session.write_together([*statements, *(_NOTE(*span) for span in new)], at_us)
        for span in new:
            self._known[span] = None
        while len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)
