"""Delete a tweet; deleting a retweet undoes it.

edge.native.tweets -> DeleteTweet -> TweetStore (with the announcement) -> reactions
"""

from dataclasses import dataclass

from roost.domain.errors import Forbidden, NotFound
from roost.domain.events import TweetDeleted
from roost.domain.ids import TweetId
from roost.domain.user import User
from roost.ports.ids import IdSource
from roost.ports.log import NodeProgress
from roost.ports.tweets import TweetStore
from roost.views.sight import Sight


@dataclass(frozen=True, slots=True)
class DeleteTweet:
    store: TweetStore
    ids: IdSource
    sight: Sight
    progress: NodeProgress

    async def __call__(self, user: User, id: TweetId) -> None:
        """One's own, or as an operator any. Deleting again changes nothing.

        Raises NotFound for what is absent or not to be seen, Forbidden for another's.
        """
        # From the store, not the cache: whether it is gone already is what is asked.
        tweet = (await self.store.get_many([id])).get(id)
        if tweet is None or (tweet.deleted and tweet.author != user.id):
            raise NotFound(f"no tweet {id}")
        if tweet.deleted:
            return
        if tweet.author != user.id and not user.operator:
            await self.sight.one(id, user.id)
            raise Forbidden(f"tweet {id} is not yours")
        version = self.ids.next_version(tweet.version)
        event = TweetDeleted(id, tweet.author, version, tweet.reply_to, tweet.retweet_of, tweet.quote_of)
        position = await self.store.delete(tweet, version, [event])
        if position is not None:
            await self.progress.reached(position)
