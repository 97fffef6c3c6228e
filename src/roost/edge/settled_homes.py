"""Home timelines whose visibility is settled, so that a page is a join of ready bytes.

edge.native.hot -> SettledHomes.page; edge.native.timelines -> SettledHomes.settle

A settled home is what the query of the home timeline found for one viewer, as cells. It holds as long as the very
objects that it was judged by are the current ones (the viewer's relations, the warm timelines); what was pushed since
is judged when the next page is read: 0.5 µs a tweet. Whatever cannot be told at once and without waiting is answered
None: then the query answers, and settles anew.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from roost.domain.content import Content
from roost.domain.ids import ContentId, TweetId, UserId
from roost.domain.relation import Relations
from roost.domain.timeline import PAGE_LIMIT_MAX, IdList
from roost.domain.tweet import Tweet
from roost.domain.visibility import Place, home_shows_plain
from roost.edge.cells import Cell, CellShelf
from roost.edge.rendering import Contents
from roost.views.contents import ContentView
from roost.views.sight import Loaded, Sight
from roost.views.timelines import HomeTimelines
from roost.views.viewer_acts import Acts, ViewerActs

WINDOW = 150
"""Candidates settled at once: more than the largest page, so that it knows whether anything is older."""
SPARE = 50
"""Judged beyond the page that was asked for, where much came at once: what of it is hidden must not make it short."""
CELLS_MAX = 300
"""Beyond it the older half of a home's cells is left to the next settling."""


class _Home:
    """One viewer's. `cells` rise by id; `end` says that nothing older than the first is left. While the user timelines'
    changes are `merged_as_of`, those of the merged celebrities need no look.
    """

    __slots__ = ("cells", "end", "epoch", "heads", "lists", "merged_as_of", "owners", "relations")

    def __init__(self, relations: Relations, owners: Sequence[UserId], lists: Sequence[IdList], epoch: int) -> None:
        self.relations = relations
        self.owners = owners
        self.lists = lists
        self.epoch = epoch
        # As of before anything was judged: what was pushed meanwhile is taken up with the next page.
        self.heads = [_head(timeline) for timeline in lists]
        self.cells: list[Cell] = []
        self.end = False
        self.merged_as_of = -1


