# SPDX-License-Identifier: BSD-3-Clause
"""Checksums and large segments between frontends that have negotiated them, or not."""

from __future__ import annotations

import random
from dataclasses import replace
from ipaddress import IPv6Address
from itertools import combinations
from typing import Any, Iterable, Sequence

import pytest
from support import RawFrontend, Setup, Switch
from support.fixture_types import MakeStation
from support.messages import Feature
from support.segments import ACK, CWR, FIN, GSO_ECN, PSH, TcpFrame, VnetHeader
from support.station import Station

SENDS = (Feature.CSUM, Feature.HOST_TSO4, Feature.HOST_TSO6, Feature.HOST_ECN)
TAKES = (Feature.GUEST_CSUM, Feature.GUEST_TSO4, Feature.GUEST_TSO6, Feature.GUEST_ECN)
V6: dict[str, Any] = {"ip_source": IPv6Address("fd00::1"), "ip_destination": IPv6Address("fd00::2")}
GSO_SIZE = 1400
NOTHING = VnetHeader()


def subsets(features: Sequence[Feature]) -> Iterable[tuple[Feature, ...]]:
    for n in range(len(features) + 1):
        yield from combinations(features, n)


def names(features: tuple[Feature, ...]) -> str:
    return "+".join(feature.name.lower() for feature in features) or "nothing"


