# SPDX-License-Identifier: BSD-3-Clause
"""DPDK test suite, plan loopback_multi_paths_port_restart: its split-ring paths with one queue.

The plan loops frames between a vhost port and a virtio port in one testpmd each. A switch sends no
frame back to where it came from, so here the loop has two virtio ports, or a station that asks and
a testpmd that swaps addresses.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hostile import open_descriptors
from support import Registry, Switch, Testpmd, wait_until
from support.fixture_types import MakeStation
from support.station import Station
from support.testpmd import virtio_user
from support.virtio_paths import PATH, SPLIT_PATHS, VirtioPath

PEER = "02:00:00:00:00:ee"
OTHER = "02:00:00:00:00:ef"
SIZES = (64, 128, 256, 512, 1024, 1518)
BATCH = 32
LOOP_BURSTS = 8
RESTARTS = 100
SETTLED = 20  # restarts after which a process has all the memory that it needs
GROWTH_KIB = 256

each_path = pytest.mark.parametrize("path", SPLIT_PATHS, ids=[path.name for path in SPLIT_PATHS])


def start_path(
    registry: Registry, vdevs: list[tuple[Path, str]], path: VirtioPath, *arguments: str
) -> Testpmd:
    """A testpmd with frontends on these sockets with these addresses, all of one path."""
    options = f"queue_size=1024,{path.devargs}"
    testpmd = Testpmd(
        registry,
        [virtio_user(n, where, f"mac={mac},{options}") for n, (where, mac) in enumerate(vdevs)],
        "--rxd=1024", "--txd=1024", *arguments, mbufs=8192,
    )
    log = testpmd.process.log()
    for number in range(len(vdevs)):
        assert f"{path.log_line} on port {number}" in log, log
    return testpmd


def ask(station: Station, size: int, count: int = BATCH) -> None:
    """Every frame comes back once, in order, with equal contents, and nothing else does."""
    frames = [station.build(PEER, size) for _ in range(count)]
    station.frontend.send(*frames)
    for sent in frames:
        seen = station.frontend.receive(10.0).frame
        assert seen == sent[6:12] + sent[0:6] + sent[12:], f"of {size} bytes"
    assert station.frontend.poll() is None


def ask_in_vain(switch: Switch, station: Station, size: int) -> None:
    """The peer is stopped: frames reach its ring, and exactly 0 come back."""
    before = switch.stats("b")
    station.frontend.send(*(station.build(PEER, size) for _ in range(BATCH)))
    switch.wait_stats("b", tx_frames=before["tx_frames"] + BATCH)
    assert switch.stats("b")["rx_frames"] == before["rx_frames"]
    assert station.frontend.poll() is None


def stop(testpmd: Testpmd) -> None:
    testpmd.stop_forwarding()
    testpmd.stop_port()


def start(testpmd: Testpmd) -> None:
    testpmd.start_port()
    testpmd.forward("macswap")


@each_path
def test_every_frame_returns_once_and_none_while_stopped(
    switch: Switch, station: MakeStation, registry: Registry, path: VirtioPath
) -> None:
    """Cases 1 to 11 of the plan: each split path, six sizes, the port stopped and started.

    The plan reads throughput: 0 after stop, more than 0 after start. Here both are exact. A stopped
    virtio_user says nothing to its backend, so the switch fills its ring; testpmd empties the ring
    unread at the start, so the first frame that returns must be the first one sent after it.
    """
    a = station(switch, "a")
    switch.add_port("b")
    switch.call("fdb.add", mac=PEER, port="b")
    testpmd = start_path(registry, [(switch.path("b"), PEER)], path)
    switch.wait_state("b", "up")
    testpmd.forward("macswap")
    for size in SIZES:
        ask(a, size)
        stop(testpmd)
        ask_in_vain(switch, a, size)
        start(testpmd)
        ask(a, size)
    asked, answered = 3 * BATCH * len(SIZES), 2 * BATCH * len(SIZES)
    switch.wait_stats("a", rx_frames=asked, tx_frames=answered)
    switch.wait_stats("b", rx_frames=answered, tx_frames=asked)
    assert switch.drops("a") == switch.drops("b") == {}
    testpmd.quit()


@each_path
def test_loop_of_two_ports_loses_and_doubles_nothing(
    switch: Switch, registry: Registry, path: VirtioPath
) -> None:
    """The plan's `start tx_first`: 512 frames of each size circulate until the loop is stopped.

    Each way holds at most 2 x 256 frames, fewer than a ring's 1,024, so that nothing may be lost:
    what the two ports sent, the switch took, delivered, and the two ports received. Frames that
    wait in a ring when forwarding stops are taken, and counted, by a last `rxonly`.
    """
    for port in ("a", "b"):
        switch.add_port(port)
    testpmd = start_path(
        registry, [(switch.path("a"), PEER), (switch.path("b"), OTHER)], path,
        f"--eth-peer=0,{OTHER}", f"--eth-peer=1,{PEER}", "--no-flush-rx",
    )
    for port, mac in (("a", PEER), ("b", OTHER)):
        switch.wait_state(port, "up")
        switch.call("fdb.add", mac=mac, port=port)
    for size in SIZES:
        testpmd.command("clear port stats all")
        switch.call("stats.clear")
        testpmd.command(f"set txpkts {size}")
        testpmd.command("set fwd mac")
        testpmd.command(f"start tx_first {LOOP_BURSTS}")
        testpmd.wait_received(20 * LOOP_BURSTS * BATCH)
        testpmd.stop_forwarding()
        testpmd.forward("rxonly")
        check_loop(switch, testpmd, size)
        testpmd.stop_forwarding()
    testpmd.quit()


def check_loop(switch: Switch, testpmd: Testpmd, size: int) -> None:
    for sender, (tx, rx) in enumerate((("a", "b"), ("b", "a"))):
        sent = testpmd.stats(sender)["TX-packets"]
        switch.wait_stats(tx, rx_frames=sent, rx_bytes=sent * size)
        switch.wait_stats(rx, tx_frames=sent, tx_bytes=sent * size)
        received = testpmd.wait_received(sent, port=1 - sender)
        assert (received["RX-packets"], received["RX-bytes"]) == (sent, sent * size)
    sums = switch.conservation()
    assert sums["dropped"] == 0 and sums["due"] == sums["delivered"]


def own_memory_kib(pid: int) -> int:
    """Memory that the process has taken for itself: neither a frontend's nor a file's."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1])
    raise AssertionError("/proc has no RssAnon")


