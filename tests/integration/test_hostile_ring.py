# SPDX-License-Identifier: BSD-3-Clause
"""Rings whose driver breaks the rules: it costs the chain, or the port, never a bystander."""

from __future__ import annotations

import os
import random
import re
from typing import Callable, Sequence

import pytest
from hostile import Bystanders, carry_on, heals, is_free, victims
from support import RawFrontend, Setup, Switch, wait_until
from support.eventfd import FULL, eventfd, signal_eventfd
from support.fixture_types import MakeStation
from support.frames import BROADCAST
from support.memory import MIB, RegionSpec
from support.messages import Disconnected, Refused
from support.ring import INDIRECT, NEXT, WRITE, Chain, Segment, SplitRing
from support.station import Station

Spoil = Callable[[RawFrontend, SplitRing, int], None]
TOP = 1 << 64
LENGTH = 76  # header and a frame of 64 bytes


@pytest.fixture
def victim(switch: Switch, bystanders: Bystanders, station: MakeStation) -> Station:
    made = station(switch, "v")
    made.announce(*bystanders)
    return made


# Each writes the descriptor of one chain: the frontend, the ring, the index of the descriptor.
# `side` is WRITE on a receive queue and 0 on a transmit queue.

def one(address: Callable[[RawFrontend], int], length: int, flip: int = 0) -> Spoil:
    """A single descriptor; `flip` are flags to turn over."""

    def spoil(frontend: RawFrontend, ring: SplitRing, index: int) -> None:
        side = WRITE if ring is frontend.rx else 0
        ring.write_descriptor(index, address(frontend), length, side ^ flip)

    return spoil


def good(frontend: RawFrontend) -> int:
    """An address with 4 KiB of memory behind it, which nobody else uses."""
    return frontend.memory.alloc(4096)


def end(frontend: RawFrontend) -> int:
    return frontend.memory.regions[-1].end


def linked(next_index: Callable[[SplitRing, int], int], length: int = 1) -> Spoil:
    """One descriptor that says it is continued elsewhere."""

    def spoil(frontend: RawFrontend, ring: SplitRing, index: int) -> None:
        side = WRITE if ring is frontend.rx else 0
        ring.write_descriptor(index, good(frontend), length, side | NEXT, next_index(ring, index))

    return spoil


def indirect(length: int, entries: Sequence[tuple[int, int, int]], flags: int = 0) -> Spoil:
    """An indirect table of (bytes, flags, next); its length as said, not as it is."""

    def spoil(frontend: RawFrontend, ring: SplitRing, index: int) -> None:
        side = WRITE if ring is frontend.rx else 0
        table = good(frontend)
        for position, (size, entry_flags, next_index) in enumerate(entries):
            ring.write_descriptor(
                position, good(frontend), size, side ^ entry_flags, next_index, table
            )
        ring.write_descriptor(index, table, length, INDIRECT | flags)

    return spoil


BAD_CHAINS: dict[str, Spoil] = {
    "outside": one(lambda f: 0xDEAD_0000_0000, LENGTH),
    "null": one(lambda f: 0, LENGTH),
    "last-byte-outside": one(lambda f: end(f) - LENGTH + 1, LENGTH),
    "all-but-one-byte-outside": one(lambda f: end(f) - 1, LENGTH),
    "wraps": one(lambda f: TOP - 10, LENGTH),
    "longest": one(good, 0xFFFFFFFF),
    "wrong-side": one(good, LENGTH, WRITE),
    "empty": one(good, 0),
    "next-is-size": linked(lambda ring, index: ring.size),
    "next-65535": linked(lambda ring, index: 65535),
    "next-is-itself": linked(lambda ring, index: index, 0),
    "indirect-empty": indirect(0, []),
    "indirect-empty-entry": indirect(32, [(0, NEXT, 1), (LENGTH, 0, 0)]),
    "indirect-half-entry": indirect(8, [(LENGTH, 0, 0)]),
    "indirect-one-byte-more": indirect(17, [(LENGTH, 0, 0)]),
    "indirect-longer-than-ring": indirect(16 * 257, [(LENGTH, 0, 0)]),
    "indirect-longest": indirect(0xFFFFFFF0, [(LENGTH, 0, 0)]),
    "indirect-and-next": indirect(16, [(LENGTH, 0, 0)], NEXT),
    "indirect-nested": indirect(16, [(16, INDIRECT, 0)]),
    "indirect-next-beyond": indirect(32, [(12, NEXT, 2), (64, 0, 0), (64, 0, 0)]),
    "indirect-loop": indirect(32, [(0, NEXT, 1), (0, NEXT, 0)]),
    "indirect-loop-of-one": indirect(16, [(0, NEXT, 0)]),
    "indirect-wrong-side": indirect(32, [(6, NEXT, 1), (70, WRITE, 0)]),
    "indirect-table-outside": one(lambda f: 0xDEAD_0000_0000, 16, INDIRECT),
    "indirect-table-over-end": one(lambda f: end(f) - 8, 16, INDIRECT),
    "indirect-table-wraps": one(lambda f: TOP - 8, 32, INDIRECT),
}


