# SPDX-License-Identifier: BSD-3-Clause
"""Work that the kernel does slowly for whoever touches an attacker's memory or descriptors."""

from __future__ import annotations

import ctypes
import fcntl
import functools
import os
import resource
import struct
import threading
import time
from typing import Optional

from bench.machine import HugePages
from siege.attack import ENDED, Attack, Ground
from siege.floods import (
    SENDER, TARGET, Flood, announce, check, libc, populate, punch, roomy,
)
from support.eventfd import FULL, eventfd, signal_eventfd
from support.frames import frame
from support.frontend import RawFrontend, Setup
from support.memory import MIB, PAGE, Region, RegionSpec
from support.ring import NO_NOTIFY, WRITE

WAITER_THREADS = 64
WAITERS_PER_THREAD = 16_384
GIB = 1024 * MIB
HUGE_MIB = 64
USERFAULTFD = 323  # the number of the system call on x86-64
UFFDIO_API, UFFDIO_REGISTER = 0xC018AA3F, 0xC020AA00
LONG = 5.0  # seconds: an attack that lasts longer takes more memory


class PollFd(ctypes.Structure):
    _fields_ = [("fd", ctypes.c_int), ("events", ctypes.c_short), ("revents", ctypes.c_short)]


def wait_often(fd: int, threads: int) -> int:
    """Threads that wait for nothing on a descriptor, again and again in one call; how often in all."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = min(WAITERS_PER_THREAD, hard)
    array = (PollFd * count)(*(PollFd(fd, 0, 0) for _ in range(count)))
    threading.stack_size(64 * 1024)
    for _ in range(threads):
        threading.Thread(target=libc.poll, args=(array, count, -1), daemon=True).start()
    return count * threads


def call_with_waiters(ground: Ground) -> None:
    with ground.attached(roomy()) as crowd, ground.attached(port=1) as caller:
        assert crowd.rx.call_fd is not None
        threads = WAITER_THREADS if ground.seconds > LONG else WAITER_THREADS // 4
        waits = wait_often(crowd.rx.call_fd, threads)
        announce(crowd, TARGET)
        sent = 0
        while ground.going():
            caller.send(frame(TARGET, SENDER, 64, sent), timeout=60.0)
            sent += 1
            while crowd.poll() is not None:
                pass
            time.sleep(0.002)
        ground.tell(f"{waits:,} waits on its call, {sent} frames for it")


def call_that_blocks(ground: Ground) -> None:
    """Every session blocks the worker once in its first call; as many sessions as there can be."""
    sessions = 0
    full = eventfd(0, nonblocking=False)
    signal_eventfd(full, FULL)
    while ground.going():
        try:
            with ground.frontend() as frontend:
                frontend.handshake()
                frontend.set_vring_call(1, full)
                frontend.send(frame(TARGET, SENDER), frame(TARGET, SENDER))
                frontend.wait_closed(2.0)
                sessions += 1
        except (*ENDED, AssertionError):
            time.sleep(0.001)
    os.close(full)
    ground.tell(f"{sessions} sessions")


def call_that_is_full(ground: Ground) -> None:
    with ground.attached(roomy()) as caller, ground.attached(roomy(rx_fill=0), 1) as closed:
        announce(closed, TARGET)
        full = eventfd(FULL)
        caller.set_vring_call(1, full)
        flood = Flood(caller, [frame(TARGET, SENDER)])
        while ground.going():
            flood.pump()
        os.close(full)


def kick_storm(ground: Ground) -> None:
    """Kicks on both rings, with never a frame behind them."""
    with ground.attached() as frontend:
        kicks = 0
        while ground.going():
            for _ in range(100):
                frontend.tx.kick()
                frontend.rx.kick()
            kicks += 200
        ground.tell(f"{kicks:,} kicks")


# Memory.


class FreshBuffers:
    """Receive buffers each on a page that nobody has touched; a round of the region frees them all."""

    def __init__(self, frontend: RawFrontend, region: int, page: int = PAGE) -> None:
        self.ring = frontend.rx
        self.region = frontend.memory.regions[region]
        self.page = page
        self.pages = self.region.size // page
        self.touched = self.given = 0
        for index in range(self.ring.size):
            self.ring.set_avail_entry(index, index)

    def pump(self) -> None:
        """Gives all that are free, at pages that come next."""
        ring = self.ring
        used = ring.used_idx
        self.touched += used - ring.last_used & 0xFFFF
        ring.last_used = used
        free = ring.size - (ring.next_avail - used & 0xFFFF)
        for _ in range(free):
            at = self.given % self.pages
            if at == 0 and self.given:
                punch(self.region.fd, self.region.mmap_offset, self.region.size)
            address = self.region.guest_phys_addr + at * self.page
            ring.write_descriptor(ring.next_avail % ring.size, address, 2048, WRITE)
            ring.next_avail = ring.next_avail + 1 & 0xFFFF
            self.given += 1
        ring.avail_idx = ring.next_avail
        if not ring.used_flags & NO_NOTIFY:
            ring.kick()


def two_regions(size: int) -> Setup:
    return Setup(
        ring_size=1024, rx_fill=0, regions=(RegionSpec(16 * MIB), RegionSpec(size)),
    )


def first_touches(ground: Ground) -> None:
    """The switch is the first to touch each page of a sparse gigabyte."""
    with ground.attached(two_regions(GIB)) as sparse, ground.attached(roomy(), 1) as caller:
        announce(sparse, TARGET)
        buffers = FreshBuffers(sparse, 1)
        flood = Flood(caller, [frame(TARGET, SENDER, 1514)])
        while ground.going():
            buffers.pump()
            flood.pump()
            time.sleep(0.001)
        ground.tell(f"{buffers.touched * PAGE // MIB:,} MiB touched by the switch")


def first_reads(ground: Ground) -> None:
    """Frames to be sent that lie in pages that nobody has touched."""
    with ground.attached(two_regions(GIB)) as sparse:
        ring, region = sparse.tx, sparse.memory.regions[1]
        pages, at = region.size // PAGE, 0
        for index in range(ring.size):
            ring.set_avail_entry(index, index)
        while ground.going():
            free = ring.size - (ring.next_avail - ring.used_idx & 0xFFFF)
            for _ in range(free):
                address = region.guest_phys_addr + at * PAGE
                ring.write_descriptor(ring.next_avail % ring.size, address, 1526)
                ring.next_avail = ring.next_avail + 1 & 0xFFFF
                at += 1
                if at == pages:
                    punch(region.fd, region.mmap_offset, region.size)
                    at = 0
            ring.publish()
            time.sleep(0.001)


def punched(ground: Ground) -> None:
    """All memory of the buffers is given back to the kernel while the switch writes to it."""
    size = GIB // 2 if ground.seconds > LONG else GIB // 4
    with ground.attached(two_regions(size)) as moody, ground.attached(roomy(), 1) as caller:
        announce(moody, TARGET)
        buffers = FreshBuffers(moody, 1, PAGE * 16)
        flood = Flood(caller, [frame(TARGET, SENDER, 1514)])
        done = threading.Event()
        region = moody.memory.regions[1]
        rounds = [0]

        def punch_all() -> None:
            while not done.is_set():
                populate(region.fd, 0, region.size)
                punch(region.fd, 0, region.size)
                rounds[0] += 1

        puncher = threading.Thread(target=punch_all)
        puncher.start()
        while ground.going():
            buffers.pump()
            flood.pump()
            time.sleep(0.0005)
        done.set()
        puncher.join()
        ground.tell(f"{rounds[0]} times punched")


def guard(region: Region) -> int:
    """Pages of the region that this process would be the first to touch wait for a handler: for ever."""
    fd = check(libc.syscall(USERFAULTFD, os.O_CLOEXEC | os.O_NONBLOCK))
    fcntl.ioctl(fd, UFFDIO_API, struct.pack("QQQ", 0xAA, 0, 0))
    start = ctypes.addressof(ctypes.c_char.from_buffer(region.map))
    fcntl.ioctl(fd, UFFDIO_REGISTER, struct.pack("QQQQ", start, region.size, 1, 0))
    return fd


def guarded_memory(ground: Ground) -> None:
    """Receive buffers on pages that a userfaultfd of ours guards, and that nobody ever fills."""
    with ground.attached(two_regions(64 * MIB)) as guarded, ground.attached(roomy(), 1) as caller:
        announce(guarded, TARGET)
        fd = guard(guarded.memory.regions[1])
        buffers = FreshBuffers(guarded, 1)
        flood = Flood(caller, [frame(TARGET, SENDER, 1514)])
        while ground.going() and buffers.given < buffers.pages:
            buffers.pump()
            flood.pump()
            time.sleep(0.001)
        os.close(fd)
        ground.tell(f"{buffers.touched:,} pages touched by the switch")


def needs_userfaultfd() -> Optional[str]:
    return None if os.geteuid() == 0 else "only root may make a userfaultfd"


def reserve_huge_pages(ground: Ground) -> None:
    pages = ground.stack.enter_context(HugePages(HUGE_MIB))
    assert pages.there, pages.why


def huge_pages(ground: Ground) -> None:
    """The same on pages of 2 MiB, which the kernel clears at once; halfway the host takes them away."""
    setup = two_regions(HUGE_MIB * MIB)
    with ground.frontend(setup) as sparse, ground.attached(roomy(), 1) as caller:
        region = sparse.memory.regions[1]
        fd = os.memfd_create("guest", os.MFD_HUGETLB)
        os.ftruncate(fd, region.size)
        os.dup2(fd, region.fd)
        os.close(fd)
        sparse.handshake()
        announce(sparse, TARGET)
        buffers = FreshBuffers(sparse, 1, 2 * MIB)
        flood = Flood(caller, [frame(TARGET, SENDER, 1514)])
        half = ground.left / 2
        while ground.going() and sparse.is_silent():
            if ground.left < half:
                ground.stack.close()  # gives them back to the host
            buffers.pump()
            flood.pump()
            time.sleep(0.001)
        ground.tell(f"{buffers.touched} pages touched by the switch")


@functools.lru_cache(maxsize=None)
def needs_huge_pages() -> Optional[str]:
    """Tries: a kernel whose memory is in pieces has none."""
    with HugePages(HUGE_MIB) as pages:
        return None if pages.there else pages.why


def memory_of_a_big_guest_ends(ground: Ground) -> None:
    """The switch has the last reference to gigabytes that were in use; an ordinary end of a guest."""
    size = 4 * GIB if ground.seconds > LONG else GIB // 2
    ends = 0
    while ground.going():
        with ground.again(setup=two_regions(size)) as guest:
            populate(guest.memory.regions[1].fd, 0, size)
            socket = guest.socket.dup()
            guest.close()
            socket.close()
        ends += 1
    ground.tell(f"{ends} ends of {size // MIB:,} MiB")


ATTACKS = [
    Attack(
        "call-with-waiters", "time", "a call descriptor on which threads wait up to a million times",
        call_with_waiters, ports=2, cases=(4,),
    ),
    Attack(
        "call-that-blocks", "time", "a call descriptor that blocks, in one session after another",
        call_that_blocks, cases=(2, 8), hazards=("B17", "B26"),
    ),
    Attack("call-that-is-full", "time", "a flood from a ring whose call descriptor is full",
           call_that_is_full, ports=2, hazards=("B17",)),
    Attack("kick-storm", "time", "kicks without frames", kick_storm, hazards=("B18",)),
    Attack(
        "first-touches", "time", "receive buffers on pages of 4 KiB that nobody has touched",
        first_touches, ports=2, cases=(10,), hazards=("B21",),
    ),
    Attack(
        "first-reads", "time", "frames in pages that nobody has touched", first_reads, cases=(10,),
        hazards=("B21",),
    ),
    Attack(
        "guarded-memory", "time", "receive buffers on pages that a userfaultfd guards", guarded_memory,
        ports=2, needs=needs_userfaultfd,
    ),
    Attack(
        "huge-pages", "time", "receive buffers on fresh pages of 2 MiB, which the host then takes away",
        huge_pages, prepare=reserve_huge_pages, ports=2, cases=(10,), needs=needs_huge_pages,
    ),
    Attack(
        "punched-memory", "time", "memory that is punched while the switch writes to it", punched,
        ports=2, cases=(5,),
    ),
    Attack(
        "end-of-a-big-guest", "time", "gigabytes that the switch is the last to hold",
        memory_of_a_big_guest_ends, cases=(11,),
    ),
]
