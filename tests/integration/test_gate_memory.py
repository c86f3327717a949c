# SPDX-License-Identifier: BSD-3-Clause
"""The gate and memory: tables that lie about their files, and rings that lie outside them."""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path
from typing import Callable, Iterator, Optional, Sequence

import pytest
from hostile import Bystanders, carry_on, heals, is_free, must_fault, open_descriptors
from support import RawFrontend, Switch, wait_until
from support.messages import Request, TableEntry, mem_table, message, vring_addr
from support.station import Station

MIB = 1 << 20
PHYS = 0x1000_0000
USER = 0x7000_0000_0000
TOP = 1 << 64
F_ADD_SEALS, F_SEAL_WRITE, F_SEAL_SHRINK = 1033, 8, 2


@pytest.fixture
def memfd() -> Iterator[int]:
    """A file of 8 MiB that may be a frontend's memory."""
    fd = os.memfd_create("memory", os.MFD_ALLOW_SEALING)
    os.ftruncate(fd, 8 * MIB)
    yield fd
    os.close(fd)


def entry(
    phys: int = PHYS, size: int = 2 * MIB, user: int = USER, offset: int = 0
) -> TableEntry:
    return TableEntry(phys, size, user, offset)


TABLES: dict[str, tuple[Sequence[TableEntry], str]] = {
    "longer-than-file": ([entry(size=8 * MIB + 4096)], "longer than its file"),
    "sixteen-tib": ([entry(size=16 << 40)], "longer than its file"),
    "offset-beyond-file": ([entry(offset=8 * MIB)], "longer than its file"),
    "offset-and-size-beyond": ([entry(size=4 * MIB, offset=6 * MIB)], "longer than its file"),
    "offset-wraps": ([entry(offset=TOP - 4096)], "offset|longer than its file|wrap|end"),
    "offset-odd": ([entry(offset=1)], "offset|page"),
    "size-0": ([entry(size=0)], "empty|0 bytes|size"),
    "physical-wraps": ([entry(phys=TOP - MIB)], "wrap|end|overflow"),
    "user-wraps": ([entry(user=TOP - MIB)], "wrap|end|overflow"),
    "physical-overlap": (
        [entry(), entry(phys=PHYS + MIB, user=USER + 64 * MIB)], "overlap"
    ),
    "physical-same": ([entry(), entry(user=USER + 64 * MIB)], "overlap"),
    "user-overlap": ([entry(), entry(phys=PHYS + 64 * MIB, user=USER + MIB)], "overlap"),
}


@pytest.mark.parametrize("table, words", TABLES.values(), ids=TABLES.keys())
def test_table_that_cannot_be(
    switch: Switch, bystanders: Bystanders, memfd: int,
    table: Sequence[TableEntry], words: str,
) -> None:
    before = open_descriptors(switch)
    with RawFrontend(switch.path("v")) as frontend:
        frontend.negotiate()
        must_fault(
            switch, bystanders, frontend,
            lambda f: f.set_mem_table(table, [memfd] * len(table)), words,
        )
    wait_until("no descriptor is lost", lambda: open_descriptors(switch) <= before)


def test_second_region_is_named(switch: Switch, bystanders: Bystanders, memfd: int) -> None:
    bad = [entry(), entry(phys=PHYS + 64 * MIB, user=USER + 64 * MIB, size=9 * MIB)]
    with RawFrontend(switch.path("v")) as frontend:
        frontend.negotiate()
        must_fault(
            switch, bystanders, frontend, lambda f: f.set_mem_table(bad, [memfd] * 2),
            "region 1 is longer than its file",
        )


@pytest.mark.parametrize(
    "number, entries, fds",
    [(0, 0, 0), (9, 8, 8), (2, 1, 1), (1, 2, 2), (1, 1, 0), (1, 1, 2), (2, 2, 1), (1 << 31, 1, 1)],
)
def test_numbers_that_disagree(
    switch: Switch, bystanders: Bystanders, memfd: int, number: int, entries: int, fds: int
) -> None:
    table = [
        entry(phys=PHYS + n * 64 * MIB, user=USER + n * 64 * MIB, size=MIB) for n in range(entries)
    ]
    with RawFrontend(switch.path("v")) as frontend:
        frontend.negotiate()
        must_fault(
            switch, bystanders, frontend,
            lambda f: f.send_raw(
                message(Request.SET_MEM_TABLE, mem_table(table, number)), [memfd] * fds
            ),
            "region|descriptor|bytes",
        )


