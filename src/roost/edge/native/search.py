"""Search, hashtags, trends, and finding users.

edge.native.app -> SearchReads -> queries.search, queries.trends -> rendering
"""

from dataclasses import dataclass

from roost.domain.errors import Invalid
from roost.domain.search.grammar import QUERY_CHARACTERS_MAX
from roost.domain.search.people import PREFIX_CHARACTERS_MAX
from roost.domain.search.words import TAG_CHARACTERS_MAX
from roost.edge.native import pages, shapes
from roost.edge.native.endpoint import (
    BEFORE,
    LIMIT,
    Answer,
    Call,
    Described,
    Endpoint,
    SignedIn,
    answer,
    required_text,
    text_in_path,
)
from roost.edge.rendering import ContentAddresses, TweetRenderer
from roost.queries.search import Search
from roost.queries.trends import Trends
from roost.queries.user_profile import UserProfiles
from roost.views.lists import ListPage
from roost.views.sight import Seen

QUERY = required_text("q", "the query: words, phrases and operators, all required", QUERY_CHARACTERS_MAX)
PREFIX = required_text("q", "how the name or the display name begins", PREFIX_CHARACTERS_MAX)
TAG = text_in_path("tag", "the hashtag, with or without its sign", TAG_CHARACTERS_MAX)

TWEETS = Described("a page of tweets", shapes.TweetPage)


@dataclass(frozen=True, slots=True)
class SearchReads:
    search: Search
    trends: Trends
    profiles: UserProfiles
    renderer: TweetRenderer
    addresses: ContentAddresses

    def endpoints(self) -> list[Endpoint]:
        return [*self._of_tweets(), *self._of_people_and_tags()]

    def _of_tweets(self) -> list[Endpoint]:
        return [
            Endpoint(
                "GET",
                "/search",
                self._search,
                "Search tweets, newest first",
                {200: TWEETS},
                SignedIn.OPTIONAL,
                (QUERY, LIMIT, BEFORE),
                rate_limit="search",
            ),
            Endpoint(
                "GET",
                "/hashtag/{tag}",
                self._hashtag,
                "Read the tweets with a hashtag, newest first",
                {200: TWEETS},
                SignedIn.OPTIONAL,
                (TAG, LIMIT, BEFORE),
                rate_limit="search",
                refusals=(Invalid,),
            ),
        ]

    def _of_people_and_tags(self) -> list[Endpoint]:
        return [
            Endpoint(
                "GET",
                "/users/search",
                self._users,
                "Find users by the beginning of a name",
                {200: Described("the users found", shapes.UserPage)},
                SignedIn.OPTIONAL,
                (PREFIX, LIMIT),
                rate_limit="search",
            ),
            Endpoint(
                "GET",
                "/trends",
                self._trends,
                "The hashtags that rose most over the last hours",
                {200: Described("the trends", shapes.TrendList)},
                SignedIn.OPTIONAL,
                (LIMIT,),
            ),
        ]

    async def _search(self, call: Call[None]) -> Answer:
        page = await self.search(call.value(QUERY), call.viewer, call.value(LIMIT), call.value(BEFORE))
        return await self._page(page, call)

    async def _hashtag(self, call: Call[None]) -> Answer:
        page = await self.search.hashtag(call.value(TAG), call.viewer, call.value(LIMIT), call.value(BEFORE))
        return await self._page(page, call)

    async def _page(self, page: ListPage[Seen], call: Call[None]) -> Answer:
        return pages.tweet_page(await self.renderer.page(page.items, call.viewer), page.before, None)

    async def _users(self, call: Call[None]) -> Answer:
        ids = await self.search.find_users(call.value(PREFIX), call.viewer, call.value(LIMIT))
        return pages.user_page(await self.profiles.many(ids, call.viewer), None, self.addresses)

    async def _trends(self, call: Call[None]) -> Answer:
        trends = [pages.trend_shape(trend) for trend in await self.trends(call.value(LIMIT))]
        return answer(200, shapes.TrendList(trends))
