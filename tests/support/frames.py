# SPDX-License-Identifier: BSD-3-Clause
"""Ethernet frames for tests: built from a seed, so that every byte can be checked."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence

BROADCAST = "ff:ff:ff:ff:ff:ff"
ETHERTYPE = 0x88B5  # IEEE 802: for local experiments
HEADER = 14


def mac_bytes(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))


def mac_text(mac: bytes | int) -> str:
    """From six bytes, or from a number: 5 is 02:00:00:00:00:05."""
    if isinstance(mac, int):
        mac = (0x02 << 40 | mac).to_bytes(6, "big")
    return mac.hex(":")


def frame(destination: str, source: str, size: int = 64, seed: int = 0) -> bytes:
    """A frame of `size` bytes without FCS, at least 14; the payload is a function of `seed`."""
    header = mac_bytes(destination) + mac_bytes(source) + struct.pack(">H", ETHERTYPE)
    name = struct.pack(">Q", seed)
    payload = name + hashlib.shake_128(name).digest(max(0, size - HEADER - len(name)))
    return header + payload[:size - HEADER]


def tagged(data: bytes, kinds: Sequence[int]) -> bytes:
    """The frame with VLAN tags of these kinds (0x8100, 0x88A8), 4 bytes each, the first outermost."""
    tags = b"".join(struct.pack(">HH", kind, 10 + at) for at, kind in enumerate(kinds))
    return data[:HEADER - 2] + tags + data[HEADER - 2:]


def seed_of(data: bytes) -> int:
    """The seed of a frame that is long enough to hold it (22 bytes)."""
    return int.from_bytes(data[HEADER:HEADER + 8], "big")


def is_intact(data: bytes) -> bool:
    """Whether a frame of `frame` came through unchanged."""
    return data == frame(mac_text(data[0:6]), mac_text(data[6:12]), len(data), seed_of(data))
