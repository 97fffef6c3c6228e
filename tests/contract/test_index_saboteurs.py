"""The index contracts must catch a wrong adapter: each saboteur breaks one promise and is named for it."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from contract import test_index_trends as trends
from contract import test_tweet_index as tweets
from contract import test_user_index as users
from roost.adapters.index.memory import MemoryTweetIndex, MemoryUserIndex
from roost.domain.ids import Position, TweetId, UserId, Version
from roost.domain.search.document import IndexedTweet
from roost.domain.search.people import IndexedUser, UserPrefix
from roost.domain.search.query import Phrase, ResolvedQuery, Term
from roost.domain.search.trending import Trend
from roost.ports.index import AuthorPublic, TweetBatch, TweetIndex, UserBatch, UserIndex


class AnyTermSuffices(MemoryTweetIndex):
    async def search(self, query: ResolvedQuery, before: TweetId | None, limit: int) -> list[TweetId]:
        found: set[TweetId] = set()
        for term in query.terms:
            found |= set(await super().search(ResolvedQuery((term,)), before, limit))
        return sorted(found, reverse=True)[:limit]


class PhraseIsABagOfWords(MemoryTweetIndex):
    async def search(self, query: ResolvedQuery, before: TweetId | None, limit: int) -> list[TweetId]:
        terms: list[Term] = []
        for term in query.terms:
            words = term.condition.words if isinstance(term.condition, Phrase) else ()
            apart = [Term(Phrase((word,)), term.negated) for word in words]
            terms += apart or [term]
        return await super().search(ResolvedQuery(tuple(terms)), before, limit)


class NegationIsIgnored(MemoryTweetIndex):
    async def search(self, query: ResolvedQuery, before: TweetId | None, limit: int) -> list[TweetId]:
        plain = tuple(Term(term.condition) for term in query.terms)
        return await super().search(ResolvedQuery(plain), before, limit)


class CursorIsInclusive(MemoryTweetIndex):
    async def search(self, query: ResolvedQuery, before: TweetId | None, limit: int) -> list[TweetId]:
        return await super().search(query, before and TweetId(before + 1), limit)


class OldestFirst(MemoryTweetIndex):
    async def search(self, query: ResolvedQuery, before: TweetId | None, limit: int) -> list[TweetId]:
        return (await super().search(query, before, limit))[::-1]


class RetweetsLookLikeTweets(MemoryTweetIndex):
    def _add(self, tweet: IndexedTweet) -> None:
        super()._add(replace(tweet, is_retweet=False))


class HashtagsAreBareWords(MemoryTweetIndex):
    def _add(self, tweet: IndexedTweet) -> None:
        super()._add(replace(tweet, hashtags=(*tweet.hashtags, *tweet.text.split())))


class TheLastAddedWins(MemoryTweetIndex):
    def _add(self, tweet: IndexedTweet) -> None:
        self._tweets.pop(tweet.tweet_id, None)
        self._ids = [id for id in self._ids if id != tweet.tweet_id]
        super()._add(tweet)


class TheFirstAddedWins(MemoryTweetIndex):
    def _add(self, tweet: IndexedTweet) -> None:
        if tweet.tweet_id not in self._tweets:
            super()._add(tweet)


class RemovalIsForgotten(MemoryTweetIndex):
    def _remove(self, id: TweetId) -> None:
        super()._remove(id)
        self._removed.clear()


class RemovalIsIgnored(MemoryTweetIndex):
    def _remove(self, id: TweetId) -> None:
        self._removed.add(id)


class PositionIsDropped(MemoryTweetIndex):
    async def apply(self, batch: TweetBatch, position: Position | None = None) -> None:
        await super().apply(batch)


class ClearingKeepsRemovals(MemoryTweetIndex):
    async def clear(self) -> None:
        removed = set(self._removed)
        await super().clear()
        self._removed = removed


class AuthorsTakeTheLastVersion(MemoryTweetIndex):
    def _set_author(self, author: AuthorPublic) -> None:
        self._authors[author.author_id] = author


class ProtectionIsIgnored(MemoryTweetIndex):
    def _set_author(self, author: AuthorPublic) -> None:
        super()._set_author(replace(author, public=True))


class TrendsCountSecrets(MemoryTweetIndex):
    def _counts(self, tweet: IndexedTweet) -> bool:
        return super()._counts(replace(tweet, public=True))


class TrendsCountTweets(MemoryTweetIndex):
    def _add(self, tweet: IndexedTweet) -> None:
        super()._add(replace(tweet, author_id=UserId(tweet.tweet_id)))


class TrendsRankByCount(MemoryTweetIndex):
    async def trends(self, now_ms: int, limit: int) -> list[Trend]:
        return sorted(await super().trends(now_ms, limit), key=lambda trend: -trend.count)


class LimitIsIgnored(MemoryTweetIndex):
    async def search(self, query: ResolvedQuery, before: TweetId | None, limit: int) -> list[TweetId]:
        return await super().search(query, before, 100)


@pytest.mark.parametrize(
    ("saboteur", "promise"),
    [
        (AnyTermSuffices, tweets.test_all_terms_are_required),
        (PhraseIsABagOfWords, tweets.test_a_phrase_needs_its_words_in_a_row),
        (PhraseIsABagOfWords, tweets.test_every_substring_finds_a_text_without_spaces),
        (NegationIsIgnored, tweets.test_a_negated_term_leaves_out_what_it_matches),
        (NegationIsIgnored, tweets.test_a_name_of_nobody_finds_nothing_and_excludes_nothing),
        (NegationIsIgnored, tweets.test_dates_bound_the_tweets_until_being_exclusive),
        (CursorIsInclusive, tweets.test_a_page_is_strictly_older_than_its_cursor),
        (LimitIsIgnored, tweets.test_a_page_is_strictly_older_than_its_cursor),
        (OldestFirst, tweets.test_results_are_newest_first_whatever_order_they_were_added_in),
        (RetweetsLookLikeTweets, tweets.test_retweets_are_found_only_when_asked_for),
        (HashtagsAreBareWords, tweets.test_a_hashtag_is_found_with_and_without_its_sign),
        (HashtagsAreBareWords, tweets.test_a_hashtag_page_regards_no_case_and_no_bare_word),
        (TheLastAddedWins, tweets.test_the_greater_version_is_kept_whatever_comes_first),
        (TheFirstAddedWins, tweets.test_the_greater_version_is_kept_whatever_comes_first),
        (RemovalIsForgotten, tweets.test_a_removed_tweet_stays_removed_whatever_comes_later),
        (RemovalIsIgnored, tweets.test_a_removed_tweet_is_found_by_nothing),
        (PositionIsDropped, tweets.test_a_position_is_kept_with_its_changes),
        (ClearingKeepsRemovals, tweets.test_clearing_forgets_everything),
        (AuthorsTakeTheLastVersion, trends.test_an_authors_greater_version_is_kept),
        (
            ProtectionIsIgnored,
            trends.test_what_a_protected_author_used_leaves_the_trends_and_comes_back,
        ),
        (TrendsCountSecrets, trends.test_trends_count_public_tweets_and_no_retweets),
        (TrendsCountTweets, trends.test_trends_count_an_author_once_an_hour),
        (TrendsRankByCount, trends.test_trends_rank_a_rise_above_a_habit),
    ],
)
async def test_a_wrong_tweet_index_is_caught(
    saboteur: Callable[[], TweetIndex], promise: Callable[[TweetIndex], Awaitable[None]]
) -> None:
    with pytest.raises(AssertionError):
        await promise(saboteur())


class NamesOnly(MemoryUserIndex):
    def _put(self, user: IndexedUser) -> None:
        super()._put(replace(user, display_name=""))


class FollowersAreForgotten(MemoryUserIndex):
    def _put(self, user: IndexedUser) -> None:
        super()._put(replace(user, followers=0))


class ExactNameIsNothingSpecial(MemoryUserIndex):
    async def search(self, prefix: UserPrefix, limit: int) -> list[UserId]:
        found = await super().search(prefix, limit)
        return sorted(found, key=lambda one: (-self._users[one].followers, one))


class EveryWordIsAnAnswer(MemoryUserIndex):
    async def search(self, prefix: UserPrefix, limit: int) -> list[UserId]:
        found = await super().search(prefix, limit)
        return [id for id in found for key in self._users[id].keys if key.startswith(prefix.text)]


class OldVersionsWin(MemoryUserIndex):
    def _put(self, user: IndexedUser) -> None:
        super()._put(replace(user, version=Version(9)))


class SameVersionIsIgnored(MemoryUserIndex):
    def _put(self, user: IndexedUser) -> None:
        kept = self._users.get(user.user_id)
        if kept is None or kept.version < user.version:
            super()._put(user)


class RemovedUsersReturn(MemoryUserIndex):
    def _put(self, user: IndexedUser) -> None:
        self._removed.clear()
        super()._put(user)


class UserPositionIsDropped(MemoryUserIndex):
    async def apply(self, batch: UserBatch, position: Position | None = None) -> None:
        await super().apply(batch)


class ClearingKeepsVersions(MemoryUserIndex):
    async def clear(self) -> None:
        self._position = None
        for id, kept in self._users.items():
            self._users[id] = replace(kept, name="\n", display_name="")


@pytest.mark.parametrize(
    ("saboteur", "promise"),
    [
        (
            NamesOnly,
            users.test_a_user_is_found_by_the_display_name_from_each_of_its_words_on,
        ),
        (FollowersAreForgotten, users.test_the_exact_name_comes_first_then_the_most_followed),
        (ExactNameIsNothingSpecial, users.test_the_exact_name_comes_first_then_the_most_followed),
        (EveryWordIsAnAnswer, users.test_a_user_is_found_once_although_several_words_match),
        (OldVersionsWin, users.test_the_greater_version_is_kept_and_the_same_one_replaced),
        (SameVersionIsIgnored, users.test_the_greater_version_is_kept_and_the_same_one_replaced),
        (RemovedUsersReturn, users.test_a_removed_user_stays_removed_whatever_comes_later),
        (UserPositionIsDropped, users.test_a_position_is_kept_with_its_changes),
        (ClearingKeepsVersions, users.test_clearing_forgets_everything),
    ],
)
async def test_a_wrong_user_index_is_caught(
    saboteur: Callable[[], UserIndex], promise: Callable[[UserIndex], Awaitable[None]]
) -> None:
    with pytest.raises(AssertionError):
        await promise(saboteur())
