# SPDX-License-Identifier: BSD-3-Clause
"""Memory that the switch makes by touching it first: bounded, whoever offers it."""

from __future__ import annotations

import contextlib
import os
import re
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Iterator

import pytest
from bench.machine import thread_by_name, thread_count
from cgroup import MemoryGroup
from kernel_end import KernelEnd
from support import RawFrontend, Registry, Switch, wait_until
from support.fixture_types import MakeSwitch
from support.frames import BROADCAST, frame
from support.frontend import Setup
from support.memory import RegionSpec
from support.messages import Refused
from support.ring import WRITE, Segment

MIB = 1 << 20
GIB = 1 << 30
PAGE = 4096
# As in vswitch/rings/memory_growth.h.
RATE, BURST, OVERDRAFT = 32 * MIB, 64 * MIB, 16 * MIB

FRAME = 60_000  # bytes: fifteen pages
STRIDE = 64 << 10
RING = 256
EVENT_THREAD = ("vhost-events", "dpdk-vhost-evt")  # of DPDK 22.11; since 23.11
RINGS_END = 2 * MIB  # rings and what the frontend writes itself lie before it


class Sparse:
    """A frontend with much memory that it never touches, and a receive ring full of it."""

    def __init__(self, switch: Switch, port: str, size: int = 2 * GIB) -> None:
        setup = Setup(ring_size=RING, regions=(RegionSpec(size),), rx_fill=0)
        self.frontend = RawFrontend(switch.path(port), setup).handshake()
        self.region = self.frontend.memory.regions[0]
        self.rx = self.frontend.rx
        self.next = RINGS_END
        switch.wait_state(port, "up")

    def bytes(self) -> int:
        """What the file has."""
        return os.fstat(self.region.fd).st_blocks * 512

    def offer(self) -> None:
        """Each used buffer is replaced by one on memory that was never touched."""
        first = self.rx.avail_idx
        count = RING - ((first - self.rx.used_idx) & 0xFFFF)
        for position in range(first, first + count):
            if self.next + STRIDE > self.region.size:
                self.next = RINGS_END
            address = self.region.guest_phys_addr + self.next
            self.rx.write_descriptor(position % RING, address, STRIDE, WRITE)
            self.rx.set_avail_entry(position, position % RING)
            self.next += STRIDE
        self.rx.avail_idx = (first + count) & 0xFFFF

    def restart(self, end: int) -> None:
        """All buffers, the offered ones too, lie before `end` from now on."""
        self.region.size = end
        for position in range(RING):
            offset = RINGS_END + position * STRIDE % (end - RINGS_END)
            address = self.region.guest_phys_addr + offset
            self.rx.write_descriptor(position, address, STRIDE, WRITE)
        self.next = RINGS_END

    def close(self) -> None:
        self.frontend.close()


class Flood:
    """A sender whose frames all lie in its ring already: sending is moving the index."""

    def __init__(self, switch: Switch, port: str, size: int = FRAME) -> None:
        setup = Setup(ring_size=RING, regions=(RegionSpec(16 * MIB),))
        self.frontend = RawFrontend(switch.path(port), setup).handshake()
        self.tx = self.frontend.tx
        switch.wait_state(port, "up")
        memory = self.frontend.memory
        data = bytes(self.frontend.header_size) + frame(BROADCAST, "02:00:00:00:00:0a", size, 1)
        address = memory.alloc(len(data))
        memory.write(address, data)
        for head in range(RING):
            self.tx.write_descriptor(head, address, len(data))
            self.tx.set_avail_entry(head, head)

    def send(self, count: int) -> None:
        """Sends that many frames, at most a ring of them, and waits until they are taken."""
        target = (self.tx.avail_idx + count) & 0xFFFF
        self.tx.avail_idx = target
        self.tx.kick()
        wait_until("the frames are taken", lambda: self.tx.used_idx == target)

    def close(self) -> None:
        self.frontend.close()


