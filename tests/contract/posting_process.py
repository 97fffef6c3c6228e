"""A process that posts until it is killed, and says each tweet that was acknowledged.

python posting_process.py FOLDER FIRST_ID
"""

import asyncio
import sys
from itertools import count
from pathlib import Path

from contract.store_adapters import ANA, NOW_MS, SCHEMAS, ref, tweet
from roost.adapters.sqlite_file import SqliteFile
from roost.adapters.store.sqlite.tweets import SqliteTweetStore
from roost.domain.events import TweetPosted

POSTERS = 20


async def post_for_ever(folder: Path, first: int) -> None:
    file = await SqliteFile(folder / "roost.db", lambda: NOW_MS).open(*SCHEMAS)
    store = SqliteTweetStore(file)
    ids = count(first)

    async def poster() -> None:
        for id in ids:
            # Every kind of row: its own, the author's list, the answered tweet's, the ref, the announcement.
            posted = tweet(id, message="x" * (id % 280), reply_to=1, reply_to_author=ANA)
            await store.add(posted, ref(f"r{id}"), [TweetPosted.of(posted)])
            print(id, flush=True)  # noqa: T201 - the acknowledgement

    await asyncio.gather(*(poster() for _ in range(POSTERS)))


if __name__ == "__main__":
    asyncio.run(post_for_ever(Path(sys.argv[1]), int(sys.argv[2])))