@pytest.mark.parametrize("spoil", BAD_CHAINS.values(), ids=BAD_CHAINS.keys())
def test_bad_chain_on_the_transmit_queue(
    switch: Switch, bystanders: Bystanders, victim: Station, spoil: Spoil
) -> None:
    """It is counted, given back with length 0, and what follows it passes."""
    x, _ = bystanders
    frontend, ring = victim.frontend, victim.frontend.tx
    frontend.flush()
    for _ in range(3):
        chain = ring.add([Segment(frontend.memory.alloc(256), LENGTH)])
        spoil(frontend, ring, chain.head)
        data = victim.send(x)
        x.expect(data)
        done: list[tuple[Chain, int]] = []
        while len(done) < 2:
            ring.wait_used()
            done += ring.reap()
        assert (done[0][0].head, done[0][1]) == (chain.head, 0)
    assert switch.drops("v") == {"bad-chain": 3}
    assert switch.port("v")["state"] == "up"


@pytest.mark.parametrize("spoil", BAD_CHAINS.values(), ids=BAD_CHAINS.keys())
def test_bad_chain_on_the_receive_queue(
    switch: Switch, bystanders: Bystanders, station: MakeStation, spoil: Spoil
) -> None:
    """It costs the frame that came upon it; the next buffer serves the next frame."""
    x, _ = bystanders
    victim = station(switch, "v", Setup(rx_fill=0))
    victim.announce(*bystanders)
    frontend, ring = victim.frontend, victim.frontend.rx
    chain = ring.add([Segment(frontend.memory.alloc(256), 256, True)])
    spoil(frontend, ring, chain.head)
    frontend.fill_rx(2)
    x.send(victim)
    x.frontend.flush()
    ring.wait_used()
    [(given_back, length)] = ring.reap()
    assert (given_back.head, length) == (chain.head, 0)
    victim.expect(x.send(victim))
    assert switch.drops("v") == {"bad-chain": 1}


@pytest.mark.parametrize("mergeable", [False, True], ids=["whole", "mergeable"])
@pytest.mark.parametrize("indirect", [False, True], ids=["direct", "indirect"])
def test_receive_buffers_for_no_frame(
    switch: Switch, bystanders: Bystanders, station: MakeStation, mergeable: bool, indirect: bool
) -> None:
    """Each goes back empty and costs a frame, so that no frame finds them a second time."""
    x, _ = bystanders
    most = 11 if mergeable else 12 + 13
    layout = (1,) * most if indirect else (most - 3, 1, 1, 1)
    setup = Setup(rx_fill=40, rx_layout=layout, rx_indirect=indirect, mergeable=mergeable)
    victim = station(switch, "v", setup)
    victim.announce(*bystanders)
    ring, count = victim.frontend.rx, len(victim.frontend.rx.outstanding)
    for _ in range(count + 5):
        x.send(victim)
    x.frontend.flush()
    assert [length for _, length in ring.reap()] == [0] * count
    assert switch.drops("v") == {"bad-chain": count, "ring-full": 5}
    assert switch.port("v")["state"] == "up"


