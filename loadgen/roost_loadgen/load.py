"""A whole load, as a person at a terminal starts it: files in, a server filled, figures out."""

import asyncio
import csv
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from roost_loadgen.address import Address
from roost_loadgen.client import Account, Client
from roost_loadgen.faults import BadInput
from roost_loadgen.parallel import Meter
from roost_loadgen.patience import Patience
from roost_loadgen.phases import follow_all, register_all
from roost_loadgen.plan import Plan, read_plan
from roost_loadgen.tweeting import tweet_all

REFRESH_S = 0.25
ACCOUNTS_HEADER = ("username", "password", "user_id")
ACCOUNTS_MODE = 0o600  # it holds passwords


@dataclass(frozen=True, slots=True)
class Order:
    """What to load, and where."""

    url: str
    graph: Path
    tweets: Path
    users_max: int | None = None
    tweets_max: int | None = None
    rate: float | None = None
    seed: int = 1
    accounts: Path | None = None


def run_load(order: Order, *, out: Console, bar: Console) -> None:
    """Carry out the order. Figures go to `out`, progress to `bar`; raises `LoadFailed`."""
    if order.rate is not None and not order.rate > 0:
        raise BadInput(f"--rate is {order.rate}: must be above 0")
    if order.accounts is not None and not order.accounts.parent.is_dir():
        raise BadInput(f"--accounts {order.accounts}: no such folder")
    address = Address.parse(order.url)
    plan = read_plan(
        order.graph,
        order.tweets,
        users_max=order.users_max,
        tweets_max=order.tweets_max,
        seed=order.seed,
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_load(order, address, plan, out, bar))


async def _load(order: Order, address: Address, plan: Plan, out: Console, bar: Console) -> None:
    client = Client(address, patience=Patience())
    try:
        async with _shown("users", len(plan.usernames), out, bar) as meter:
            accounts = await register_all(client, plan, meter)
        if order.accounts is not None:
            write_accounts(order.accounts, accounts)
        async with _shown("follows", len(plan.follows), out, bar) as meter:
            await follow_all(client, plan, accounts, meter)
        async with _shown("tweets", len(plan.tweets), out, bar) as meter:
            await tweet_all(client, plan, accounts, meter, rate=order.rate)
    finally:
        client.close()


def write_accounts(path: Path, accounts: list[Account]) -> None:
    """Write who was made, for later sign-ins; the file is the owner's only."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, ACCOUNTS_MODE)
        with open(descriptor, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123  the mode is set at creation
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(ACCOUNTS_HEADER)
            rows.writerows((one.username, one.password, one.user_id) for one in accounts)
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from error


@asynccontextmanager
async def _shown(name: str, total: int, out: Console, bar: Console) -> AsyncIterator[Meter]:
    """A meter that a progress bar follows and whose figures are printed at the end."""
    meter = Meter(name, total)
    columns = (TextColumn("{task.description:8}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, TimeRemainingColumn(), console=bar, auto_refresh=False, transient=True, disable=not bar.is_terminal
    ) as progress:
        task = progress.add_task(name, total=total)

        async def follow() -> None:
            while True:
                progress.update(task, completed=meter.done, refresh=True)
                await asyncio.sleep(REFRESH_S)

        following = asyncio.create_task(follow())
        try:
            yield meter
        finally:
            following.cancel()
    out.print(str(meter.figures()), highlight=False, soft_wrap=True)
