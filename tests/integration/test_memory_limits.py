# SPDX-License-Identifier: BSD-3-Clause
"""Memory that the switch makes by touching it first: bounded, whoever offers it."""

from __future__ import annotations

import os
import time
from typing import Iterator

import pytest
from hostile import Bystanders
from vswitch import RawFrontend, Switch, wait_until
from vswitch.frames import BROADCAST, frame
from vswitch.frontend import Setup
from vswitch.memory import RegionSpec
from vswitch.ring import WRITE
from vswitch.waiting import WaitTimeout

MIB = 1 << 20
GIB = 1 << 30
PAGE = 4096
# As in vswitch/memory_growth.h.
RATE, BURST, OVERDRAFT = 32 * MIB, 64 * MIB, 16 * MIB

FRAME = 60_000  # bytes: fifteen pages
STRIDE = 64 << 10
RING = 256
RINGS_END = 2 * MIB  # rings and what the frontend writes itself lie before it


class Sparse:
    """A frontend with much memory that it never touches, and a receive ring full of it."""

    def __init__(self, switch: Switch, port: str, size: int = 2 * GIB) -> None:
        setup = Setup(ring_size=RING, regions=(RegionSpec(size),), rx_fill=0)
        self.frontend = RawFrontend(switch.path(port), setup).handshake()
        self.region = self.frontend.memory.regions[0]
        self.rx = self.frontend.rx
        self.next = RINGS_END
        self.seen = 0
        switch.wait_state(port, "up")

    def bytes(self) -> int:
        """What the file has."""
        return os.fstat(self.region.fd).st_blocks * 512

    def used(self) -> int:
        return (self.rx.used_idx - self.seen) & 0xFFFF

    def offer(self) -> None:
        """Each used buffer is replaced by one on memory that was never touched."""
        first = self.rx.avail_idx
        count = RING - ((first - self.rx.used_idx) & 0xFFFF)
        for position in range(first, first + count):
            if self.next + STRIDE > self.region.size:
                self.next = RINGS_END
            address = self.region.guest_phys_addr + self.next
            self.rx.write_descriptor(position % RING, address, STRIDE, WRITE)
            self.rx.set_avail_entry(position, position % RING)
            self.next += STRIDE
        self.rx.avail_idx = (first + count) & 0xFFFF

    def close(self) -> None:
        self.frontend.close()


class Flood:
    """A sender whose frames all lie in its ring already: sending is moving the index."""

    def __init__(self, switch: Switch, port: str, size: int = FRAME) -> None:
        setup = Setup(ring_size=RING, regions=(RegionSpec(16 * MIB),))
        self.frontend = RawFrontend(switch.path(port), setup).handshake()
        self.tx = self.frontend.tx
        switch.wait_state(port, "up")
        memory = self.frontend.memory
        data = bytes(self.frontend.header_size) + frame(BROADCAST, "02:00:00:00:00:0a", size, 1)
        address = memory.alloc(len(data))
        memory.write(address, data)
        for head in range(RING):
            self.tx.write_descriptor(head, address, len(data))
            self.tx.set_avail_entry(head, head)

    def send(self, count: int) -> None:
        """Sends that many frames, at most a ring of them, and waits until they are taken."""
        target = (self.tx.avail_idx + count) & 0xFFFF
        self.tx.avail_idx = target
        self.tx.kick()
        wait_until("the frames are taken", lambda: self.tx.used_idx == target)

    def close(self) -> None:
        self.frontend.close()


@pytest.fixture
def flood(switch: Switch) -> Iterator[Flood]:
    switch.add_port("a", mtu=65535)
    sender = Flood(switch, "a")
    yield sender
    sender.close()


@pytest.fixture
def sparse(switch: Switch) -> Iterator[Sparse]:
    switch.add_port("s", mtu=65535)
    frontend = Sparse(switch, "s")
    yield frontend
    frontend.close()


def limited(switch: Switch, port: str = "s") -> int:
    return switch.drops(port).get("memory-limit", 0)


def fill(switch: Switch, flood: Flood, sparse: Sparse, seconds: float) -> float:
    """Floods the sparse memory for a while; how long it took from the first frame on."""
    start = time.monotonic()
    while time.monotonic() < start + seconds:
        sparse.offer()
        flood.send(64)
    return time.monotonic() - start


def test_growth_is_bounded(switch: Switch, flood: Flood, sparse: Sparse) -> None:
    """A frontend that owns 2 MiB and offers 2 GiB gets the burst, the rate and no more."""
    own = sparse.bytes()
    took = fill(switch, flood, sparse, 3.0)
    grown = sparse.bytes() - own
    print(f"grown by {grown / MIB:.0f} MiB in {took:.2f} s")
    assert BURST / 2 < grown <= BURST + RATE * took + OVERDRAFT
    assert limited(switch) > 0
    port = switch.port("s")
    assert port["state"] == "up" and port["fault"] is None
    assert "refused" in port["state_text"] and "MiB" in port["state_text"]