def other_files(directory: Path) -> dict[str, Callable[[], int]]:
    """What is no shared memory: reading it could block, or call into someone else's server."""
    plain = directory / "plain"
    plain.write_bytes(bytes(4 * MIB))
    return {
        "file": lambda: os.open(plain, os.O_RDWR),
        "directory": lambda: os.open(directory, os.O_RDONLY),
        "zero": lambda: os.open("/dev/zero", os.O_RDWR),
        "proc": lambda: os.open("/proc/self/mem", os.O_RDONLY),
    }


@pytest.mark.parametrize("kind", ["file", "directory", "zero", "proc"])
def test_memory_must_be_shared_memory(
    switch: Switch, bystanders: Bystanders, kind: str
) -> None:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        fd = other_files(Path(directory))[kind]()
        try:
            with RawFrontend(switch.path("v")) as frontend:
                frontend.negotiate()
                must_fault(
                    switch, bystanders, frontend,
                    lambda f: f.set_mem_table([entry()], [fd]), "memfd|shared memory|tmpfs",
                )
        finally:
            os.close(fd)


@pytest.mark.parametrize("how", ["read-only", "sealed"])
def test_memory_must_be_writable(
    switch: Switch, bystanders: Bystanders, memfd: int, how: str
) -> None:
    if how == "sealed":
        fcntl.fcntl(memfd, F_ADD_SEALS, F_SEAL_WRITE)
        fd = os.dup(memfd)
    else:
        fd = os.open(f"/proc/self/fd/{memfd}", os.O_RDONLY)
    try:
        with RawFrontend(switch.path("v")) as frontend:
            frontend.negotiate()
            must_fault(
                switch, bystanders, frontend, lambda f: f.set_mem_table([entry()], [fd]),
                "writ|read-only",
            )
    finally:
        os.close(fd)


def test_sealed_and_tmpfs_memory_is_welcome(switch: Switch, bystanders: Bystanders) -> None:
    """A seal against shrinking, and a file of /dev/shm."""
    with RawFrontend(switch.path("v")) as frontend:
        fcntl.fcntl(frontend.memory.fds[0], F_ADD_SEALS, F_SEAL_SHRINK)
        frontend.handshake()
        switch.wait_state("v", "up")
        victim = Station("v", "02:00:00:00:0e:0e", frontend)
        victim.announce(*bystanders)
    wait_until("the port is free", lambda: is_free(switch))
    with tempfile.TemporaryFile(dir="/dev/shm") as shm, RawFrontend(switch.path("v")) as frontend:
        shm.truncate(2 * MIB)
        frontend.negotiate()
        frontend.set_mem_table([entry()], [shm.fileno()])
        assert len(switch.port("v")["session"]["memory"]) == 1


# Ring addresses, in a table of one region of 16 MiB.

Address = Callable[[RawFrontend], tuple[int, int, int]]


def around(frontend: RawFrontend) -> tuple[int, int, int]:
    """Good addresses: descriptors, used, avail."""
    ring, memory = frontend.tx, frontend.memory
    return memory.userspace(ring.desc), memory.userspace(ring.used), memory.userspace(ring.avail)


def moved(desc: int = 0, used: int = 0, avail: int = 0) -> Address:
    """Good addresses, moved by so many bytes."""

    def address(frontend: RawFrontend) -> tuple[int, int, int]:
        good = around(frontend)
        return good[0] + desc, good[1] + used, good[2] + avail

    return address


def ending(what: int, short: int) -> Address:
    """One of the three areas placed so that its last `short` bytes lie behind the region.

    The last two of the avail and of the used ring are for EVENT_IDX, which is not negotiated.
    """

    def address(frontend: RawFrontend) -> tuple[int, int, int]:
        size = frontend.tx.size
        areas = (16 * size, 6 + 8 * size, 6 + 2 * size)
        region = frontend.memory.regions[0]
        places = list(around(frontend))
        places[what] = region.userspace_addr + region.size - areas[what] + short
        return places[0], places[1], places[2]

    return address


