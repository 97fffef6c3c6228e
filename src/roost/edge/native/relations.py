"""Follow, block and mute others, and answer their requests to follow.

edge.native.app -> RelationActs -> commands.relate
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from roost.commands.relate import Relate
from roost.domain.errors import Conflict, Forbidden, Invalid, NotFound, RoostError
from roost.domain.ids import UserId
from roost.edge.native.endpoint import NO_CONTENT, USER_ID, Answer, Call, Described, Endpoint

Act = Callable[[UserId, UserId], Awaitable[None]]

DONE = Described("done, or so already")
_OTHER = (NotFound, Conflict)


@dataclass(frozen=True, slots=True)
class RelationActs:
    relate: Relate

    def endpoints(self) -> list[Endpoint]:
        relate = self.relate
        follow = "/user/{userId}/follow"
        waiting = Described("it waits for the user to accept")
        request = "/follow-requests/{userId}"
        return [
            Endpoint(
                "POST",
                follow,
                self._follow,
                "Follow a user, or ask a protected one",
                {204: DONE, 202: waiting},
                parameters=(USER_ID,),
                rate_limit="follow",
                refusals=(*_OTHER, Forbidden, Invalid),
            ),
            _act("DELETE", follow, relate.unfollow, "Unfollow a user, or take a request back"),
            _act("POST", "/user/{userId}/block", relate.block, "Block a user, which ends follows both ways"),
            _act("DELETE", "/user/{userId}/block", relate.unblock, "Unblock a user"),
            _act("POST", "/user/{userId}/mute", relate.mute, "Mute a user"),
            _act("DELETE", "/user/{userId}/mute", relate.unmute, "Unmute a user"),
            _act("POST", request + "/accept", relate.accept, "Let a user follow", (NotFound,)),
            _act("POST", request + "/reject", relate.reject, "Refuse a request to follow", (NotFound,)),
        ]

    async def _follow(self, call: Call[None]) -> Answer:
        holds = await self.relate.follow(call.user, call.value(USER_ID))
        return NO_CONTENT if holds else Answer(202)


def _act(method: str, path: str, act: Act, summary: str, refusals: tuple[type[RoostError], ...] = _OTHER) -> Endpoint:
    async def handle(call: Call[None]) -> Answer:
        await act(call.user, call.value(USER_ID))
        return NO_CONTENT

    # What gives a relation counts against the limit of follows; taking one back is as free as reading.
    rule = "follow" if method == "POST" else "read"
    return Endpoint(
        method, path, handle, summary, {204: DONE}, parameters=(USER_ID,), rate_limit=rule, refusals=refusals
    )
