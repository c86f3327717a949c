# SPDX-License-Identifier: BSD-3-Clause
"""Tools of the attackers: rings that send at the speed of C, and calls of libc that Python lacks."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Iterable, Optional, Sequence

from support.frames import BROADCAST, frame
from support.frontend import RawFrontend, Setup
from support.memory import MIB, RegionSpec
from support.ring import NO_NOTIFY, WRITE

SENDER, TARGET = "02:00:00:00:0a:01", "02:00:00:00:0a:02"
KEEP_SIZE, PUNCH_HOLE = 1, 2
NEW_NAMESPACE, PRIVATE, RECURSIVE = 0x20000, 1 << 18, 1 << 14

libc = ctypes.CDLL(None, use_errno=True)
libc.fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)


def check(result: int) -> int:
    """A result of libc; OSError where it is -1."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def own_mounts() -> None:
    """From here on what this process mounts is its own, and ends with it."""
    check(libc.unshare(NEW_NAMESPACE))
    check(libc.mount(None, b"/", None, PRIVATE | RECURSIVE, None))


def mount(kind: str, directory: Path, options: str) -> None:
    check(libc.mount(b"siege", bytes(directory), kind.encode(), 0, options.encode()))


def fallocate(fd: int, mode: int, offset: int, length: int) -> None:
    check(libc.fallocate(fd, mode, offset, length))


def punch(fd: int, offset: int, length: int) -> None:
    """Gives the pages of a range back; they read as zeroes from now on."""
    fallocate(fd, PUNCH_HOLE | KEEP_SIZE, offset, length)


def populate(fd: int, offset: int, length: int) -> None:
    """Allocates the pages of a range."""
    fallocate(fd, 0, offset, length)


def roomy(ring_size: int = 1024, mib: int = 16, **more: object) -> Setup:
    """A set-up with a large ring."""
    return Setup(ring_size=ring_size, regions=(RegionSpec(mib * MIB),), **more)  # type: ignore[arg-type]


def announce(frontend: RawFrontend, mac: str) -> None:
    """Lets the switch learn where an address is."""
    frontend.send(frame(BROADCAST, mac))
    frontend.flush()


class Flood:
    """The same frames again and again: a turn of the ring is two stores, whoever sends it.

    The ring is a circle of all its descriptors, one frame each. The frontend must not `send` beside.
    """

    def __init__(
        self, frontend: RawFrontend, frames: Sequence[bytes], header: Optional[bytes] = None
    ) -> None:
        self.frontend = frontend
        self.ring = frontend.tx
        head = bytes(frontend.header_size) if header is None else header
        self.addresses = [self._store(head + data) for data in frames]
        lengths = [len(head) + len(data) for data in frames]
        for index in range(self.ring.size):
            which = index % len(frames)
            self.ring.write_descriptor(index, self.addresses[which], lengths[which])
            self.ring.set_avail_entry(index, index)
        self._first = self.ring.used_idx

    def _store(self, data: bytes) -> int:
        region = self.frontend.setup.buffer_region
        address = self.frontend.memory.alloc(len(data), region)
        self.frontend.memory.write(address, data)
        return address

    def pump(self) -> int:
        """Offers all that is free once more; returns how many frames were sent so far, modulo 2^16."""
        used = self.ring.used_idx
        self.ring.avail_idx = used + self.ring.size
        if not self.ring.used_flags & NO_NOTIFY:
            self.ring.kick()
        return used - self._first & 0xFFFF

    def is_done(self) -> bool:
        """Whether all that was offered is used."""
        return self.ring.used_idx == self.ring.avail_idx


class Sink:
    """A receive ring that gives its buffers back unread, all as they are, at the cost of a store."""

    def __init__(self, frontend: RawFrontend, buffers: Iterable[tuple[int, int]]) -> None:
        self.ring = frontend.rx
        for index, (address, length) in enumerate(buffers):
            self.ring.write_descriptor(index, address, length, WRITE)
            self.ring.set_avail_entry(index, index)
        self.ring.avail_idx = self.ring.size

    def pump(self) -> None:
        self.ring.avail_idx = self.ring.used_idx + self.ring.size
        if not self.ring.used_flags & NO_NOTIFY:
            self.ring.kick()
