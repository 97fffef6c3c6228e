"""The payload of a tweet, as REST and sockets take it, made a Draft.

edge.native.tweets, edge.live.session -> DraftBody -> draft_of -> commands.post_tweet
"""

import msgspec

from roost.commands.post_tweet import Draft
from roost.domain.errors import FieldError, Invalid
from roost.domain.ids import ContentId, TweetId, parse_id
from roost.domain.tweet import Audience

CONTENT_ID_LENGTH_MAX = 64


class DraftBody(msgspec.Struct, frozen=True, kw_only=True):
    """A tweet; a reply (`ReplyToTweetId` and a message or content); a retweet (`ReplyToTweetId` and neither); a quote
    (`QuoteTweetId`). Each of the two ids has three spellings, and null is as good as absent.
    """

    message: str | None = None
    content_ids: list[str] | None = None
    reply_to_pascal: str | None = msgspec.field(default=None, name="ReplyToTweetId")
    reply_to_camel: str | None = msgspec.field(default=None, name="replyToTweetId")
    reply_to_snake: str | None = msgspec.field(default=None, name="reply_to_tweet_id")
    quote_of_pascal: str | None = msgspec.field(default=None, name="QuoteTweetId")
    quote_of_camel: str | None = msgspec.field(default=None, name="quoteTweetId")
    quote_of_snake: str | None = msgspec.field(default=None, name="quote_tweet_id")
    time: str | None = None
    lang: str | None = None
    audience: str | None = None
    ref: str | None = None


def draft_of(body: DraftBody, ref: str | None = None) -> Draft:
    """What the caller wants to post. `ref` came beside the body, in a header. Raises Invalid, naming the field."""
    if ref is not None and body.ref is not None and ref != body.ref:
        raise Invalid.field("ref", "the body and the header Idempotency-Key name two")
    reply_to = _target(
        ReplyToTweetId=body.reply_to_pascal, replyToTweetId=body.reply_to_camel, reply_to_tweet_id=body.reply_to_snake
    )
    quote_of = _target(
        QuoteTweetId=body.quote_of_pascal, quoteTweetId=body.quote_of_camel, quote_tweet_id=body.quote_of_snake
    )
    return Draft(
        message=body.message or "",
        content_ids=tuple(_content_id(id) for id in body.content_ids or ()),
        reply_to=reply_to,
        quote_of=quote_of,
        audience=_audience(body.audience),
        lang=body.lang,
        client_time=body.time,
        ref=body.ref if ref is None else ref,
    )


def _target(**spellings: str | None) -> TweetId | None:
    """The one tweet that the spellings name. Two spellings may not name two tweets."""
    ids = {name: TweetId(parse_id(text, name)) for name, text in spellings.items() if text is not None}
    if len(set(ids.values())) > 1:
        detail = f"{' and '.join(ids)} name different tweets"
        raise Invalid(detail, *(FieldError(name, detail) for name in ids))
    return next(iter(ids.values()), None)


def _content_id(id: str) -> ContentId:
    if len(id) > CONTENT_ID_LENGTH_MAX:
        raise Invalid.field("content_ids", f"no content {id[:CONTENT_ID_LENGTH_MAX]}… of yours that is ready")
    return ContentId(id)


def _audience(word: str | None) -> Audience:
    if word is None:
        return Audience.PUBLIC
    try:
        return Audience(word)
    except ValueError:
        raise Invalid.field("audience", f"{word[:40]!r} is none of {', '.join(Audience)}") from None
