"""Examine a data folder, served or not. Nothing is changed.

cli.doctor -> examine_folder -> Inspection, the files

Reads the whole database once, some 200 MB a second; of everything else samples.
"""

import hashlib
import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from roost.adapters.content.obstore_bytes import local_file
from roost.adapters.index.sqlite import tweets as indexed_tweets
from roost.adapters.index.sqlite import users as indexed_users
from roost.adapters.index.sqlite.position import read_position
from roost.adapters.index.sqlite.schema import FORMAT
from roost.adapters.log_position import seq_at
from roost.adapters.sqlite_copies import check_version, faults_of, opened_to_read
from roost.adapters.store.sqlite.inspection import Inspection
from roost.assembly.data_folder import DataFolder, files_of
from roost.assembly.examination import Check, fail, ok, warn
from roost.domain.errors import DependencyDown
from roost.domain.ids import EPOCH_MS, TweetId, ms_of
from roost.domain.tweet import Tweet

FREE_BYTES_MIN, FREE_BYTES_LOW = 256 << 20, 2 << 30
LAG_MAX = 10_000
"""Facts that a reaction may be behind while roost serves: some 15 s at 600 tweets/s."""
AHEAD_MS_MAX = 10_000
"""How far the newest id may be ahead of the clock before roost refuses to mint."""
INDEXED_WITHIN_MS = 60_000
"""Younger tweets need not be in the search index yet."""
HASHED_MAX, HASHED_BYTES_MAX = 20, 10 << 20
_OTHERS = stat.S_IRGRP | stat.S_IWGRP | stat.S_IROTH | stat.S_IWOTH
_ENTER = stat.S_IXGRP | stat.S_IXOTH


def examine_folder(folder: DataFolder, now_ms: int, *, served: bool) -> Iterator[Check]:
    """All checks that can be made; where the folder or the database cannot be read, those after it are left out."""
    root = folder.root
    if not root.is_dir():
        yield fail("folder", f"there is no data folder {root}", "name it with --data, or make one by `roost serve`")
        return
    if not os.access(root, os.R_OK | os.W_OK | os.X_OK):
        yield fail("folder", f"{root} cannot be written", "give it to the user that runs roost: chown")
    else:
        yield ok("folder", f"{root} can be written")
    yield _modes(folder)
    yield _space(folder)
    if not folder.database.is_file():
        yield fail("database", f"{root} holds no {folder.database.name}", "restore a backup, or run `roost serve` once")
        return
    faults = faults_of(folder.database)
    if faults:
        yield fail("database", f"damaged: {'; '.join(faults[:3])}", "stop roost, and restore a backup: `roost restore`")
        return
    try:
        with opened_to_read(folder.database) as connection:
            check_version(connection, folder.database.name)
            connection.execute("BEGIN")  # all looks are at one moment
            yield from _Database(folder, Inspection(connection, Random()), now_ms, served).checks()  # noqa: S311 - samples
    except (sqlite3.Error, DependencyDown) as error:
        yield fail("database", str(error), "run the version of roost that served this folder last")


def _modes(folder: DataFolder) -> Check:
    secrets = [path for path in (folder.secret, folder.database, folder.control) if path.exists()]
    readable = [path.name for path in secrets if path.stat().st_mode & _OTHERS]
    if readable and folder.root.stat().st_mode & _ENTER:
        return fail("secrets", f"other users may read {', '.join(readable)}", f"chmod 700 {folder.root}")
    return ok("secrets", "no other user may read what is secret")


def _space(folder: DataFolder) -> Check:
    free = shutil.disk_usage(folder.root).free
    fact = f"{free >> 20} MiB are free"
    if free < FREE_BYTES_MIN:
        return fail("disk", fact, f"make room: below {FREE_BYTES_MIN >> 20} MiB writes may fail soon")
    if free < FREE_BYTES_LOW:
        return warn("disk", fact, "make room, also for backups")
    return ok("disk", fact)


