"""Examine a running server: what its process says over the control socket, and what it answers over HTTP.

cli.doctor -> examine_process, examine_server
"""

import time
from collections.abc import Iterator

import httpx
from prometheus_client.parser import text_string_to_metric_families

from roost.assembly.control import Status
from roost.assembly.examination import Check, fail, ok, warn

WAIT_S_MAX = 10.0
ANSWER_MS_LOW = 500
"""A health answer that takes longer tells of a loop that is overloaded."""
LAG_MAX = 10_000
SHARE_HIGH = 0.9
_BOUNDS_THAT_REFUSE = frozenset({"sockets", "celebrities"})
"""Caches are meant to be full; at these bounds somebody is sent away."""


def examine_process(status: Status) -> Iterator[Check]:
    yield ok("process", f"pid {status.pid} serves {status.url}, roost {status.version}, for {status.uptime_s:.0f} s")
    for reaction in status.reactions:
        if reaction.skipped:
            fact = f"{reaction.skipped} facts failed and were passed over"
            yield fail(f"running {reaction.name}", fact, "see the server's log, then rebuild the view: `roost rebuild`")
        elif (reaction.lag or 0) > LAG_MAX:
            yield warn(f"running {reaction.name}", f"{reaction.lag} facts behind", "look at the server's load")
        else:
            behind = "" if reaction.lag is None else f", {reaction.lag} behind"
            yield ok(f"running {reaction.name}", f"{reaction.handled} facts since the start{behind}")
    for bound in status.bounds:
        fact = f"{bound.used} of at most {bound.most}"
        if bound.name in _BOUNDS_THAT_REFUSE and bound.used >= SHARE_HIGH * bound.most:
            yield warn(bound.name, fact, "raise the setting: `roost settings`")
        else:
            yield ok(bound.name, fact)


def examine_server(url: str, metrics_token: str) -> Iterator[Check]:
    """Over HTTP alone, so of another machine's server too."""
    headers = {"Authorization": f"Bearer {metrics_token}"} if metrics_token else {}
    with httpx.Client(base_url=url, timeout=WAIT_S_MAX, headers=headers, trust_env=False) as client:
        try:
            yield _answered(client, "live", "the process hangs: restart it")
            yield _answered(client, "ready", "it is starting or stopping: look at its log")
            yield from _figures(client)
        except httpx.HTTPError as error:
            yield fail("server", f"{url} does not answer: {error}", "start it: `roost serve`, or look at its log")
        except httpx.InvalidURL as error:
            yield fail("server", f"{url} is no address: {error}", "give one such as http://127.0.0.1:8000")


def _answered(client: httpx.Client, health: str, advice: str) -> Check:
    began = time.monotonic()
    answer = client.get(f"/health/{health}")
    took_ms = (time.monotonic() - began) * 1_000
    if answer.status_code != httpx.codes.OK:
        return fail(health, f"/health/{health} answers {answer.status_code}", advice)
    if took_ms > ANSWER_MS_LOW:
        return warn(health, f"it took {took_ms:.0f} ms to say so", "the server is overloaded: look at its load")
    return ok(health, f"said within {took_ms:.0f} ms")


def _figures(client: httpx.Client) -> Iterator[Check]:
    answer = client.get("/metrics")
    if answer.status_code != httpx.codes.OK:
        yield warn(
            "figures",
            f"/metrics answers {answer.status_code}",
            "ask on its machine, or set metrics_token on both sides",
        )
        return
    samples = [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]
    skipped = {
        sample.labels["reaction"]: int(sample.value)
        for sample in samples
        if sample.name == "roost_reaction_skipped_total" and sample.value
    }
    if skipped:
        fact = ", ".join(f"{name} passed over {count} facts that failed" for name, count in skipped.items())
        yield fail("figures", fact, "see the server's log, then rebuild the view: `roost rebuild`")
    else:
        yield ok("figures", "no reaction passed over a fact")
    yield _dropped(int(sum(sample.value for sample in samples if sample.name == "roost_pushes_dropped_total")))


def _dropped(count: int) -> Check:
    if count:
        fact = f"{count} frames were dropped for sockets that read too slowly, each told by a gap"
        return warn("pushes", fact, "nothing, unless they grow: then look at the network and the load")
    return ok("pushes", "none was dropped")