def payload(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def large(to: Station, sender: Station, size: int = 20000) -> TcpFrame:
    return TcpFrame(to.mac, sender.mac, payload(size))


def make_pair(
    switch: Switch, station: MakeStation, takes: Sequence[Feature] = TAKES, **setup: Any
) -> tuple[Station, Station]:
    a = station(switch, "a", Setup(offloads=SENDS))
    b = station(switch, "b", Setup(offloads=takes, **setup))
    b.announce(a)
    return a, b


def send(sender: Station, frame: TcpFrame, header: VnetHeader) -> None:
    sender.frontend.send(frame.left(), header=header.pack())


def expect_as_it_is(receiver: Station, frame: TcpFrame, header: VnetHeader) -> None:
    received = receiver.frontend.receive()
    assert received.frame == frame.left()
    found = VnetHeader.unpack(received.header)
    assert found == replace(header, hdr_len=frame.header_len if header.gso_size else 0)


def expect_done(receiver: Station, frames: Sequence[bytes]) -> None:
    for data in frames:
        received = receiver.frontend.receive()
        assert received.frame == data
        assert VnetHeader.unpack(received.header) == NOTHING


def takes_as_it_is(takes: Sequence[Feature], frame: TcpFrame, cut: bool) -> bool:
    if Feature.GUEST_CSUM not in takes:
        return False
    tso = Feature.GUEST_TSO4 if frame.ip_source.version == 4 else Feature.GUEST_TSO6
    ecn = Feature.GUEST_ECN in takes or not frame.flags & CWR
    return not cut or (tso in takes and ecn)


@pytest.mark.parametrize("takes", list(subsets(TAKES)), ids=names)
def test_every_combination_at_the_receiver(
    switch: Switch, station: MakeStation, takes: tuple[Feature, ...]
) -> None:
    """What a receiver has negotiated reaches it as it was sent; all else is done before."""
    a, b = make_pair(switch, station, takes)
    shapes: list[dict[str, Any]] = [
        {}, {"vlan": 5}, V6, {"flags": ACK | PSH | FIN | CWR}, {**V6, "flags": ACK | CWR},
    ]
    checksummed = segmented = segments = 0
    for shape in shapes:
        small = replace(large(b, a, 999), **shape)
        send(a, small, small.checksum_header())
        if takes_as_it_is(takes, small, False):
            expect_as_it_is(b, small, small.checksum_header())
        else:
            expect_done(b, [small.whole()])
            checksummed += 1
        big = replace(large(b, a), **shape)
        send(a, big, big.segments_header(GSO_SIZE))
        if takes_as_it_is(takes, big, True):
            expect_as_it_is(b, big, big.segments_header(GSO_SIZE))
        elif Feature.GUEST_CSUM in takes:
            expect_checksums_left(b, big)
            segmented, segments = segmented + 1, segments + 15
        else:
            expect_done(b, big.cut(GSO_SIZE))
            segmented, segments = segmented + 1, segments + 15
    switch.wait_stats(
        "b", checksummed=checksummed, segmented=segmented, segments=segments
    )


def expect_checksums_left(receiver: Station, frame: TcpFrame) -> None:
    """Segments whose checksums the receiver has agreed to complete."""
    at = frame.transport + 16
    for data in frame.cut(GSO_SIZE):
        received = receiver.frontend.receive()
        assert received.frame[:at] + received.frame[at + 2:] == data[:at] + data[at + 2:]
        assert VnetHeader.unpack(received.header) == frame.checksum_header()


@pytest.mark.parametrize("mergeable", [True, False])
def test_largest_frames(switch: Switch, station: MakeStation, mergeable: bool) -> None:
    """64 KiB to a receiver with mergeable buffers, and to one whose buffers are that large."""
    a, b = make_pair(
        switch, station, mergeable=mergeable, rx_buffer=2048 if mergeable else 66000, rx_fill=60
    )
    frame = large(b, a, 65535 - 40)
    send(a, frame, frame.segments_header(1448))
    expect_as_it_is(b, frame, frame.segments_header(1448))


def test_a_flood_is_what_each_receiver_takes(switch: Switch, station: MakeStation) -> None:
    a, b = make_pair(switch, station)
    c = station(switch, "c")
    frame = replace(large(b, a), destination="ff:ff:ff:ff:ff:ff")
    send(a, frame, frame.segments_header(GSO_SIZE))
    expect_as_it_is(b, frame, frame.segments_header(GSO_SIZE))
    expect_done(c, frame.cut(GSO_SIZE))


def test_order_is_kept(switch: Switch, station: MakeStation) -> None:
    """Frames that are cut stand among those that are not as they were sent."""
    a, b = make_pair(switch, station, takes=())
    frames = [large(b, a, size) for size in (100, 3000, 200, 5000, 300)]
    for frame in frames:
        big = len(frame.payload) > GSO_SIZE
        header = frame.segments_header(GSO_SIZE) if big else frame.checksum_header()
        a.frontend.send(frame.left(), header=header.pack(), kick=False)
    a.frontend.tx.publish()
    for frame in frames:
        expect_done(b, frame.cut(GSO_SIZE))


def test_the_mtu_bounds_the_segments(switch: Switch, station: MakeStation) -> None:
    a, b = make_pair(switch, station)
    frame = large(b, a)
    most = 1518 - frame.header_len
    send(a, frame, frame.segments_header(most + 1))
    send(a, frame, frame.segments_header(most))
    expect_as_it_is(b, frame, frame.segments_header(most))
    assert switch.stats("a")["drops"]["too-big"] == 1


@pytest.mark.parametrize("takes", [TAKES, ()], ids=["whole", "cut"])
def test_the_mtu_bounds_segments_with_two_tags(
    switch: Switch, station: MakeStation, takes: tuple[Feature, ...]
) -> None:
    a, b = make_pair(switch, station, takes=takes)
    frame = replace(large(b, a), vlan=10, outer=20)
    most = 1522 - frame.header_len
    send(a, frame, frame.segments_header(most + 1))
    send(a, frame, frame.segments_header(most))
    if takes:
        expect_as_it_is(b, frame, frame.segments_header(most))
    else:
        expect_done(b, frame.cut(most))
    assert switch.stats("a")["drops"]["too-big"] == 1


def with_options(to: Station, by: Station, options: int) -> TcpFrame:
    """TCP over IPv6 behind destination options of so many bytes."""
    addresses = IPv6Address("fd00::1"), IPv6Address("fd00::2")
    return TcpFrame(to.mac, by.mac, payload(400), *addresses, options=options)


@pytest.mark.parametrize("takes", [TAKES, ()], ids=["whole", "done"])
@pytest.mark.parametrize("options", [8, 176, 184, 192, 200, 512, 1024])
def test_checksum_far_behind(
    switch: Switch, station: MakeStation, options: int, takes: Sequence[Feature]
) -> None:
    """It may be due anywhere in the frame, whatever stands before it."""
    a, b = make_pair(switch, station, takes=takes)
    frame = with_options(b, a, options)
    for layout in (None, (12, 54, options), (12, 14, 40, options + 17)):
        a.frontend.send(frame.left(), header=frame.checksum_header().pack(), layout=layout)
        if takes:
            expect_as_it_is(b, frame, frame.checksum_header())
        else:
            expect_done(b, [frame.whole()])
    assert switch.drops("a") == {}


def test_headers_that_are_too_long_to_be_cut(switch: Switch, station: MakeStation) -> None:
    """Segments need the headers within 256 bytes; the words do not blame the sender alone."""
    a, b = make_pair(switch, station)
    frame = replace(with_options(b, a, 200), payload=payload(3000))
    send(a, frame, frame.segments_header(1000))
    frame = replace(frame, options=160)
    send(a, frame, frame.segments_header(1000))
    expect_as_it_is(b, frame, frame.segments_header(1000))
    switch.wait_drops("a", {"bad-offload": 1})
    assert "256 bytes" in switch.ctl("drops", "a").stdout


GOOD = TcpFrame("02:00:00:00:00:02", "02:00:00:00:00:01", payload(5000))
CUT = GOOD.segments_header(GSO_SIZE)

LIES = {
    "gso-size-0": replace(CUT, gso_size=0),
    "no-checksum": replace(CUT, flags=0),
    "udp": replace(CUT, gso_type=3),
    "unknown-type": replace(CUT, gso_type=77),
    "ecn-alone": replace(CUT, gso_type=GSO_ECN),
    "v6-of-v4": replace(CUT, gso_type=4),
    "start-elsewhere": replace(CUT, csum_start=36),
    "offset-elsewhere": replace(CUT, csum_offset=6),
    "start-beyond": replace(GOOD.checksum_header(), csum_start=5054),
    "offset-beyond": replace(GOOD.checksum_header(), csum_offset=0xFFFF),
    "start-in-ethernet": replace(GOOD.checksum_header(), csum_start=6),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_headers_that_lie(switch: Switch, station: MakeStation, lie: VnetHeader) -> None:
    """They cost their frame, are counted, and hurt nothing else."""
    a = station(switch, "a", Setup(offloads=SENDS), mtu=9000)
    b = station(switch, "b", Setup(offloads=TAKES), mtu=9000)
    b.announce(a)
    frame = replace(GOOD, destination=b.mac, source=a.mac)
    send(a, frame, lie)
    send(a, frame, frame.segments_header(GSO_SIZE))
    expect_as_it_is(b, frame, frame.segments_header(GSO_SIZE))
    assert switch.stats("a")["drops"]["bad-offload"] == 1


HINTS = {
    "hdr-len-0": replace(CUT, hdr_len=0),
    "hdr-len-1": replace(CUT, hdr_len=1),
    "hdr-len-of-tcp-alone": replace(CUT, hdr_len=20),
    "hdr-len-in-tcp": replace(CUT, hdr_len=CUT.hdr_len - 5),
    "hdr-len-in-payload": replace(CUT, hdr_len=CUT.hdr_len + 100),
    "hdr-len-beyond": replace(CUT, hdr_len=6000),
    "hdr-len-most": replace(CUT, hdr_len=0xFFFF),
    "unknown-flags": replace(CUT, flags=CUT.flags | 0xF8),
}


@pytest.mark.parametrize("takes", [TAKES, ()], ids=["whole", "cut"])
@pytest.mark.parametrize("hint", HINTS.values(), ids=HINTS.keys())
def test_hints_decide_nothing(
    switch: Switch, station: MakeStation, hint: VnetHeader, takes: Sequence[Feature]
) -> None:
    """VIRTIO 1.2, 5.1.6.2.2: a device must not rely on hdr_len; flags it does not know it ignores."""
    a, b = make_pair(switch, station, takes=takes)
    frame = replace(GOOD, destination=b.mac, source=a.mac)
    send(a, frame, hint)
    if takes:
        expect_as_it_is(b, frame, CUT)
    else:
        expect_done(b, frame.cut(GSO_SIZE))
    assert switch.drops("a") == {}


@pytest.mark.parametrize("hdr_len", [0, 1, 0xFFFF])
def test_hints_of_a_checksum(switch: Switch, station: MakeStation, hdr_len: int) -> None:
    """Without segments hdr_len and gso_size mean nothing."""
    a, b = make_pair(switch, station)
    frame = large(b, a, 500)
    send(a, frame, replace(frame.checksum_header(), hdr_len=hdr_len, gso_size=hdr_len))
    expect_as_it_is(b, frame, frame.checksum_header())


def test_work_that_was_not_negotiated(switch: Switch, station: MakeStation) -> None:
    a = station(switch, "a", Setup(offloads=(Feature.CSUM,)))
    b = station(switch, "b", Setup(offloads=TAKES))
    b.announce(a)
    frame = large(b, a)
    send(a, frame, frame.segments_header(GSO_SIZE))
    small = large(b, a, 500)
    send(a, small, small.checksum_header())
    expect_as_it_is(b, small, small.checksum_header())
    assert switch.stats("a")["drops"]["bad-offload"] == 1


def test_offload_off_and_on(switch: Switch, station: MakeStation) -> None:
    """Off counts at once for what is delivered, and for what the next frontend is offered."""
    a, b = make_pair(switch, station)
    frame = large(b, a)
    switch.call("port.set", name="b", offload=False)
    send(a, frame, frame.segments_header(GSO_SIZE))
    expect_done(b, frame.cut(GSO_SIZE))
    switch.call("port.set", name="b", offload=True)
    send(a, frame, frame.segments_header(GSO_SIZE))
    expect_as_it_is(b, frame, frame.segments_header(GSO_SIZE))


def offered(switch: Switch, port: str) -> int:
    with RawFrontend(switch.path(port)) as frontend:
        return frontend.get_features()


def test_offload_off_is_not_offered(switch: Switch) -> None:
    offloads = sum(1 << feature for feature in (*SENDS, *TAKES))
    switch.add_port("a", offload=False)
    without = offered(switch, "a")
    assert not without & offloads
    switch.wait_state("a", "waiting")
    switch.call("port.set", name="a", offload=True)
    assert offered(switch, "a") == without | offloads
