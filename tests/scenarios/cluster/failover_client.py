"""A client that posts to two addresses in turn until SIGTERM, and then says what was answered: a line of JSON an act.

failover_client.py ADDRESS ADDRESS
"""

import asyncio
import itertools
import json
import signal
import sys
import time

import httpx

EVERY_S, ANSWER_S_MAX, AGAIN_S, GIVEN_UP_S = 0.05, 0.5, 0.05, 20.0


async def main(*addresses: str) -> None:
    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    clients = [httpx.AsyncClient(base_url=address, timeout=ANSWER_S_MAX, trust_env=False) for address in addresses]
    account = {"username": "ana", "password": "a long word of ana", "email": "ana@example.org"}
    made = (await clients[0].post("/create/user", json=account, timeout=GIVEN_UP_S)).json()
    headers = {"authorization": f"Bearer {made['token']}"}
    print(json.dumps({"user": made["user_id"]}), flush=True)  # noqa: T201 - what it is for

    async def act(number: int) -> None:
        at, began_s = number % len(clients), time.monotonic()
        while not ending.is_set() and time.monotonic() - began_s < GIVEN_UP_S:
            try:
                answer = await clients[at].post(
                    "/tweet", json={"message": f"number {number}"}, headers={**headers, "idempotency-key": f"k{number}"}
                )
            except httpx.HTTPError:
                answer = None
            now_s = time.monotonic()
            ok = answer is not None and answer.status_code == httpx.codes.CREATED
            id = answer.json()["tweet_id"] if ok and answer is not None else None
            print(json.dumps({"at": at, "began": began_s, "ended": now_s, "id": id}), flush=True)  # noqa: T201
            if ok:
                return
            await asyncio.sleep(AGAIN_S)

    under_way: set[asyncio.Task[None]] = set()
    for number in itertools.count():
        if ending.is_set():
            break
        task = asyncio.create_task(act(number))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
        await asyncio.sleep(EVERY_S)
    await asyncio.gather(*under_way, return_exceptions=True)
    shown, before = list[str](), dict[str, str]()
    while True:
        page = (await clients[1].get(f"/user/timeline/{made['user_id']}", params={"limit": "100", **before})).json()
        shown += [tweet["tweet_id"] for tweet in page["tweets"]]
        if page["before"] is None:
            break
        before = {"before": page["before"]}
    print(json.dumps({"shown": shown}), flush=True)  # noqa: T201


asyncio.run(main(*sys.argv[1:]))
