# SPDX-License-Identifier: BSD-3-Clause
"""TCP segments and the virtio-net headers that leave work to others (virtio 1.1, 5.1.6)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address

from support.frames import mac_bytes

NEEDS_CSUM = 1
GSO_NONE, GSO_TCPV4, GSO_TCPV6, GSO_ECN = 0, 1, 4, 0x80
FIN, PSH, ACK, CWR = 0x01, 0x08, 0x10, 0x80
TCP = 6
DESTINATION_OPTIONS = 60
TCP_CHECKSUM = 16  # its offset in the TCP header

IPAddress = IPv4Address | IPv6Address


def ones_sum(data: bytes) -> int:
    """The sum of RFC 1071, folded, not inverted."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def destination_options(size: int, following: int) -> bytes:
    """Such a header of `size` bytes, all padding (RFC 8200, 4.6 and 4.2); none with 0."""
    if size == 0:
        return b""
    padding, left = b"", size - 2
    while left > 0:
        length = min(left - 2, 255) if left != 258 else 254  # what is left may not be one byte
        padding += bytes([1, length]) + bytes(length)
        left -= 2 + length
    return bytes([following, size // 8 - 1]) + padding


@dataclass(frozen=True)
class VnetHeader:
    """struct virtio_net_hdr, without num_buffers."""

    flags: int = 0
    gso_type: int = GSO_NONE
    hdr_len: int = 0
    gso_size: int = 0
    csum_start: int = 0
    csum_offset: int = 0

    def pack(self, size: int = 12) -> bytes:
        return struct.pack(
            "<BBHHHH", self.flags, self.gso_type, self.hdr_len, self.gso_size, self.csum_start,
            self.csum_offset,
        ).ljust(size, b"\0")

    @classmethod
    def unpack(cls, data: bytes) -> VnetHeader:
        return cls(*struct.unpack_from("<BBHHHH", data))


@dataclass(frozen=True)
class TcpFrame:
    """A frame of TCP; its checksum is whole, or is what a sender leaves for an offload."""

    destination: str
    source: str
    payload: bytes
    ip_source: IPAddress = IPv4Address("10.0.0.1")
    ip_destination: IPAddress = IPv4Address("10.0.0.2")
    sequence: int = 1000
    flags: int = ACK | PSH
    vlan: int = 0  # in a tag of 802.1Q; 0: none
    identification: int = 7
    outer: int = 0  # in a tag of 802.1ad before the other; 0: none
    options: int = 0  # of IPv6: bytes of a header of destination options, a multiple of 8

    @property
    def network(self) -> int:
        return 14 + 4 * sum(1 for vlan in (self.outer, self.vlan) if vlan)

    @property
    def transport(self) -> int:
        return self.network + (20 if self.ip_source.version == 4 else 40 + self.options)

    @property
    def header_len(self) -> int:
        return self.transport + 20

    def _ethernet(self) -> bytes:
        tag = struct.pack("!HH", 0x88A8, self.outer) if self.outer else b""
        tag += struct.pack("!HH", 0x8100, self.vlan) if self.vlan else b""
        kind = 0x0800 if self.ip_source.version == 4 else 0x86DD
        return mac_bytes(self.destination) + mac_bytes(self.source) + tag + kind.to_bytes(2, "big")

    def _ip(self) -> bytes:
        length = 20 + len(self.payload)
        addresses = self.ip_source.packed + self.ip_destination.packed
        if self.ip_source.version == 6:
            following = DESTINATION_OPTIONS if self.options else TCP
            start = struct.pack("!IHBB", 6 << 28, length + self.options, following, 64)
            return start + addresses + destination_options(self.options, TCP)
        fields = (0x45, 0, 20 + length, self.identification, 0, 64, TCP)
        check = ones_sum(struct.pack("!BBHHHBBH", *fields, 0) + addresses) ^ 0xFFFF
        return struct.pack("!BBHHHBBH", *fields, check) + addresses

    def _pseudo_sum(self) -> int:
        pseudo = self.ip_source.packed + self.ip_destination.packed
        return ones_sum(pseudo + struct.pack("!II", 20 + len(self.payload), TCP))

    def _tcp(self, check: int) -> bytes:
        sequence = self.sequence & 0xFFFFFFFF
        return struct.pack(
            "!HHIIBBHHH", 5000, 6000, sequence, 0, 0x50, self.flags, 65535, check, 0
        )

    def left(self) -> bytes:
        """The frame as a sender makes it that leaves the checksum to be completed."""
        return self._ethernet() + self._ip() + self._tcp(self._pseudo_sum()) + self.payload

    def whole(self) -> bytes:
        rest = ones_sum(self._tcp(self._pseudo_sum()) + self.payload) ^ 0xFFFF
        return self._ethernet() + self._ip() + self._tcp(rest) + self.payload

    def cut(self, gso_size: int) -> list[bytes]:
        """The segments that it is to be cut into, whole."""
        pieces = [
            self.payload[at:at + gso_size] for at in range(0, len(self.payload), gso_size)
        ]
        return [
            self._segment(number, gso_size, piece, number == len(pieces) - 1).whole()
            for number, piece in enumerate(pieces)
        ]

    def _segment(self, number: int, gso_size: int, piece: bytes, last: bool) -> TcpFrame:
        flags = self.flags & ~(0 if last else FIN | PSH) & ~(CWR if number else 0)
        return replace(
            self, payload=piece, sequence=self.sequence + number * gso_size, flags=flags,
            identification=self.identification + number,
        )

    def checksum_header(self) -> VnetHeader:
        return VnetHeader(
            NEEDS_CSUM, csum_start=self.transport, csum_offset=TCP_CHECKSUM
        )

    def segments_header(self, gso_size: int) -> VnetHeader:
        kind = GSO_TCPV4 if self.ip_source.version == 4 else GSO_TCPV6
        ecn = GSO_ECN if self.flags & CWR else 0
        return VnetHeader(
            NEEDS_CSUM, kind | ecn, self.header_len, gso_size, self.transport, TCP_CHECKSUM
        )
