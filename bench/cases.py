# SPDX-License-Identifier: BSD-3-Clause
"""What is measured, by name, and what is wished of the ratios."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.machine import BenchError
from bench.measure import FirstFrame, Idle, LossFree, Measurement, RawRun, TestpmdLoad, Wake
from bench.measure_kernel import LONG_TRIP, RoundTrips, TcpStream
from bench.peer import Topology
from bench.peers import OURS

ALL = ("vswitch", "testpmd", "ovs")
SWITCHES = ("vswitch", "ovs")
WITH_BRIDGE = ("vswitch", "ovs", "bridge")
PAIR = Topology()
FRESH = Topology(stations=2)  # a start of its own, with no address known yet
JUMBO = Topology(mtu=9000)
FIVE = Topology(ports=5)
NINE = Topology(ports=9)
MANY = Topology(stations=65536)
KERNEL = Topology(kernel=True)
KERNEL_AND_DPDK = Topology(ports=3, kernel=True)
AT_REST = Idle(settle=2.0)  # some look about for a second when they are continued by a signal


@dataclass(frozen=True)
class Case:
    name: str
    help: str
    measurement: Measurement
    topology: Topology = PAIR
    peers: Sequence[str] = ALL
    targets: Mapping[str, float] = field(default_factory=dict)  # the least ratio to ours, by peer
    most: float | None = None  # our own median must be below, in the metric's unit
    rounds_of_others: int | None = None  # theirs is known: they poll
    quick: bool = False
    needs_hugepages: bool = False
    far_counts: bool = False  # targets are wished with the CPUs in either phase

    def rounds(self, peer: str, rounds: int) -> int:
        """How many of the `rounds` this peer takes part in."""
        if peer == OURS or self.rounds_of_others is None:
            return rounds
        return min(rounds, self.rounds_of_others)


def of_size(
    size: str, targets: Mapping[str, float], topology: Topology = PAIR, quick: bool = False
) -> Case:
    unit = "the mix 7:4:1 of 60, 590 and 1,514 B" if size == "imix" else f"frames of {size} B"
    return Case(
        size, f"{unit}, one way", RawRun(("--size", size)), topology, targets=targets, quick=quick
    )


def with_addresses(number: int, warm: float = 0, **more: Any) -> Case:
    return Case(
        f"addresses-{number}", f"64 B, {number:,} stations in turn",
        RawRun(("--addresses", str(number)), warm), **more,
    )


def with_testpmd(size: int, target: float) -> Case:
    return Case(
        f"testpmd-{size}", f"{size} B both ways, frontend: testpmd's virtio_user, in-order rings",
        TestpmdLoad(size), targets={"testpmd": target},
    )


def trips(protocol: str) -> list[Case]:
    text = f"{protocol.upper()} round trip of 64 B between two interfaces"
    return [
        Case(f"kernel-{protocol}", f"{text}, median", RoundTrips(protocol), KERNEL, WITH_BRIDGE,
             {"ovs": 1}, far_counts=True),
        Case(f"kernel-{protocol}-p99", f"{text}, 99 of a hundred are no longer",
             RoundTrips(protocol, LONG_TRIP), KERNEL, WITH_BRIDGE, far_counts=True),
    ]


CASES: dict[str, Case] = {
    case.name: case
    for case in (
        of_size("64", {"testpmd": 2.5, "ovs": 4}, quick=True),
        of_size("128", {}),
        of_size("256", {"testpmd": 2.3, "ovs": 3.5}),
        of_size("512", {}),
        of_size("1024", {}),
        of_size("1514", {"testpmd": 2.5, "ovs": 2.5}, quick=True),
        of_size("imix", {}),
        Case("both", "64 B, two ports both ways", RawRun(("--both",))),
        with_addresses(1),
        with_addresses(1000),
        Case("memory-4k", "1,514 B, frontends' memory in pages of 4 KiB",
             RawRun(("--size", "1514"))),
        Case("memory-huge", "1,514 B, frontends' memory in hugepages",
             RawRun(("--size", "1514", "--huge")), needs_hugepages=True),
        Case("lossfree", "64 B: highest rate without loss, by bisection (RFC 2544)",
             LossFree(("--size", "64"))),
        Case("wake", "one frame after a silence: time to its arrival; peers that poll never sleep",
             Wake(), most=100, rounds_of_others=3, quick=True),
        Case("idle", "two silent frontends: CPU time of the whole switch", Idle(), most=1,
             rounds_of_others=3, quick=True),
        Case("first-frame", "from the request for two ports to the first frame between them",
             FirstFrame(), FRESH, SWITCHES),
        with_testpmd(64, 1.4),
        with_testpmd(256, 1.5),
        with_testpmd(1514, 2),
        of_size("9014", {"testpmd": 2, "ovs": 2}, JUMBO),
        with_addresses(50000, 4, topology=MANY, targets={"ovs": 2.5}),
        Case("1to4", "64 B, one sender, four receivers in turn", RawRun(()), FIVE, SWITCHES),
        Case("flood8", "1,514 B to an unknown address, eight receivers; cycles a delivered frame",
             RawRun(("--size", "1514", "--flood")), NINE, SWITCHES, {"ovs": 2}),
        Case("kernel-stream", "one TCP stream between interfaces in two namespaces, by iperf3",
             TcpStream(), KERNEL, WITH_BRIDGE, {"ovs": 3, "bridge": 0.7},
             far_counts=True),
        *trips("udp"),
        *trips("tcp"),
        Case("kernel-idle", "two silent interfaces: CPU time of the whole switch",
             AT_REST, KERNEL, SWITCHES, {"ovs": 2}, most=1),
        Case("kernel-idle-dpdk", "two silent interfaces, one silent vhost-user frontend", AT_REST,
             KERNEL_AND_DPDK, SWITCHES, {"ovs": 2}, most=1, rounds_of_others=3),
    )
}


def choose_cases(names: Sequence[str], quick: bool) -> list[Case]:
    """Those named, else all, or with `quick` the few that fit into two minutes.

    A word also names all cases that begin with it and a dash: `kernel`, `addresses`.
    """
    chosen = {name: [case for case in CASES if f"{case}-".startswith(f"{name}-")] for name in names}
    for name in names:
        if not chosen[name]:
            raise BenchError(unknown_case(name))
    if names:
        wanted = {case for cases in chosen.values() for case in cases}
        return [case for case in CASES.values() if case.name in wanted]
    return [case for case in CASES.values() if case.quick or not quick]


def unknown_case(name: str) -> str:
    near = difflib.get_close_matches(name, CASES, 1, 0.4)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    return f"there is no case '{name}'{hint} `./dev bench --list` has them all"


def by_topology(cases: Sequence[Case]) -> list[tuple[Topology, list[Case]]]:
    """Cases that share a start of the stacks, in the order of their first."""
    groups: dict[Topology, list[Case]] = {}
    for case in cases:
        groups.setdefault(case.topology, []).append(case)
    return list(groups.items())
