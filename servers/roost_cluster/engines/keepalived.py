"""keepalived: two balancers hold two addresses, each the master of one and ready to take the other.

VRRP 3 with an advert each 0.3 s: a node that is gone is missed after some 1.2 s. A balancer that no longer answers is
noticed by a check each second, and lowers its node below the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

ADVERTS_S = 0.3
MASTER, OTHER, UNWELL = 150, 100, 60
"""Priorities; what a node loses whose balancer does not answer is more than lies between the other two."""
CHECK_S_MAX = 0.8

_GLOBAL = """# Made by roost; what is changed here is lost when it is made again.
global_defs {{
    router_id {name}
    vrrp_version 3
    vrrp_garp_master_repeat 3
    enable_script_security
    script_user root
}}

vrrp_script balancer {{
    script "/usr/bin/curl -fsS -o /dev/null -m {check} {health}"
    interval 1
    timeout 1
    fall 1
    rise 2
    weight -{unwell}
}}
"""
_INSTANCE = """
vrrp_instance {name} {{
    state BACKUP
    interface {interface}
    virtual_router_id {id}
    priority {priority}
    advert_int {adverts}
    unicast_src_ip {own}
    unicast_peer {{
        {peer}
    }}
    virtual_ipaddress {{
        {address}
    }}
    track_script {{
        balancer
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two nodes by their own addresses, and the two virtual ones, with the length of the net's prefix. `port` is
    where both HAProxies listen, on all addresses.
    """

    nodes: Sequence[str]
    addresses: Sequence[str]
    interface: str
    port: int
    first_id: int = 51
    """Of the virtual routers: two of one network must differ."""


def configuration(pair: Pair, at: int) -> str:
    """All of keepalived.conf of node `at`, 0 or 1: the master of the address with the same number."""
    own, peer = pair.nodes[at], pair.nodes[1 - at]
    head = _GLOBAL.format(
        name=f"roost_{at + 1}",
        check=CHECK_S_MAX,
        health=f"http://{own}:{pair.port}/balancer/health",
        unwell=UNWELL,
    )
    instances = [
        _INSTANCE.format(
            name=f"address_{number + 1}",
            interface=pair.interface,
            id=pair.first_id + number,
            priority=MASTER if number == at else OTHER,
            adverts=ADVERTS_S,
            own=own,
            peer=peer,
            address=address,
        )
        for number, address in enumerate(pair.addresses)
    ]
    return head + "".join(instances)
