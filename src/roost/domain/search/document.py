"""What the index knows of a tweet."""

from dataclasses import dataclass
from functools import cached_property

from roost.domain.ids import ID_MAX, TweetId, UserId, Version
from roost.domain.search.words import language_keys, tag_key, words_of


@dataclass(frozen=True)
class IndexedTweet:
    """A tweet as search sees it. Who may see it is not decided here: visibility is judged at read.

    No slots: the folded text is computed once and kept, since a live tweet meets many queries.
    """

    tweet_id: TweetId
    author_id: UserId
    text: str
    hashtags: tuple[str, ...] = ()
    mentions: tuple[UserId, ...] = ()
    reply_to_author: UserId | None = None
    is_retweet: bool = False
    has_media: bool = False
    has_link: bool = False
    lang: str = "und"
    public: bool = True
    """The tweet's own audience. The author's protection comes apart from it and matters as well."""
    version: Version = Version(0)

    def __post_init__(self) -> None:
        numbers = (self.tweet_id, self.author_id, self.reply_to_author or 0, *self.mentions)
        if not all(0 <= number <= ID_MAX for number in numbers):
            raise ValueError(f"tweet {self.tweet_id}: an id does not fit 63 bits")

    @cached_property
    def words(self) -> str:
        """The words, each between two spaces, so that a phrase is a substring."""
        return f" {' '.join(words_of(self.text))} "

    @cached_property
    def tags(self) -> frozenset[str]:
        return frozenset(key for tag in self.hashtags if (key := tag_key(tag)))

    @cached_property
    def languages(self) -> tuple[str, ...]:
        return language_keys(self.lang)