@dataclass(slots=True)
class SettledHomes:
    homes: HomeTimelines
    sight: Sight
    acts: ViewerActs
    contents: ContentView
    shelf: CellShelf
    viewers_max: int
    _settled: OrderedDict[UserId, _Home] = field(default_factory=OrderedDict)

    def __len__(self) -> int:
        return len(self._settled)

    def page(self, viewer: UserId, limit: int) -> list[bytes] | None:
        """The body of the newest page as pieces to be joined by commas, None where it takes more than a look.

        Not joined, so that whoever puts a head before it copies the page once, not three times.
        """
        home = self._settled.get(viewer)
        if home is None or not self._holds(viewer, home, limit + SPARE):
            return None
        cells = home.cells[: -limit - 1 : -1]
        more = len(home.cells) > limit
        acts = self.acts.cache.peek(viewer)
        if acts is None or not (more or home.end):
            return None
        if not cells:
            return [b'{"tweets":[],"before":null,"after":null}']
        has_acts = acts.liked or acts.retweeted
        found = [_for(cell, acts) for cell in cells] if has_acts else [cell.plain for cell in cells]
        if None in found:  # a void cell
            return None
        pieces: list[bytes] = found  # type: ignore[assignment]  # none is None
        pieces[0] = b'{"tweets":[' + pieces[0]
        before = b'"%d"' % cells[-1].id if more else b"null"
        pieces[-1] = b'%b],"before":%b,"after":"%d"}' % (pieces[-1], before, cells[0].id)
        return pieces

    async def settle(self, viewer: UserId) -> None:
        """Judge the newest tweets of a warm home once, for the pages that follow. Nothing where that was done."""
        await self.acts.flags(viewer, [TweetId(1)])
        if self.page(viewer, PAGE_LIMIT_MAX) is not None:
            return
        relations = await self.sight.relations.of(viewer)
        authors = self.homes.celebrities.merged_for(relations)
        lists = [await self.homes.warm(viewer), *[await self.homes.users.warm(author) for author in authors]]
        home, voided = _Home(relations, (viewer, *authors), lists, self.shelf.epoch), self.shelf.voided
        candidates = await (await self.homes.candidates(viewer)).below(None, WINDOW)
        loaded = await self.sight.load(candidates.ids)
        shown = [*loaded.tweets.values(), *loaded.nested.values()]
        await self.sight.tweets.counts([tweet.id for tweet in shown])
        contents = await self.contents.get_many([id for tweet in shown for id in tweet.content])
        if self.shelf.voided != voided or not self._is_current(viewer, home, len(home.lists)):
            return
        if self._add(home, candidates.ids, loaded, contents):
            home.end = not candidates.more
            self._settled[viewer] = home
            self._settled.move_to_end(viewer)
            if len(self._settled) > self.viewers_max:
                self._settled.popitem(last=False)

    def _holds(self, viewer: UserId, home: _Home, window: int) -> bool:
        changes = self.homes.users.cache.changes
        looked_at = 1 if changes == home.merged_as_of else len(home.lists)
        if not self._is_current(viewer, home, looked_at):
            del self._settled[viewer]
            return False
        home.merged_as_of = changes
        for index in range(looked_at):
            timeline = home.lists[index]
            head, late = home.heads[index]
            ids = timeline.ids
            if (ids and ids[-1] != head) or timeline.late != late:
                if self._take_up(home, index, timeline, window):
                    continue
                if self._start_over(home, window):
                    return True
                del self._settled[viewer]
                return False
        return True

    def _is_current(self, viewer: UserId, home: _Home, looked_at: int) -> bool:
        """Whether what it was judged by is what is true now, the first `looked_at` of its lists included."""
        if home.epoch != self.shelf.epoch or self.sight.relations.cache.peek(viewer) is not home.relations:
            return False
        if self.homes.cache.peek(viewer) is not home.lists[0]:
            return False
        if looked_at == 1:
            return True
        peek = self.homes.users.cache.peek
        return all(peek(home.owners[index]) is home.lists[index] for index in range(1, looked_at))

    def _take_up(self, home: _Home, index: int, timeline: IdList, window: int) -> bool:
        """Judge what was pushed since. False where something is not at hand."""
        new = self._pushed(home, index, timeline, window)
        if new is None:
            return False
        home.heads[index] = _head(timeline)
        newest = home.cells[-1].id if home.cells else 0
        if not self._judge(home, new):
            return False
        if new and new[-1] < newest:
            home.cells.sort(key=lambda cell: cell.id)
        if len(home.cells) > CELLS_MAX:
            del home.cells[: len(home.cells) - CELLS_MAX // 2]
            home.end = False
        return True

    def _pushed(self, home: _Home, index: int, timeline: IdList, window: int) -> Sequence[TweetId] | None:
        """What is on the timeline and not in the home, newest first; None where that cannot be told any more."""
        head, late = home.heads[index]
        if head < timeline.floor - 1:  # some of what came since has fallen off its end already
            return None
        new: Sequence[TweetId] = timeline.newer(TweetId(head), window)
        if timeline.late != late:
            # Ids are given before they are written: of tweets posted at the same moment one often comes late.
            below = timeline.late_since(late)
            if below is None:
                return None
            new = sorted({*new, *below}, reverse=True)
        if len(new) >= window or not (home.cells or home.end):
            return None
        newest = home.cells[-1].id if home.cells else 0
        if new and new[-1] <= newest:  # it came late, or another list was further, or has some of these too
            known = {cell.id for cell in home.cells if cell.id >= new[-1]}
            lowest = 0 if home.end else home.cells[0].id
            new = [id for id in new if id > lowest and id not in known]
        return new

    def _start_over(self, home: _Home, window: int) -> bool:
        """Judge the newest anew, where too much came for it to be put on top: of what is at hand, without the query.
        A server that gets behind must not pay more a page the further it is behind.
        """
        lists = home.lists
        home.heads = [_head(timeline) for timeline in lists]
        floor = max(timeline.floor for timeline in lists)
        found = {id for timeline in lists for id in timeline.older(None, window) if id >= floor}
        newest = sorted(found, reverse=True)[:window]
        home.cells = []
        home.end = not floor and len(newest) < window
        return self._judge(home, newest)

    def _judge(self, home: _Home, ids: Sequence[TweetId]) -> bool:
        """Put the visible among `ids`, given newest first, on top. False where something is not at hand."""
        plain, relations, cells = self.shelf.plain, home.relations, home.cells
        for id in reversed(ids):
            cell = plain.get(id)
            if cell is None:
                if not self._judge_one(home, id):
                    return False
            elif home_shows_plain(cell.authors[0], relations):
                cells.append(cell)
        return True

    def _judge_one(self, home: _Home, id: TweetId) -> bool:
        """The first viewer of a plain tweet, and each viewer of any other."""
        loaded = self._at_hand((id,))
        if loaded is None:
            return False
        contents: dict[ContentId, Content] = {}
        for tweet in (*loaded.tweets.values(), *loaded.nested.values()):
            for content_id in tweet.content:
                content = self.contents.cache.peek(content_id)
                if content is None:
                    return False
                contents[ContentId(content_id)] = content
        return self._add(home, (id,), loaded, contents)

    def _at_hand(self, ids: Sequence[TweetId]) -> Loaded | None:
        """As Sight.load, without waiting."""
        tweets: dict[TweetId, Tweet] = {}
        nested: dict[TweetId, Tweet] = {}
        users = {}
        for id in ids:
            tweet = self.sight.tweets.cache.peek(id)
            if tweet is None:
                return None
            tweets[id] = tweet
            if tweet.nested is not None:
                inner = self.sight.tweets.cache.peek(tweet.nested)
                if inner is None:
                    return None
                nested[inner.id] = inner
        for tweet in (*tweets.values(), *nested.values()):
            user = self.sight.users.cache.peek(tweet.author)
            if user is None:
                return None
            users[user.id] = user
        return Loaded(tweets, nested, users)

    def _add(self, home: _Home, ids: Sequence[TweetId], loaded: Loaded, contents: Contents) -> bool:
        """Put the visible among `ids`, given newest first, on top."""
        for id in reversed(ids):
            seen = loaded.seen_by(id, home.relations, Place.HOME)
            if seen is None:
                continue
            cell = self.shelf.cell(seen, contents)
            if cell is None:
                return False
            home.cells.append(cell)
        return True


def _head(timeline: IdList) -> tuple[int, int]:
    return (timeline.ids[-1] if timeline.ids else 0), timeline.late


def _for(cell: Cell, acts: Acts) -> bytes | None:
    """The cell's bytes for a viewer with acts. None for a void cell, and where flags are not known."""
    shown = cell.shown
    if cell.plain is None or shown < acts.liked_floor or shown < acts.retweeted_floor:
        return None
    if cell.quoted and (cell.quoted in acts.liked or cell.quoted in acts.retweeted or cell.quoted < acts.liked_floor):
        return None
    liked, retweeted = shown in acts.liked, shown in acts.retweeted
    return cell.flagged(liked=liked, retweeted=retweeted) if liked or retweeted else cell.plain
