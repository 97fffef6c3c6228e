"""The figures of one node, for Prometheus: read from what the parts count anyway."""

import os
from collections.abc import Iterable
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from roost.assembly.node import Node
from roost.assembly.seat import Seat
from roost.edge.live.hub import Hub
from roost.edge.live.room import Room
from roost.edge.native.hot import HotTimelines
from roost.edge.overload import LateLoop


@dataclass(frozen=True, eq=False, slots=True)
class NodeFigures(Collector):
    node: Node
    hub: Hub
    room: Room
    hot: HotTimelines
    late: LateLoop
    seat: Seat | None = None

    def collect(self) -> Iterable[Metric]:
        handled = CounterMetricFamily("roost_reaction_facts", "facts that reactions dealt with", labels=["reaction"])
        skipped = CounterMetricFamily(
            "roost_reaction_skipped", "facts that failed and were passed over", labels=["reaction"]
        )
        for name, reactor in self.node.reactors.items():
            handled.add_metric([name], reactor.handled)
            skipped.add_metric([name], reactor.skipped)
        yield handled
        yield skipped
        # Of several workers the one that answers tells of itself alone: its figures are told apart by its number.
        seat = self.seat
        worker = GaugeMetricFamily(
            "roost_worker", "the process that answers: 1 if it leads, else 0", labels=["number", "pid"]
        )
        leads = seat is None or seat.lease.held
        worker.add_metric([str(0 if seat is None else seat.number), str(os.getpid())], float(leads))
        yield worker
        gauges = {
            "roost_home_timelines_warm": ("warm home timelines", len(self.node.views.caches.near_homes)),
            "roost_user_timelines_warm": ("warm user timelines", len(self.node.views.caches.user_timelines)),
            "roost_fan_out_rests": ("large fan-outs under way", len(self.node.rests)),
            "roost_celebrities": ("users whose tweets are merged when read", len(self.node.views.celebrities.rows)),
            "roost_sockets": ("open sockets", self.hub.sockets),
            "roost_connected_users": ("users with a socket here", self.room.users),
        }
        for name, (meaning, value) in gauges.items():
            yield GaugeMetricFamily(name, meaning, value)
        counters = {
            "roost_deliveries": ("pushes onto warm home timelines", self.node.fan_out.delivered),
            "roost_hot_pages": ("pages of home timelines answered at once", self.hot.answered),
            "roost_refused_late": (
                "requests refused at once, since this process ran late",
                self.late.refused + self.late.kinds.refused,
            ),
            "roost_pushes": ("frames pushed to sockets", self.room.pushed),
            "roost_pushes_dropped": ("frames that slow readers never got", self.hub.counts.dropped),
        }
        for name, (meaning, value) in counters.items():
            yield CounterMetricFamily(name, meaning, value)
