"""Profiles, and what their owners do to them: read, edit, delete.

edge.native.app -> Users -> queries.user_profile, commands.update_profile, delete_account
"""

from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from roost.commands.delete_account import DeleteAccount
from roost.commands.update_profile import UNCHANGED, ProfileChanges, Unchanged, UpdateProfile
from roost.domain.errors import Forbidden, Invalid, NotFound
from roost.domain.ids import ContentId, UserId
from roost.edge.native.auth import SessionCookie
from roost.edge.native.endpoint import (
    USER_ID,
    Answer,
    Call,
    Described,
    Endpoint,
    Handler,
    Parameter,
    SignedIn,
    answer,
    text_in_path,
)
from roost.edge.native.shapes import UserShape, user_shape
from roost.edge.rendering import ContentAddresses
from roost.queries.user_profile import UserProfiles

T = TypeVar("T")

NAME_CHARACTERS_MAX = 100
"""Longer than any username: what is too long is not found, like every other name that nobody has."""
NAME = text_in_path("name", "a username, without regard to case", NAME_CHARACTERS_MAX)

USER = Described("the user; with e-mail and mobile for the owner", UserShape)


class ProfileBody(msgspec.Struct, frozen=True):
    """What is absent stays as it is. `avatar_content_id` names an image of one's own; null takes the picture away."""

    display_name: str | msgspec.UnsetType = msgspec.UNSET
    bio: str | msgspec.UnsetType = msgspec.UNSET
    avatar_content_id: str | msgspec.UnsetType | None = msgspec.UNSET
    protected: bool | msgspec.UnsetType = msgspec.UNSET


class PasswordBody(msgspec.Struct, frozen=True):
    password: str


@dataclass(frozen=True, slots=True)
class Users:
    profiles: UserProfiles
    update: UpdateProfile
    delete: DeleteAccount
    addresses: ContentAddresses
    cookie: SessionCookie

    def endpoints(self) -> list[Endpoint]:
        return [*self._reading(), *self._changing()]

    def _reading(self) -> list[Endpoint]:
        def profile(path: str, handler: Handler, summary: str, parameter: Parameter[Any]) -> Endpoint:
            return Endpoint(
                "GET", path, handler, summary, {200: USER}, SignedIn.OPTIONAL, (parameter,), refusals=(NotFound,)
            )

        return [
            profile("/user/{userId}", self._one, "A user's profile", USER_ID),
            profile("/user/by/username/{name}", self._by_name, "A user's profile by name", NAME),
        ]

    def _changing(self) -> list[Endpoint]:
        return [
            Endpoint(
                "PATCH",
                "/user/{userId}",
                self._update,
                "Edit one's own profile",
                {200: USER},
                parameters=(USER_ID,),
                body=ProfileBody,
                refusals=(Forbidden, NotFound, Invalid),
            ),
            Endpoint(
                "DELETE",
                "/user/{userId}",
                self._delete,
                "Delete one's own account",
                {202: Described("unseen from now on, and erased within a day")},
                parameters=(USER_ID,),
                body=PasswordBody,
                rate_limit="sign_in",
                refusals=(Forbidden, NotFound),
            ),
        ]

    async def _one(self, call: Call[None]) -> Answer:
        profile = await self.profiles.one(call.value(USER_ID), call.viewer)
        return answer(200, user_shape(profile, self.addresses))

    async def _by_name(self, call: Call[None]) -> Answer:
        profile = await self.profiles.by_name(call.value(NAME), call.viewer)
        return answer(200, user_shape(profile, self.addresses))

    async def _update(self, call: Call[ProfileBody]) -> Answer:
        user_id = _own(call)
        await self.update(user_id, _changes(call.body))
        return answer(200, user_shape(await self.profiles.one(user_id, user_id), self.addresses))

    async def _delete(self, call: Call[PasswordBody]) -> Answer:
        await self.delete(_own(call), call.body.password)
        browser = call.session is not None and call.session.csrf_hash is not None
        return Answer(202, headers=(self.cookie.clear(),) if browser else ())


def _own(call: Call[Any]) -> UserId:
    """The user of the path, who must be the caller."""
    user_id = call.value(USER_ID)
    if user_id != call.user:
        raise Forbidden(f"user {user_id} is not you")
    return user_id


def _changes(body: ProfileBody) -> ProfileChanges:
    return ProfileChanges(
        display_name=_or_none(body.display_name),
        bio=_or_none(body.bio),
        avatar=_avatar(body.avatar_content_id),
        protected=_or_none(body.protected),
    )


def _avatar(given: str | msgspec.UnsetType | None) -> ContentId | Unchanged | None:
    if isinstance(given, msgspec.UnsetType):
        return UNCHANGED
    return None if given is None else ContentId(given)


def _or_none(given: T | msgspec.UnsetType) -> T | None:
    return None if isinstance(given, msgspec.UnsetType) else given