@pytest.fixture
def flood(switch: Switch) -> Iterator[Flood]:
    switch.add_port("a", mtu=65535)
    sender = Flood(switch, "a")
    yield sender
    sender.close()


@pytest.fixture
def sparse(switch: Switch) -> Iterator[Sparse]:
    switch.add_port("s", mtu=65535)
    frontend = Sparse(switch, "s")
    yield frontend
    frontend.close()


def limited(switch: Switch, port: str = "s") -> int:
    return switch.drops(port).get("memory-limit", 0)


def fill(switch: Switch, flood: Flood, sparse: Sparse, seconds: float) -> float:
    """Floods the sparse memory for a while; how long it took from the first frame on."""
    start = time.monotonic()
    while time.monotonic() < start + seconds:
        sparse.offer()
        flood.send(64)
    return time.monotonic() - start


def wait_seen(flood: Flood, sparse: Sparse) -> None:
    """A frame comes through to the sparse frontend."""
    before = sparse.rx.used_idx

    def check() -> bool:
        sparse.offer()
        flood.send(1)
        return sparse.rx.used_idx != before

    wait_until("a frame is delivered", check)


def test_growth_is_bounded(switch: Switch, flood: Flood, sparse: Sparse) -> None:
    """A frontend that owns 2 MiB and offers 2 GiB gets the burst, the rate and no more."""
    own = sparse.bytes()
    took = fill(switch, flood, sparse, 3.0)
    grown = sparse.bytes() - own
    print(f"grown by {grown / MIB:.0f} MiB in {took:.2f} s")
    assert BURST / 2 < grown <= BURST + RATE * took + OVERDRAFT
    assert limited(switch) > 0
    port = switch.port("s")
    assert port["state"] == "up" and port["fault"] is None
    assert "refused" in port["state_text"] and "MiB" in port["state_text"]
    wait_seen(flood, sparse)  # the bucket fills again


