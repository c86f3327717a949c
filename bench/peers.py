# SPDX-License-Identifier: BSD-3-Clause
"""Who is measured, in the order of their turns. The first is what the others are compared with."""

from __future__ import annotations


from bench.kernel import Bridge, KernelOurs, KernelOvs
from bench.ours import Ours
from bench.ovs import Ovs
from bench.peer import Peer, Topology
from bench.testpmd_vhost import TestpmdVhost

PEERS: dict[str, type[Peer]] = {
    Ours.name: Ours,
    TestpmdVhost.name: TestpmdVhost,
    Ovs.name: Ovs,
    Bridge.name: Bridge,
}
WITH_INTERFACES: dict[str, type[Peer]] = {
    KernelOurs.name: KernelOurs,
    KernelOvs.name: KernelOvs,
    Bridge.name: Bridge,
}
OURS = Ours.name


def peer_for(name: str, topology: Topology) -> type[Peer]:
    """A peer in the shape that a topology needs."""
    return (WITH_INTERFACES if topology.kernel else PEERS)[name]
