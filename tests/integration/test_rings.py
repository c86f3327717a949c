# SPDX-License-Identifier: BSD-3-Clause
"""Split virtqueues in every legal shape: sizes, headers, layouts, indirect, regions, order."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Optional, Sequence

import pytest
from support import Setup, Switch
from support.fixture_types import MakeStation
from support.frames import BROADCAST
from support.frontend import RawFrontend
from support.memory import MIB, RegionSpec
from support.messages import Feature
from support.ring import NO_INTERRUPT, Segment
from support.station import Station, fence, introduce

SIZES = (14, 15, 60, 64, 65, 128, 1000, 1514)
BIG = (RegionSpec(128 * MIB),)


def exchange(a: Station, b: Station, **how: object) -> None:
    """Frames of many sizes each way."""
    for size in SIZES:
        b.expect(a.send(b, size, **how))
        a.expect(b.send(a, size))


@pytest.mark.parametrize("size", [1 << n for n in range(1, 16)])
def test_ring_sizes(switch: Switch, station: MakeStation, size: int) -> None:
    setup = Setup(ring_size=size, regions=BIG)
    a, b = station(switch, "a", setup), station(switch, "b", setup)
    introduce([a, b])
    exchange(a, b)
    frames = [a.build(b, 60) for _ in range(min(3 * size, 2000) + 5)]
    burst = min(size, 64)
    for start in range(0, len(frames), burst):
        a.frontend.send(*frames[start:start + burst])
        b.expect(*frames[start:start + burst])
    assert switch.port("a")["session"]["vrings"][1]["size"] == size
    assert switch.conservation()["dropped"] == 0


def test_largest_ring_holds_as_many_frames(switch: Switch, station: MakeStation) -> None:
    setup = Setup(ring_size=32768, regions=BIG, rx_fill=32768, rx_buffer=128)
    a, b = station(switch, "a", setup), station(switch, "b", setup)
    introduce([a, b])
    frames = [a.build(b, 60) for _ in range(32000)]
    a.frontend.send(*frames)
    a.frontend.flush()
    b.expect(*frames)
    assert switch.conservation()["dropped"] == 0


HEADERS = [
    Setup(legacy=legacy, mergeable=mergeable)
    for legacy, mergeable in itertools.product((False, True), repeat=2)
]


def name_of(setup: Setup) -> str:
    return ("legacy" if setup.legacy else "modern") + ("-mergeable" if setup.mergeable else "")


@pytest.mark.parametrize("sender", HEADERS, ids=name_of)
@pytest.mark.parametrize("receiver", HEADERS, ids=name_of)
def test_headers(
    switch: Switch, station: MakeStation, sender: Setup, receiver: Setup
) -> None:
    a, b = station(switch, "a", sender), station(switch, "b", receiver)
    assert a.frontend.header_size == (10 if sender.legacy and not sender.mergeable else 12)
    introduce([a, b])
    exchange(a, b)
    exchange(a, b, indirect=True)
    a.send(b)
    received = b.frontend.receive()
    assert received.header[:10] == bytes(10)
    assert received.buffers == 1


def test_header_of_the_sender_is_not_passed_on(switch: Switch, station: MakeStation) -> None:
    """What it says of checksums and segments was not negotiated by the receiver."""
    a, b = station(switch, "a"), station(switch, "b")
    introduce([a, b])
    data = a.send(b, 100, header=b"\x01\x01" + b"\xff" * 10)
    received = b.frontend.receive()
    assert received.frame == data
    assert received.header == bytes(10) + b"\x01\x00"


LAYOUTS: dict[str, Sequence[int]] = {
    "header-alone": (12,),
    "header-and-ethernet": (12, 14),
    "header-in-two": (5, 7),
    "header-in-bytes": (1,) * 12,
    "header-and-one-byte": (13,),
    "ethernet-in-bytes": (12,) + (1,) * 14,
    "header-with-ethernet-cut": (20, 3),
    "cut-at-64": (12, 63, 1),
    "every-seven": (7,) * 30,
    "two-halves": (500,),
}


@pytest.mark.parametrize("indirect", [False, True], ids=["direct", "indirect"])
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_layouts_of_sent_frames(
    switch: Switch, station: MakeStation, layout: Sequence[int], indirect: bool
) -> None:
    a, b = station(switch, "a"), station(switch, "b")
    introduce([a, b])
    exchange(a, b, layout=layout, indirect=indirect)


@pytest.mark.parametrize("legacy", [False, True], ids=["modern", "legacy"])
@pytest.mark.parametrize("mergeable", [False, True], ids=["whole", "mergeable"])
@pytest.mark.parametrize("indirect", [False, True], ids=["direct", "indirect"])
@pytest.mark.parametrize(
    "layout", [(12, 2000), (10, 2000), (5, 7, 1, 2000), (1,) * 30 + (2000,), (700, 700, 700)]
)
def test_layouts_of_receive_buffers(
    switch: Switch,
    station: MakeStation,
    layout: Sequence[int],
    indirect: bool,
    mergeable: bool,
    legacy: bool,
) -> None:
    setup = Setup(
        rx_layout=layout, rx_indirect=indirect, mergeable=mergeable, legacy=legacy, rx_fill=4
    )
    a, b = station(switch, "a"), station(switch, "b", setup)
    introduce([a, b])
    exchange(a, b)


@pytest.mark.parametrize("buffer", [13, 32, 64, 76, 100, 526, 1525, 1526, 1527])
def test_frame_over_several_buffers(
    switch: Switch, station: MakeStation, buffer: int
) -> None:
    """Mergeable: a frame takes as many buffers as it needs, and no more."""
    setup = Setup(ring_size=1024, rx_buffer=buffer)
    a, b = station(switch, "a"), station(switch, "b", setup)
    introduce([a, b])
    for size in (14, 60, 64, 65, 1514):
        data = a.send(b, size)
        received = b.frontend.receive()
        assert received.frame == data
        assert received.buffers == -(-(12 + size) // buffer)


def test_frame_larger_than_the_buffer_of_a_whole_receiver(
    switch: Switch, station: MakeStation
) -> None:
    """Without mergeable buffers it is dropped as too big, never cut, and no buffer is lost."""
    a = station(switch, "a")
    b = station(switch, "b", Setup(mergeable=False, rx_buffer=512))
    introduce([a, b])
    b.expect(a.send(b, 500))
    for _ in range(300):
        a.send(b, 501)
    a.frontend.flush()
    fence(a, [b])
    assert switch.drops("b") == {"too-big": 300}
    b.expect(a.send(b, 500))


def test_mergeable_frame_waits_for_no_buffers(switch: Switch, station: MakeStation) -> None:
    """Fewer buffers than a frame needs: dropped whole, and the buffers serve a smaller one."""
    a = station(switch, "a")
    b = station(switch, "b", Setup(rx_buffer=100, rx_fill=5))
    introduce([a, b])
    a.send(b, 1000)
    a.frontend.flush()
    fence(a, [b])
    assert switch.drops("b") == {"ring-full": 1}
    b.expect(a.send(b, 488))


def test_full_ring_resumes_when_it_is_filled_again(
    switch: Switch, station: MakeStation
) -> None:
    a = station(switch, "a")
    b = station(switch, "b", Setup(rx_fill=8))
    introduce([a, b])
    for _ in range(20):
        sent = [a.send(b) for _ in range(12)]
        a.frontend.flush()
        b.expect(*sent[:8])
    assert switch.drops("b") == {"ring-full": 20 * 4}
    switch.conservation()


def test_ring_without_buffers(switch: Switch, station: MakeStation) -> None:
    a = station(switch, "a")
    b = station(switch, "b", Setup(rx_fill=0))
    a.announce()
    for _ in range(5):
        a.send(b)
    a.frontend.flush()
    switch.wait_stats("b", ring_full=6)
    assert "gave no buffers yet" in switch.port("b")["state_text"]
    assert "gave no buffers yet" in switch.ctl("drops", "b").stdout
    b.frontend.fill_rx(4)
    b.expect(a.send(b))
    assert switch.port("b")["state_text"] == "up"
    # empty again is another thing than never filled
    b.frontend.stop_rings()
    for index, base in enumerate((1, 0)):
        b.frontend.start_ring(index, base)
    switch.wait_state("b", "up")
    assert switch.port("b")["state_text"] == "up"


REGIONS: dict[str, Sequence[RegionSpec]] = {
    f"{count}": tuple(RegionSpec(2 * MIB) for _ in range(count)) for count in range(1, 9)
}


@pytest.mark.parametrize("regions", REGIONS.values(), ids=REGIONS.keys())
def test_memory_tables(
    switch: Switch, station: MakeStation, regions: Sequence[RegionSpec]
) -> None:
    """One to eight regions: rings in the last one, buffers in the middle."""
    setup = Setup(
        regions=regions, ring_region=len(regions) - 1, buffer_region=len(regions) // 2
    )
    a, b = station(switch, "a", setup), station(switch, "b", setup)
    introduce([a, b])
    exchange(a, b)
    exchange(a, b, indirect=True, layout=(12, 14))
    memory = switch.port("a")["session"]["memory"]
    assert [entry["size"] for entry in memory] == [2 * MIB] * len(regions)


@pytest.mark.parametrize(
    "region",
    [
        RegionSpec(4 * MIB, guest_phys_addr=0),
        RegionSpec(4 * MIB, mmap_offset=4096),
        RegionSpec(4 * MIB, mmap_offset=3 * MIB),
        RegionSpec(4 * MIB, guest_phys_addr=0x7F00_0000_0000, userspace_addr=0x10_0000),
        RegionSpec(4 * MIB, guest_phys_addr=0xFFFF_FF00_0000_0000),
        RegionSpec(4 * MIB + 4096, guest_phys_addr=0x1000),
    ],
    ids=["at-0", "offset-4096", "offset-3MiB", "physical-above", "physical-top", "odd-size"],
)
def test_placement_of_a_region(
    switch: Switch, station: MakeStation, region: RegionSpec
) -> None:
    setup = Setup(regions=(region,))
    a, b = station(switch, "a", setup), station(switch, "b", setup)
    introduce([a, b])
    exchange(a, b)


def two_neighbours() -> Setup:
    """Two regions that touch in guest physical space, and lie apart everywhere else."""
    return Setup(
        regions=(RegionSpec(4 * MIB), RegionSpec(4 * MIB, adjacent=True)),
        reserve=16384,
        rx_fill=0,
    )


def send_across(sender: Station, to: Station, before: int, size: int = 1000) -> bytes:
    """One descriptor whose first `before` bytes are in region 0 and the rest in region 1."""
    frontend = sender.frontend
    data = sender.build(to, size)
    address = frontend.memory.border(0, before)
    frontend.memory.write(address, bytes(frontend.header_size) + data)
    frontend.tx.add([Segment(address, frontend.header_size + size)])
    frontend.tx.publish()
    return data


@pytest.mark.parametrize("before", [1, 6, 11, 12, 13, 18, 25, 26, 27, 75, 76, 77, 500, 1011])
def test_sent_buffer_crosses_a_border(
    switch: Switch, station: MakeStation, before: int
) -> None:
    a, b = station(switch, "a", replace(two_neighbours(), rx_fill=16)), station(switch, "b")
    introduce([a, b])
    for _ in range(3):
        b.expect(send_across(a, b, before))
        a.frontend.flush()


@pytest.mark.parametrize("before", [1, 6, 11, 12, 13, 25, 26, 27, 500, 1011, 1012])
def test_receive_buffer_crosses_a_border(
    switch: Switch, station: MakeStation, before: int
) -> None:
    a, b = station(switch, "a"), station(switch, "b", two_neighbours())
    b.announce(a)
    memory = b.frontend.memory
    for _ in range(3):
        address = memory.border(0, before)
        b.frontend.rx.add([Segment(address, 2000, True)])
        b.frontend.rx.publish()
        data = a.send(b, 1000)
        b.frontend.rx.wait_used()
        [(_, length)] = b.frontend.rx.reap()
        assert length == 1012
        assert memory.read(address + 12, 1000) == data


def test_indirect_table_crosses_a_border(switch: Switch, station: MakeStation) -> None:
    a, b = station(switch, "a", replace(two_neighbours(), rx_fill=16)), station(switch, "b")
    introduce([a, b])
    frontend = a.frontend
    data = a.build(b, 300)
    buffer = frontend.memory.alloc(400)
    frontend.memory.write(buffer, bytes(12) + data)
    for before in (0, 16, 32):
        table = frontend.memory.border(0, before)
        frontend.tx.write_descriptor(0, buffer, 12, 1, 1, table)
        frontend.tx.write_descriptor(1, buffer + 12, 300, 0, 0, table)
        chain = frontend.tx.add([Segment(table, 32)])
        frontend.tx.write_descriptor(chain.head, table, 32, 4)
        frontend.tx.publish()
        frontend.flush()
        b.expect(data)


def offers(frontend: RawFrontend, feature: Feature) -> bool:
    return bool(frontend.get_features() >> feature & 1)


def test_offered_features(switch: Switch) -> None:
    """What the datapath does, and nothing that it does not."""
    switch.add_port("a")
    with RawFrontend(switch.path("a")) as frontend:
        offered = {feature for feature in Feature if offers(frontend, feature)}
    must = {
        Feature.MRG_RXBUF, Feature.ANY_LAYOUT, Feature.INDIRECT_DESC, Feature.VERSION_1,
        Feature.IN_ORDER, Feature.PROTOCOL_FEATURES, Feature.CSUM, Feature.GUEST_CSUM,
        Feature.HOST_TSO4, Feature.HOST_TSO6, Feature.HOST_ECN, Feature.GUEST_TSO4,
        Feature.GUEST_TSO6, Feature.GUEST_ECN, Feature.MTU, Feature.GUEST_ANNOUNCE,
    }
    must_not = {
        Feature.RING_PACKED, Feature.IOMMU_PLATFORM, Feature.LOG_ALL, Feature.EVENT_IDX,
        Feature.CTRL_VQ,
    }
    assert must <= offered
    assert not must_not & offered


@pytest.mark.parametrize("legacy", [False, True])
def test_in_order_is_kept(switch: Switch, station: MakeStation, legacy: bool) -> None:
    """Chains are used in the order in which they were made available; `reap` checks it."""
    setup = Setup(in_order=True, legacy=legacy, rx_buffer=600)
    a, b = station(switch, "a", setup), station(switch, "b", setup)
    assert a.frontend.has(Feature.IN_ORDER)
    introduce([a, b])
    for _ in range(20):
        frames = [a.build(b, size) for size in SIZES]
        a.frontend.send(*frames[:4])
        a.frontend.send(*frames[4:], indirect=True)
        b.expect(*frames)
    a.frontend.flush()


def test_bad_chain_is_given_back_in_order(switch: Switch, station: MakeStation) -> None:
    a, b = station(switch, "a", Setup(in_order=True)), station(switch, "b")
    introduce([a, b])
    frontend = a.frontend
    for _ in range(5):
        good = [a.build(b), a.build(b)]
        frontend.tx.reap()
        frontend.send(good[0], kick=False)
        frontend.tx.add([Segment(0xDEAD_0000_0000, 100)])
        frontend.send(good[1])
        b.expect(*good)
    frontend.flush()
    assert switch.drops("a") == {"bad-chain": 5}


def test_indices_wrap_and_bases_are_obeyed(switch: Switch, station: MakeStation) -> None:
    """A ring starts at 65,500 and runs over the end of its 16 bits."""
    switch.add_port("a")
    b = station(switch, "b")
    with RawFrontend(switch.path("a"), Setup(rx_fill=0)) as frontend:
        frontend.negotiate()
        frontend.share_memory()
        for index in (0, 1):
            ring = frontend.rings[index]
            ring.next_avail = ring.last_used = 65500
            ring.avail_idx = ring.used_idx = 65500
            frontend.start_ring(index, 65500)
            frontend.set_vring_enable(index, True)
        frontend.fill_rx(64)
        switch.wait_state("a", "up")
        a = Station("a", "02:00:00:00:aa:aa", frontend)
        introduce([a, b])
        for _ in range(100):
            exchange_one(a, b)
        assert frontend.stop_rings() == [(65500 + 101) & 0xFFFF] * 2


def exchange_one(a: Station, b: Station) -> None:
    b.expect(a.send(b))
    a.expect(b.send(a))


@pytest.mark.parametrize("kick", [True, False], ids=["kick", "no-kick"])
@pytest.mark.parametrize("call", [True, False], ids=["call", "no-call"])
def test_rings_without_descriptors_for_events(
    switch: Switch, station: MakeStation, kick: bool, call: bool
) -> None:
    """A ring without a kick is polled; one without a call is polled by its driver."""
    a = station(switch, "a", Setup(with_kick=kick, with_call=call))
    b = station(switch, "b")
    introduce([a, b])
    for _ in range(3):
        exchange_one(a, b)


POLLING = Setup(with_call=False, say_call=False)


@pytest.mark.parametrize("reply_ack", [True, False], ids=["acked", "unacked"])
@pytest.mark.parametrize("kick", [True, False], ids=["kick", "no-kick"])
def test_driver_that_never_speaks_of_calls(
    switch: Switch, station: MakeStation, reply_ack: bool, kick: bool
) -> None:
    """The kick starts a ring (vhost-user, "Ring states"); its driver polls."""
    a = station(switch, "a", replace(POLLING, with_kick=kick, reply_ack=reply_ack))
    b = station(switch, "b")
    introduce([a, b])
    exchange(a, b)
    assert not any(ring["has_call"] for ring in switch.port("a")["session"]["vrings"])


def test_driver_that_never_speaks_of_calls_starts_again(
    switch: Switch, station: MakeStation
) -> None:
    a, b = station(switch, "a", POLLING), station(switch, "b")
    introduce([a, b])
    for _ in range(3):
        bases = a.frontend.stop_rings()
        switch.wait_state("a", "stopped")
        for index, base in enumerate(bases):
            a.frontend.start_ring(index, base)
        switch.wait_state("a", "up")
        exchange(a, b)


def test_call_after_the_kick(switch: Switch, station: MakeStation) -> None:
    """A ring runs without a call descriptor until there is one, and is called from then on."""
    a, b = station(switch, "a"), station(switch, "b", Setup(say_call=False))
    for ring in b.frontend.rings:
        ring.avail_flags = NO_INTERRUPT  # it polls
    introduce([a, b])
    exchange(a, b)
    for index, ring in enumerate(b.frontend.rings):
        ring.avail_flags = 0
        b.frontend.set_vring_call(index, ring.call_fd)
    switch.wait_state("b", "up")
    exchange(a, b)  # without a call it would complain
    assert all(ring["has_call"] for ring in switch.port("b")["session"]["vrings"])


def test_missing_is_what_a_ring_needs(switch: Switch) -> None:
    """A call descriptor is none of it."""
    switch.add_port("a")
    with RawFrontend(switch.path("a"), POLLING) as frontend:
        frontend.negotiate()
        frontend.share_memory()
        frontend.set_vring_num(0, 256)
        frontend.send_ring_address(0)
        assert "ring 0 is not started yet" in switch.port("a")["state_text"]


def test_driver_that_wants_no_calls_gets_none(switch: Switch, station: MakeStation) -> None:
    a, b = station(switch, "a"), station(switch, "b")
    introduce([a, b])
    b.frontend.rx.avail_flags = NO_INTERRUPT
    b.frontend.rx.drain_call()
    for _ in range(5):
        b.expect(a.send(b))
    assert b.frontend.rx.drain_call() == 0
    b.frontend.rx.avail_flags = 0
    b.expect(a.send(b))
    fence(a, [b])


def test_one_call_a_burst_is_enough(switch: Switch, station: MakeStation) -> None:
    """Many frames in one publication do not cost a call each."""
    a, b = station(switch, "a"), station(switch, "b")
    introduce([a, b])
    b.frontend.rx.drain_call()
    frames = [a.build(b) for _ in range(64)]
    a.frontend.send(*frames)
    a.frontend.flush()
    calls = b.frontend.rx.drain_call()
    b.expect(*frames)
    assert 1 <= calls <= 8


def test_used_length_of_sent_chains_is_zero(switch: Switch, station: MakeStation) -> None:
    """The switch writes nothing into a transmit chain (virtio 1.1, 2.6.8)."""
    a, b = station(switch, "a"), station(switch, "b")
    introduce([a, b])
    a.frontend.tx.reap()
    a.send(b)
    a.frontend.tx.wait_used()
    assert [length for _, length in a.frontend.tx.reap()] == [0]


@pytest.mark.parametrize("size", [None, 2, 4, 32768])
def test_large_frame_in_one_descriptor_each(
    switch: Switch, station: MakeStation, size: Optional[int]
) -> None:
    setup = Setup(rx_buffer=9100, regions=BIG, ring_size=size or 256)
    a = station(switch, "a", setup, mtu=9000)
    b = station(switch, "b", setup, mtu=9000)
    introduce([a, b])
    for _ in range(5):
        b.expect(a.send(b, 9018))
        a.expect(b.send(a, 9018))
    assert switch.conservation()["dropped"] == 0


def test_largest_frame(switch: Switch, station: MakeStation) -> None:
    """MTU 65,535: a frame of 65,553 bytes, over many buffers."""
    a = station(switch, "a", Setup(regions=BIG), mtu=65535)
    b = station(switch, "b", Setup(regions=BIG, rx_buffer=1500), mtu=65535)
    introduce([a, b])
    for size in (65000, 65535 + 18):
        b.expect(a.send(b, size, layout=(12,) + (4096,) * 15))
        b.expect(a.send(BROADCAST, size, layout=(12,) + (300,) * 62))
