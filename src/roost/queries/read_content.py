"""Read an image or a video: who may, judged at each fetch.

edge.native.content -> ReadContent -> ContentView, Sight
"""

from dataclasses import dataclass

from roost.domain.content import Content
from roost.domain.errors import NotFound
from roost.domain.ids import ContentId, UserId
from roost.domain.visibility import Place, may_see_user
from roost.views.contents import ContentView
from roost.views.relations import RelationView
from roost.views.sight import Sight
from roost.views.users import UserView


@dataclass(frozen=True, slots=True)
class VisibleContent:
    """A ready content that the viewer may see. `public`: so may every stranger."""

    content: Content
    public: bool


@dataclass(frozen=True, slots=True)
class ReadContent:
    contents: ContentView
    users: UserView
    relations: RelationView
    sight: Sight

    async def __call__(self, id: ContentId, viewer: UserId | None) -> VisibleContent:
        """Raises NotFound alike for what is absent, unfinished, deleted or not to be seen by this viewer."""
        content = (await self.contents.get_many([id])).get(id)
        if content is None or not content.ready or not await self._may_see(content, viewer):
            raise NotFound("no such content")
        return VisibleContent(content, viewer is None or await self._may_see(content, None))

    async def _may_see(self, content: Content, viewer: UserId | None) -> bool:
        """As the tweet that it is in; as the profile whose picture it is; else its owner alone."""
        owner = await self.users.get(content.owner)
        if owner is None or owner.deleted:
            return False
        if owner.avatar == content.id and may_see_user(owner, await self.relations.of(viewer)):
            return True
        if content.tweet_id is None:
            return viewer == content.owner
        return bool(await self.sight.of([content.tweet_id], viewer, Place.DIRECT))
