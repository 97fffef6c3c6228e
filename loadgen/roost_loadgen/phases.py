"""The three steps of a load: users, follows, tweets. Each can be run alone."""

import secrets
import time

from roost_loadgen.client import Account, Client
from roost_loadgen.parallel import Meter, in_parallel
from roost_loadgen.plan import Plan, PlannedFollow

SIGN_UPS_AT_ONCE = 8  # the server hashes a password for each, on bounded threads
FOLLOWS_AT_ONCE = 32
PASSWORD_BYTES = 12
EMAIL_DOMAIN = "load.example"


async def register_all(client: Client, plan: Plan, meter: Meter) -> list[Account]:
    """An account for each user of the plan, by rank, with passwords that nobody can guess."""
    accounts: dict[int, Account] = {}

    async def register(user: tuple[int, str]) -> None:
        rank, name = user
        since_s = time.perf_counter()
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        accounts[rank] = await client.register(name, password, f"{name}@{EMAIL_DOMAIN}")
        meter.add(since_s)

    meter.start()
    await in_parallel(enumerate(plan.usernames), register, workers=SIGN_UPS_AT_ONCE)
    return [accounts[rank] for rank in range(len(plan.usernames))]


async def follow_all(client: Client, plan: Plan, accounts: list[Account], meter: Meter) -> None:
    """Every follow of the plan, begun in its order."""

    async def follow(planned: PlannedFollow) -> None:
        since_s = time.perf_counter()
        await client.follow(accounts[planned.follower], accounts[planned.followed].user_id)
        meter.add(since_s)

    meter.start()
    await in_parallel(plan.follows, follow, workers=FOLLOWS_AT_ONCE)
