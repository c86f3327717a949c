# SPDX-License-Identifier: BSD-3-Clause
"""The part of the benchmark that joins network namespaces, for real, but short."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Iterator

import pytest

from bench.cases import CASES
from bench.kernel import Bridge
from bench.machine import cpus_of_this_machine
from bench.peer import Place, Topology
from bench.peers import PEERS, WITH_INTERFACES, peer_for
from bench.raw import RawBench, RawFailed
from bench.rounds import Plan, Rounds
from support import Registry, wait_until
from support.namespaces import end_address, new_namespace
from support.process import ProcessFailed

KERNEL = Topology(kernel=True)


# What the benchmark, its switches and OVS may call theirs; others on this machine have interfaces, too.
OURS = re.compile(r"(br|k|v|vswitch)\d+|vsw[0-9a-f]+\.[0-9a-f]+|ovs-(netdev|system)")


def interfaces() -> set[str]:
    return {name for name in os.listdir("/sys/class/net") if OURS.fullmatch(name)}


@pytest.fixture(name="bridge")
def bridge_peer(workdir: Path) -> Iterator[Bridge]:
    bridge = Bridge(Place(workdir, cpus_of_this_machine(), False))
    assert bridge.refuses(KERNEL) is None, "run this test as root"
    try:
        bridge.start(KERNEL)
        yield bridge
    finally:
        bridge.stop()


def test_a_namespace_is_silent_and_ends_with_its_holder(registry: Registry) -> None:
    namespace = new_namespace(registry, "quiet")
    assert namespace.ip("-brief", "link").split()[0] == "lo"
    assert os.stat(namespace.path).st_ino != os.stat("/proc/self/ns/net").st_ino
    namespace.ip("link", "add", "name", "br9", "type", "bridge")
    namespace.address("br9", "192.0.2.1/24")
    shown = namespace.ip("-brief", "address", "show", "br9")
    assert "192.0.2.1/24" in shown and "fe80" not in shown
    registry.processes[0].kill()
    with pytest.raises(ProcessFailed, match="nsenter"):
        namespace.ip("link")


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_round_trips_over_the_bridge(bridge: Bridge, protocol: str) -> None:
    raw = RawBench(cpus_of_this_machine())
    ends = [end.path for end in bridge.ends]
    numbers = raw.trips(protocol, ends, end_address(1), 500)
    assert (numbers["count"], numbers["lost"]) == (500, 0)
    assert 0 < numbers["min_us"] <= numbers["p50_us"] <= numbers["p99_us"] < 1e6


def test_answers_that_do_not_come_are_counted(bridge: Bridge) -> None:
    bridge.ends[1].ip("link", "set", "k1", "down")
    raw = RawBench(cpus_of_this_machine())
    numbers = raw.trips("udp", [end.path for end in bridge.ends], end_address(1), 100)
    assert numbers["lost"] == 100


def test_raw_bench_names_what_it_cannot_use(bridge: Bridge, workdir: Path) -> None:
    raw = RawBench(cpus_of_this_machine())
    ends = [end.path for end in bridge.ends]
    with pytest.raises(RawFailed, match="no-such"):
        raw.trips("udp", [ends[0], str(workdir / "no-such")], end_address(1), 10)
    with pytest.raises(RawFailed, match="no IPv4 address"):
        raw.trips("udp", ends, "k1", 10)
    with pytest.raises(RawFailed, match="the socket that answers"):
        raw.trips("tcp", [ends[1], ends[0]], end_address(1), 10)


def test_streams_and_trips_and_what_stays(workdir: Path) -> None:
    """Nothing stays, neither an interface nor another affinity."""
    before, affinity, cpus = interfaces(), os.sched_getaffinity(0), cpus_of_this_machine()
    plan = Plan([CASES["kernel-stream"], CASES["kernel-udp"]], 1, 0.1, ["vswitch", "bridge"])
    os.sched_setaffinity(0, {cpus.backend})
    try:
        result = Rounds(plan, cpus, False, workdir, lambda line: None).run()
        assert os.sched_getaffinity(0) == {cpus.backend}
    finally:
        os.sched_setaffinity(0, affinity)
    assert [(s.case, s.peer, s.error) for s in result.samples] == [
        (case, peer, "") for case in ("kernel-stream", "kernel-udp") for peer in plan.peers
    ]
    for sample in result.samples:
        low, high = (0.1, 1000) if sample.case == "kernel-stream" else (1, 1e5)
        assert sample.value is not None and low < sample.value < high
    assert not interfaces() - before


def test_namespaces_end_when_the_benchmark_is_killed(workdir: Path) -> None:
    program = (
        "import pathlib, time; from support import Registry; "
        "from support.namespaces import new_namespace; "
        f"print(new_namespace(Registry(pathlib.Path('{workdir}')), 'n').pid, flush=True); "
        "time.sleep(60)"
    )
    with subprocess.Popen(["/usr/bin/python3", "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        holder = int(parent.stdout.readline())
        assert Path(f"/proc/{holder}/ns/net").exists()
        parent.send_signal(signal.SIGKILL)
    wait_until("the namespace has ended", lambda: not Path(f"/proc/{holder}/ns/net").exists())


def test_peers_have_the_shape_that_a_topology_needs() -> None:
    assert peer_for("ovs", Topology()) is PEERS["ovs"]
    for name, peer in WITH_INTERFACES.items():
        assert peer_for(name, KERNEL) is peer
        assert peer.title == PEERS[name].title


def test_without_root_it_says_so(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 65534)
    assert "root" in (bridge.refuses(KERNEL) or "")
