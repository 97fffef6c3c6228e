"""Reading pages and profiles as any user."""

from dataclasses import dataclass, field

import msgspec

from roost_loadgen.client import Account, Client
from roost_loadgen.wire import Tweet

PAGE = 100


class Page(msgspec.Struct):
    """A page of tweets with its cursors."""

    tweets: list[Tweet]
    before: str | None = None
    after: str | None = None


class Counts(msgspec.Struct):
    """A user's counts."""

    tweets: int
    followers: int
    following: int


class Profile(msgspec.Struct):
    """A user as the interface shows him."""

    username: str
    counts: Counts


def home_path(account: Account) -> str:
    return f"/user/timeline/{account.user_id}?timeline=home"


def user_path(account: Account) -> str:
    return f"/user/timeline/{account.user_id}"


_decode_page = msgspec.json.Decoder(Page).decode
_decode_profile = msgspec.json.Decoder(Profile).decode


@dataclass(slots=True)
class Reader:
    """Reads as any user, and keeps count."""

    client: Client
    accounts: list[Account]
    following: list[set[int]]
    pages_read: int = 0
    rank_of: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.rank_of = {account.user_id: rank for rank, account in enumerate(self.accounts)}

    async def glance(self, user: int) -> None:
        """Read the newest page of a home timeline while tweets come in: it warms what was cold."""
        account = self.accounts[user]
        page = await self.page(home_path(account), "", account)
        ids = [int(tweet.tweet_id) for tweet in page.tweets]
        authors = {self.rank_of[tweet.user.user_id] for tweet in page.tweets}
        assert ids == sorted(set(ids), reverse=True), f"{account.username} reads {ids}"
        strangers = authors - self.following[user] - {user}
        assert not strangers, f"{account.username} reads {strangers}"

    async def page(self, path: str, cursor: str, reader: Account) -> Page:
        self.pages_read += 1
        sign = "&" if "?" in path else "?"
        return await self.client.get(f"{path}{sign}limit={PAGE}{cursor}", _decode_page, reader)

    async def profile(self, user: int) -> Profile:
        """A user as he sees himself."""
        account = self.accounts[user]
        return await self.client.get(f"/user/{account.user_id}", _decode_profile, account)
