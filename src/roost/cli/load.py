"""`roost load`: users, follows and tweets from files, through the public interface of a server."""

from pathlib import Path

from rich.console import Console

from roost_loadgen.faults import LoadFailed
from roost_loadgen.load import Order, run_load


def load(
    *,
    url: str,
    graph: Path,
    tweets: Path,
    users: int | None = None,
    tweets_max: int | None = None,
    rate: float | None = None,
    seed: int = 1,
    accounts: Path | None = None,
) -> None:
    """Fill a running server with users, follows and tweets, and report rates and latencies.

    Args:
        url: the server's address, such as http://127.0.0.1:8000
        graph: a CSV file `followed,follower` with that header; the users are ranked by followers
        tweets: a text file, a tweet a line; `@user` in it becomes the name of somebody whom the author follows
        users: take only so many users, the most followed first
        tweets_max: take only so many tweets, the first that fit into 280 weighted characters
        rate: tweets a second, each on time whether or not the server keeps up; else as fast as it takes them
        seed: another seed draws other authors and mentions
        accounts: write `username,password,user_id` of everybody who was made to this file

    """
    bar = Console(stderr=True)
    order = Order(url, graph, tweets, users, tweets_max, rate, seed, accounts)
    try:
        run_load(order, out=Console(), bar=bar)
    except LoadFailed as failure:
        bar.print(f"roost load: {failure}", markup=False, highlight=False, soft_wrap=True)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        bar.print("roost load: interrupted")
        raise SystemExit(130) from None
