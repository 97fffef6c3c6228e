"""POST /ws/ticket: a browser, which cannot send a header with a WebSocket, gets a ticket to open one.

edge.native.app -> WebSocketTickets -> edge.live.tickets
"""

from dataclasses import dataclass

from roost.domain.errors import NotSignedIn
from roost.edge.live.tickets import TicketDesk
from roost.edge.native import shapes
from roost.edge.native.endpoint import Answer, Call, Described, Endpoint, answer


@dataclass(frozen=True, slots=True)
class WebSocketTickets:
    tickets: TicketDesk

    def endpoints(self) -> list[Endpoint]:
        made = Described("a ticket, good once within 30 s", shapes.TicketShape)
        return [Endpoint("POST", "/ws/ticket", self._issue, "Get a ticket to open a WebSocket", {200: made})]

    async def _issue(self, call: Call[None]) -> Answer:
        if call.session is None:
            raise NotSignedIn
        return answer(200, shapes.TicketShape(await self.tickets.hand_out(call.session)))
