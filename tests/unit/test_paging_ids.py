"""The lists of ids that pages are taken from, against sets."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from roost.domain.ids import TweetId
from roost.domain.timeline import IdList, longest, merge_newest_first
from roost.views.timelines import Segment

ids = st.integers(1, 60)


def tweets(values: Sequence[int]) -> list[TweetId]:
    return [TweetId(value) for value in values]


@given(st.integers(1, 30), st.sets(ids), st.integers(0, 40), st.lists(ids, max_size=120))
def test_however_ids_come_all_at_or_above_the_floor_are_there(
    length_max: int, first: set[int], floor: int, pushed: list[int]
) -> None:
    belonging = {id for id in first if id >= floor}
    timeline = IdList(length_max, tweets(sorted(belonging)), floor)
    for id in pushed:
        lowest = timeline.floor
        timeline.push(TweetId(id))
        belonging |= {id} if id >= floor else set()
        assert list(timeline.ids) == sorted(one for one in belonging if one >= timeline.floor)
        assert timeline.floor >= lowest
        assert len(timeline.ids) <= longest(length_max)
        assert timeline.floor == lowest or len(timeline.ids) == length_max


@given(st.integers(1, 30), st.sets(ids), st.lists(ids, max_size=60), st.none() | ids, st.integers(1, 40))
def test_older_and_newer_are_what_lies_next(
    length_max: int, first: set[int], pushed: list[int], cursor: int | None, limit: int
) -> None:
    timeline = IdList(length_max, tweets(sorted(first)))
    for id in pushed:
        timeline.push(TweetId(id))
    kept = timeline.ids
    before = None if cursor is None else TweetId(cursor)
    below = [id for id in kept if before is None or id < before]
    assert timeline.older(before, limit) == below[::-1][:limit]
    after = TweetId(cursor or 0)
    assert timeline.newer(after, limit) == [id for id in kept if id > after][:limit][::-1]


@given(st.lists(st.sets(ids), max_size=5), st.integers(1, 80))
def test_merged_lists_are_sorted_and_hold_each_id_once(sources: list[set[int]], limit: int) -> None:
    lists = [tweets(sorted(source, reverse=True)) for source in sources]
    assert merge_newest_first(*lists, limit=limit) == sorted(set().union(*sources), reverse=True)[:limit]


@given(st.sets(ids), st.integers(1, 20), st.integers(1, 61), st.integers(1, 61), st.integers(1, 20))
def test_what_a_segment_covers_it_tells_right(
    stored: set[int], length: int, start: int, before: int, limit: int
) -> None:
    below_start = sorted((id for id in stored if id < start), reverse=True)
    read = tweets(below_start[:length])
    here = [IdList(length, tweets(sorted(stored)))]
    segment = Segment(TweetId(start), tuple(read), len(read) < length, tuple(one.mark for one in here))
    if segment.covers(TweetId(before), limit, here):
        older = segment.older(TweetId(before), limit)
        below = sorted((id for id in stored if id < before), reverse=True)
        assert list(older.ids) == below[:limit]
        assert older.more or len(below) <= limit
        assert before <= start
    else:
        # It could not have told: it begins further down, or ends before so many.
        assert before > start or (len(read) == length and sum(id < before for id in read) < limit)


@given(st.integers(1, 30), st.sets(ids), st.lists(ids, max_size=60), st.lists(ids, max_size=60), ids)
def test_that_nothing_came_below_is_said_only_where_it_is_so(
    length_max: int, first: set[int], early: list[int], pushed: list[int], before: int
) -> None:
    timeline = IdList(length_max, tweets(sorted(first)))
    for id in early:
        timeline.push(TweetId(id))
    mark, there = timeline.mark, {*first, *early}
    for id in pushed:
        timeline.push(TweetId(id))
    is_same = timeline.is_same_below(TweetId(before), mark)
    assert not is_same or all(id in there for id in pushed if id < before)
    came = [id for id in pushed if id not in timeline.ids or id not in there]
    assert is_same or any(id < before or id < timeline.floor for id in came)


def test_a_segment_covers_nothing_once_its_timeline_was_rebuilt_or_is_merged_with_others() -> None:
    timeline = IdList(8, tweets([10, 11]), 9)
    segment = Segment(TweetId(9), tuple(tweets([5, 4])), complete=True, state=(timeline.mark,))
    assert segment.covers(TweetId(9), 2, [timeline])
    timeline.push(TweetId(12))
    assert segment.covers(TweetId(9), 2, [timeline])
    assert not segment.covers(TweetId(9), 2, [timeline, timeline])
    timeline.push(TweetId(3))
    assert not segment.covers(TweetId(9), 2, [timeline])
    rebuilt = IdList(8, tweets([10, 11]), 9)
    rebuilt.generation = 2
    assert not segment.covers(TweetId(9), 2, [rebuilt])


def test_what_came_at_the_end_and_fell_off_again_is_noticed() -> None:
    timeline = IdList(4, tweets([10]))
    segment = Segment(TweetId(20), tuple(tweets([10])), complete=True, state=(timeline.mark,))
    for id in range(11, 40):
        timeline.push(TweetId(id))
    assert timeline.floor > 20
    assert not segment.covers(TweetId(20), 5, [timeline])