def test_indirect_that_was_not_negotiated(
    switch: Switch, bystanders: Bystanders, station: MakeStation
) -> None:
    x, _ = bystanders
    victim = station(switch, "v", Setup(indirect=False))
    victim.announce(*bystanders)
    victim.send(x, indirect=True)
    x.expect(victim.send(x))
    assert switch.drops("v") == {"bad-chain": 1}


@pytest.mark.parametrize("size", [1, 11])
def test_chain_shorter_than_its_header(
    switch: Switch, bystanders: Bystanders, victim: Station, size: int
) -> None:
    x, _ = bystanders
    frontend = victim.frontend
    frontend.tx.add([Segment(good(frontend), size)])
    x.expect(victim.send(x))
    assert switch.drops("v") == {"bad-chain": 1}


def test_chain_that_is_all_header(
    switch: Switch, bystanders: Bystanders, victim: Station
) -> None:
    x, _ = bystanders
    victim.frontend.tx.add([Segment(good(victim.frontend), 12)])
    x.expect(victim.send(x))
    assert switch.drops("v") == {"too-short": 1}


def test_same_head_twice(switch: Switch, bystanders: Bystanders, victim: Station) -> None:
    """The frame is sent twice and given back twice."""
    x, _ = bystanders
    ring = victim.frontend.tx
    victim.frontend.flush()
    data = victim.send(x, kick=False)
    head = next(iter(ring.outstanding))
    ring.set_avail_entry(ring.next_avail, head)
    ring.next_avail += 1
    ring.publish()
    x.expect(data, data)
    before = ring.last_used
    wait_until("both are given back", lambda: ring.used_idx == (before + 2) & 0xFFFF)
    assert [ring.used_element(before + n)[0] for n in (0, 1)] == [head, head]
    ring.outstanding.clear()
    ring.last_used = ring.used_idx


# The ring itself is wrong: its port is in fault, until a frontend comes anew.

def jump(by: int) -> Callable[[SplitRing], None]:
    def spoil(ring: SplitRing) -> None:
        ring.avail_idx = ring.avail_idx + by

    return spoil


def head(value: int) -> Callable[[SplitRing], None]:
    def spoil(ring: SplitRing) -> None:
        ring.set_avail_entry(ring.next_avail, value)
        ring.avail_idx = ring.avail_idx + 1

    return spoil


BAD_RINGS: dict[str, tuple[Callable[[SplitRing], None], str]] = {
    "jump-by-size-and-one": (jump(257), "more chains available"),
    "jump-by-half": (jump(32768), "more chains available"),
    "backwards": (jump(-1), "more chains available"),
    "head-is-size": (head(256), "beyond the table"),
    "head-65535": (head(65535), "beyond the table"),
}


@pytest.mark.parametrize("spoil, words", BAD_RINGS.values(), ids=BAD_RINGS.keys())
def test_transmit_ring_that_cannot_be_trusted(
    switch: Switch, bystanders: Bystanders, victim: Station,
    spoil: Callable[[SplitRing], None], words: str,
) -> None:
    frontend = victim.frontend
    frontend.flush()
    spoil(frontend.tx)
    frontend.tx.kick()
    expect_fault(switch, bystanders, frontend, words)


@pytest.mark.parametrize("spoil, words", BAD_RINGS.values(), ids=BAD_RINGS.keys())
def test_receive_ring_that_cannot_be_trusted(
    switch: Switch, bystanders: Bystanders, station: MakeStation,
    spoil: Callable[[SplitRing], None], words: str,
) -> None:
    x, y = bystanders
    victim = station(switch, "v", Setup(rx_fill=0))
    victim.announce(*bystanders)
    spoil(victim.frontend.rx)
    victim.frontend.rx.kick()
    y.expect(x.send(BROADCAST))
    expect_fault(switch, bystanders, victim.frontend, words)


