"""Tweets rendered for the pages of home timelines, shared by all viewers of this process.

A cell's bytes are ready to be joined; its counts are rendered when they change (0.6 µs), not when it is read. A cell
that may no longer be shown as it is loses its bytes: a page that holds it cannot be joined any more and is settled
anew. So no page has to look whether its cells are still right.

edge.settled_homes -> CellShelf <- facts, right after reactions.refresh
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from roost.domain.events import CelebrityChanged, Counted, Event, TweetDeleted, UserChanged
from roost.domain.ids import TweetId
from roost.domain.tweet import NO_COUNTS, TweetCounts
from roost.domain.visibility import is_plain
from roost.edge.rendering import (
    FLAGGED,
    NOTHING_NESTED,
    QUOTE_OF,
    RETWEET_OF,
    Contents,
    TweetRenderer,
    counted,
    is_personal,
)
from roost.ports.cache import ReadThrough
from roost.views.sight import Seen

PLAIN = FLAGGED[False, False]


class Cell:
    """One tweet as a page shows it to most viewers: `plain` for who neither likes nor retweets it, None once void.

    `shown` is the tweet whose counts and flags matter: the original of a retweet. `quoted` is the tweet nested in a
    quote, else 0. The bytes are left + stem + counts + flags + right. `tweets` and `authors` are all on whom it hangs:
    also those that it does not show, since a retweet of what its author may no longer see goes when that is deleted.
    """

    __slots__ = ("_counts", "_left", "_right", "_stem", "authors", "id", "plain", "quoted", "shown", "tweets")

    def __init__(self, seen: Seen, shown: TweetId, quoted: int, parts: tuple[bytes, bytes, bytes]) -> None:
        tweet = seen.tweet
        self.id = tweet.id
        inner, inner_author = tweet.nested, tweet.retweet_of_author or tweet.quote_of_author
        self.tweets = (tweet.id,) if inner is None else (tweet.id, inner)
        self.authors = (tweet.author,) if inner_author is None else (tweet.author, inner_author)
        self.shown = shown
        self.quoted = quoted
        self._left, self._stem, self._right = parts
        self._counts = b""
        self.plain: bytes | None = None

    def count(self, counts: TweetCounts) -> None:
        self._counts = counted(counts)
        self.plain = self._left + self._stem + self._counts + PLAIN + self._right

    def flagged(self, *, liked: bool, retweeted: bool) -> bytes:
        """The bytes for a viewer who does one or both."""
        return self._left + self._stem + self._counts + FLAGGED[liked, retweeted] + self._right


@dataclass(slots=True)
class CellShelf:
    """All cells that settled homes hold, by tweet and by author; beyond `cells_max` the oldest are voided.

    `epoch` grows when homes may have to show what they left out: every home is then settled anew. `voided` counts the
    facts that void cells: what was loaded before such a fact must not become a cell after it.
    """

    renderer: TweetRenderer
    counts: ReadThrough[TweetId, TweetCounts]
    cells_max: int
    epoch: int = 0
    voided: int = 0
    # The live cells of plain tweets, which look the same to everybody and whose visibility hangs on the author alone.
    plain: dict[TweetId, Cell] = field(default_factory=dict)
    _cells: OrderedDict[tuple[TweetId, bool], Cell] = field(default_factory=OrderedDict)
    # Cells to be rendered or voided when something happens to a tweet or an author.
    _by_tweet: dict[int, dict[Cell, None]] = field(default_factory=dict)
    _by_author: dict[int, dict[Cell, None]] = field(default_factory=dict)

    def cell(self, seen: Seen, contents: Contents) -> Cell | None:
        """The cell for this sight of a tweet. None: its counts are not at hand, or it differs between viewers."""
        key = (seen.tweet.id, seen.nested is None)
        known = self._cells.get(key)
        if known is not None:
            return known
        if is_personal(seen):
            return None
        made = self._made(seen, contents)
        if made is None:
            return None
        self._cells[key] = made
        if is_plain(seen.tweet, seen.author):
            self.plain[made.id] = made
        for index, keys in ((self._by_tweet, made.tweets), (self._by_author, made.authors)):
            for one in keys:
                index.setdefault(one, {})[made] = None
        while len(self._cells) > self.cells_max:
            _, oldest = self._cells.popitem(last=False)
            self._void(oldest)
        return made

    def noted(self, event: Event) -> None:
        """Bring the cells up to a fact that the caches have applied."""
        match event:
            case Counted():
                for tweet, _ in event.tweets:
                    # Told late, its counts are older than others that came, and the cache has let go of both.
                    counts = self.counts.peek(tweet)
                    if counts is None:
                        self._void_all(self._by_tweet.get(tweet, ()))
                    else:
                        self._count(tweet, counts)
            case TweetDeleted():
                self.voided += 1
                self._void_all(self._by_tweet.get(event.tweet_id, ()))
            case UserChanged():
                self.voided += 1
                self._void_all(self._by_author.get(event.user_id, ()))
                self.epoch += event.sight
            case CelebrityChanged():
                self.epoch += 1
            case _:
                pass

    def _made(self, seen: Seen, contents: Contents) -> Cell | None:
        tweet, nested = seen.tweet, seen.nested
        head = self.renderer.head(tweet, seen.author, None, contents)
        if nested is None or seen.nested_author is None:
            return self._counted(Cell(seen, tweet.id, 0, (b"", head + NOTHING_NESTED, b"")))
        inner = self.renderer.head(nested, seen.nested_author, None, contents) + NOTHING_NESTED
        if tweet.retweet_of is not None:
            right = b',"quote_of":null' + counted(NO_COUNTS) + PLAIN
            return self._counted(Cell(seen, nested.id, 0, (head + RETWEET_OF, inner, right)))
        nested_counts = self.counts.peek(nested.id)
        if nested_counts is None:
            return None
        stem = head + QUOTE_OF + inner + counted(nested_counts) + PLAIN
        return self._counted(Cell(seen, tweet.id, nested.id, (b"", stem, b"")))

    def _counted(self, cell: Cell) -> Cell | None:
        counts = self.counts.peek(cell.shown)
        if counts is None:
            return None
        cell.count(counts)
        return cell

    def _count(self, tweet: TweetId, counts: TweetCounts) -> None:
        for cell in list(self._by_tweet.get(tweet, ())):
            if cell.shown == tweet:
                if cell.plain is not None:
                    cell.count(counts)
            elif cell.quoted == tweet:
                self._forget(cell)  # the counts within a quote are part of its stem: it is made anew

    def _void_all(self, cells: Iterable[Cell]) -> None:
        for cell in list(cells):
            self._forget(cell)

    def _forget(self, cell: Cell) -> None:
        for key in ((cell.id, True), (cell.id, False)):
            if self._cells.get(key) is cell:
                del self._cells[key]
        self._void(cell)

    def _void(self, cell: Cell) -> None:
        cell.plain = None
        if self.plain.get(cell.id) is cell:
            del self.plain[cell.id]
        for index, keys in ((self._by_tweet, cell.tweets), (self._by_author, cell.authors)):
            for one in keys:
                cells = index.get(one)
                if cells is not None:
                    cells.pop(cell, None)
                    if not cells:
                        del index[one]