def test_pages_that_exist_are_free(switch: Switch, flood: Flood, sparse: Sparse) -> None:
    """Buffers on memory that the frontend has are used, however many and however fast."""
    os.posix_fallocate(sparse.region.fd, 0, 2 * BURST)
    sparse.region.size = 2 * BURST  # the ring comes round to its start
    for _ in range(2 * (2 * BURST // STRIDE // 64)):
        sparse.offer()
        flood.send(64)
    assert switch.drops("s") == {}
    assert switch.port("s")["state_text"] == "up"


def test_existing_pages_go_on_at_the_limit(switch: Switch, flood: Flood, sparse: Sparse) -> None:
    """Where no page may be added, buffers on those that exist are used as before."""
    switch.call("port.set", {"name": "s", "max-memory": 1})
    os.posix_fallocate(sparse.region.fd, 0, 8 * MIB)
    wait_limited(switch, flood, sparse)
    sparse.restart(8 * MIB)
    switch.call("stats.clear")
    for _ in range(4):
        sparse.offer()
        flood.send(32)
    assert switch.drops("s") == {}


def wait_limited(switch: Switch, flood: Flood, sparse: Sparse) -> None:
    """Offers memory that nobody has touched until it is refused."""

    def check() -> bool:
        sparse.offer()
        flood.send(64)
        return limited(switch) > 0

    wait_until("buffers are refused", check)


@pytest.mark.parametrize("mib", [1, 24])
def test_option(switch: Switch, flood: Flood, sparse: Sparse, mib: int) -> None:
    """`max-memory` bounds what is added in a session, and can be changed while it lasts."""
    switch.call("port.set", {"name": "s", "max-memory": mib})
    own = sparse.bytes()
    wait_limited(switch, flood, sparse)
    assert sparse.bytes() - own <= mib * MIB + 64 * STRIDE
    assert "its max-memory" in switch.port("s")["state_text"]
    switch.call("port.set", {"name": "s", "max-memory": 0})
    wait_seen(flood, sparse)


def send_from_nothing(sparse: Sparse, receiver: Sparse, seconds: float) -> float:
    """Sends frames that lie on pages which were never touched; how long it took."""
    start, position, tx = time.monotonic(), 0, sparse.frontend.tx
    while time.monotonic() < start + seconds:
        receiver.offer()
        while (position - tx.used_idx) & 0xFFFF < RING:
            address = sparse.region.guest_phys_addr + sparse.next
            tx.write_descriptor(position % RING, address, FRAME)
            tx.set_avail_entry(position, position % RING)
            sparse.next += STRIDE
            position += 1
        tx.avail_idx = position & 0xFFFF
        tx.kick()
    return time.monotonic() - start


def test_sending_from_nothing_is_bounded(switch: Switch, sparse: Sparse) -> None:
    """To read an absent page makes it as well: the same account pays for it."""
    switch.add_port("b", mtu=65535)
    switch.call("port.set", {"name": "s", "max-memory": 1})
    with closing(Sparse(switch, "b", 64 * MIB)) as receiver:
        os.posix_fallocate(receiver.region.fd, 0, receiver.region.size)
        own = sparse.bytes()
        took = send_from_nothing(sparse, receiver, 2.0)
        grown = sparse.bytes() - own
    print(f"grown by {grown / MIB:.0f} MiB in {took:.2f} s")
    assert OVERDRAFT < grown <= MIB + OVERDRAFT + 64 * STRIDE
    assert "its max-memory" in switch.port("s")["state_text"]
    assert switch.port("s")["fault"] is None


def test_rings_that_nobody_has_touched(switch: Switch, sparse: Sparse) -> None:
    """The library asks where their pages are, and finds none missing."""
    assert sparse.rx.used_idx == 0
    assert "numa" not in switch.process.log()


def mappings(switch: Switch) -> list[tuple[int, int, set[str]]]:
    """Start, end and flags of what the switch has mapped of frontends' memory."""
    found: list[tuple[int, int, set[str]]] = []
    wanted = False
    for line in Path(f"/proc/{switch.pid}/smaps").read_text().splitlines():
        head = re.match(r"([0-9a-f]+)-([0-9a-f]+) .*", line)
        if head:
            wanted = "memfd:guest" in line
            start, end = int(head[1], 16), int(head[2], 16)
        elif wanted and line.startswith("VmFlags:"):
            found.append((start, end, set(line.split()[1:])))
    return found


def test_core_files_have_no_guest_memory(switch: Switch) -> None:
    switch.add_port("v")
    regions = (RegionSpec(16 * MIB), RegionSpec(8 * MIB, mmap_offset=4 * MIB))
    with RawFrontend(switch.path("v"), Setup(regions=regions)) as frontend:
        frontend.handshake()
        switch.wait_state("v", "up")
        mapped = mappings(switch)
    assert sum(end - start for start, end, _ in mapped) == 28 * MIB
    assert all("dd" in flags for _, _, flags in mapped), mapped


def thread_seconds(switch: Switch, names: tuple[str, ...]) -> float:
    """Processor time of a thread that has one of these names."""
    thread = thread_by_name(switch.pid, names)
    assert thread is not None, f"the switch has none of the threads {names}"
    return thread_count(switch.pid, thread).run_seconds


def test_big_memory_is_released_aside(switch: Switch, flood: Flood) -> None:
    """The library's thread, which serves all ports, neither unmaps nor frees a guest's memory."""
    switch.add_port("s", mtu=65535)
    size = 512 * MIB
    sparse = Sparse(switch, "s", size)
    os.posix_fallocate(sparse.region.fd, 0, size)
    for _ in range(size // STRIDE // 64):
        sparse.offer()
        flood.send(64)
    assert switch.drops("s") == {}
    before = thread_seconds(switch, EVENT_THREAD)
    inode = os.fstat(sparse.region.fd).st_ino
    sparse.frontend.memory.close()  # the switch has the last references
    sparse.frontend.socket.close()
    wait_until("the memory is unmapped", lambda: len(mappings(switch)) == 1)
    wait_until("its file is closed", lambda: inode not in open_inodes(switch))
    took = thread_seconds(switch, EVENT_THREAD) - before
    print(f"the library's thread took {took * 1e3:.1f} ms")
    assert took < 0.02
    for ring in sparse.frontend.rings:
        ring.close()


def open_inodes(switch: Switch) -> set[int]:
    found = set()
    for entry in Path(f"/proc/{switch.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.add(entry.stat().st_ino)
    return found


def test_big_memory_is_replaced_aside(switch: Switch, flood: Flood) -> None:
    """A new table for a big memory: the frontend has its answer, and frames go on."""
    switch.add_port("s", mtu=65535)
    with closing(Sparse(switch, "s", 256 * MIB)) as sparse:
        for more in (1, 2, 3):
            sparse.frontend.replace_memory((RegionSpec((256 + more) * MIB),))
            switch.wait_state("s", "up")
            sparse.frontend.fill_rx(8)
            flood.send(1)
        assert switch.port("s")["fault"] is None


# In a sandbox that forbids userfaultfd: a seccomp filter that answers it with EPERM.
FORBID = """
import ctypes, os, struct, sys
code = [(0x20, 0, 0, 0), (0x15, 0, 1, 323), (0x06, 0, 0, 0x50001), (0x06, 0, 0, 0x7FFF0000)]
program = b"".join(struct.pack("HBBI", *line) for line in code)
kept = ctypes.create_string_buffer(program)
filter = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(code), ctypes.addressof(kept)))
libc = ctypes.CDLL(None, use_errno=True)
for words in ((38, 1, 0, 0, 0), (22, 2, ctypes.addressof(filter), 0, 0)):
    if libc.prctl(words[0], *(ctypes.c_ulong(word) for word in words[1:])) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_without_userfaultfd(make_switch: MakeSwitch) -> None:
    """Growth is guessed from the files: less exact, and bounded all the same."""
    switch = make_switch(wrapper=("/usr/bin/python3", "-c", FORBID))
    assert "no userfaultfd here (Operation not permitted)" in switch.process.log()
    for port in ("a", "s"):
        switch.add_port(port, mtu=65535)
    with closing(Flood(switch, "a")) as flood, closing(Sparse(switch, "s")) as sparse:
        own = sparse.bytes()
        took = fill(switch, flood, sparse, 3.0)
        grown = sparse.bytes() - own
        print(f"grown by {grown / MIB:.0f} MiB in {took:.2f} s")
        assert grown <= BURST + RATE * took + 4 * OVERDRAFT
        assert limited(switch) > 0 and switch.port("s")["state"] == "up"
        wait_seen(flood, sparse)


@pytest.fixture
def group() -> Iterator[MemoryGroup]:
    made = MemoryGroup(256 * MIB)
    yield made
    made.close()


def test_memory_cgroup(group: MemoryGroup, registry: Registry, workdir: Path) -> None:
    """Two such frontends: the switch stays within its cgroup, and is not killed."""
    with Switch(registry, workdir / "s", wrapper=group.wrapper) as switch:
        for port in ("a", "s", "t"):
            switch.add_port(port, mtu=65535)
        with closing(Flood(switch, "a")) as flood, closing(Sparse(switch, "s")) as first, closing(
            Sparse(switch, "t")
        ) as second:
            for _ in range(3):
                fill(switch, flood, first, 1.0)
                fill(switch, flood, second, 1.0)
            print([sparse.bytes() // MIB for sparse in (first, second)])
            assert "as much as the host has left" in switch.port("t")["state_text"]
            first.close()
            wait_seen(flood, second)  # the host has more again
        assert not group.killed()


def test_address_space(group: MemoryGroup, registry: Registry, workdir: Path) -> None:
    """All frontends' memories together are bounded; who asks for too much hears why."""
    big = Setup(regions=(RegionSpec(24 * GIB),))
    with Switch(registry, workdir / "s", wrapper=group.wrapper) as switch, ExitStack() as stack:
        for port in ("u", "v", "w"):
            switch.add_port(port)
        first = stack.enter_context(RawFrontend(switch.path("u"), big)).handshake()
        switch.wait_state("u", "up")
        second = stack.enter_context(RawFrontend(switch.path("v"), big))
        second.negotiate()
        with pytest.raises(Refused):
            second.share_memory()
        text = switch.port("v")["state_text"]
        assert re.search(r"takes 24.0 GiB .* of 64.0 GiB .* others have 24.0", text), text
        third = stack.enter_context(RawFrontend(switch.path("w"))).handshake()
        switch.wait_state("w", "up")
        first.close()
        switch.wait_state("u", "waiting")
        second.share_memory()
        assert third.get_features() != 0


def test_kernel_port_takes_what_was_never_touched(home: KernelEnd, home_switch: Switch) -> None:
    """The kernel reads a sender's memory itself, and does not make the pages."""
    home_switch.add_port("k", type="kernel", backend="tap", ifname="k0")
    home_switch.add_port("s")
    with RawFrontend(home_switch.path("s")) as frontend:
        frontend.handshake()
        home_switch.wait_state("s", "up")
        home_switch.wait_state("k", "up")
        data = bytes(frontend.header_size) + frame(BROADCAST, "02:00:00:00:00:0a", 600, 1)
        address = frontend.memory.regions[0].end - 2 * PAGE - 200
        frontend.memory.write(address, data[:200])
        before = home_switch.stats("k")["tx_frames"]
        frontend.tx.add([Segment(address, len(data))])
        frontend.tx.publish()
        frontend.flush()
        home_switch.wait_stats("k", tx_frames=before + 1)
        assert home_switch.drops("k") == {}
    assert home_switch.port("s")["fault"] is None


def test_tebibyte_of_nothing(switch: Switch) -> None:
    """As much as a frontend may have costs no time where there is nothing in it."""
    switch.add_port("v")
    switch.add_port("w")
    with RawFrontend(switch.path("w")) as other:
        other.negotiate()
        for size in (1 << 40, (1 << 40) - MIB):
            with RawFrontend(switch.path("v"), Setup(regions=(RegionSpec(size),))) as frontend:
                frontend.handshake()
                switch.wait_state("v", "up")
            switch.wait_state("v", "waiting")
            assert other.get_features() != 0


def test_next_session_starts_anew(switch: Switch, flood: Flood, sparse: Sparse) -> None:
    """What was added to a frontend's memory does not count for the next one's, which is smaller."""
    fill(switch, flood, sparse, 1.0)
    sparse.close()
    switch.wait_state("s", "waiting")
    switch.call("stats.clear")
    with closing(Sparse(switch, "s", 8 * MIB)) as small:
        os.posix_fallocate(small.region.fd, 0, small.region.size)
        small.offer()
        flood.send(16)
        assert small.rx.used_idx == 16
        assert switch.drops("s") == {}


def test_sender_that_must_wait_lets_the_worker_sleep(switch: Switch, sparse: Sparse) -> None:
    """A full ring of a port that is not served costs no CPU, and goes on when it is served again."""
    switch.add_port("b", mtu=65535)
    switch.call("port.set", {"name": "s", "max-memory": 1})
    with closing(Sparse(switch, "b", 64 * MIB)) as receiver:
        os.posix_fallocate(receiver.region.fd, 0, receiver.region.size)
        send_from_nothing(sparse, receiver, 2.0)
        tx = sparse.frontend.tx
        assert (tx.avail_idx - tx.used_idx) & 0xFFFF == RING, "the port is still served"
        before, began = thread_seconds(switch, ("worker-0",)), time.monotonic()
        wait_until("a second is over", lambda: time.monotonic() > began + 1.0)
        used = (thread_seconds(switch, ("worker-0",)) - before) / (time.monotonic() - began)
        print(f"the worker took {used:.2%} of a CPU")
        assert used < 0.03
        switch.call("port.set", {"name": "s", "max-memory": 0})
        receiver.offer()
        wait_until("the ring is empty", lambda: tx.used_idx == tx.avail_idx)
