# SPDX-License-Identifier: BSD-3-Clause
"""Every ordered pair of port kinds, each with its offloads and without: all sizes, 64 KiB segments.

A kernel port's station is a packet socket at its interface, an ethdev port's one at the other end
of a veth pair whose end `net_af_packet` drives. What arrives is put together again, its checksums
completed where that was left to the receiver, and compared with what was sent.
"""

from __future__ import annotations

import random
from contextlib import ExitStack
from dataclasses import replace
from ipaddress import IPv6Address
from typing import Any, Callable, Iterator

import pytest
from kernel_end import KernelEnd, MakeEnd
from support import RawFrontend, Setup, Switch
from support.frames import BROADCAST, frame, mac_text
from support.messages import Feature
from support.packet import PacketStation, Seen
from support.segments import NEEDS_CSUM, TcpFrame, VnetHeader, ones_sum

SIZES = (14, 15, 60, 63, 64, 65, 127, 128, 129, 1024, 1513, 1514)
OFFLOADS = (
    Feature.CSUM, Feature.HOST_TSO4, Feature.HOST_TSO6, Feature.HOST_ECN,
    Feature.GUEST_CSUM, Feature.GUEST_TSO4, Feature.GUEST_TSO6, Feature.GUEST_ECN,
)
V6: dict[str, Any] = {"ip_source": IPv6Address("fd00::1"), "ip_destination": IPv6Address("fd00::2")}
GSO_SIZE = 1440
NOTHING = VnetHeader()


class RingStation:
    """A vhost-user frontend with the calls of PacketStation."""

    def __init__(self, path: Any, mac: str, setup: Setup) -> None:
        self.mac = mac
        self._frontend = RawFrontend(path, setup).handshake()

    def send_frame(self, data: bytes, header: VnetHeader = NOTHING) -> None:
        self._frontend.send(data, header=header.pack())

    def receive(self, timeout: float = 5.0) -> Seen:
        received = self._frontend.receive(timeout)
        return Seen(received.frame, VnetHeader.unpack(received.header))

    def close(self) -> None:
        self._frontend.close()


Station = Any  # RingStation or PacketStation


class Yard:
    """A switch in a namespace, and stations on ports that it makes as they are asked for."""

    def __init__(
        self, switch: Switch, home: KernelEnd, make_end: MakeEnd, stack: ExitStack
    ) -> None:
        self.switch, self.home, self.make_end, self.stack = switch, home, make_end, stack
        self.n = 0

    def vhost(self, offload: bool) -> Station:
        name, mac = self._next()
        self.switch.add_port(name, offload=offload)
        setup = Setup(offloads=OFFLOADS if offload else ())
        station = RingStation(self.switch.path(name), mac, setup)
        self.stack.callback(station.close)
        self.switch.wait_state(name, "up")
        return station

    def kernel(self, offload: bool) -> Station:
        name, mac = self._next()
        end = self.make_end(name)
        self.switch.add_port(
            name, type="kernel", backend="tap", netns=end.path, mac=mac, offload=offload
        )
        self.switch.wait_state(name, "up")
        return self.stack.enter_context(PacketStation(end.path, name, mac))

    def ethdev(self) -> Station:
        name, mac = self._next()
        end = self.make_end(name)
        pid = end.path.split("/")[2]
        self.home.ip("link", "add", name, "type", "veth", "peer", "name", "far", "netns", pid)
        end.run("/usr/sbin/ethtool", "-K", "far", "tx", "off", "tso", "off", "gso", "off")
        end.ip("link", "set", "far", "address", mac, "up")
        self.home.ip("link", "set", name, "up")
        devargs = f"net_af_packet_{name},iface={name}"
        self.switch.add_port(name, type="ethdev", devargs=devargs)
        self.switch.wait_state(name, "up")
        return self.stack.enter_context(PacketStation(end.path, "far", mac))

    def _next(self) -> tuple[str, str]:
        self.n += 1
        return f"p{self.n}", mac_text(self.n)


CLASSES: dict[str, Callable[[Yard], Station]] = {
    "vhost-user": lambda yard: yard.vhost(True),
    "vhost-user-plain": lambda yard: yard.vhost(False),
    "kernel": lambda yard: yard.kernel(True),
    "kernel-plain": lambda yard: yard.kernel(False),
    "ethdev": lambda yard: yard.ethdev(),
}


@pytest.fixture
def yard(home: KernelEnd, home_switch: Switch, make_end: MakeEnd) -> Iterator[Yard]:
    with ExitStack() as stack:
        yield Yard(home_switch, home, make_end, stack)


def complete(seen: Seen, sent: TcpFrame) -> bytes:
    """What a receiver's network stack makes of a frame whose checksum was left to it."""
    header, data = seen.header, bytearray(seen.frame)
    if not header.flags & NEEDS_CSUM:
        return seen.frame
    assert (header.csum_start, header.csum_offset) == (sent.transport, 16)
    at = header.csum_start + header.csum_offset
    data[at:at + 2] = (ones_sum(bytes(data[header.csum_start:])) ^ 0xFFFF).to_bytes(2, "big")
    return bytes(data)


def receive_all(station: Station, sent: TcpFrame) -> list[bytes]:
    """Segments, or the whole with the header that says how to cut it: as they go on a wire."""
    segments: list[bytes] = []
    left = len(sent.payload)
    while left > 0:
        seen = station.receive(20.0)
        left -= len(seen.frame) - sent.header_len
        if seen.header.gso_size == 0:
            segments.append(complete(seen, sent))
            continue
        assert seen.header == sent.segments_header(GSO_SIZE)
        assert seen.frame == sent.left()
        segments += sent.cut(GSO_SIZE)
    return segments


def check_sizes(sender: Station, receiver: Station) -> None:
    for seed, size in enumerate(SIZES):
        for to in (receiver.mac, BROADCAST):
            data = frame(to, sender.mac, size, seed)
            sender.send_frame(data)
            assert receiver.receive().frame == data


def check_large(sender: Station, receiver: Station, leaves: bool) -> None:
    """64 KiB over IPv4 and IPv6: left to be cut where the sender may leave it, else cut."""
    payload = random.Random(1).randbytes(65535 - 60)
    shapes: list[dict[str, Any]] = [{}, V6]
    for shape in shapes:
        sent = replace(TcpFrame(receiver.mac, sender.mac, payload), **shape)
        wanted = sent.cut(GSO_SIZE)
        if leaves:
            sender.send_frame(sent.left(), sent.segments_header(GSO_SIZE))
        for data in [] if leaves else wanted:
            sender.send_frame(data)
        assert receive_all(receiver, sent) == wanted


def check_checksum(sender: Station, receiver: Station) -> None:
    sent = TcpFrame(receiver.mac, sender.mac, random.Random(2).randbytes(777))
    sender.send_frame(sent.left(), sent.checksum_header())
    assert complete(receiver.receive(), sent) == sent.whole()


@pytest.mark.parametrize("kind", CLASSES)
def test_from(yard: Yard, kind: str) -> None:
    """One sender, and a receiver of each kind."""
    sender = CLASSES[kind](yard)
    # A packet socket's kernel does what its interface does not take; a ring has nobody to ask.
    leaves = kind not in ("vhost-user-plain", "ethdev")
    for name, make in CLASSES.items():
        receiver = make(yard)
        receiver.send_frame(frame(BROADCAST, receiver.mac))
        assert sender.receive().frame[6:12].hex(":") == receiver.mac
        check_sizes(sender, receiver)
        check_large(sender, receiver, leaves)
        if leaves:
            check_checksum(sender, receiver)
    assert yard.switch.conservation()
