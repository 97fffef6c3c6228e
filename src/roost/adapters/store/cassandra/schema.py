"""All tables, in one place, with the version of the whole.

Brackets in a table's comment name what its partition holds. Months are spans of 30 days, so that an id alone gives
its month; buckets split what many users do to one thing (buckets.py); spans.py says which partitions a list has.
"""

import re

from roost.adapters.store.cassandra.cql import Cql

VERSION = 1
CHANGE_S_MAX = 60.0

KEYSPACE = "CREATE KEYSPACE IF NOT EXISTS {keyspace} WITH replication = {replication}"
VERSION_TABLE = "CREATE TABLE IF NOT EXISTS schema_version (one int PRIMARY KEY, version int)"
KEPT_VERSION = Cql("SELECT version FROM schema_version WHERE one = 0")
KEEP_VERSION = Cql("INSERT INTO schema_version (one, version) VALUES (0, ?)")

SHORT_LIVED = "gc_grace_seconds = 10800"
"""Three hours, as long as hints are kept: a row that comes back afterwards does no harm in these tables."""

_TABLES = """
-- Which spans of time a list has rows in; which buckets it has.
CREATE TABLE IF NOT EXISTS spans (list text, owner bigint, span bigint, PRIMARY KEY ((list, owner), span));
CREATE TABLE IF NOT EXISTS buckets (list text, owner bigint, count int, PRIMARY KEY ((list, owner)));
-- Facts that are to be announced still.
CREATE TABLE IF NOT EXISTS outbox (shard int, minute bigint, id blob, kind text, body blob, PRIMARY KEY ((shard,
  minute), id)) WITH {short_lived};
CREATE TABLE IF NOT EXISTS outbox_minutes (shard int, minute bigint, PRIMARY KEY ((shard), minute)) WITH
  {short_lived};
-- What one holder has and no other: retweets, names, addresses, reports. Written by decisions only.
CREATE TABLE IF NOT EXISTS claims (kind text, key text, holder bigint, at_ms bigint, PRIMARY KEY ((kind, key)));
-- Tweets: bodies, and the lists that name them.
CREATE TABLE IF NOT EXISTS tweets (shard int, day bigint, tweet_id bigint, deleted boolean, body blob, PRIMARY KEY
  ((shard, day), tweet_id));
CREATE TABLE IF NOT EXISTS user_tweets (user_id bigint, month bigint, tweet_id bigint, PRIMARY KEY ((user_id,
  month), tweet_id)) WITH CLUSTERING ORDER BY (tweet_id DESC);
CREATE TABLE IF NOT EXISTS replies (tweet_id bigint, bucket int, reply_id bigint, PRIMARY KEY ((tweet_id, bucket),
  reply_id));
CREATE TABLE IF NOT EXISTS retweets_of (tweet_id bigint, bucket int, retweet_id bigint, PRIMARY KEY ((tweet_id,
  bucket), retweet_id)) WITH CLUSTERING ORDER BY (retweet_id DESC);
CREATE TABLE IF NOT EXISTS quotes_of (tweet_id bigint, bucket int, quote_id bigint, PRIMARY KEY ((tweet_id, bucket),
  quote_id)) WITH CLUSTERING ORDER BY (quote_id DESC);
CREATE TABLE IF NOT EXISTS retweet_by (user_id bigint, month bigint, tweet_id bigint, retweet_id bigint, PRIMARY KEY
  ((user_id, month), tweet_id)) WITH CLUSTERING ORDER BY (tweet_id DESC);
-- Names that clients gave their posts: decided here, and where the announcement stands, noted there.
CREATE TABLE IF NOT EXISTS refs (user_id bigint, ref text, digest blob, tweet_id bigint, expires_ms bigint, at_ms
  bigint, PRIMARY KEY ((user_id, ref))) WITH {short_lived};
CREATE TABLE IF NOT EXISTS ref_positions (user_id bigint, ref text, expires_ms bigint, position text, PRIMARY KEY
  ((user_id, ref))) WITH {short_lived};
-- Relations. `relations` is the truth, with one row of kind '' a user that orders its changes; decisions only.
CREATE TABLE IF NOT EXISTS relations (user_id bigint, kind text, other bigint, version bigint, stamp bigint, writer
  bigint, following int, PRIMARY KEY ((user_id), kind, other));
CREATE TABLE IF NOT EXISTS relations_newest (user_id bigint, kind text, version bigint, other bigint, PRIMARY KEY
  ((user_id, kind), version, other)) WITH CLUSTERING ORDER BY (version DESC, other DESC);
CREATE TABLE IF NOT EXISTS relations_to (user_id bigint, kind text, bucket int, other bigint, version bigint,
  PRIMARY KEY ((user_id, kind, bucket), other));
CREATE TABLE IF NOT EXISTS relations_to_newest (user_id bigint, kind text, bucket int, version bigint, other bigint,
  PRIMARY KEY ((user_id, kind, bucket), version, other)) WITH CLUSTERING ORDER BY (version DESC, other DESC);
-- Likes by tweet and by user, each by whom or what and newest first.
CREATE TABLE IF NOT EXISTS likes (tweet_id bigint, bucket int, user_id bigint, tweet_author bigint, version bigint,
  PRIMARY KEY ((tweet_id, bucket), user_id));
CREATE TABLE IF NOT EXISTS likes_newest (tweet_id bigint, bucket int, version bigint, user_id bigint, PRIMARY KEY
  ((tweet_id, bucket), version, user_id)) WITH CLUSTERING ORDER BY (version DESC, user_id DESC);
CREATE TABLE IF NOT EXISTS likes_by (user_id bigint, month bigint, tweet_id bigint, tweet_author bigint, version
  bigint, PRIMARY KEY ((user_id, month), tweet_id)) WITH CLUSTERING ORDER BY (tweet_id DESC);
CREATE TABLE IF NOT EXISTS likes_by_newest (user_id bigint, month bigint, version bigint, tweet_id bigint, PRIMARY
  KEY ((user_id, month), version, tweet_id)) WITH CLUSTERING ORDER BY (version DESC, tweet_id DESC);
CREATE TABLE IF NOT EXISTS notifications (user_id bigint, month bigint, id bigint, kind text, actor bigint, tweet_id
  bigint, PRIMARY KEY ((user_id, month), id)) WITH CLUSTERING ORDER BY (id DESC);
-- Counts are written with their version as timestamp: the greater one stands, in whatever order they come.
CREATE TABLE IF NOT EXISTS tweet_counts (tweet_id bigint PRIMARY KEY, replies int, retweets int, likes int, quotes
  int, version bigint);
CREATE TABLE IF NOT EXISTS user_counts (user_id bigint PRIMARY KEY, tweets int, followers int, following int,
  version bigint);
CREATE TABLE IF NOT EXISTS celebrities (part int, user_id bigint, state text, version bigint, PRIMARY KEY ((part),
  user_id));
-- Users and what belongs to them. `users`, `accounts` and `tokens` are changed by decisions only.
CREATE TABLE IF NOT EXISTS users (user_id bigint PRIMARY KEY, version bigint, revision bigint, body blob);
CREATE TABLE IF NOT EXISTS names (name_key text PRIMARY KEY, user_id bigint);
CREATE TABLE IF NOT EXISTS emails (email_key text PRIMARY KEY, user_id bigint);
CREATE TABLE IF NOT EXISTS accounts (user_id bigint PRIMARY KEY, email text, email_key text, mobile text,
  password_hash text, email_confirmed boolean);
CREATE TABLE IF NOT EXISTS user_ids (month bigint, part int, user_id bigint, PRIMARY KEY ((month, part), user_id));
CREATE TABLE IF NOT EXISTS sessions (token_hash blob PRIMARY KEY, session_id text, user_id bigint, created_ms
  bigint, last_used_ms bigint, expires_ms bigint, client text, csrf_hash blob);
CREATE TABLE IF NOT EXISTS sessions_of (user_id bigint, session_id text, token_hash blob, created_ms bigint,
  last_used_ms bigint, expires_ms bigint, client text, csrf_hash blob, PRIMARY KEY ((user_id), session_id));
CREATE TABLE IF NOT EXISTS session_uses (token_hash blob PRIMARY KEY, last_used_ms bigint);
CREATE TABLE IF NOT EXISTS tokens (user_id bigint, purpose text, token_hash blob, email text, expires_ms bigint,
  PRIMARY KEY ((user_id), purpose));
CREATE TABLE IF NOT EXISTS token_owners (token_hash blob PRIMARY KEY, user_id bigint, purpose text);
-- Contents by owner, with one row of id '' that orders their changes and sums their bytes; decisions only.
CREATE TABLE IF NOT EXISTS contents (owner bigint, content_id text, stamp bigint, writer bigint, used_bytes bigint,
  version bigint, tweet_id bigint, claimed_ms bigint, profile bigint, body blob, PRIMARY KEY ((owner), content_id));
CREATE TABLE IF NOT EXISTS content_owners (content_id text PRIMARY KEY, owner bigint);
CREATE TABLE IF NOT EXISTS contents_waiting (slot bigint, part int, created_ms bigint, content_id text, owner
  bigint, PRIMARY KEY ((slot, part), created_ms, content_id));
CREATE TABLE IF NOT EXISTS digest_names (digest text, content_id text, PRIMARY KEY ((digest), content_id));
CREATE TABLE IF NOT EXISTS reports (month bigint, report_id bigint, reporter bigint, user_id bigint, tweet_id
  bigint, reason text, created_ms bigint, open boolean, closed_by bigint, PRIMARY KEY ((month), report_id)) WITH
  CLUSTERING ORDER BY (report_id DESC);
CREATE TABLE IF NOT EXISTS open_reports (month bigint, report_id bigint, PRIMARY KEY ((month), report_id)) WITH
  CLUSTERING ORDER BY (report_id DESC);
-- Which process has which node number; written by decisions only.
CREATE TABLE IF NOT EXISTS node_leases (one int, number int, holder text, at_ms bigint, last_ms bigint, PRIMARY KEY
  ((one), number));
CREATE TABLE IF NOT EXISTS used_tickets (id blob PRIMARY KEY, until_ms bigint) WITH {short_lived};
"""

TABLES = tuple(
    statement.strip() for statement in re.sub("--.*", "", _TABLES).replace("{short_lived}", SHORT_LIVED).split(";")[:-1]
)
