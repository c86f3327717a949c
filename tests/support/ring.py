# SPDX-License-Identifier: BSD-3-Clause
"""Split virtqueues as a driver builds them (virtio 1.1, 2.6), with every byte within reach."""

from __future__ import annotations

import os
import struct
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from support.eventfd import drain_eventfd, eventfd, signal_eventfd
from support.memory import GuestMemory
from support.waiting import readable

NEXT = 1
WRITE = 2
INDIRECT = 4
NO_INTERRUPT = 1  # in avail.flags
NO_NOTIFY = 1  # in used.flags

DESCRIPTOR = struct.Struct("<QIHH")
USED_ELEMENT = struct.Struct("<II")


@dataclass(frozen=True)
class Segment:
    """One descriptor's worth of memory: guest physical address, bytes, who writes it."""

    address: int
    length: int
    writable: bool = False


@dataclass
class Chain:
    """A chain that was made available; `owned` is memory to free once it is used."""

    head: int
    segments: list[Segment]
    descriptors: list[int]
    owned: list[tuple[int, int, int]] = field(default_factory=list)


class LostCall(AssertionError):
    """The used index moved and no call came."""


class SplitRing:
    """A split virtqueue, its kick and its call.

    The high-level part (`add`, `publish`, `reap`) keeps the driver's rules. The rest writes what
    it is told, wherever it is told.
    """

    def __init__(
        self,
        memory: GuestMemory,
        size: int,
        region: int = 0,
        with_kick: bool = True,
        with_call: bool = True,
    ) -> None:
        self.memory = memory
        self.size = size
        self.region = region
        self.desc = memory.alloc(16 * size, region)
        self.avail = memory.alloc(6 + 2 * size, region)
        self.used = memory.alloc(6 + 8 * size, region)
        self.kick_fd = eventfd() if with_kick else None
        self.call_fd = eventfd() if with_call else None
        self.in_order = False
        self.next_avail = 0  # what `publish` will store in avail.idx
        self.last_used = 0  # used elements taken so far, modulo 2^16
        self.outstanding: dict[int, Chain] = {}
        self._order: deque[int] = deque()
        self._free: deque[int] = deque(range(size))
        self._fence = threading.Lock()

    # Any byte anywhere.

    def write_descriptor(
        self, index: int, address: int, length: int, flags: int = 0, next_index: int = 0,
        table: int | None = None,
    ) -> None:
        """Writes one descriptor of the ring, or of the indirect table at `table`."""
        base = self.desc if table is None else table
        self.memory.write(
            base + 16 * index,
            DESCRIPTOR.pack(address & (2**64 - 1), length & 0xFFFFFFFF, flags, next_index),
        )

    def set_avail_entry(self, position: int, head: int) -> None:
        self._set_u16(self.avail + 4 + 2 * (position % self.size), head)

    @property
    def avail_idx(self) -> int:
        return self._get_u16(self.avail + 2)

    @avail_idx.setter
    def avail_idx(self, value: int) -> None:
        self._set_u16(self.avail + 2, value)

    @property
    def avail_flags(self) -> int:
        return self._get_u16(self.avail)

    @avail_flags.setter
    def avail_flags(self, value: int) -> None:
        self._set_u16(self.avail, value)

    @property
    def used_idx(self) -> int:
        return self._get_u16(self.used + 2)

    @used_idx.setter
    def used_idx(self, value: int) -> None:
        self._set_u16(self.used + 2, value)

    @property
    def used_flags(self) -> int:
        return self._get_u16(self.used)

    def used_element(self, position: int) -> tuple[int, int]:
        """Head and length of the used element at a position, which may exceed the ring's size."""
        address = self.used + 4 + 8 * (position % self.size)
        head, length = USED_ELEMENT.unpack(self.memory.read(address, USED_ELEMENT.size))
        return int(head), int(length)

    # The driver.

    @property
    def free(self) -> int:
        """Descriptors that are free."""
        return len(self._free)

    def add(
        self,
        segments: Sequence[Segment],
        indirect: bool = False,
        owned: Iterable[tuple[int, int, int]] = (),
    ) -> Chain:
        """Puts a chain into the descriptor table and the available ring; `publish` shows it."""
        owned = list(owned)
        if indirect:
            size = 16 * len(segments)
            table = self.memory.alloc(size, self.region)
            owned.append((table, size, self.region))
            self._write_chain(list(range(len(segments))), segments, table)
            descriptors = [self._free.popleft()]
            self.write_descriptor(descriptors[0], table, size, INDIRECT)
        else:
            descriptors = [self._free.popleft() for _ in segments]
            self._write_chain(descriptors, segments, None)
        chain = Chain(descriptors[0], list(segments), descriptors, owned)
        self.outstanding[chain.head] = chain
        self._order.append(chain.head)
        self.set_avail_entry(self.next_avail, chain.head)
        self.next_avail = (self.next_avail + 1) & 0xFFFF
        return chain

    def _write_chain(
        self, indices: Sequence[int], segments: Sequence[Segment], table: int | None
    ) -> None:
        for position, (index, segment) in enumerate(zip(indices, segments)):
            last = position == len(segments) - 1
            flags = (0 if last else NEXT) | (WRITE if segment.writable else 0)
            next_index = 0 if last else indices[position + 1]
            self.write_descriptor(
                index, segment.address, segment.length, flags, next_index, table
            )

    def publish(self, kick: bool = True) -> None:
        """Shows the backend every chain added so far, and kicks it unless it asked not to be."""
        self.avail_idx = self.next_avail
        self._full_barrier()
        if kick and not self.used_flags & NO_NOTIFY:
            self.kick()

    def kick(self) -> None:
        if self.kick_fd is not None:
            signal_eventfd(self.kick_fd)

    def reap(self) -> list[tuple[Chain, int]]:
        """Takes what the backend has used: chains with their lengths, in the order of use."""
        done = []
        used_idx = self.used_idx
        while self.last_used != used_idx:
            head, length = self.used_element(self.last_used)
            self.last_used = (self.last_used + 1) & 0xFFFF
            done.append((self._take_back(head), length))
        return done

    def _take_back(self, head: int) -> Chain:
        assert head in self.outstanding, f"the backend used {head}, which it was not given"
        if self.in_order:
            oldest = self._order[0]
            assert head == oldest, f"the backend used {head} before {oldest}"
        self._order.remove(head)
        chain = self.outstanding.pop(head)
        self._free.extend(chain.descriptors)
        for address, size, region in chain.owned:
            self.memory.free(address, size, region)
        return chain

    def wait_used(self, timeout: float = 5.0) -> None:
        """Returns when there is something to reap; LostCall if it is there and no call came."""
        polled = self.call_fd is None or self.avail_flags & NO_INTERRUPT
        watched = None if polled else self.call_fd
        deadline = time.monotonic() + timeout
        while self.used_idx == self.last_used:
            left = max(deadline - time.monotonic(), 0.0)
            if readable(watched, min(left, 0.001) if polled else left):
                self.drain_call()
            elif self.used_idx != self.last_used and not polled:
                raise LostCall(f"used.idx is {self.used_idx} and no call came in {timeout:g} s")
            elif left <= 0 and self.used_idx == self.last_used:
                raise TimeoutError(f"nothing was used within {timeout:g} s")

    def drain_call(self) -> int:
        """How often the backend has called since this was last asked."""
        return drain_eventfd(self.call_fd) if self.call_fd is not None else 0

    def _full_barrier(self) -> None:
        """avail.idx must be visible before used.flags is read; a lock's operation is a barrier."""
        with self._fence:
            pass

    def _get_u16(self, address: int) -> int:
        region, offset = self.memory.locate(address)
        return region.get_u16(offset)

    def _set_u16(self, address: int, value: int) -> None:
        region, offset = self.memory.locate(address)
        region.set_u16(offset, value)

    def close(self) -> None:
        for fd in (self.kick_fd, self.call_fd):
            if fd is not None:
                os.close(fd)
