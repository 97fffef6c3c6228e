"""Tweets as search sees them, for the index and for live channels.

reactions.index_documents, edge.live.channels -> document_of -> IndexedTweet
"""

from roost.domain.search.document import IndexedTweet
from roost.domain.tweet import Audience, Tweet


def document_of(tweet: Tweet) -> IndexedTweet:
    """What search looks at of a tweet."""
    return IndexedTweet(
        tweet_id=tweet.id,
        author_id=tweet.author,
        text=tweet.message,
        hashtags=tuple(hashtag.tag for hashtag in tweet.hashtags),
        mentions=tuple(dict.fromkeys(mention.user_id for mention in tweet.mentions)),
        reply_to_author=tweet.reply_to_author,
        is_retweet=tweet.retweet_of is not None,
        has_media=bool(tweet.content),
        has_link=bool(tweet.urls),
        lang=tweet.lang,
        public=tweet.audience is Audience.PUBLIC,
        version=tweet.version,
    )
