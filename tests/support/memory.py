# SPDX-License-Identifier: BSD-3-Clause
"""A frontend's memory: regions in memfds, with the addresses that a test chooses."""

from __future__ import annotations

import mmap
import os
from collections.abc import Sequence
from dataclasses import dataclass

from support.messages import TableEntry

PAGE = 4096
MIB = 1 << 20
FIRST_GUEST_PHYS = 0x4000_0000
FIRST_USERSPACE = 0x7F00_0000_0000
GAP = 0x1000_0000


@dataclass(frozen=True)
class RegionSpec:
    """What a test wishes of a region; what is None is chosen.

    Regions chosen without an address lie apart from each other in both address spaces;
    `adjacent` puts this one right behind the one before it in guest physical space.
    """

    size: int = 8 * MIB
    guest_phys_addr: int | None = None
    userspace_addr: int | None = None
    mmap_offset: int = 0
    adjacent: bool = False


class Region:
    """One region, its memfd, and this process's own mapping of it."""

    def __init__(self, spec: RegionSpec, guest_phys_addr: int, userspace_addr: int) -> None:
        self.guest_phys_addr = guest_phys_addr
        self.userspace_addr = userspace_addr
        self.size = spec.size
        self.mmap_offset = spec.mmap_offset
        self.fd = os.memfd_create("guest", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self.fd, spec.mmap_offset + spec.size)
        self.map = mmap.mmap(self.fd, spec.mmap_offset + spec.size)
        self._bytes = memoryview(self.map)
        self.view = self._bytes[spec.mmap_offset:]
        self._halves = self.view.cast("H")

    @property
    def end(self) -> int:
        return self.guest_phys_addr + self.size

    @property
    def entry(self) -> TableEntry:
        return TableEntry(
            self.guest_phys_addr, self.size, self.userspace_addr, self.mmap_offset
        )

    def get_u16(self, offset: int) -> int:
        """One load, as a driver reads an index."""
        return self._halves[offset >> 1]

    def set_u16(self, offset: int, value: int) -> None:
        """One store, as a driver writes an index; offset even."""
        self._halves[offset >> 1] = value & 0xFFFF

    def close(self) -> None:
        self._halves.release()
        self.view.release()
        self._bytes.release()
        self.map.close()
        os.close(self.fd)


class GuestMemory:
    """A memory table, addressed by guest physical addresses, with a simple allocator.

    The first and the last `reserve` bytes of each region are never allocated: a test puts what
    shall lie on a border there (`border`).
    """

    def __init__(self, specs: Sequence[RegionSpec], reserve: int = 0) -> None:
        self.regions: list[Region] = []
        for spec in specs:
            self._add(spec)
        self._next = [region.guest_phys_addr + reserve for region in self.regions]
        self._reserve = reserve
        self._free: dict[int, list[int]] = {}

    def _add(self, spec: RegionSpec) -> None:
        guest_phys, userspace = FIRST_GUEST_PHYS, FIRST_USERSPACE
        if self.regions:
            last = self.regions[-1]
            guest_phys = last.end if spec.adjacent else last.end + GAP
            userspace = last.userspace_addr + last.size + 2 * GAP
        if spec.guest_phys_addr is not None:
            guest_phys = spec.guest_phys_addr
        if spec.userspace_addr is not None:
            userspace = spec.userspace_addr
        self.regions.append(Region(spec, guest_phys, userspace))

    @property
    def table(self) -> list[TableEntry]:
        return [region.entry for region in self.regions]

    @property
    def fds(self) -> list[int]:
        return [region.fd for region in self.regions]

    def alloc(self, size: int, region: int = 0, align: int = 64) -> int:
        """A guest physical address for `size` bytes in one region; `free` takes it back."""
        rounded = max(64, 1 << (size - 1).bit_length())
        key = rounded * 16 + region
        if align <= 64 and self._free.get(key):
            return self._free[key].pop()
        address = -(-self._next[region] // align) * align
        if address + rounded > self.regions[region].end - self._reserve:
            raise MemoryError(f"region {region} has no {rounded} bytes left")
        self._next[region] = address + rounded
        return address

    def free(self, address: int, size: int, region: int = 0) -> None:
        rounded = max(64, 1 << (size - 1).bit_length())
        self._free.setdefault(rounded * 16 + region, []).append(address)

    def border(self, region: int, before: int) -> int:
        """The address that lies `before` bytes before the end of a region."""
        return self.regions[region].end - before

    def locate(self, address: int) -> tuple[Region, int]:
        """The region that holds a guest physical address, and the offset in it."""
        for region in self.regions:
            offset = address - region.guest_phys_addr
            if 0 <= offset < region.size:
                return region, offset
        raise IndexError(f"guest physical address {address:#x} is in no region")

    def userspace(self, address: int) -> int:
        """The userspace address that belongs to a guest physical one."""
        region, offset = self.locate(address)
        return region.userspace_addr + offset

    def read(self, address: int, size: int) -> bytes:
        data = b""
        while len(data) < size:
            region, offset = self.locate(address + len(data))
            data += bytes(region.view[offset:offset + size - len(data)])
        return data

    def write(self, address: int, data: bytes) -> None:
        done = 0
        while done < len(data):
            region, offset = self.locate(address + done)
            part = min(len(data) - done, region.size - offset)
            region.view[offset:offset + part] = data[done:done + part]
            done += part

    def close(self) -> None:
        for region in self.regions:
            region.close()