@dataclass(frozen=True, slots=True)
class _Database:
    folder: DataFolder
    inspection: Inspection
    now_ms: int
    served: bool

    def checks(self) -> Iterator[Check]:
        broken = self.inspection.broken_references()
        if broken:
            yield fail("database", f"{broken} references lead nowhere", "restore a backup: `roost restore`")
        else:
            size = sum(file.stat().st_size for file in files_of(self.folder.database) if file.exists())
            yield ok("database", f"{self.folder.database.name} is whole, {size >> 10} KiB")
        tweets = self.inspection.sampled_tweets()
        yield self._rows(tweets)
        yield self._counts()
        yield self._clock()
        yield from self._lags()
        yield from self._index(tweets)
        yield self._contents()

    def _rows(self, tweets: list[Tweet]) -> Check:
        torn = self.inspection.torn(tweets)
        users = self.inspection.sampled_users()
        without = self.inspection.without_account(users)
        if torn:
            fact = f"{len(torn)} of {len(tweets)} sampled tweets have rows that disagree, such as {torn[0]}"
            return fail("rows", fact, "restore a backup: `roost restore`")
        if without:
            fact = f"{len(without)} of {len(users)} sampled users have no account, such as {without[0]}"
            return fail("rows", fact, "restore a backup: `roost restore`")
        return ok("rows", f"{len(tweets)} sampled tweets and {len(users)} users agree in all their rows")

    def _counts(self) -> Check:
        users = self.inspection.sampled_users()
        wrong = self.inspection.miscounted(users)
        if wrong:
            fact = f"{len(wrong)} of {len(users)} sampled users have wrong counts, such as {wrong[0]}"
            return warn("counts", fact, "roost rebuild counts")
        return ok("counts", f"those of {len(users)} sampled users are right")

    def _clock(self) -> Check:
        newest = self.inspection.newest_tweet()
        ahead_ms = ms_of(newest) - self.now_ms if newest else 0
        if self.now_ms < EPOCH_MS:
            return fail("clock", "it is before 2006", "set the clock")
        if ahead_ms > AHEAD_MS_MAX:
            fact = f"the newest tweet is {ahead_ms / 1_000:.0f} s ahead of the clock"
            return fail("clock", fact, "set the clock; until it has caught up roost refuses posts")
        return ok("clock", "the newest tweet is not ahead of it")

    def _lags(self) -> Iterator[Check]:
        lags = self.inspection.lags()
        for name, lag in sorted(lags.items()):
            if self.served and lag > LAG_MAX:
                yield warn(f"reaction {name}", f"{lag} facts behind", "look at the server's log, and at its load")
            else:
                yield ok(
                    f"reaction {name}",
                    f"{lag} facts behind" + ("" if self.served or not lag else ", until roost serves"),
                )

    def _index(self, tweets: list[Tweet]) -> Iterator[Check]:
        path = self.folder.search
        if not path.is_file():
            yield warn(
                "index", "there is no search index", "nothing: the next `roost serve` makes it, before it is ready"
            )
            return
        faults = faults_of(path)
        if faults:
            yield fail("index", f"damaged: {'; '.join(faults[:3])}", "stop roost, then `roost rebuild index`")
            return
        try:
            with opened_to_read(path) as connection:
                yield self._searched(connection, tweets)
        except sqlite3.Error as error:
            yield fail("index", str(error), "stop roost, then `roost rebuild index`")

    def _searched(self, connection: sqlite3.Connection, tweets: list[Tweet]) -> Check:
        ((found,),) = connection.execute("PRAGMA user_version").fetchall()
        if found != FORMAT:
            return warn(
                "index", f"it has format {found}, not {FORMAT}", "nothing: the next `roost serve` makes it anew"
            )
        positions = [read_position(connection, view) for view in (indexed_tweets.VIEW, indexed_users.VIEW)]
        if None in positions:
            return warn("index", "it is incomplete", "wait for its rebuild, or run `roost rebuild index`")
        lag = max(self.inspection.log_end() - (seq_at(position) or 0) for position in positions if position is not None)
        old = [tweet for tweet in tweets if not tweet.deleted and ms_of(tweet.id) < self.now_ms - INDEXED_WITHIN_MS]
        missing = (
            [] if lag and not self.served else [tweet.id for tweet in old if not _is_indexed(connection, tweet.id)]
        )
        if missing and lag < LAG_MAX:
            fact = f"{len(missing)} of {len(old)} sampled tweets are not in it, such as {missing[0]}"
            return fail("index", fact, "roost rebuild index")
        if self.served and lag > LAG_MAX:
            return warn("index", f"{lag} facts behind the log", "look at the server's log, and at its load")
        return ok("index", f"{max(lag, 0)} facts behind the log, and {len(old)} sampled tweets are in it")

    def _contents(self) -> Check:
        looked, gone, other = 0, 0, 0
        for blob in self.inspection.sampled_blobs():
            path = local_file(self.folder.content, blob.digest)
            looked += 1
            if not path.is_file():
                gone += 1
            elif path.stat().st_size != blob.byte_size or not _is_whole(path, blob.digest, looked):
                other += 1
        if gone or other:
            fact = f"of {looked} sampled files {gone} are missing and {other} are damaged"
            return fail("content", fact, f"bring {self.folder.content} back from a backup")
        return ok("content", f"{looked} sampled files are there")


def _is_indexed(connection: sqlite3.Connection, id: TweetId) -> bool:
    return bool(connection.execute("SELECT 1 FROM tweet WHERE tweet_id = ?", (id,)).fetchall())


def _is_whole(path: Path, digest: str, nth: int) -> bool:
    """Whether its bytes are those of the digest, looked at for the first few that are not large."""
    if nth > HASHED_MAX or path.stat().st_size > HASHED_BYTES_MAX:
        return True
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest() == digest