def expect_fault(
    switch: Switch, bystanders: Bystanders, frontend: RawFrontend, words: str
) -> None:
    port = switch.wait_state("v", "fault")
    assert re.search(words, port["fault"]["text"]), port["fault"]
    frontend.wait_closed()
    carry_on(bystanders)
    frontend.close()
    heals(switch, bystanders)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", range(4))
def test_rings_scribbled_over_at_random(
    switch: Switch, station: MakeStation, seed: int
) -> None:
    """Random descriptors, heads and indices: what comes of them is sent, and no more."""
    chance = random.Random(seed)
    pair = x, y = station(switch, "x"), station(switch, "y")
    for other in pair:
        switch.call("fdb.add", mac=other.mac, port=other.port)
    ports = victims(switch, 40)
    for port in ports:
        with RawFrontend(switch.path(port)) as frontend:
            frontend.handshake()
            switch.wait_state(port, "up")
            for _ in range(20):
                scribble(chance, frontend)
                for ring in frontend.rings:
                    ring.kick()
                drain(pair)
            get_through(x, y)
            get_through(y, x)
        wait_until("the port is free", lambda: is_free(switch, port))
    stats = [switch.stats(port) for port in ports]
    assert sum(one["rx_frames"] for one in stats) > 500, stats
    assert sum(one["drops"]["bad-chain"] for one in stats) > 500, stats
    drain(pair)
    heals(switch, pair, ports[0])


def get_through(sender: Station, receiver: Station) -> None:
    """A frame arrives, among whatever else there is."""
    data = sender.send(receiver)
    while receiver.frontend.receive().frame != data:
        pass


def scribble(chance: random.Random, frontend: RawFrontend) -> None:
    """A few descriptors that are nearly right, and now and then an index that is not."""
    ring = chance.choice(frontend.rings)
    base = frontend.memory.regions[0].guest_phys_addr
    for _ in range(chance.randrange(1, 9)):
        ring.write_descriptor(
            chance.randrange(ring.size),
            base + chance.randrange(20 * MIB),
            chance.choice((0, 1, 11, 12, 26, 64, 1500, 65536, chance.randrange(1 << 32))),
            chance.randrange(8),
            chance.randrange(ring.size + 2),
        )
        ring.set_avail_entry(chance.randrange(ring.size), chance.randrange(ring.size))
    ring.avail_idx = ring.used_idx + chance.choice((1, 5, 64, 255, 256))
    if chance.randrange(40) == 0:
        ring.avail_idx = chance.randrange(65536)


def drain(stations: Bystanders) -> None:
    """Takes whatever the scribbled rings have sent."""
    for other in stations:
        while other.frontend.poll() is not None:
            pass


# Memory that goes away (SIGBUS in whoever touches it).

def truncate(frontend: RawFrontend, region: int = 0) -> None:
    os.ftruncate(frontend.memory.fds[region], 0)


def test_memory_shrinks_under_a_running_ring(
    switch: Switch, bystanders: Bystanders, victim: Station
) -> None:
    x, y = bystanders
    truncate(victim.frontend)
    y.expect(x.send(BROADCAST))
    expect_fault(switch, bystanders, victim.frontend, "shrank")


def test_memory_shrinks_and_the_ring_is_kicked(
    switch: Switch, bystanders: Bystanders, victim: Station
) -> None:
    truncate(victim.frontend)
    victim.frontend.tx.kick()
    expect_fault(switch, bystanders, victim.frontend, "shrank")


@pytest.mark.parametrize("side", ["transmit", "receive"])
def test_memory_of_buffers_shrinks(
    switch: Switch, bystanders: Bystanders, station: MakeStation, side: str
) -> None:
    """The rings stay where they are; what they point to is gone."""
    x, y = bystanders
    setup = Setup(regions=(RegionSpec(4 * MIB), RegionSpec(4 * MIB)), buffer_region=1)
    victim = station(switch, "v", setup)
    victim.announce(*bystanders)
    frontend = victim.frontend
    if side == "transmit":
        frontend.tx.add([Segment(frontend.memory.alloc(256, 1), LENGTH)])
    truncate(frontend, 1)
    if side == "transmit":
        frontend.tx.publish()
    else:
        y.expect(x.send(BROADCAST))
    port = switch.wait_state("v", "fault")
    assert "shrank" in port["fault"]["text"]
    drain(bystanders)
    expect_fault(switch, bystanders, frontend, "shrank")


