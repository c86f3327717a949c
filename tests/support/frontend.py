# SPDX-License-Identifier: BSD-3-Clause
"""A vhost-user frontend in pure Python: a driver for one receive and one transmit queue.

`RawFrontend(path).handshake()` does what a good driver does. Each step can be done singly, in
another order, or wrongly; `Channel` sends any message, `SplitRing` writes any byte.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from support.memory import MIB, GuestMemory, RegionSpec
from support.messages import Channel, Feature, ProtocolFeature, bits
from support.ring import Chain, Segment, SplitRing

RX, TX = 0, 1
LEGACY_HEADER = 10
HEADER = 12
RX_FILL_MOST = 1024


@dataclass(frozen=True)
class Setup:
    """How a frontend sets itself up; the defaults are those of a modern driver."""

    ring_size: int = 256
    mergeable: bool = True
    legacy: bool = False  # without VERSION_1
    indirect: bool = True
    in_order: bool = False
    offloads: Sequence[Feature] = ()  # of those offered: CSUM, GUEST_TSO4, ...
    features: int | None = None  # exactly these bits, instead of the five above
    regions: Sequence[RegionSpec] = field(default_factory=lambda: (RegionSpec(16 * MIB),))
    reserve: int = 0
    ring_region: int = 0
    buffer_region: int = 0
    reply_ack: bool = True
    with_kick: bool = True
    with_call: bool = True
    say_call: bool = True  # False: SET_VRING_CALL is never sent
    rx_buffer: int = 2048  # bytes of a receive buffer, header included
    rx_layout: Sequence[int] | None = None  # sizes of its descriptors, instead of one
    rx_indirect: bool = False
    rx_fill: int | None = None  # receive buffers, instead of as many as fit, or RX_FILL_MOST


class Received(NamedTuple):
    frame: bytes
    header: bytes
    buffers: int


def cut(data: bytes, layout: Sequence[int] | None) -> list[bytes]:
    """Pieces of the given sizes, and one more for the rest."""
    pieces, start = [], 0
    for size in layout or ():
        pieces.append(data[start:start + size])
        start += size
    pieces.append(data[start:])
    return [piece for piece in pieces if piece]


class RawFrontend(Channel):
    """One connection, its memory, and its two rings (`rx` and `tx`)."""

    def __init__(
        self,
        where: str | PathLike[str] | socket.socket,
        setup: Setup | None = None,
        timeout: float = 10.0,
    ) -> None:
        """`where` is the path to connect to, or a connection that a listener has accepted."""
        if not isinstance(where, socket.socket):
            where = self.connect(Path(where), timeout)
        super().__init__(where, timeout)
        self.setup = setup or Setup()
        self.features = 0
        self.memory = GuestMemory(self.setup.regions, self.setup.reserve)
        self.rings = [self._new_ring(), self._new_ring()]
        self._partial: list[bytes] = []  # of used receive buffers, until their frame is whole

    @classmethod
    def accept(
        cls, listener: socket.socket, setup: Setup | None = None, timeout: float = 10.0
    ) -> RawFrontend:
        """The backend's next connection to a socket that this side serves."""
        listener.settimeout(timeout)
        return cls(listener.accept()[0], setup, timeout)

    def _new_ring(self) -> SplitRing:
        setup = self.setup
        return SplitRing(
            self.memory, setup.ring_size, setup.ring_region, setup.with_kick, setup.with_call
        )

    @property
    def rx(self) -> SplitRing:
        return self.rings[RX]

    @property
    def tx(self) -> SplitRing:
        return self.rings[TX]

    @property
    def header_size(self) -> int:
        """Bytes of the virtio-net header (virtio 1.1, 5.1.6)."""
        wide = bits((Feature.VERSION_1, Feature.MRG_RXBUF))
        return HEADER if self.features & wide else LEGACY_HEADER

    def has(self, feature: Feature) -> bool:
        return bool(self.features >> feature & 1)

    # The start, whole or in steps.

    def handshake(self) -> RawFrontend:
        """From the first message to two enabled rings with receive buffers."""
        self.negotiate()
        self.share_memory()
        self.fill_rx()
        for index in (RX, TX):
            self.start_ring(index)
        for index in (RX, TX):
            self.set_vring_enable(index, True)
        return self

    def negotiate(self) -> None:
        """Features and protocol features."""
        self.set_owner()
        offered = self.get_features()
        if offered >> Feature.PROTOCOL_FEATURES & 1:
            protocol = self.get_protocol_features()
            wanted = bits((ProtocolFeature.MQ, ProtocolFeature.REPLY_ACK))
            if not self.setup.reply_ack:
                wanted &= ~(1 << ProtocolFeature.REPLY_ACK)
            self.set_protocol_features(protocol & wanted)
            self.reply_ack = bool(protocol & wanted & 1 << ProtocolFeature.REPLY_ACK)
        self.choose_features(offered)
        self.set_features(self.features)

    def choose_features(self, offered: int) -> None:
        if self.setup.features is not None:
            self.features = self.setup.features
        else:
            self.features = offered & bits(self._wanted())
        self.rx.in_order = self.tx.in_order = self.has(Feature.IN_ORDER)

    def _wanted(self) -> list[Feature]:
        setup = self.setup
        choices = (
            (Feature.VERSION_1, not setup.legacy),
            (Feature.ANY_LAYOUT, True),
            (Feature.MRG_RXBUF, setup.mergeable),
            (Feature.INDIRECT_DESC, setup.indirect),
            (Feature.IN_ORDER, setup.in_order),
            (Feature.PROTOCOL_FEATURES, True),
        )
        return [*(feature for feature, wanted in choices if wanted), *setup.offloads]

    def share_memory(self) -> None:
        self.set_mem_table(self.memory.table, self.memory.fds)

    def start_ring(self, index: int, base: int = 0) -> None:
        """Size, base, addresses, call (unless it is never said) and kick of one ring."""
        ring = self.rings[index]
        self.set_vring_num(index, ring.size)
        self.set_vring_base(index, base)
        self.send_ring_address(index)
        if self.setup.say_call:
            self.set_vring_call(index, ring.call_fd)
        self.set_vring_kick(index, ring.kick_fd)

    def send_ring_address(self, index: int) -> None:
        ring = self.rings[index]
        self.set_vring_addr(
            index,
            self.memory.userspace(ring.desc),
            self.memory.userspace(ring.used),
            self.memory.userspace(ring.avail),
        )

    def stop_rings(self) -> list[int]:
        """Stops both rings; returns their bases."""
        return [self.get_vring_base(index) for index in (RX, TX)]

    def replace_memory(self, specs: Sequence[RegionSpec]) -> None:
        """A new table of new memory under the running device, as a reboot does it.

        Both rings are built anew in it; what was outstanding is forgotten.
        """
        self.stop_rings()
        old_memory, old_rings = self.memory, self.rings
        self.memory = GuestMemory(specs, self.setup.reserve)
        self.rings = [self._new_ring(), self._new_ring()]
        self.rx.in_order = self.tx.in_order = self.has(Feature.IN_ORDER)
        self._partial = []
        self.share_memory()
        self.fill_rx()
        for index in (RX, TX):
            self.start_ring(index)
        for ring in old_rings:
            ring.close()
        old_memory.close()

    # Frames.

    def fill_rx(self, count: int | None = None, kick: bool = True) -> None:
        """Makes receive buffers available: `count`, or as many as the setup says."""
        setup = self.setup
        layout = setup.rx_layout or (setup.rx_buffer,)
        if count is None:
            per_chain = 1 if setup.rx_indirect else len(layout)
            fit = min(self.rx.free // per_chain, RX_FILL_MOST)
            count = fit if setup.rx_fill is None else setup.rx_fill
        for _ in range(count):
            self._add_rx_buffer(layout)
        self.rx.publish(kick)

    def _add_rx_buffer(self, layout: Sequence[int]) -> None:
        region = self.setup.buffer_region
        segments = [Segment(self.memory.alloc(size, region), size, True) for size in layout]
        owned = [(segment.address, segment.length, region) for segment in segments]
        self.rx.add(segments, self.setup.rx_indirect, owned)

    def send(
        self,
        *frames: bytes,
        layout: Sequence[int] | None = None,
        header: bytes | None = None,
        indirect: bool = False,
        kick: bool = True,
        timeout: float = 10.0,
    ) -> None:
        """Makes frames available on the transmit queue, waiting for room where there is none.

        `layout` are the sizes of the descriptors that header and frame, as one run of bytes, are
        cut into; what is left over gets one more.
        """
        head = bytes(self.header_size) if header is None else header
        for data in frames:
            pieces = cut(head + data, layout)
            self._wait_tx_room(1 if indirect else len(pieces), timeout)
            self._add_tx(pieces, indirect)
        self.tx.publish(kick)

    def _wait_tx_room(self, descriptors: int, timeout: float) -> None:
        self.tx.reap()
        while self.tx.free < descriptors:
            self.tx.publish()
            self.tx.wait_used(timeout)
            self.tx.reap()

    def _add_tx(self, pieces: Sequence[bytes], indirect: bool) -> None:
        region = self.setup.buffer_region
        segments, owned = [], []
        for piece in pieces:
            address = self.memory.alloc(len(piece), region)
            self.memory.write(address, piece)
            segments.append(Segment(address, len(piece)))
            owned.append((address, len(piece), region))
        self.tx.add(segments, indirect, owned)

    def flush(self, timeout: float = 10.0) -> None:
        """Returns when the backend has used every transmit chain."""
        self.tx.reap()
        while self.tx.outstanding:
            self.tx.wait_used(timeout)
            self.tx.reap()

    def receive(self, timeout: float = 5.0) -> Received:
        """The next frame; TimeoutError if none comes. Its buffers are made available again."""
        while True:
            received = self.poll()
            if received is not None:
                return received
            self.rx.wait_used(timeout)

    def poll(self) -> Received | None:
        """The next frame if one is there."""
        # Read at once: what is reaped is free for the next receive buffer.
        self._partial += [self._read_chain(*used) for used in self.rx.reap()]
        if not self._partial:
            return None
        first = self._partial[0]
        header = first[:self.header_size]
        buffers = 1
        if len(header) == HEADER:
            (buffers,) = struct.unpack_from("<H", header, 10)
        if len(self._partial) < buffers:
            raise AssertionError(f"num_buffers is {buffers}, used are {len(self._partial)}")
        data = b"".join([first[self.header_size:], *self._partial[1:buffers]])
        del self._partial[:buffers]
        self.fill_rx(buffers)
        return Received(data, header, buffers)

    def _read_chain(self, chain: Chain, length: int) -> bytes:
        data = b""
        for segment in chain.segments:
            data += self.memory.read(segment.address, min(segment.length, length - len(data)))
        assert len(data) == length, f"used length {length} is more than the chain's {len(data)}"
        return data

    def close(self) -> None:
        """Closes the connection without a word, as a killed process does; again: nothing."""
        if self.socket.fileno() < 0:
            return
        self.socket.close()
        for ring in self.rings:
            ring.close()
        self.memory.close()

    def __enter__(self) -> RawFrontend:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