ADDRESSES: dict[str, tuple[Address, str]] = {
    "desc-misaligned": (moved(desc=8), "align"),
    "avail-misaligned": (moved(avail=1), "align"),
    "used-misaligned": (moved(used=2), "align"),
    "desc-outside": (lambda f: (0x1000, *around(f)[1:]), "outside|memory"),
    "used-outside": (lambda f: (around(f)[0], 0x1000, around(f)[2]), "outside|memory"),
    "avail-outside": (lambda f: (*around(f)[:2], 0x1000), "outside|memory"),
    "desc-over-end": (ending(0, 16), "outside|memory"),
    "used-over-end": (ending(1, 4), "outside|memory"),
    "avail-over-end": (ending(2, 4), "outside|memory"),
    "desc-null": (lambda f: (0, *around(f)[1:]), "outside|memory"),
    "desc-wraps": (lambda f: (TOP - 16, *around(f)[1:]), "outside|memory|wrap"),
    "used-wraps": (lambda f: (around(f)[0], TOP - 4, around(f)[2]), "outside|memory|wrap"),
    "avail-wraps": (lambda f: (*around(f)[:2], TOP - 2), "outside|memory|wrap"),
}


@pytest.mark.parametrize("address, words", ADDRESSES.values(), ids=ADDRESSES.keys())
@pytest.mark.parametrize("live", [False, True], ids=["at-start", "live"])
def test_ring_must_lie_in_the_table(
    switch: Switch, bystanders: Bystanders, address: Address, words: str, live: bool
) -> None:
    with RawFrontend(switch.path("v")) as frontend:
        if live:
            frontend.handshake()
            switch.wait_state("v", "up")
        else:
            frontend.negotiate()
            frontend.share_memory()
            frontend.set_vring_num(1, frontend.tx.size)
        desc, used, avail = address(frontend)
        must_fault(
            switch, bystanders, frontend,
            lambda f: f.send_raw(
                message(Request.SET_VRING_ADDR, vring_addr(1, 0, desc, used, avail))
            ),
            words,
        )


def test_number_that_grows_over_the_table(switch: Switch, bystanders: Bystanders) -> None:
    """A ring that ends where its region ends, and is then said to be longer."""
    with RawFrontend(switch.path("v")) as frontend:
        frontend.negotiate()
        frontend.share_memory()
        frontend.fill_rx()
        frontend.start_ring(0)
        frontend.set_vring_num(1, 256)
        desc, used, avail = ending(0, 0)(frontend)
        frontend.set_vring_addr(1, desc, used, avail)
        must_fault(
            switch, bystanders, frontend,
            lambda f: f.set_vring_num(1, 512), "outside|memory|ring",
        )


def test_table_that_leaves_the_rings_out(switch: Switch, bystanders: Bystanders) -> None:
    """New memory without the running rings: the port stops, and says so."""
    with RawFrontend(switch.path("v")) as frontend:
        frontend.handshake()
        switch.wait_state("v", "up")
        other = os.memfd_create("other")
        os.ftruncate(other, 2 * MIB)
        try:
            frontend.send_raw(
                message(Request.SET_MEM_TABLE, mem_table([entry()])), [other]
            )
        finally:
            os.close(other)
        port = wait_until("the port is not up", lambda: not_up(switch))
        assert port["state"] in ("negotiating", "fault")
        carry_on(bystanders)
    wait_until("the port is free", lambda: is_free(switch))
    heals(switch, bystanders)


def not_up(switch: Switch) -> Optional[dict[str, object]]:
    port = switch.port("v")
    return port if port["state"] != "up" else None


def test_memory_of_hundreds_of_sessions_is_given_back(
    switch: Switch, bystanders: Bystanders
) -> None:
    """Mappings and descriptors end with their session."""
    heals(switch, bystanders)
    wait_until("the port is free", lambda: is_free(switch))

    def held() -> tuple[int, int]:
        maps = Path(f"/proc/{switch.pid}/maps").read_text().count("memfd:guest")
        return open_descriptors(switch), maps

    before = held()
    for _ in range(100):
        with RawFrontend(switch.path("v")) as frontend:
            frontend.handshake()
    carry_on(bystanders)
    wait_until(
        "nothing is held", lambda: held() <= before, 10.0, lambda: f"{held()}, before {before}"
    )
