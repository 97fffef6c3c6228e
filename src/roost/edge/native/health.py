"""What operators' machines ask: is it alive, is it ready, what are its figures.

edge.native.app -> HealthReads -> the assembly's `ready`, the metrics' registry
"""

import hmac
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from roost.domain.errors import Forbidden
from roost.edge.native import shapes
from roost.edge.native.endpoint import Answer, Call, Described, Endpoint, SignedIn, answer
from roost.edge.native.routes import Route

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class HealthReads:
    """`ready` raises Unavailable while this node should get no requests: it drains, or a part of it is down.

    `metrics_token` opens the figures to others than this machine; None: to nobody else.
    """

    ready: Callable[[], Awaitable[None]]
    registry: CollectorRegistry
    metrics_token: str | None = None

    def endpoints(self) -> list[Endpoint]:
        fine = Described("so it is", shapes.Health)
        return [
            Endpoint(
                "GET",
                "/health/live",
                self._live,
                "Whether the process answers",
                {200: fine},
                SignedIn.NONE,
                rate_limit=None,
            ),
            Endpoint(
                "GET",
                "/health/ready",
                self._ready,
                "Whether it should get requests",
                {200: fine},
                SignedIn.NONE,
                rate_limit=None,
            ),
            Endpoint(
                "GET",
                "/metrics",
                self._metrics,
                "Figures for Prometheus: on this machine, or with the operator's token",
                {200: Described("Prometheus text", media_type=METRICS_TYPE)},
                SignedIn.NONE,
                rate_limit=None,
                refusals=(Forbidden,),
            ),
        ]

    async def _live(self, _: Call[None]) -> Answer:
        return answer(200, shapes.Health("live"))

    async def _ready(self, _: Call[None]) -> Answer:
        await self.ready()
        return answer(200, shapes.Health("ready"))

    async def _metrics(self, call: Call[None]) -> Answer:
        if not (self._has_token(call) or _is_local(call)):
            raise Forbidden("figures are for this machine, or for who has the operator's token")
        return Answer(200, generate_latest(self.registry), media_type=METRICS_TYPE)

    def _has_token(self, call: Call[None]) -> bool:
        if self.metrics_token is None:
            return False
        scheme, _, given = (call.header("authorization") or "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), self.metrics_token.encode())


def _is_local(call: Call[None]) -> bool:
    """From this machine, and not handed on by a proxy on it that nobody said to trust."""
    if call.header("x-forwarded-for") is not None or call.header("forwarded") is not None:
        return False
    try:
        return ip_address(call.address).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True, eq=False)
class RequestFigures(Collector):
    """Requests by endpoint and status, and the seconds they took: read from what the routes count."""

    routes: Sequence[Route]

    def collect(self) -> Iterable[Metric]:
        requests = CounterMetricFamily("roost_http_requests", "answered requests", labels=["method", "path", "status"])
        seconds = CounterMetricFamily("roost_http_request_seconds", "time spent on them", labels=["method", "path"])
        for route in self.routes:
            labels = [route.endpoint.method, route.endpoint.path]
            for status, count in route.statuses.items():
                requests.add_metric([*labels, str(status)], count)
            if route.statuses:
                seconds.add_metric(labels, route.seconds)
        return [requests, seconds]
