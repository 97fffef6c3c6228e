"""Live channels beside `home`: tweets with a hashtag, tweets that a search finds.

edge.live.session (subscribe) -> Channels <- edge.live.room (each public tweet)
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from roost.domain.errors import Invalid, Overloaded
from roost.domain.search.document import IndexedTweet
from roost.domain.search.grammar import parse_query
from roost.domain.search.query import ResolvedQuery
from roost.domain.search.words import tag_key
from roost.views.users import UserView

CHANNELS_PER_SOCKET_MAX = 16
SEARCH_CHANNELS_MAX = 500
"""Of one process: each costs some microseconds a tweet."""
TAG_LENGTH_MAX = 140

Member = int
"""A socket's session, by its number in this process."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A parsed channel. `name` is as the client wrote it and is repeated in what is sent."""

    name: str
    tag: str | None = None
    query: ResolvedQuery | None = None

    def takes(self, document: IndexedTweet) -> bool:
        """Whether the tweet enters this channel."""
        if self.query is not None:
            return self.query.matches(document)
        return not document.is_retweet and self.tag in document.tags


@dataclass(slots=True)
class Channels:
    """Who listens to what."""

    users: UserView
    _tags: dict[str, dict[tuple[Member, str], None]] = field(default_factory=dict)
    _searches: dict[tuple[Member, str], ResolvedQuery] = field(default_factory=dict)
    _of_member: dict[Member, dict[str, Channel]] = field(default_factory=dict)

    async def parse(self, name: str | None) -> Channel:
        """`hashtag:TAG` or `search:QUERY`. Raises Invalid for anything else."""
        if name is None:
            raise Invalid.field("channel", "a channel is a text such as hashtag:python or search:cats")
        kind, _, value = name.partition(":")
        if kind == "hashtag":
            tag = tag_key(value.removeprefix("#")) if len(value) <= TAG_LENGTH_MAX else None
            if tag is None:
                raise Invalid.field("channel", f"{value[:40]!r} is no hashtag of at most {TAG_LENGTH_MAX} characters")
            return Channel(name, tag=tag)
        if kind == "search":
            query = parse_query(value)
            ids = await self.users.ids_by_name(query.names)
            return Channel(name, query=query.resolve(ids))
        raise Invalid.field("channel", f"{name[:40]!r} is neither hashtag:TAG nor search:QUERY")

    def subscribe(self, member: Member, channel: Channel) -> None:
        """Listening again changes nothing. Raises Invalid beyond a socket's bound, Overloaded beyond the process's."""
        own = self._of_member.get(member, {})
        if channel.name in own:
            return
        if len(own) >= CHANNELS_PER_SOCKET_MAX:
            raise Invalid.field("channel", f"{len(own)} channels, at most {CHANNELS_PER_SOCKET_MAX} a socket allowed")
        if channel.query is not None and len(self._searches) >= SEARCH_CHANNELS_MAX:
            raise Overloaded(f"{SEARCH_CHANNELS_MAX} searches are listened to already")
        self._of_member.setdefault(member, own)[channel.name] = channel
        if channel.query is not None:
            self._searches[member, channel.name] = channel.query
        elif channel.tag is not None:
            self._tags.setdefault(channel.tag, {})[member, channel.name] = None

    def unsubscribe(self, member: Member, name: str) -> None:
        own = self._of_member.get(member, {})
        channel = own.pop(name, None)
        if channel is None:
            return
        if not own:
            del self._of_member[member]
        self._searches.pop((member, name), None)
        if channel.tag is not None:
            listening = self._tags[channel.tag]
            listening.pop((member, name), None)
            if not listening:
                del self._tags[channel.tag]

    def leave(self, member: Member) -> None:
        for name in list(self._of_member.get(member, {})):
            self.unsubscribe(member, name)

    def has_members(self) -> bool:
        return bool(self._of_member)

    def members(self) -> Iterable[Member]:
        return self._of_member.keys()

    def listening(self, document: IndexedTweet) -> Iterable[tuple[Member, str]]:
        """Whose channels the tweet enters: member and channel name, each once."""
        if not document.is_retweet:
            for tag in document.tags:
                yield from list(self._tags.get(tag, ()))
        for key, query in list(self._searches.items()):
            if query.matches(document):
                yield key

    def of(self, member: Member) -> Sequence[Channel]:
        return tuple(self._of_member.get(member, {}).values())
