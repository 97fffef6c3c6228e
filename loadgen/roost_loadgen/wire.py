"""The parts of the server's JSON that a load reads; all else in it is skipped."""

import msgspec


class Session(msgspec.Struct):
    """The answer to signing up and to signing in."""

    user_id: str
    token: str


class Author(msgspec.Struct):
    """Whose a tweet is."""

    user_id: str


class Tweet(msgspec.Struct):
    """A tweet as it stands in acks, pushes and pages."""

    tweet_id: str
    message: str
    user: Author


class Problem(msgspec.Struct):
    """Why not."""

    title: str = ""
    status: int = 0
    detail: str = ""
    retry_after: float | None = None

    def __str__(self) -> str:
        return self.detail or self.title or "no reason given"


class ServerMessage(msgspec.Struct):
    """One frame from the server, of any type."""

    type: str
    ref: str | None = None
    cursor: str | None = None
    channel: str | None = None
    tweet: Tweet | None = None
    problem: Problem | None = None


class NewUser(msgspec.Struct):
    """What signing up sends."""

    username: str
    password: str
    email: str


class Credentials(msgspec.Struct):
    """What signing in sends."""

    username: str
    password: str


class NewTweet(msgspec.Struct, omit_defaults=True):
    """What posting sends; over HTTP the `ref` is a header."""

    message: str
    ref: str | None = None


encode = msgspec.json.Encoder().encode
decode_session = msgspec.json.Decoder(Session).decode
decode_tweet = msgspec.json.Decoder(Tweet).decode
decode_problem = msgspec.json.Decoder(Problem).decode
decode_server_message = msgspec.json.Decoder(ServerMessage).decode
