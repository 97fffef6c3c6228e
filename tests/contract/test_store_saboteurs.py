"""The contracts of tweets, likes, counts, notifications, celebrities and the log must catch a wrong adapter.

Each saboteur breaks one promise and is named for it.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace

import pytest

from contract import test_celebrity_store as celebrities
from contract import test_count_store as counts
from contract import test_event_log as event_log
from contract import test_like_store as likes
from contract import test_notification_store as notifications
from contract import test_tweet_store as tweets
from contract.store_adapters import Promise, Stores, is_caught, memory_stores
from roost.adapters.clock.manual import ManualClock
from roost.adapters.log.memory import MemoryEventLog, MemorySubscription
from roost.adapters.store.memory.celebrities import MemoryCelebrityStore
from roost.adapters.store.memory.counts import MemoryCountStore
from roost.adapters.store.memory.likes import MemoryLikeStore
from roost.adapters.store.memory.notifications import MemoryNotificationStore
from roost.adapters.store.memory.tweets import MemoryTweetStore
from roost.domain.celebrity import Celebrity
from roost.domain.errors import Gone
from roost.domain.events import Event
from roost.domain.ids import Position, TweetId, UserId, Version
from roost.domain.notification import Notification
from roost.domain.timeline import Page
from roost.domain.tweet import Ref, Tweet, TweetCounts
from roost.domain.user import UserCounts
from roost.ports.likes import Like
from roost.ports.log import EventLog, Logged
from roost.ports.tweets import Posted


class AddOverwrites(MemoryTweetStore):
    async def add(self, tweet: Tweet, ref: Ref | None, events: Sequence[Event]) -> Posted:
        known = tweet.id in self._tweets
        posted = await super().add(tweet, ref, events)
        self._tweets[tweet.id] = tweet
        return replace(posted, repeated=known)


class AddForgetsToAnnounce(MemoryTweetStore):
    async def add(self, tweet: Tweet, ref: Ref | None, events: Sequence[Event]) -> Posted:
        return await super().add(tweet, ref, [])


class AddAnnouncesAgain(MemoryTweetStore):
    async def add(self, tweet: Tweet, ref: Ref | None, events: Sequence[Event]) -> Posted:
        posted = await super().add(tweet, ref, events)
        if posted.repeated:
            self._leave(events)
        return posted


class RefIsForgotten(MemoryTweetStore):
    async def add(self, tweet: Tweet, ref: Ref | None, events: Sequence[Event]) -> Posted:
        return await super().add(tweet, None, events)


class RefIsOneNamespaceForAll(MemoryTweetStore):
    async def add(self, tweet: Tweet, ref: Ref | None, events: Sequence[Event]) -> Posted:
        shared = None if ref is None else replace(ref, user_id=UserId(0))
        return await super().add(tweet, shared, events)


class RefTakesAnyPayload(MemoryTweetStore):
    async def add(self, tweet: Tweet, ref: Ref | None, events: Sequence[Event]) -> Posted:
        return await super().add(tweet, ref and replace(ref, digest=b""), events)


class RefNeverExpires(MemoryTweetStore):
    async def posted_by_ref(self, user_id: UserId, ref: str, now_ms: int) -> tuple[TweetId, bytes] | None:
        return await super().posted_by_ref(user_id, ref, 0)


class RetweetsTwice(MemoryTweetStore):
    def _posted_already(self, tweet: Tweet) -> Posted | None:
        return super()._posted_already(replace(tweet, retweet_of=None))


class RetweetAnswersTheNewId(MemoryTweetStore):
    async def add(self, tweet: Tweet, ref: Ref | None, events: Sequence[Event]) -> Posted:
        return replace(await super().add(tweet, ref, events), tweet_id=tweet.id)


class KeepsTheTweetOfRefusedContent(MemoryTweetStore):
    async def add(self, tweet: Tweet, ref: Ref | None, events: Sequence[Event]) -> Posted:
        self._tweets.setdefault(tweet.id, tweet)
        self._contents.claim(tweet.author, tweet.content, tweet.id)
        del self._tweets[tweet.id]
        return await super().add(tweet, ref, events)


class ContentIsFreeForAll(MemoryTweetStore):
    async def add(self, tweet: Tweet, ref: Ref | None, events: Sequence[Event]) -> Posted:
        posted = await super().add(replace(tweet, content=()), ref, events)
        self._tweets[tweet.id] = tweet
        return posted


class BeforeIsInclusive(MemoryTweetStore):
    async def by_authors(
        self, authors: Collection[UserId], before: TweetId | None, after: TweetId | None, limit: int
    ) -> Sequence[TweetId]:
        return await super().by_authors(authors, before and TweetId(before + 1), after, limit)


class AfterAnswersTheNewest(MemoryTweetStore):
    async def by_authors(
        self, authors: Collection[UserId], before: TweetId | None, after: TweetId | None, limit: int
    ) -> Sequence[TweetId]:
        return (await super().by_authors(authors, before, after, 10**6))[:limit]


class AuthorTwiceIsTwo(MemoryTweetStore):
    async def by_authors(
        self, authors: Collection[UserId], before: TweetId | None, after: TweetId | None, limit: int
    ) -> Sequence[TweetId]:
        once = [await super(AuthorTwiceIsTwo, self).by_authors([author], before, after, limit) for author in authors]
        return sorted((id for ids in once for id in ids), reverse=True)[:limit]


class RepliesAreNewestFirst(MemoryTweetStore):
    async def replies_to(self, tweet_id: TweetId, after: TweetId | None, limit: int) -> Sequence[TweetId]:
        return (await super().replies_to(tweet_id, after, limit))[::-1]


class RetweetsAnswerTheOriginals(MemoryTweetStore):
    async def retweets_of(self, tweet_id: TweetId, before: TweetId | None, limit: int) -> Sequence[TweetId]:
        return [tweet_id for _ in await super().retweets_of(tweet_id, before, limit)]


class RetweetsByAnswersRetweets(MemoryTweetStore):
    async def retweets_by(self, user_id: UserId, limit: int) -> Sequence[TweetId]:
        return sorted(self._retweet_by[user_id].values(), reverse=True)[:limit]


class DeleteForgetsTheMessage(MemoryTweetStore):
    async def delete(self, tweet: Tweet, version: Version, events: Sequence[Event]) -> Position | None:
        position = await super().delete(tweet, version, events)
        await self.forget_message([tweet.id])
        return position


class DeleteLeavesNothing(MemoryTweetStore):
    async def delete(self, tweet: Tweet, version: Version, events: Sequence[Event]) -> Position | None:
        position = await super().delete(tweet, version, events)
        self._tweets.pop(tweet.id, None)
        return position


class DeleteStaysListed(MemoryTweetStore):
    def _places(self, tweet: Tweet) -> list[list[TweetId]]:
        kept = self._tweets.get(tweet.id)
        return [] if kept is not None and kept.deleted else super()._places(tweet)


class DeleteTakesTheReplies(MemoryTweetStore):
    async def delete(self, tweet: Tweet, version: Version, events: Sequence[Event]) -> Position | None:
        self._replies.pop(tweet.id, None)
        return await super().delete(tweet, version, events)


class DeleteAnnouncesAgain(MemoryTweetStore):
    async def delete(self, tweet: Tweet, version: Version, events: Sequence[Event]) -> Position | None:
        return await super().delete(tweet, version, events) or self._leave(events)


class DeleteKeepsTheRetweet(MemoryTweetStore):
    async def delete(self, tweet: Tweet, version: Version, events: Sequence[Event]) -> Position | None:
        retweets = dict(self._retweet_by[tweet.author])
        position = await super().delete(tweet, version, events)
        self._retweet_by[tweet.author].update(retweets)
        return position


class ForgetsWhatLives(MemoryTweetStore):
    async def forget_message(self, ids: Collection[TweetId]) -> None:
        for id in ids:
            if id in self._tweets:
                self._tweets[id] = replace(self._tweets[id], message="", hashtags=())


class ScanPassesOverTombstones(MemoryTweetStore):
    async def scan(self, after: TweetId, limit: int) -> Sequence[Tweet]:
        return [tweet for tweet in await super().scan(after, limit) if not tweet.deleted]


class NewestIdIsTheLastPosted(MemoryTweetStore):
    async def newest_id(self) -> TweetId:
        return list(self._tweets)[-1] if self._tweets else TweetId(0)


class PageHoldsOneMore(MemoryTweetStore):
    async def by_author(self, author: UserId, page: Page) -> Sequence[TweetId]:
        return await self.by_authors([author], page.before, page.after, page.limit + 1)


@pytest.mark.parametrize(
    ("saboteur", "promise"),
    [
        (AddOverwrites, tweets.test_adding_the_same_id_again_changes_nothing),
        (AddOverwrites, tweets.test_a_tombstone_is_not_posted_over),
        (AddForgetsToAnnounce, tweets.test_a_post_is_announced_where_it_says),
        (AddAnnouncesAgain, tweets.test_the_same_ref_posts_once),
        (RefIsForgotten, tweets.test_the_same_ref_posts_once),
        (RefIsForgotten, tweets.test_a_ref_outlives_its_tweet),
        (RefIsOneNamespaceForAll, tweets.test_a_ref_is_one_namespace_a_user),
        (RefTakesAnyPayload, tweets.test_a_ref_with_another_payload_is_refused),
        (RefNeverExpires, tweets.test_a_ref_is_looked_up_while_it_lasts),
        (RetweetsTwice, tweets.test_retweeting_again_answers_the_first_retweet),
        (RetweetAnswersTheNewId, tweets.test_retweeting_again_answers_the_first_retweet),
        (ContentIsFreeForAll, tweets.test_content_becomes_the_tweets_own),
        (BeforeIsInclusive, tweets.test_an_authors_tweets_are_paged_both_ways),
        (AfterAnswersTheNewest, tweets.test_an_authors_tweets_are_paged_both_ways),
        (AfterAnswersTheNewest, tweets.test_many_authors_tweets_are_one_list),
        (AuthorTwiceIsTwo, tweets.test_many_authors_tweets_are_one_list),
        (PageHoldsOneMore, tweets.test_an_authors_tweets_are_paged_both_ways),
        (RepliesAreNewestFirst, tweets.test_replies_are_oldest_first),
        (RetweetsAnswerTheOriginals, tweets.test_retweets_and_quotes_are_newest_first),
        (RetweetsByAnswersRetweets, tweets.test_a_users_retweets_are_known_by_their_originals),
        (DeleteForgetsTheMessage, tweets.test_a_deleted_tweet_is_a_tombstone_out_of_all_lists),
        (DeleteLeavesNothing, tweets.test_a_deleted_tweet_is_a_tombstone_out_of_all_lists),
        (DeleteStaysListed, tweets.test_a_deleted_tweet_is_a_tombstone_out_of_all_lists),
        (DeleteTakesTheReplies, tweets.test_what_answered_a_deleted_tweet_stays),
        (DeleteAnnouncesAgain, tweets.test_deleting_is_announced_once),
        (DeleteKeepsTheRetweet, tweets.test_an_undone_retweet_can_be_made_again),
        (ForgetsWhatLives, tweets.test_only_tombstones_forget_their_message),
        (ScanPassesOverTombstones, tweets.test_a_scan_passes_every_tweet_once_tombstones_included),
        (NewestIdIsTheLastPosted, tweets.test_the_newest_id_counts_tombstones_too),
    ],
)
async def test_a_wrong_tweet_store_is_caught(saboteur: type[MemoryTweetStore], promise: Promise) -> None:
    await is_caught(memory_stores(tweet_store=saboteur), promise)


@pytest.mark.parametrize("taken", ["missing", "another's", "in a tweet"])
async def test_a_tweet_kept_with_refused_content_is_caught(taken: str) -> None:
    async def promise(stores: Stores) -> None:
        await tweets.test_content_that_is_not_free_is_refused_and_nothing_is_kept(stores, taken)

    await is_caught(memory_stores(tweet_store=KeepsTheTweetOfRefusedContent), promise)
    await is_caught(memory_stores(tweet_store=ContentIsFreeForAll), promise)


class LikesAgain(MemoryLikeStore):
    async def add(self, like: Like) -> Position | None:
        self._by_user.get(like.user_id, {}).pop(like.tweet_id, None)
        return await super().add(like)


class UnlikeIsSilent(MemoryLikeStore):
    async def remove(self, user_id: UserId, tweet_id: TweetId) -> Position | None:
        like = self._by_user.get(user_id, {}).pop(tweet_id, None)
        if like is None:
            return None
        del self._by_tweet[tweet_id][user_id]
        return Position("0")


class UnlikeStaysWithTheTweet(MemoryLikeStore):
    async def remove(self, user_id: UserId, tweet_id: TweetId) -> Position | None:
        like = self._by_tweet.get(tweet_id, {}).get(user_id)
        position = await super().remove(user_id, tweet_id)
        if like is not None:
            self._by_tweet[tweet_id][user_id] = like
        return position


class LikesInOrderOfTweets(MemoryLikeStore):
    async def by_user(self, user_id: UserId, before: Version | None, limit: int) -> Sequence[Like]:
        return sorted(self._by_user.get(user_id, {}).values(), key=lambda like: like.tweet_id, reverse=True)[:limit]


class NewestLikedIsTheLatestLike(MemoryLikeStore):
    async def newest_liked(self, user_id: UserId, limit: int) -> Sequence[TweetId]:
        return [like.tweet_id for like in await self.by_user(user_id, None, limit)]


class EverybodyLikesIt(MemoryLikeStore):
    async def liked_among(self, user_id: UserId, tweet_ids: Collection[TweetId]) -> set[TweetId]:
        return {id for id in tweet_ids if self._by_tweet.get(id)}


class LikeCursorIsInclusive(MemoryLikeStore):
    async def of_tweet(self, tweet_id: TweetId, before: Version | None, limit: int) -> Sequence[Like]:
        return await super().of_tweet(tweet_id, before and Version(before + 1), limit)


@pytest.mark.parametrize(
    ("saboteur", "promise"),
    [
        (LikesAgain, likes.test_each_change_is_announced_once_with_the_version_of_the_like),
        (UnlikeIsSilent, likes.test_each_change_is_announced_once_with_the_version_of_the_like),
        (UnlikeStaysWithTheTweet, likes.test_a_like_taken_back_is_in_no_list),
        (LikesInOrderOfTweets, likes.test_the_likes_of_a_user_are_newest_like_first),
        (NewestLikedIsTheLatestLike, likes.test_the_newest_liked_tweets_are_those_with_the_greatest_ids),
        (EverybodyLikesIt, likes.test_which_tweets_a_user_likes),
        (LikeCursorIsInclusive, likes.test_the_likes_of_a_tweet_are_newest_first),
    ],
)
async def test_a_wrong_like_store_is_caught(saboteur: type[MemoryLikeStore], promise: Promise) -> None:
    await is_caught(memory_stores(like_store=saboteur), promise)


class CountsWhenAsked(MemoryCountStore):
    async def tweets(self, ids: Collection[TweetId]) -> Mapping[TweetId, TweetCounts]:
        return {id: self._of_tweet(id) for id in ids}


class TakesAnyVersion(MemoryCountStore):
    async def recount(self, tweets: Collection[TweetId], users: Collection[UserId], version: Version) -> None:
        self._tweet_counts.clear()
        self._user_counts.clear()
        await super().recount(tweets, users, version)


class CountsSilently(MemoryCountStore):
    async def recount(self, tweets: Collection[TweetId], users: Collection[UserId], version: Version) -> None:
        leave, self._leave = self._leave, lambda _: Position("0")
        await super().recount(tweets, users, version)
        self._leave = leave


class AddsUp(MemoryCountStore):
    async def recount(self, tweets: Collection[TweetId], users: Collection[UserId], version: Version) -> None:
        before = await self.tweets(tweets)
        await super().recount(tweets, users, version)
        for id, kept in before.items():
            now = self._of_tweet(id)
            self._tweet_counts[id] = (version, replace(now, replies=now.replies + kept.replies))


class LeavesOutTheUncounted(MemoryCountStore):
    async def users(self, ids: Collection[UserId]) -> Mapping[UserId, UserCounts]:
        return {id: self._user_counts[id][1] for id in ids if id in self._user_counts}


@pytest.mark.parametrize(
    ("saboteur", "promise"),
    [
        (CountsWhenAsked, counts.test_what_was_never_counted_has_none_of_anything),
        (LeavesOutTheUncounted, counts.test_what_was_never_counted_has_none_of_anything),
        (TakesAnyVersion, counts.test_an_older_count_does_not_replace_a_newer_one),
        (CountsSilently, counts.test_counts_are_announced_as_they_are_kept),
        (CountsSilently, counts.test_thousands_are_counted_at_once_and_each_is_announced),
        (AddsUp, counts.test_counting_again_changes_nothing),
    ],
)
async def test_a_wrong_count_store_is_caught(saboteur: type[MemoryCountStore], promise: Promise) -> None:
    await is_caught(memory_stores(count_store=saboteur), promise)


class NotifiesAgain(MemoryNotificationStore):
    async def add(self, notifications: Collection[Notification]) -> None:
        for notification in notifications:
            self._by_user.get(notification.user_id, {}).pop(notification.id, None)
        await super().add(notifications)


class RemovesFromAll(MemoryNotificationStore):
    async def remove(self, user_id: int, ids: Collection[int]) -> None:
        for user in list(self._by_user):
            await super().remove(user, ids)


class OldestFirst(MemoryNotificationStore):
    async def page(self, user_id: int, before: int | None, limit: int) -> Sequence[Notification]:
        return (await super().page(user_id, before, limit))[::-1]


class ClearsNothing(MemoryNotificationStore):
    async def clear(self) -> None:
        self._by_user.pop(0, None)


@pytest.mark.parametrize(
    ("saboteur", "promise"),
    [
        (NotifiesAgain, notifications.test_each_is_announced_once),
        (NotifiesAgain, notifications.test_one_that_is_there_is_not_changed),
        (RemovesFromAll, notifications.test_only_the_users_own_are_removed),
        (OldestFirst, notifications.test_a_page_is_newest_first_and_below_its_cursor),
        (ClearsNothing, notifications.test_nothing_is_left_after_a_clearing),
    ],
)
async def test_a_wrong_notification_store_is_caught(saboteur: type[MemoryNotificationStore], promise: Promise) -> None:
    await is_caught(memory_stores(notification_store=saboteur), promise)


class PutsAnyVersion(MemoryCelebrityStore):
    async def put(self, celebrity: Celebrity) -> Position | None:
        self._rows.pop(celebrity.user_id, None)
        return await super().put(celebrity)


class RemovesAnyVersion(MemoryCelebrityStore):
    async def remove(self, user_id: UserId, version: Version) -> Position | None:
        return await super().remove(user_id, Version(1 << 62))


class ChangesSilently(MemoryCelebrityStore):
    async def put(self, celebrity: Celebrity) -> Position | None:
        self._rows[celebrity.user_id] = celebrity
        return Position("0")


@pytest.mark.parametrize(
    ("saboteur", "promise"),
    [
        (PutsAnyVersion, celebrities.test_only_a_greater_version_replaces_a_row),
        (RemovesAnyVersion, celebrities.test_only_a_row_of_a_lower_version_is_removed),
        (ChangesSilently, celebrities.test_each_change_is_announced_once),
    ],
)
async def test_a_wrong_celebrity_store_is_caught(saboteur: type[MemoryCelebrityStore], promise: Promise) -> None:
    await is_caught(memory_stores(celebrity_store=saboteur), promise)


class ConfirmsWhatWasGiven(MemoryEventLog):
    """Early: what was given but not confirmed is not told again."""

    def after(self, seq: int, limit: int = 512) -> Sequence[Logged]:
        events = super().after(seq, limit)
        for group in self._confirmed:
            self.confirm(group, seq + len(events))
        return events


class ConfirmsBackwards(MemoryEventLog):
    def confirm(self, group: str, seq: int) -> None:
        self._confirmed[group] = seq


class BeginsAtTheEnd(MemoryEventLog):
    def subscribe(self, group: str) -> MemorySubscription:
        self._confirmed.setdefault(group, self._end)
        return super().subscribe(group)


class LosesWhatWaitingReadersMiss(MemoryEventLog):
    async def beyond(self, seq: int) -> None:
        await super().beyond(seq)
        del self._logged[seq - self._begin]


class LosesEveryTenth(MemoryEventLog):
    def leave(self, events: Sequence[Event]) -> Position:
        return super().leave([event for number, event in enumerate(events) if number % 10])


class ReadsFromBeforeItsBeginning(MemoryEventLog):
    async def read(self, after: Position, limit: int) -> Sequence[Logged] | None:
        read = await super().read(after, limit)
        return self._logged[:limit] if read is None else read


class DropsWhatGroupsNeed(MemoryEventLog):
    def _drop(self, count: int) -> None:
        del self._logged[:count]
        self._begin += count


class TellsWhenItIsRead(MemoryEventLog):
    def after(self, seq: int, limit: int = 512) -> Sequence[Logged]:
        return [replace(logged, at_ms=self._now_ms()) for logged in super().after(seq, limit)]


class PositionsCoverWhatIsToCome(MemoryEventLog):
    """What an unruly log would do that told events out of order with their own positions."""

    def after(self, seq: int, limit: int = 512) -> Sequence[Logged]:
        return list(super().after(seq, limit))[::-1]


class CountsLagFromTheBeginning(MemoryEventLog):
    async def lag(self) -> dict[str, int]:
        return dict.fromkeys(self._confirmed, self._end)


LogPromise = Callable[[EventLog], Awaitable[None]]
OpenedPromise = Callable[[event_log.Opened], Awaitable[None]]


@pytest.mark.parametrize(
    ("saboteur", "promise"),
    [
        (ConfirmsWhatWasGiven, event_log.test_a_group_goes_on_after_what_it_confirmed),
        (ConfirmsBackwards, event_log.test_confirming_never_goes_back),
        (BeginsAtTheEnd, event_log.test_a_new_group_begins_at_the_oldest_event),
        (LosesWhatWaitingReadersMiss, event_log.test_a_reader_that_waits_is_told_of_what_comes),
        (LosesEveryTenth, event_log.test_a_tail_is_told_all_that_comes_after_its_position),
        (LosesEveryTenth, event_log.test_a_read_is_short_only_at_the_end),
        (PositionsCoverWhatIsToCome, event_log.test_who_resumes_at_any_event_misses_none),
        (CountsLagFromTheBeginning, event_log.test_the_lag_of_a_group_is_what_it_has_not_confirmed),
    ],
)
async def test_a_wrong_log_is_caught(
    saboteur: type[MemoryEventLog], promise: LogPromise, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_log, "WITHIN_S", 0.2)  # a saboteur that tells nothing more need not be waited for
    with pytest.raises((AssertionError, TimeoutError, IndexError)):
        await promise(saboteur(ManualClock().now_ms))


@pytest.mark.parametrize(
    ("saboteur", "promise"),
    [
        (ReadsFromBeforeItsBeginning, event_log.test_a_position_before_the_oldest_event_is_said_to_be_gone),
        (DropsWhatGroupsNeed, event_log.test_what_a_group_has_not_confirmed_is_kept),
        (TellsWhenItIsRead, event_log.test_each_event_says_when_it_was_put_on_the_log),
    ],
)
async def test_a_log_that_keeps_its_past_wrong_is_caught(
    saboteur: type[MemoryEventLog], promise: OpenedPromise, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_log, "WITHIN_S", 0.2)
    clock = ManualClock()
    log = saboteur(clock.now_ms)
    with pytest.raises((AssertionError, TimeoutError, Gone)):
        await promise(event_log.Opened(log, clock, log.drop_before, log.close))
