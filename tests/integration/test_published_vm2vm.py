# SPDX-License-Identifier: BSD-3-Clause
"""DPDK test suite, plan vm2vm_virtio_user: its split-ring paths with one queue of 256.

The sender fills its ring while nobody polls it: 27 bursts of 1 and 7 of 32 frames of 64 bytes, 251
in all, leave 5 slots. Then 32 frames of four mbufs of 2,000 bytes are tried. With indirect
descriptors each takes one slot: 5 go (256 slots, 256 frames). On the in-order path, which has none,
each takes four and one for its header: 1 goes (256 slots, 252 frames). Then the switch starts, and
32 frames of 2,000 bytes follow. The plan starts its backend late; here the switch is stopped by a
signal, since a frontend does not begin without an answer.

The plan's receiver is as fast as its backend, or loses frames: a frame of 8,000 bytes takes four of
its buffers, and 251 + 5 x 4 are more than a ring of 256 holds. Its counts say what the sender's
ring held. So that they must hold here however the CPUs are shared, the receiver has 512 buffers.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import pytest
from hostile import paused
from support import Registry, Setup, Switch, Testpmd, wait_until
from support.fixture_types import MakeStation
from support.frames import frame
from support.memory import MIB, RegionSpec
from support.testpmd import virtio_user
from support.virtio_paths import PATH

SENDER, RECEIVER = "02:00:00:00:00:aa", "02:00:00:00:00:ee"
SINGLE, BURSTS, BURST = 27, 7, 32
SMALL, SEGMENT, SEGMENTS, LARGE = 64, 2000, 4, 8000
RING, MTU = 256, 9000
SMALL_FRAMES = SINGLE + BURSTS * BURST
MULTI_SEGS = "--tx-offloads=0x8000"


@dataclass(frozen=True)
class Case:
    """`large`: 8,000 B frames that the sender's ring takes; `counts`: what arrives, then in all."""

    path: str
    large: int
    counts: tuple[int, int]

    @property
    def too_big(self) -> int:
        """The 8,000 B frames that fit no buffer of the receiver."""
        return SMALL_FRAMES + self.large - self.counts[0]


CASES = (
    Case("S-m", 5, (256, 288)),
    Case("S-io-m", 1, (252, 284)),
    Case("S-n", 5, (251, 283)),
)
each_case = pytest.mark.parametrize("case", CASES, ids=[case.path for case in CASES])


def attach(
    switch: Switch, registry: Registry, port: str, case: Case, mac: str, size: int
) -> Testpmd:
    switch.add_port(port, mtu=MTU)
    testpmd = Testpmd.frontend(
        registry, switch.path(port), f"--rxd={size}", f"--txd={size}", MULTI_SEGS,
        f"--eth-peer=0,{RECEIVER}",
        options=f"mac={mac},queue_size={size},{PATH[case.path].devargs}",
    )
    assert PATH[case.path].log_line in testpmd.process.log()
    switch.wait_state(port, "up")
    return testpmd


@each_case
def test_counts(switch: Switch, registry: Registry, case: Case) -> None:
    """The plan's cases for S-m, S-io-m and S-n (3, 4 and 5 of our table), with its commands.

    S-n: the receiver's buffers hold 2,048 bytes, so the 5 large frames are counted as too big for
    it, and none arrives cut. DPDK's vhost library drops them as well (251), and counts nothing.
    """
    receiver = attach(switch, registry, "b", case, RECEIVER, 2 * RING)
    sender = attach(switch, registry, "a", case, SENDER, RING)
    switch.call("fdb.add", mac=RECEIVER, port="b")
    receiver.forward("rxonly")
    with paused(switch):
        assert sender.send_bursts(SINGLE, SMALL, burst=1) == SINGLE
        assert sender.send_bursts(BURSTS, SMALL) == BURSTS * BURST
        assert sender.send_bursts(1, SEGMENT, SEGMENTS) == case.large
        assert receiver.stats()["RX-packets"] == 0
    check_received(switch, receiver, case.counts[0], case)
    assert sender.send_bursts(1, SEGMENT) == BURST
    received = check_received(switch, receiver, case.counts[1], case)
    bytes_of_large = LARGE * (case.large - case.too_big)
    assert received["RX-bytes"] == SMALL_FRAMES * SMALL + bytes_of_large + BURST * SEGMENT
    receiver.quit()
    sender.quit()


def check_received(
    switch: Switch, receiver: Testpmd, count: int, case: Case
) -> dict[str, int]:
    """So many frames arrived, what did not was too big, and the switch counted the same."""
    received = receiver.wait_received(count)
    check_counted(switch, count, case)
    assert received["RX-packets"] == count
    assert received["RX-errors"] == received["RX-nombuf"] == 0
    return received


def check_counted(switch: Switch, count: int, case: Case) -> None:
    """The switch has taken and delivered so many, and dropped only what was too big."""
    switch.wait_stats("a", rx_frames=count + case.too_big)
    switch.wait_stats("b", tx_frames=count)
    switch.wait_drops("b", {"too-big": case.too_big} if case.too_big else {})
    switch.conservation()
    assert switch.drops("a") == {}


def write_pcap(path: Path, frames: list[bytes]) -> None:
    """A capture file as libpcap's own format says: little-endian, Ethernet, whole frames."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for data in frames:
            file.write(struct.pack("<IIII", 0, 0, len(data), len(data)) + data)


@each_case
def test_payload(
    switch: Switch, registry: Registry, station: MakeStation, workdir: Path, case: Case
) -> None:
    """The same ring, filled from a capture file with frames that all differ, compared byte by byte.

    testpmd's own frames all have one payload. The receiver reads what lies in its buffers, so a
    frame that was cut, mixed up or sent twice shows.
    """
    path = PATH[case.path]
    setup = Setup(
        ring_size=2 * RING, mergeable=path.mergeable, in_order="io" in path.name,
        regions=(RegionSpec(32 * MIB),),
    )
    receiver = station(switch, "b", setup, mtu=MTU)
    switch.call("fdb.add", mac=RECEIVER, port="b")
    switch.add_port("a", mtu=MTU)
    frames = [frame(RECEIVER, SENDER, SMALL, seed) for seed in range(SMALL_FRAMES)]
    frames += [frame(RECEIVER, SENDER, LARGE, 1000 + seed) for seed in range(BURST)]
    write_pcap(workdir / "in.pcap", frames)
    options = f"mac={SENDER},queue_size={RING},{path.devargs}"
    sender = Testpmd(
        registry,
        [virtio_user(0, switch.path("a"), options), f"net_pcap0,rx_pcap={workdir / 'in.pcap'}"],
        f"--rxd={RING}", f"--txd={RING}", "--no-flush-rx",
    )
    switch.wait_state("a", "up")
    sent = SMALL_FRAMES + case.large
    with paused(switch):
        sender.forward("io")
        sender.wait_received(len(frames), port=1)
        wait_until("the ring is full", lambda: sender.stats()["TX-packets"] == sent)
    receiver.expect(*frames[:sent - case.too_big])
    check_counted(switch, sent - case.too_big, case)
    assert receiver.frontend.poll() is None
    sender.quit()