def mappings(pid: int) -> int:
    return len(Path(f"/proc/{pid}/maps").read_text().splitlines())


def test_a_hundred_restarts_leak_nothing(
    switch: Switch, station: MakeStation, registry: Registry
) -> None:
    """Case 6 of the plan: path S-m, the client's port stopped and started 100 times.

    After each start frames return. The switch keeps as many descriptors and mappings as it had
    after the first, and its own memory does not grow.
    """
    a = station(switch, "a")
    switch.add_port("b")
    testpmd = start_path(registry, [(switch.path("b"), PEER)], PATH["S-m"])
    switch.wait_state("b", "up")
    testpmd.forward("macswap")
    ask(a, 64)
    settled = 0
    first = open_descriptors(switch), mappings(switch.pid)
    for number in range(RESTARTS):
        stop(testpmd)
        start(testpmd)
        ask(a, SIZES[number % len(SIZES)], 4)
        if number == SETTLED:
            settled = own_memory_kib(switch.pid)
    wait_until(
        "the switch holds as many files and mappings as before",
        lambda: (open_descriptors(switch), mappings(switch.pid)) == first,
        explain=lambda: f"{first} before, {open_descriptors(switch)}, {mappings(switch.pid)} now",
    )
    if not switch.is_sanitized():  # which keeps what is freed; its own leak check speaks when the switch leaves
        assert own_memory_kib(switch.pid) <= settled + GROWTH_KIB
    testpmd.quit()