@pytest.mark.parametrize("step", ["before-address", "before-kick", "before-enable", "before-stop"])
def test_memory_shrinks_during_the_handshake(
    switch: Switch, bystanders: Bystanders, step: str
) -> None:
    """The vhost library itself touches the used ring when it is told the addresses."""
    with RawFrontend(switch.path("v")) as frontend:
        try:
            shrink_at(frontend, step)
        except (Refused, Disconnected):
            pass
        carry_on(bystanders)
    wait_until("the port is free", lambda: is_free(switch))
    heals(switch, bystanders)


def shrink_at(frontend: RawFrontend, step: str) -> None:
    frontend.negotiate()
    frontend.share_memory()
    frontend.fill_rx()
    if step == "before-address":
        truncate(frontend)
    for index in (0, 1):
        frontend.set_vring_num(index, 256)
        frontend.set_vring_base(index, 0)
        frontend.send_ring_address(index)
    if step == "before-kick":
        truncate(frontend)
    for index in (0, 1):
        frontend.set_vring_call(index, frontend.rings[index].call_fd)
        frontend.set_vring_kick(index, frontend.rings[index].kick_fd)
    if step == "before-enable":
        truncate(frontend)
    for index in (0, 1):
        frontend.set_vring_enable(index, True)
    if step == "before-stop":
        truncate(frontend)
    frontend.get_vring_base(0)


# Descriptors for events.

def test_call_that_blocks(switch: Switch, bystanders: Bystanders, victim: Station) -> None:
    """A blocking eventfd that is full: a write to it never returns by itself."""
    x, _ = bystanders
    full = eventfd(0, nonblocking=False)
    try:
        victim.frontend.set_vring_call(0, full)
        switch.wait_state("v", "up")  # the rings start anew
        signal_eventfd(full, FULL)
        x.send(victim)
        carry_on(bystanders)
        expect_fault(switch, bystanders, victim.frontend, "call")
    finally:
        os.close(full)


def test_call_that_is_full(switch: Switch, bystanders: Bystanders, victim: Station) -> None:
    """A full eventfd that does not block has called already: no reason for a fault."""
    x, _ = bystanders
    full = eventfd(FULL)
    try:
        victim.frontend.set_vring_call(0, full)
        switch.wait_state("v", "up")  # the rings start anew
        data = x.send(victim)
        x.frontend.flush()
        victim.expect(data)
        assert switch.port("v")["state"] == "up"
    finally:
        os.close(full)


def test_kicks_for_nothing(switch: Switch, bystanders: Bystanders, victim: Station) -> None:
    for _ in range(20000):
        victim.frontend.tx.kick()
        victim.frontend.rx.kick()
    carry_on(bystanders)
    bystanders[0].expect(victim.send(bystanders[0]))


def test_used_ring_that_the_driver_overwrites(
    switch: Switch, bystanders: Bystanders, victim: Station
) -> None:
    """The switch does not read what it has written."""
    x, _ = bystanders
    ring = victim.frontend.tx
    for round_number in range(1, 50):
        victim.frontend.flush()
        ring.used_idx = 0xBEEF * round_number
        ring.avail_flags = 0
        data = victim.build(x)
        address = victim.frontend.memory.alloc(128)
        victim.frontend.memory.write(address, bytes(12) + data)
        chain = ring.add([Segment(address, LENGTH)])
        ring.publish()
        x.expect(data)
        wait_until("it is given back", lambda: ring.used_idx == ring.next_avail)
        ring.last_used = (ring.next_avail - 1) & 0xFFFF
        assert ring.reap()[0][0] is chain
